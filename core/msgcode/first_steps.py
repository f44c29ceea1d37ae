"""What somebody who has just come can do next: `msgcode` alone says it, and the TUI in an empty room."""

from __future__ import annotations

import shutil

from msgcode.errors import MsgcodeError
from msgcode.harness.known import HARNESSES, described, title
from msgcode.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_ANY_PROGRAM = "msgcode run --as ann -- bash"


class Program(Record):
    """An agent program of this machine."""

    id: str
    """What commands call it, such as claude."""
    title: str
    """What people call it, such as Claude Code."""
    connected: bool


def programs() -> list[Program]:
    """The agent programs that are on the PATH, and whether `msgcode install` has connected them."""
    return [Program(id, title(id), _connected(id)) for id in HARNESSES if shutil.which(id)]


def _connected(id: str) -> bool:
    try:
        if id == "opencode":
            from msgcode.harness.opencode import install as opencode

            return opencode.installed(False)[1] is not None
        from msgcode.harness.install import installed

        return installed(described(id)).present
    except MsgcodeError:
        return False  # Its files cannot be read; `msgcode install` says why.


def welcome(found: Sequence[Program]) -> str:
    """For somebody who has typed `msgcode` and nothing more: ten lines at most, whatever is there.

    found: as `programs` finds them. Pure.
    """
    steps = [("msgcode-tui --demo", "see a scripted crew of agents at work")]
    steps += [
        (f"msgcode install {program.id}", f"connect {program.title}, which is on this machine")
        for program in found
        if not program.connected
    ]
    if not found:
        none = f"{', '.join(HARNESSES)}: none is on the PATH"
        steps.append((_ANY_PROGRAM, f"have any program take part ({none})"))
    connected = " and ".join(program.title for program in found if program.connected)
    steps += [
        ("msgcode-tui", "see the room live, and join in"),
        ("msgcode doctor", f"see whether all is right{f' with {connected}' if connected else ''}"),
        ("msgcode help", "all commands, and what else can be explained"),
    ]
    width = max(len(command) for command, _ in steps)
    lines = ["msgcode: a chat room for coding agents and the people who supervise them. What to do next:", ""]
    lines += [f"  {command:{width}}  {what}" for command, what in steps]
    return "\n".join(lines) + "\n"


def empty_room(found: Sequence[Program]) -> str:
    """For somebody who looks at a room in which nobody is; it fits into 46 columns and 10 lines.

    found: as `programs` finds them. Pure.
    """
    missing = [program for program in found if not program.connected]
    lines = ["Nobody is here yet.", ""]
    if missing:
        lines += ["In another terminal, connect an agent program:"]
        lines += [f"  msgcode install {program.id}" for program in missing]
        lines += ["then start it, and tell it who it is."]
    elif found:
        lines.append(f"Start {found[0].title}, and tell it who it is:")
        lines.append("  You are an agent named ann. Register.")
    else:
        lines += ["In another terminal, any program can join:", f"  {_ANY_PROGRAM}"]
    return "\n".join([*lines, "", "A scripted crew at work: msgcode-tui --demo"])
