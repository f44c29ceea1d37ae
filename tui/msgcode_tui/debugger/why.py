"""Why a message stands where it does, as rows, and which advice is done with which key. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from msgcode import Message
from msgcode.debugger import holds
from msgcode.debugger.why import Advice, Explanation, Hop, Standing, why
from msgcode.debugger.words import NOWHERE
from msgcode.events import Event
from msgcode_tui import times
from msgcode_tui.debugger.rows import Row, Scene, heading
from msgcode_tui.items import Item

KEYS = {
    "step": "s",
    "resend": "r",
    "ack": "x",
    "discard": "d",
    "forward": "f",
    "priority": "p",
    "edit": "e",
    "register": "n",
    "held": "h",
}
"""The key of each verb that an advice may name."""

_TONES = {
    Standing.ACKNOWLEDGED: "done",
    Standing.DELIVERED: "under-way",
    Standing.CLAIMED: "under-way",
    Standing.EXPIRED: "failed",
    Standing.DISCARDED: "failed",
    Standing.FAILED: "failed",
}


class Doable(NamedTuple):
    """An advice that a key follows."""

    verb: str
    """One of KEYS."""
    about: str
    """What it is done with, where the advice says: an agent's id."""


def explain(
    scene: Scene, message: Message, agent: str, life: Sequence[Event], gone: datetime | None = None
) -> Explanation:
    """Why the message has come no further to this recipient."""
    hold = holds.held_by(scene.state, message, agent)
    return why(
        message,
        agent,
        life,
        scene.state.agents,
        scene.presences.get(agent, NOWHERE),
        scene.now,
        hold=holds.words(hold) if hold else None,
        gone=gone,
    )


def rows(found: Explanation) -> list[Row]:
    """Where it stands and why, every hop, and what can be done."""
    tone = _TONES.get(found.stands, "warning")
    listed = [
        Row("", (Item(f"{found.agent}: {found.stands}", "title"), Item(f"{found.reason}.", tone))),
        heading("Its way so far"),
        Row("", tuple(_hop(hop, found, place) for place, hop in enumerate(found.hops))),
    ]
    if found.advice:
        listed.append(heading("What can be done"))
    return [*listed, *(_advice(each, place) for place, each in enumerate(found.advice))]


def _hop(hop: Hop, found: Explanation, place: int) -> Item:
    by = f" by {hop.by}" if hop.by and hop.by != found.agent else ""
    words = f"the lease of {hop.by} ran out" if hop.what == "lapsed" else f"{hop.what}{by}"
    stands = place == len(found.hops) - 1
    return Item(
        f"{words}: {hop.detail}" if hop.detail else words,
        "failed"
        if hop.what in ("failed", "lapsed")
        else _TONES.get(found.stands, "warning")
        if stands
        else "",
        f"{'▸' if stands else '·'} {times.of_day(hop.at, seconds=True)} ",
        f"+{times.duration(hop.took)}" if place else f"{hop.at.astimezone():%Y-%m-%d}",
    )


def _advice(advice: Advice, place: int) -> Row:
    able = doable(advice)
    lead = f"{KEYS[able.verb]} " if able else "· "
    command = f"msgcode {advice.command}" if advice.command else ""
    items = [Item(advice.what, "" if able else "muted", lead)]
    items += [Item(command, "muted", "" if able else "  ")] if command else []
    return Row(f"advice {place}" if able else "", tuple(items), advice)


def doable(advice: Advice) -> Doable | None:
    """What a key does that follows the advice; None if only hands, or a shell, can follow it."""
    words = advice.command.split()
    if words[:1] == ["--as"]:
        words = words[2:]
    if not words or words[0] not in KEYS:
        return None
    rest = words[1:]
    about = {"register": rest[:1], "forward": rest[1:2], "priority": rest[1:2]}.get(words[0], [])
    return Doable(words[0], about[0] if about else "")
