"""What is held, as the screens say it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from msgcode import Message
from msgcode.debugger import holds
from msgcode.model import Hold
from msgcode_tui import safe
from msgcode_tui.items import count
from msgcode_tui.live import Live
from msgcode_tui.rooms import Room, RoomKind

_NAMED = 3
"""So many holds are named in the banner."""

_NAME = 40
"""Cells that the name of a hold may have there."""


def scope(room: Room, me: str) -> dict[str, str]:
    """What of the store the room is, as the verbs of holding take it."""
    if room.kind is RoomKind.CHANNEL:
        return {"channel": room.names[0]}
    if agent := room.partner(me):
        return {"agent": agent}
    if room.kind is RoomKind.PAIR:
        return {"agent": room.names[0], "peer": room.names[1]}
    return {}


def all_holds(live: Live) -> list[Hold]:
    """All that there are, in the order in which they were placed."""
    return sorted(holds.all_holds(live.state), key=lambda hold: hold.number)


def holds_on(room: Room, live: Live) -> list[Hold]:
    """The holds on just this room."""
    wanted = Hold(0, live.since, live.me)._replace(**scope(room, live.me))  # type: ignore[arg-type]
    return holds.matching(live.state, wanted)


def keeping(messages: Iterable[Message], live: Live) -> list[Hold]:
    """What keeps these messages from those to whom they were sent."""
    found = [
        holds.held_by(live.state, message, agent) for message in messages for agent in message.deliveries
    ]
    return [*dict.fromkeys(hold for hold in found if hold)]


def is_frozen(live: Live) -> bool:
    """Whether everything is held."""
    return any(holds.is_everything(hold) for hold in live.state.holds.values())


def banner(live: Live) -> str:
    """What is held, in a sentence or two; "" if nothing is."""
    wide, single = live.state.holds.values(), live.state.stopped.values()
    if not wide and not single:
        return ""
    stops = sum(hold.breakpoint is not None for hold in single)
    covered = [safe.fit(holds.name(hold), _NAME) for hold in islice(wide, _NAMED)]
    covered += [f"{len(wide) - _NAMED:,} more"] if len(wide) > _NAMED else []
    covered += [f"{count(stops, 'message')} at breakpoints"] if stops else []
    covered += [count(len(single) - stops, "message")] if len(single) > stops else []
    waiting = len(live.held)
    keys = "F releases it" if is_frozen(live) else "F freezes the room"
    return f"‖ Held: {', '.join(covered)}. {waiting:,} wait: s lets one through, {keys}."
