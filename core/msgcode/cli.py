"""`msgcode ...`: the commands in a shell.

Answers go to standard output and nothing else does; errors are one sentence on standard error.
Exit codes: 0 done, 1 refused by the store, 2 bad usage.
"""

from __future__ import annotations

import argparse
import json
import os
import sys

from msgcode import __version__, answers
from msgcode.calls import Answer, Call, agent_id, channel_id, run
from msgcode.codec import event_json
from msgcode.commands import COMMANDS, about, from_topic
from msgcode.errors import BadInput, MsgcodeError
from msgcode.grammar import Command, Help, full_parser, parse
from msgcode.journal.reader import Position
from msgcode.store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from msgcode.answers import Paint


def main(words: Sequence[str] | None = None) -> int:
    """Run one command, by default that of the command line, and return the exit code."""
    if words is None:
        words = sys.argv[1:]
    if "_ARGCOMPLETE" in os.environ:
        import argcomplete

        argcomplete.autocomplete(
            full_parser("msgcode", _COMMANDS, _add_common_options), always_complete_options=False
        )
    try:
        try:
            return _run(words) if words else _welcome()
        except Help as help:
            print(help, end="")
            return 0
        finally:
            print(end="", flush=True)  # Here it can still be told if nobody reads it.
    except MsgcodeError as error:
        print(f"msgcode: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        # Whoever read our output has gone, as `head` does. Nothing is left to say, at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130


def _welcome() -> int:
    from msgcode import first_steps

    print(first_steps.welcome(first_steps.programs()), end="")
    return 0


def _run(words: Sequence[str]) -> int:
    if words[0] == "--version":
        print(f"msgcode {__version__}")
        return 0
    args = parse(words, "msgcode", _COMMANDS, _add_common_options)
    if getattr(args, "body", None) == ["-"]:
        args.body = [_standard_input()]
    as_json = getattr(args, "json", False)
    paint = answers.ansi if _colourful() and not as_json else answers.plain
    if "alone" in args:
        # It works without a room, since that may be what is wrong.
        if args.at is not None:
            raise BadInput("--at is for what only reads the room, such as agents, log or why.")
        answer = args.alone(args, paint)
    else:
        with Store.open(getattr(args, "store", None)) as store:
            answer = run(Call(store, args, paint))
            if since := store.behind_since:
                print(f"msgcode: {answers.behind_words(since)}", file=sys.stderr)
    if not as_json:
        print(answer.text, end="\n" if answer.text else "")
    elif answer.json_lines:
        print("".join(f"{json.dumps(item)}\n" for item in answer.data), end="")
    else:
        print(json.dumps(answer.data))
    return 0 if answer.ok else 1


def _colourful() -> bool:
    return (
        bool(sys.stdout and sys.stdout.isatty())
        and not os.environ.get("NO_COLOR")
        and os.environ.get("TERM") != "dumb"
    )


def _standard_input() -> str:
    try:
        return sys.stdin.buffer.read().decode().removesuffix("\n")
    except UnicodeDecodeError:
        raise BadInput("standard input must be text in UTF-8.") from None


def _add_common_options(parser: argparse.ArgumentParser) -> None:
    for name, target, metavar, help in (
        ("--as", "actor", "ID", "who acts (else MSGCODE_AGENT)"),
        (
            "--store",
            "store",
            "STORE",
            "the room: a folder or nats://HOST:4222/ROOM (else MSGCODE_STORE, else ~/.oh-my-msgcode)",
        ),
    ):
        parser.add_argument(name, dest=target, metavar=metavar, help=help, default=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", help="answer in JSON", default=argparse.SUPPRESS)


# Commands that make sense only in a shell


def _watch(call: Call) -> Answer:
    import asyncio

    asyncio.run(_feed(call))
    return Answer("", [], json_lines=True)


async def _feed(call: Call) -> None:
    """Print each event as it happens, until interrupted."""
    args = call.args
    agent, channel = agent_id(args.agent), channel_id(args.channel)
    async for events in call.store.watch(Position() if args.past else None):
        for event in events:
            if about(event, agent, channel, None):
                as_json = getattr(args, "json", False)
                print(json.dumps(event_json(event)) if as_json else answers.event_line(event, call.paint))
        sys.stdout.flush()


def _watch_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--past", action="store_true", help="begin with what has happened so far")
    parser.add_argument("--agent", metavar="ID", help="only what this agent does or is sent")
    parser.add_argument("--channel", metavar="ID", help="only this channel")
    parser.set_defaults(run=_watch)


def _completion(args: argparse.Namespace, paint: Paint) -> Answer:
    from argcomplete.shell_integration import shellcode

    script = shellcode(["msgcode"], shell=args.shell)
    return Answer(script, {"script": script})


def _completion_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "shell",
        choices=["bash", "zsh", "fish"],
        help="print what it has to read. In ~/.bashrc, or in ~/.zshrc after compinit: "
        'eval "$(msgcode completion bash)", or zsh. In fish: msgcode completion fish | source',
    )
    parser.set_defaults(alone=_completion)


_COMMANDS = {
    **COMMANDS,
    "step": COMMANDS["step"]._replace(arguments=from_topic("holding", "step_and_wait")),
    "probe": COMMANDS["probe"]._replace(arguments=from_topic("probing", "probe_and_wait")),
    "install": Command("connect an agent program to the room", from_topic("harnesses", "install")),
    "uninstall": Command("undo that", from_topic("harnesses", "uninstall")),
    "doctor": Command("see whether agent programs are connected, and well", from_topic("doctor", "doctor")),
    "host": Command("serve the plugin of an agent program, which starts it", from_topic("harnesses", "host")),
    "mcp": Command(
        "serve the tools over MCP to an agent program, which starts it", from_topic("harnesses", "mcp")
    ),
    "store init": Command("make a room on NATS", from_topic("store", "init")),
    "store info": Command("how and where a room is kept, and how large it is", from_topic("store", "info")),
    "store copy": Command("copy a room to another place", from_topic("store", "copy")),
    "run": Command(
        "run a program in this terminal, and wake its agent by typing", from_topic("terminals", "run")
    ),
    "adopt": Command("wake the agent in a pane of tmux by typing", from_topic("terminals", "adopt")),
    "watch": Command("print what happens, as it happens", _watch_arguments),
    "completion": Command('let a shell complete: eval "$(msgcode completion bash)"', _completion_arguments),
}
