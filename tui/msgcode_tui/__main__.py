"""`msgcode-tui`: opens a store and shows it."""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from typing import NoReturn

from msgcode import MsgcodeError, Refused, Store, __version__
from msgcode.checks import check_id
from msgcode.errors import BadInput
from msgcode.model import HUMAN

HOST, PORT = "127.0.0.1", 8000
"""Where the room is served to a browser."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise BadInput(f"{message}; see {self.prog} --help.")


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = _Parser(
        prog="msgcode-tui",
        description="Every agent, channel and conversation, live, and a composer to join in.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--store", metavar="S", help="the folder of the room; else MSGCODE_STORE, else ~/.oh-my-msgcode"
    )
    parser.add_argument("--as", dest="me", metavar="NAME", help="who you are in the room; else human")
    parser.add_argument("--demo", action="store_true", help="show a scripted crew in a room of its own")
    parser.add_argument(
        "--settings", metavar="FILE", help="the settings; else MSGCODE_CONFIG, else the one that is yours"
    )
    parser.add_argument("--print-settings", action="store_true", help="print a settings file, explained")
    parser.add_argument("--web", action="store_true", help="serve the room to a browser on this machine")
    parser.add_argument("--port", type=int, default=PORT, help=f"where to serve it; else {PORT}")
    parser.add_argument("--host", default=HOST, help=f"a loopback address to serve it at; else {HOST}")
    parser.add_argument("--version", action="version", version=f"msgcode-tui {__version__}")
    arguments = parser.parse_args(words)
    if arguments.demo and arguments.store:
        raise BadInput("--demo has a room of its own: leave out --store.")
    if not 1 <= arguments.port <= 65535:
        raise BadInput(f"--port must be a number from 1 to 65535, not {arguments.port}.")
    arguments.me = check_id("agent", arguments.me or HUMAN)
    return arguments


def _serve(arguments: argparse.Namespace) -> int:
    try:
        from msgcode_tui.web import RoomServer, check_host
    except ImportError as error:
        raise Refused("a browser needs the extra \"web\": pip install 'msgcode[web]'.") from error
    words = ["--as", arguments.me]
    words += [f"--store={arguments.store}"] if arguments.store else []
    words += [f"--settings={arguments.settings}"] if arguments.settings else []
    words += ["--demo"] if arguments.demo else []
    RoomServer(words, check_host(arguments.host), arguments.port).run()
    return 0


def main(words: Sequence[str] | None = None) -> int:
    """Run the program with these arguments (those of the process if None); returns its exit code."""
    try:
        arguments = _arguments(words)
        gc.disable()  # Until the first picture: what is imported and begun now stays.
        from msgcode_tui import settings  # Which takes Textual, and --help and --version do not need that.

        if arguments.print_settings:
            print(settings.documented(), end="")
            return 0
        chosen = settings.load(arguments.settings)
        if arguments.web:
            gc.enable()
            return _serve(arguments)
        with ExitStack() as stack:
            folder = arguments.store
            if arguments.demo:
                from msgcode_tui.demo import running_crew

                folder = stack.enter_context(running_crew())
            store = stack.enter_context(Store.open(folder))
            if any(agent.id == arguments.me and not agent.human for agent in store.agents()):
                raise Refused(f"{arguments.me!r} is registered as an agent: use another name with --as.")
            from msgcode_tui.app import MsgcodeApp
            from msgcode_tui.remembered import Memory, default_path

            memory = Memory(None if arguments.demo else default_path(store.name))
            app = MsgcodeApp(store, arguments.me, settings=chosen, memory=memory)
            app.run()
            return app.return_code or 0
    except MsgcodeError as error:
        print(f"msgcode-tui: {error}", file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
