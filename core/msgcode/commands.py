"""The language of msgcode: one grammar and one set of answers for the CLI, the TUI and OpenCode.

`msgcode send bob hello` in a shell and `/msg send bob hello` in a chat are the same command. To add one,
write its entry in `COMMANDS`, and its function here or in the file of its topic (`commands_*.py`).
"""

from __future__ import annotations

import argparse
import re
from collections import deque

from msgcode import answers
from msgcode.calls import (
    PRIORITIES,
    Answer,
    Call,
    agent_id,
    argument,
    channel_id,
    id_argument,
    minutes,
    positive,
    run,
    seconds,
    sent_answer,
)
from msgcode.codec import encode_time, event_json, message_json, to_json
from msgcode.errors import MsgcodeError
from msgcode.grammar import Command, Help, parse
from msgcode.model import Priority, Status
from msgcode.store import Store
from msgcode.text import visible, visible_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from msgcode.events import Event
    from msgcode.model import Session


# What each command does


def _register(call: Call) -> Answer:
    args = call.args
    name = " ".join(args.name) or None
    agent = call.store.register(
        args.id.removeprefix("@"),
        name,
        args.description,
        human=args.human,
        session=None if args.human else call.session,
        takeover=args.takeover,
    )
    title = f" ({visible_line(agent.name)})" if agent.name != agent.id else ""
    return Answer(f"Registered {agent.id}{title}.", to_json(agent))


def _unregister(call: Call) -> Answer:
    agent = call.store.unregister(call.args.id.removeprefix("@"))
    return Answer(f"Unregistered {agent.id}.", to_json(agent))


def _send(call: Call) -> Answer:
    args, store = call.args, call.store
    reply_to = store.resolve(args.reply_to) if args.reply_to else None
    message = store.send(
        call.somebody,
        args.to.removeprefix("@"),
        _body(args.body),
        subject=args.subject,
        channel=channel_id(args.channel),
        priority=args.priority,
        ttl=seconds(args.ttl),
        metadata=_metadata(args.meta),
        reply_to=reply_to,
        by=call.by,
    )
    return sent_answer(call, message, f"Sent to {args.to.removeprefix('@')}")


def _broadcast(call: Call) -> Answer:
    args, store = call.args, call.store
    channel = args.channel.removeprefix("#")
    message = store.broadcast(
        call.somebody,
        channel,
        _body(args.body),
        subject=args.subject,
        priority=args.priority,
        ttl=seconds(args.ttl),
        metadata=_metadata(args.meta),
        reply_to=store.resolve(args.reply_to) if args.reply_to else None,
        by=call.by,
    )
    count = len(message.deliveries)
    return sent_answer(call, message, f"Sent to {count} member{'s' * (count != 1)} of #{channel}")


def _check(call: Call) -> Answer:
    args, store = call.args, call.store
    agent = agent_id(args.id) or call.somebody
    wanted = {"channel": channel_id(args.channel), "sender": agent_id(args.sender)}
    # Somebody who looks into another's inbox has not read the messages for them.
    looking = call.actor not in (None, agent) or call.session is not None or store.moment is not None
    read = store.inbox if looking else store.check
    found = read(agent, **wanted, priority=args.priority, limit=args.limit)
    data = [message_json(message) for message in found]
    if not found:
        return Answer(f"Nothing waits for {visible_line(agent)}.", data)
    blocks = [
        answers.message_block(message, call.paint, message.deliveries[agent].status if looking else None)
        for message in found
    ]
    if looking:
        blocks.append(f"You only looked: nothing was marked as delivered to {agent}.")
    return Answer("\n\n".join(blocks), data)


def _show(call: Call) -> Answer:
    message = call.store.message(call.store.resolve(call.args.message))
    lines = [answers.message_block(message, call.paint)]
    lines += [original] if (original := answers.original_block(message)) else []
    lines += [answers.delivery_line(agent, delivery) for agent, delivery in message.deliveries.items()]
    return Answer("\n".join(lines), message_json(message))


def _ack(call: Call) -> Answer:
    ids = [call.store.resolve(prefix) for prefix in call.args.message]
    done = call.store.acknowledge(call.somebody, *ids, by=call.by)
    short = ", ".join(message.id[: answers.SHORT_ID] for message in done)
    return Answer(f"Acknowledged {short}.", [message_json(message) for message in done])


def _agents(call: Call) -> Answer:
    store = call.store
    agents = store.agents()
    width = max((len(agent.id) for agent in agents), default=0)
    lines, data = [], []
    for agent in agents:
        presence, waiting = store.presence(agent.id), store.waiting(agent.id)
        lines.append(answers.agent_line(agent, presence, waiting, width, call.paint))
        data.append({**to_json(agent), "presence": to_json(presence), "waiting": waiting})
    return Answer(answers.listing(lines, "No agents are registered. Register one: msgcode register ID"), data)


def _status(call: Call) -> Answer:
    store = call.store
    agents, messages, damage, peers = store.agents(), store.messages(), store.damage(), store.peers()
    online = None if store.moment else sum(store.presence(agent.id).online for agent in agents)
    held = len(store.held()) if store.holds() else 0
    counts = {status.value: 0 for status in Status if not status.ended}
    for message in messages:
        for delivery in message.deliveries.values():
            if not delivery.status.ended:
                counts[delivery.status] += 1
    since = store.behind_since
    lines = [
        f"Store: {visible_line(store.name)}",
        *([f"{call.paint('Behind:', 'red')} {answers.behind_words(since)}"] if since else []),
        f"You: {call.actor or 'nobody (add --as ID, or set MSGCODE_AGENT)'}",
        f"Agents: {len(agents)}" + (f", {online} online" if online is not None else ""),
        f"Channels: {len(store.channels())}",
        "Waiting: " + ", ".join(f"{count} {status}" for status, count in counts.items()),
        *([f"Held: {held} (msgcode held tells by what)"] if store.holds() else []),
        *answers.peer_lines(peers, call.paint),
        *(f"{call.paint('Damaged:', 'red')} {visible_line(item)}" for item in damage),
    ]
    data = {
        "store": store.name,
        "actor": call.actor,
        "agents": len(agents),
        "online": online,
        "channels": len(store.channels()),
        "waiting": counts,
        "held": held,
        "peers": to_json(peers) if peers else None,
        "damage": damage,
        "behindSince": encode_time(since) if since else None,
    }
    return Answer("\n".join(lines), data)


def _channel_create(call: Call) -> Answer:
    args = call.args
    name = " ".join(args.name) or None
    channel = call.store.create_channel(args.id.removeprefix("#"), call.somebody, name, args.description)
    return Answer(f"Created #{channel.id}. Members: {', '.join(channel.members)}.", to_json(channel))


def _channel_join(call: Call) -> Answer:
    channel = call.store.join(call.args.id.removeprefix("#"), call.somebody)
    return Answer(f"Joined #{channel.id}. Members: {', '.join(channel.members)}.", to_json(channel))


def _channel_leave(call: Call) -> Answer:
    channel = call.store.leave(call.args.id.removeprefix("#"), call.somebody)
    members = ", ".join(channel.members) or "nobody"
    return Answer(f"Left #{channel.id}. Members: {members}.", to_json(channel))


def _channel_list(call: Call) -> Answer:
    channels = call.store.channels()
    lines = [answers.channel_line(channel, call.paint) for channel in channels]
    otherwise = "There are no channels. Create one: msgcode channel create ID"
    return Answer(answers.listing(lines, otherwise), [to_json(channel) for channel in channels])


def _log(call: Call) -> Answer:
    args = call.args
    message = call.store.resolve(args.message) if args.message else None
    events = (
        event
        for event in call.store.history()
        if about(event, agent_id(args.agent), channel_id(args.channel), message)
    )
    newest = deque(events, maxlen=args.limit)
    lines = [answers.event_line(event, call.paint) for event in newest]
    text = answers.listing(lines, "Nothing has happened yet.")
    return Answer(text, [event_json(event) for event in newest], json_lines=True)


def _purge(call: Call) -> Answer:
    args = call.args
    older_than = seconds(args.older_than) or 0
    discarded = call.store.purge(older_than=older_than, waiting=args.waiting, by=call.actor)
    text = "Forgot the messages that had ended."
    if args.waiting:
        text = f"Forgot the messages that had ended, and discarded {discarded} that waited."
    return Answer(text, {"discarded": discarded})


def about(event: Event, agent: str | None, channel: str | None, message: str | None) -> bool:
    """Whether the event is about all of these that are given."""
    fact: Any = event.fact
    to = getattr(fact, "to", ())
    agents = {getattr(fact, name, None) for name in ("agent", "sender", "by", "created_by")} | {*to}
    ids = {getattr(fact, name, None) for name in ("id", "channel")}
    return (
        (agent is None or agent in agents or agent in ids)
        and (channel is None or channel in ids)
        and (message is None or message in ids)
    )


# The grammar


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form KEY=VALUE")
    return key, value


def _metadata(pairs: Iterable[tuple[str, str]] | None) -> dict[str, str]:
    return dict(pairs or ())


def _body(words: Sequence[str]) -> str:
    return " ".join(words)


def _one_id(kind: str, run: Callable[[Call], Answer]) -> Callable[[argparse.ArgumentParser], None]:
    return lambda parser: id_argument(parser, run, kind)


def _no_arguments(run: Callable[[Call], Answer]) -> Callable[[argparse.ArgumentParser], None]:
    return lambda parser: parser.set_defaults(run=run)


def _named(parser: argparse.ArgumentParser, run: Callable[[Call], Answer], kind: str) -> None:
    id_argument(parser, run, kind)
    parser.add_argument(
        "name", nargs="*", default=[], metavar="NAME", help="what people read; the id if none is given"
    )
    parser.add_argument("--description", metavar="TEXT", help="what it is for")


def _register_arguments(parser: argparse.ArgumentParser) -> None:
    _named(parser, _register, "agents")
    parser.add_argument("--human", action="store_true", help="a person, who may act for other agents")
    parser.add_argument(
        "--takeover", action="store_true", help="in a harness: even if the agent's own session is alive"
    )


_NORMAL = str(Priority.NORMAL)


def _message_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "body", nargs="+", metavar="BODY", help="the text; in a shell, - reads standard input"
    )
    parser.add_argument("--subject", metavar="TEXT", help="a short summary")
    parser.add_argument("--priority", choices=PRIORITIES, default=_NORMAL)
    parser.add_argument("--ttl", type=minutes, metavar="MINUTES", help="expire if not delivered by then")
    parser.add_argument(
        "--meta", type=_pair, action="append", metavar="KEY=VALUE", help="such as file=a.py:15"
    )
    argument(parser, "--reply-to", "messages", metavar="ID", help="the message that it answers")


def _send_arguments(parser: argparse.ArgumentParser) -> None:
    argument(parser, "to", "agents", metavar="TO")
    _message_options(parser)
    argument(parser, "--channel", "channels", metavar="ID", help="a topic that it belongs to")
    parser.set_defaults(run=_send)


def _broadcast_arguments(parser: argparse.ArgumentParser) -> None:
    argument(parser, "channel", "channels", metavar="CHANNEL")
    _message_options(parser)
    parser.set_defaults(run=_broadcast)


def _check_arguments(parser: argparse.ArgumentParser) -> None:
    id_argument(parser, _check, "agents", nargs="?")
    argument(parser, "--channel", "channels", metavar="ID")
    argument(parser, "--sender", "agents", metavar="ID")
    parser.add_argument("--priority", choices=PRIORITIES)
    parser.add_argument("--limit", type=positive, default=50, metavar="N", help="at most so many (50)")


def _ack_arguments(parser: argparse.ArgumentParser) -> None:
    argument(parser, "message", "messages", nargs="+", metavar="MESSAGE_ID")
    parser.set_defaults(run=_ack)


def _show_arguments(parser: argparse.ArgumentParser) -> None:
    argument(parser, "message", "messages", metavar="MESSAGE_ID")
    parser.set_defaults(run=_show)


def _log_arguments(parser: argparse.ArgumentParser) -> None:
    argument(parser, "--agent", "agents", metavar="ID", help="only what this agent did or was sent")
    argument(parser, "--channel", "channels", metavar="ID", help="only this channel")
    argument(parser, "--message", "messages", metavar="ID", help="only the life of this message")
    parser.add_argument("--limit", type=positive, default=100, metavar="N", help="the newest so many (100)")
    parser.set_defaults(run=_log)


def _purge_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--older-than", type=minutes, metavar="MINUTES", help="only what ended before that")
    parser.add_argument("--waiting", action="store_true", help="discard what still waits, too")
    parser.set_defaults(run=_purge)


def from_topic(topic: str, word: str) -> Callable[[argparse.ArgumentParser], None]:
    """What adds the word's arguments, from the topic's file: only those who use it pay for reading that."""

    def add_arguments(parser: argparse.ArgumentParser) -> None:
        from importlib import import_module

        getattr(import_module(f"msgcode.commands_{topic}"), f"{word}_arguments")(parser)

    return add_arguments


COMMANDS = {
    "register": Command("join the room as an agent", _register_arguments),
    "unregister": Command("leave the room", _one_id("agents", _unregister)),
    "send": Command("send a message to an agent", _send_arguments, body_after=1),
    "broadcast": Command("send a message to all members of a channel", _broadcast_arguments, body_after=1),
    "check": Command("read an inbox", _check_arguments, reads=True),
    "show": Command("show a whole message and how far it has come", _show_arguments, reads=True),
    "ack": Command("acknowledge messages: they are done with", _ack_arguments),
    "edit": Command("change a message before anybody has it", from_topic("steering", "edit"), body_after=1),
    "discard": Command("clear messages away before they are dealt with", from_topic("steering", "discard")),
    "expire": Command("end messages wherever they have not been delivered", from_topic("steering", "expire")),
    "priority": Command("give a waiting message another priority", from_topic("steering", "priority")),
    "forward": Command("send a message on to another agent", from_topic("steering", "forward"), body_after=2),
    "resend": Command(
        "send a message again to those whom it did not reach", from_topic("steering", "resend")
    ),
    "questions": Command(
        "list the questions that wait for an answer", from_topic("steering", "questions"), reads=True
    ),
    "answer": Command(
        "answer a question with one of its choices", from_topic("steering", "answer"), body_after=1
    ),
    "hold": Command("stop what is on its way to agents", from_topic("holding", "hold")),
    "held": Command("list what is held, and by what", from_topic("holding", "held"), reads=True),
    "step": Command("let one held message through", from_topic("holding", "step")),
    "release": Command("let what is held go on", from_topic("holding", "release")),
    "move": Command("put a waiting message before another", from_topic("holding", "move")),
    "break add": Command("stop messages that match", from_topic("holding", "break_add")),
    "break test": Command(
        "what a breakpoint would have stopped so far", from_topic("holding", "break_test"), reads=True
    ),
    "break list": Command("list the breakpoints", from_topic("holding", "break_list"), reads=True),
    "break enable": Command("let a breakpoint stop messages again", from_topic("holding", "break_enable")),
    "break disable": Command("let a breakpoint stop nothing", from_topic("holding", "break_disable")),
    "break remove": Command("forget a breakpoint", from_topic("holding", "break_remove")),
    "agents": Command("list the agents", _no_arguments(_agents), reads=True),
    "status": Command("how the room is", _no_arguments(_status), reads=True),
    "channel create": Command("open a channel", lambda parser: _named(parser, _channel_create, "channels")),
    "channel join": Command("join a channel", _one_id("channels", _channel_join)),
    "channel leave": Command("leave a channel", _one_id("channels", _channel_leave)),
    "channel list": Command("list the channels and their members", _no_arguments(_channel_list), reads=True),
    "log": Command("what has happened", _log_arguments, reads=True),
    "search": Command(
        "look for messages in all that is kept", from_topic("looking", "search"), body_after=0, reads=True
    ),
    "export": Command("write messages down as a document", from_topic("looking", "export"), reads=True),
    "loops": Command("list the exchanges that go round and round", from_topic("loops", "loops"), reads=True),
    "backtest loops": Command(
        "what a guard against loops would have done", from_topic("loops", "backtest_loops"), reads=True
    ),
    "why": Command("explain why a message has come no further", from_topic("debugging", "why"), reads=True),
    "waits": Command(
        "who waits on whom for an answer, deadlocks first", from_topic("debugging", "waits"), reads=True
    ),
    "probe": Command("see whether a message reaches an agent", from_topic("probing", "probe")),
    "stuck": Command("list what does not move on, and why", from_topic("debugging", "stuck"), reads=True),
    "cost": Command(
        "how much text threads have put into agents", from_topic("debugging", "cost"), reads=True
    ),
    "purge": Command("forget the messages that have ended", _purge_arguments),
}


# A line of a chat

_WORD = r'"((?:[^"\\]|\\.)*)"(?!\S)|(\S+)'


def run_line(store: Store, line: str, actor: str | None, session: Session | None = None) -> Answer:
    """Run one `/msg ...` line for `actor` and answer in words. Never raises for what the line says.

    session: the agent's session into which a person typed it.
    Words are parted by white space; double quotes keep several as one, and apostrophes mean nothing.
    The text of a message begins after its recipient and is taken as it stands to the end of the line, so
    options come before it.
    """
    commands = COMMANDS
    try:
        words = _words(line.strip().removeprefix("/msg"))
        if not words:
            words = ["help"]
        args = parse(words, "/msg", commands, _add_speaker)
        if not getattr(args, "actor", None):
            args.actor = actor
        return run(Call(store, args, answers.plain, session))
    except Help as help:
        return Answer(str(help).rstrip())
    except MsgcodeError as error:
        return Answer(visible(str(error)), {"error": str(error)}, ok=False)


def _add_speaker(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--as", dest="actor", metavar="ID", help="who acts", default=argparse.SUPPRESS)


def _words(line: str) -> list[str]:
    """The line's words, with the free text of a command that has one as the last of them."""
    words: list[str] = []
    body_after = None
    seen = 0
    option_value = False
    for match in re.finditer(_WORD, line):
        word = match[2] if match[1] is None else re.sub(r"\\(.)", r"\1", match[1])
        if not words:
            body_after = COMMANDS[word].body_after if word in COMMANDS else None
        elif option_value:
            option_value = False
        elif match[2] and word.startswith("--") and word != "--":
            option_value = "=" not in word and word != "--help"
        elif body_after is not None and seen == body_after:
            body = line[match.end() if word == "--" else match.start() :].strip()
            return [*words, "--", body]
        else:
            seen += 1
        words.append(word)
    return words
