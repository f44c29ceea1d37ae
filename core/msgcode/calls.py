"""What commands are made of: the call of one, its answer, and the arguments that several share."""

from __future__ import annotations

import argparse
import os

from msgcode import answers
from msgcode.codec import message_json
from msgcode.errors import BadInput, MsgcodeError
from msgcode.model import HUMAN, Priority
from msgcode.record import Record
from msgcode.store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from msgcode.answers import Paint
    from msgcode.model import Message, Session


PRIORITIES = [str(priority) for priority in Priority]


class Answer(Record):
    """What a command has to say."""

    text: str
    """In words, one or more lines, safe to print."""
    data: Any = None
    """The same as JSON."""
    ok: bool = True
    """False if it was refused or not understood, or if the answer is that something is wrong."""
    json_lines: bool = False
    """`data` is a list to be printed as JSON Lines."""
    document: bool = False
    """`text` is one, and stands alone."""


class Call(Record):
    """One command to run: on what, for whom, and with which arguments."""

    store: Store
    args: argparse.Namespace
    paint: Paint
    session: Session | None = None
    """Where a person typed it, if that is a session in which an agent lives or may live."""

    @property
    def by(self) -> str | None:
        """The human who acts for `actor`, where a person types into an agent's session."""
        if not self.session or self.actor == HUMAN:
            return None
        return HUMAN if self.store.moment else self.store.register(HUMAN, human=True).id

    @property
    def actor(self) -> str | None:
        """Who acts: `--as`, else the environment variable MSGCODE_AGENT, else nobody in particular."""
        return agent_id(getattr(self.args, "actor", None) or os.environ.get("MSGCODE_AGENT"))

    @property
    def person(self) -> str:
        """Who steers the room: whoever is named, else the human at the keyboard."""
        return self.by or self.actor or self.store.register(HUMAN, human=True).id

    @property
    def somebody(self) -> str:
        """Who acts. Raises BadInput if nobody was named."""
        if not self.actor:
            hint = "/msg register ID" if self.session else "set MSGCODE_AGENT"
            raise BadInput(f"say who you are: add --as ID, or {hint}.")
        return self.actor


def run(call: Call) -> Answer:
    """Do what the command says, in the room as it is or as it was."""
    if call.args.at is None:
        return call.args.run(call)  # type: ignore[no-any-return]
    from msgcode.commands_travelling import run_at

    return run_at(call)


def agent_id(text: str | None) -> str | None:
    """An agent's id as people write it: `@bob` is bob."""
    return text.removeprefix("@") if text else None


def channel_id(text: str | None) -> str | None:
    """A channel's id as people write it: `#dev` is dev."""
    return text.removeprefix("#") if text else None


def sent_answer(call: Call, message: Message, what: str) -> Answer:
    """What there is to say of a message that was sent: its id, and what its sender should know."""
    warnings = call.store.warnings(message)
    lines = [f"{what}: {call.paint(message.id[: answers.SHORT_ID], 'cyan')}"]
    lines += [f"{call.paint('Warning:', 'yellow')} {warning}" for warning in warnings]
    return Answer("\n".join(lines), {**message_json(message), "warnings": warnings})


def positive(text: str) -> int:
    """A whole number above 0, as argparse wants it told."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return int(text)


def minutes(text: str) -> float:
    """A number of minutes above 0."""
    try:
        minutes = float(text)
    except ValueError:
        minutes = -1
    if not 0 < minutes < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of minutes above 0")
    return minutes


def seconds(minutes: float | None) -> float | None:
    """The minutes in seconds, if any were given."""
    return minutes * 60 if minutes is not None else None


def id_argument(
    parser: argparse.ArgumentParser, run: Callable[[Call], Answer], kind: str, **more: Any
) -> None:
    """Add the id that a command is about, of an agent, a channel or a message (see `argument`)."""
    argument(parser, "id", kind, metavar="ID", **more)
    parser.set_defaults(run=run)


def argument(parser: argparse.ArgumentParser, name: str, kind: str, **more: Any) -> None:
    """Add an argument that names an agent, a channel or a message, so that shells can complete it.

    kind: agents, channels or messages. more: as for `add_argument`.
    """
    setattr(parser.add_argument(name, **more), "completer", _Completer(kind))  # noqa: B010


class _Completer:
    """Completes ids from the store, for argcomplete."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __call__(self, *, parsed_args: argparse.Namespace, **_: object) -> list[str]:
        try:
            with Store.open(getattr(parsed_args, "store", None)) as store:
                return [item.id for item in getattr(store, self.kind)()]
        except MsgcodeError:
            return []
