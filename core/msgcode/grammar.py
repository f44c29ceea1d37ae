"""How commands are parsed: argparse, with one sentence for an error and help as an answer.

What the commands are is in `commands.py`, and `cli.py` adds those that make sense only in a shell.
"""

from __future__ import annotations

import argparse
import os

from msgcode.errors import BadInput
from msgcode.record import Record
from msgcode.text import visible_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, NoReturn

    AddOptions = Callable[[argparse.ArgumentParser], None]

_LONG = 400
"""Characters of an error that are shown."""

# argparse would look for translations of its few words, of which there are none. To look it imports locale:
# a twentieth of a whole `msgcode send`.
setattr(argparse, "_", str)  # noqa: B010


# Without a description argparse would print that it has none.
_COMMANDS: dict[str, Any] = {"metavar": "COMMAND", "title": "commands", "description": "", "required": True}


class Command(Record):
    """A word of the language. `arguments` adds its arguments to a parser, and the function to run."""

    help: str
    arguments: Callable[[argparse.ArgumentParser], None]
    body_after: int | None = None
    """For a command that ends in free text: how many words come before it, options aside."""
    reads: bool = False
    """It changes nothing, so it can be asked of the past."""


class Parser(argparse.ArgumentParser):
    """An argument parser that raises BadInput instead of ending the process, and returns its help."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"allow_abbrev": False, "formatter_class": _Formatter, **options})

    def error(self, message: str) -> NoReturn:
        raise BadInput(f"{_short(visible_line(message))}; see {self.prog} --help.")

    def print_help(self, file: Any = None) -> None:
        from msgcode.topics import examples

        raise Help(self.format_help() + examples(*self.prog.partition(" ")[::2]))


class _Formatter(argparse.HelpFormatter):
    """Help as wide as the terminal. argparse would import shutil to find out, for 3 ms at every start."""

    def __init__(self, prog: str) -> None:
        try:
            width = os.get_terminal_size().columns
        except OSError:
            width = 80
        super().__init__(prog, width=min(width, 100) - 2)


class Help(Exception):
    """`--help` was asked for; the text is the answer."""


def parse(
    words: Sequence[str], prog: str, commands: dict[str, Command], add_common: AddOptions
) -> argparse.Namespace:
    """The arguments that the words stand for, with `run`, the function that runs them.

    prog: what the program is called in its help. add_common: adds the options that every command has.
    Raises BadInput if they make no sense, and Help if they ask for help.
    """
    if words and words[0] in ("help", "--help", "-h"):
        return _explain(words[1:], prog, commands, add_common)
    for length in (1, 2):
        name = " ".join(words[:length])
        if name in commands:
            # Only the parser that is needed: making them all takes 2 ms, a tenth of a whole `msgcode send`.
            parser = Parser(prog=f"{prog} {name}", description=_sentence(commands[name].help))
            _add_arguments(parser, commands[name], add_common)
            return parser.parse_args(words[length:])
    if words and not words[0].startswith("-"):
        group = [name for name in commands if name.startswith(f"{words[0]} ")]
        if not group or words[1:] not in (["-h"], ["--help"]):
            raise BadInput(_no_command(words[0], group, prog, commands))
    args = full_parser(prog, commands, add_common).parse_args(words)
    return _explain(args.about, prog, commands, add_common) if "about" in args else args


def _explain(
    about: Sequence[str], prog: str, commands: dict[str, Command], add_common: AddOptions
) -> argparse.Namespace:
    from msgcode.topics import TOPICS, overview

    name = " ".join(word for word in about if not word.startswith("-"))
    if not name:
        raise Help(overview(prog, commands))
    if name in TOPICS:
        raise Help(TOPICS[name])
    return parse([*name.split(), "--help"], prog, commands, add_common)


def _no_command(word: str, group: list[str], prog: str, commands: dict[str, Command]) -> str:
    from msgcode.decisions import nearest

    if group:
        return f"{word!r} needs one more word: use one of {', '.join(group)}."
    near = nearest(word, commands)
    return f"{word[:80]!r} is no command{near}: see {prog} help."


def full_parser(prog: str, commands: dict[str, Command], add_common: AddOptions) -> Parser:
    """The parser for everything, as groups of commands and shell completion need it."""
    from msgcode.topics import TOPICS

    parser = Parser(prog=prog, description="A chat room for coding agents and humans.")
    add_common(parser)
    choices = parser.add_subparsers(**_COMMANDS)
    groups: dict[str, Any] = {}
    for name, command in commands.items():
        group, _, word = name.rpartition(" ")
        if group and group not in groups:
            made = choices.add_parser(group, help=f"{group}s: see {prog} {group} --help")
            groups[group] = made.add_subparsers(**_COMMANDS)
        into = groups[group] if group else choices
        own = into.add_parser(word, help=command.help, description=_sentence(command.help))
        _add_arguments(own, command, add_common)
    about = choices.add_parser("help", help="explain a command, or a topic").add_argument("about", nargs="*")
    setattr(about, "completer", lambda **_: [*TOPICS, *(name.partition(" ")[0] for name in commands)])  # noqa: B010
    return parser


def _add_arguments(parser: argparse.ArgumentParser, command: Command, add_common: AddOptions) -> None:
    add_common(parser)
    about = "as the room was then: 09:30, 2030-01-31T09:30, 2h (ago), or after which event"
    parser.add_argument("--at", metavar="TIME|SEQ", help=about if command.reads else argparse.SUPPRESS)
    parser.set_defaults(reads=command.reads)
    command.arguments(parser)


def _short(text: str) -> str:
    """Without the middle of what nobody would read: argparse repeats what was typed, however long."""
    return text if len(text) <= _LONG else f"{text[: _LONG // 2]}…{text[-_LONG // 2 :]}"


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
