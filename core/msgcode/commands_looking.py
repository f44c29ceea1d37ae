"""The commands that look for messages in all that is kept, and write them down."""

from __future__ import annotations

import os

from msgcode import answers
from msgcode.calls import Answer, Call, agent_id, argument, channel_id, positive
from msgcode.codec import message_json
from msgcode.errors import BadInput, Refused, Unavailable
from msgcode.text import visible_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

_FORMATS = ["md", "jsonl", "html"]


def _search(call: Call) -> Answer:
    from msgcode.search import parse_query

    query = parse_query(" ".join(call.args.query), call.store.now())
    found = [message for message in call.store.messages(ended=True) if query.matches(message)]
    newest = found[-call.args.limit :]
    lines = [answers.message_line(message, call.paint) for message in newest]
    if len(newest) < len(found):
        more = f"The newest {len(newest)} of {len(found)}; --limit N shows more."
        lines.append(call.paint(more, "dim"))
    text = answers.listing(lines, "No message matches.")
    return Answer(text, [message_json(message) for message in newest])


def _export(call: Call) -> Answer:
    from msgcode.export import FORMATS, chosen

    args, store = call.args, call.store
    channel, agent = channel_id(args.channel), agent_id(args.agent)
    thread = store.message(store.resolve(args.thread)).thread if args.thread else None
    messages = chosen(store.messages(ended=True), channel=channel, agent=agent, thread=thread)
    ending = os.path.splitext(args.output or "")[1].removeprefix(".")
    format = args.format or (ending if ending in FORMATS else "md")
    parts = [f"#{channel}" if channel else None, f"@{agent}" if agent else None]
    parts.append(f"thread {thread[: answers.SHORT_ID]}" if thread else None)
    chunks = FORMATS[format](messages, ", ".join(filter(None, parts)) or "Everything")
    if args.output is None:
        text = "".join(chunks)
        data = {"messages": len(messages), "format": format, "text": text}
        return Answer(text.removesuffix("\n"), data, document=True)
    path = os.path.abspath(os.path.expanduser(args.output))
    shown = visible_line(path)
    try:
        # Messages are for nobody else on the machine to read, so neither is what is made of them.
        flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if args.force else os.O_EXCL)
        with open(os.open(path, flags, 0o600), "w", encoding="utf-8") as file:
            file.writelines(chunks)
    except FileExistsError:
        raise Refused(f"{shown} exists already: choose another name, or add --force.") from None
    except OSError as error:
        raise Unavailable(f"cannot write {shown}: {error.strerror}.") from error
    except ValueError:
        raise BadInput(f"{shown} cannot be the name of a file.") from None
    count = f"{len(messages)} message{'s' * (len(messages) != 1)}"
    data = {"messages": len(messages), "format": format, "file": path}
    return Answer(f"Wrote {count} to {shown}.", data)


# The grammar


def search_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "query",
        nargs="+",
        metavar="QUERY",
        help='words, "phrases", -without, from: to: in: status: priority: subject: id: '
        "has:question|file|reply before: after: (09:30, 2030-01-31, 2h)",
    )
    parser.add_argument("--limit", type=positive, default=50, metavar="N", help="the newest so many (50)")
    parser.set_defaults(run=_search)


def export_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=_FORMATS, help="else by the ending of the file, else md")
    argument(parser, "--channel", "channels", metavar="ID", help="only this channel")
    argument(parser, "--agent", "agents", metavar="ID", help="only what this agent sent or was sent")
    argument(parser, "--thread", "messages", metavar="ID", help="only the thread of this message")
    parser.add_argument("--output", metavar="FILE", help="where to write it; else it is printed")
    parser.add_argument("--force", action="store_true", help="even if there is such a file")
    parser.set_defaults(run=_export)
