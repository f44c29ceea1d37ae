"""The loops that there have been, with the messages that prove them. Pure."""

from __future__ import annotations

from msgcode.debugger.findings import Ended, Finding
from msgcode_tui import times
from msgcode_tui.debugger.rows import MOST, Reading, Row, Scene, first, message_rows
from msgcode_tui.health import age
from msgcode_tui.items import Item, count

_STATE = {Ended.HUMAN: "ended by a human", Ended.QUIET: "over"}


def read(scene: Scene) -> Reading:
    """The loops: those that are going on first, the newest of them on top."""
    found = sorted(scene.findings, key=lambda each: (each.ended is not None, -each.until.timestamp()))
    if not found:
        return Reading([], "No loops were found.")
    ongoing = sum(each.ended is None for each in found)
    rows = [_finding(each, scene) for each in found[:MOST]]
    said = f"{count(len(found), 'loop')}, {ongoing:,} going on"
    return Reading(first(rows, len(found) - MOST, "loops"), said, ongoing)


def _finding(found: Finding, scene: Scene) -> Row:
    cost, going_on = found.cost, found.ended is None
    state = "going on" if found.ended is None else _STATE[found.ended]
    lasted = times.duration(found.until - found.since)
    items = (
        Item(
            f"{found.kind}: {', '.join(found.agents)}",
            "failed" if going_on else "muted",
            "↻ " if going_on else "✓ ",
            f"{state}, last {age(found.until, scene.now)} ago",
        ),
        Item(found.explain, "" if going_on else "muted"),
        Item(
            f"{count(cost.messages, 'message')} in {lasted}, {cost.characters:,} characters into contexts, "
            f"about {cost.tokens:,} tokens",
            "muted",
        ),
    )
    return Row(f"loop {found.number}", items, found, found.last)


def detail(row: Row, scene: Scene) -> list[Row]:
    """The messages that prove it."""
    return message_rows(row.of.messages, scene) if isinstance(row.of, Finding) else []
