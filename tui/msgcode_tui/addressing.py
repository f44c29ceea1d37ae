"""Who would speak to whom if the user pressed enter now. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

from msgcode.checks import MAX_ID, is_id
from msgcode.decisions import nearest
from msgcode_tui.drafts import Options
from msgcode_tui.live import Live
from msgcode_tui.rooms import EVERYTHING, Room, RoomKind

_NAMED = re.compile(r'([@#])(?:([A-Za-z0-9][A-Za-z0-9._-]{0,63})|"([^"\n]+)")[:,]?(?=\s|\Z)\s*')


def quoted(name: str) -> str | None:
    """How the name of an agent or a channel is written: in quotes if it has blanks or the like, which those
    of oh-my-msgcode may. None if it cannot be written at all, such as with what acts in a terminal.
    """
    if is_id(name):
        return name
    odd = name[:1] in "-@#" or name != name.strip() or any(each in name for each in '"\\')
    return None if odd or len(name) > MAX_ID or not name.isprintable() else f'"{name}"'


class Address(NamedTuple):
    """Who speaks to whom."""

    speaker: str
    by: str | None = None
    """The user, where they speak as another agent."""
    to: tuple[str, ...] = ()
    """The agents, where it is not a channel."""
    channel: str | None = None
    to_all: bool = False
    """It goes to everybody, and the user has to confirm it."""
    skip: int = 0
    """How many characters at the beginning of the text only say whom it is for."""
    problem: str = ""
    """Why nothing can be sent like this, in a sentence; "" if it can."""

    @property
    def who(self) -> str:
        """Who speaks, in words. Not made safe to print."""
        return f"{self.by} as {self.speaker}" if self.by else self.speaker

    @property
    def whom(self) -> str:
        """Who hears it, in words; "" if nobody does. Not made safe to print."""
        if self.channel is not None:
            return f"#{self.channel}"
        if self.to_all:
            return f"all {len(self.to)} agents" if len(self.to) != 1 else f"all: {self.to[0]}"
        return ", ".join(self.to)


def address(live: Live, room: Room, text: str, options: Options) -> Address:
    """Who would speak to whom: to whom the text begins with (`@bob`, `#dev`, `@"Code Fixer"`), else to the
    room.

    In a room that only listens it is the sender of the message that is answered, and from everything,
    everybody.
    """
    speaker = options.speak_as or live.me
    base = Address(speaker, live.me if speaker != live.me else None)
    if speaker != live.me and speaker not in live.state.agents:
        return base._replace(problem=f"Nobody is registered as {speaker!r}{_near(speaker, live)}.")
    if named := _NAMED.match(text):
        return _named(base, live, named[1], named[2] or named[3], named.end())
    if room.kind is RoomKind.CHANNEL:
        return _to_channel(base, live, room.names[0])
    if partner := room.partner(speaker):
        return base._replace(to=(partner,))
    origin = live.state.messages.get(options.reply_to or "")
    if origin and origin.channel is not None:
        return _to_channel(base, live, origin.channel)
    if origin:
        others = (origin.sender,) if origin.sender != speaker else origin.recipients
        return base._replace(to=others)
    if room == EVERYTHING:
        others = tuple(id for id in live.state.agents if id != speaker)
        if others:
            return base._replace(to=others, to_all=True)
        return base._replace(problem="Nobody else is here yet.")
    one, other = (quoted(name) or name for name in room.names)
    return base._replace(
        problem=f"Begin with @{one} or @{other}, or speak as one of them (alt+a): they talk here."
    )


def _named(base: Address, live: Live, sign: str, name: str, skip: int) -> Address:
    if sign == "#":
        if name in live.state.channels:
            return _to_channel(base, live, name)._replace(skip=skip)
        why = f"There is no channel {name!r}{nearest(name, live.state.channels)}."
    elif name == base.speaker:
        why = f"{name} cannot write to itself."
    elif name in live.state.agents:
        return base._replace(to=(name,), skip=skip)
    else:
        why = f"Nobody is registered as {name!r}{_near(name, live)}."
    return base._replace(problem=f"{why} To send it as it is, begin with a space.")


def _to_channel(base: Address, live: Live, channel: str) -> Address:
    if channel not in live.state.channels:
        return base._replace(
            channel=channel,
            problem=f"There is no channel {channel!r}: create it with /msg channel create {channel}",
        )
    return base._replace(channel=channel)


def _near(name: str, live: Live) -> str:
    return nearest(name, live.state.agents)
