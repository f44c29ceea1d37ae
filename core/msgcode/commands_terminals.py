"""The commands for agents in terminals."""

from __future__ import annotations

import argparse
import sys

from msgcode.calls import Answer, Call


def run_arguments(parser: argparse.ArgumentParser) -> None:
    _wake_argument(parser)
    parser.add_argument("command", metavar="COMMAND", nargs="+", help="the program, after --")
    parser.set_defaults(run=_run)


def adopt_arguments(parser: argparse.ArgumentParser) -> None:
    _wake_argument(parser)
    parser.add_argument(
        "pane", metavar="PANE", nargs="?", help="such as %%3 or work:0.1; else they are listed"
    )
    parser.set_defaults(run=_adopt)


def _wake_argument(parser: argparse.ArgumentParser) -> None:
    help = "what is typed to wake it, instead of where its mail is"
    parser.add_argument("--wake", metavar="TEXT", help=help)


def _run(call: Call) -> Answer:
    from msgcode.harness.terminal.pty import main

    sys.exit(main(call.store, call.somebody, call.args.command, call.args.wake))


def _adopt(call: Call) -> Answer:
    from msgcode.harness.terminal.tmux import main

    text = main(call.store, call.somebody, call.args.pane, call.args.wake)
    return Answer(text, {"ended": text})
