"""What does not move on, ranked. Pure."""

from __future__ import annotations

from msgcode.debugger.stuck import Stuck, stuck
from msgcode_tui.debugger.rows import MOST, Reading, Row, Scene, first, message_rows
from msgcode_tui.health import age
from msgcode_tui.items import Item, count


def stuck_in(scene: Scene) -> list[Stuck]:
    """What is stuck."""
    return stuck(scene.state, scene.presences, scene.now, scene.thresholds, scene.unanswered)


def read(scene: Scene) -> Reading:
    """What is stuck, that which weighs most first."""
    found = stuck_in(scene)
    if not found:
        return Reading([], "Nothing is stuck.")
    messages = sum(len(one.messages) for one in found)
    agents = len({one.agent for one in found})
    said = f"{count(messages, 'message')} stuck at {count(agents, 'agent')}"
    rows = [_stuck(one, scene) for one in found[:MOST]]
    return Reading(first(rows, len(found) - MOST, "of these"), said, len(found))


def _stuck(one: Stuck, scene: Scene) -> Row:
    behind = f"{count(len(one.messages), 'message')} stuck, {one.behind:,} waiting in all"
    items = (
        Item(f"{one.agent}: {one.kind}", "failed", "! ", age(one.since, scene.now)),
        Item(f"{one.reason}."),
        Item(behind, "muted"),
    )
    message = one.messages[0] if one.messages else None
    return Row(f"stuck {one.agent} {one.kind}", items, one, message, one.agent)


def detail(row: Row, scene: Scene) -> list[Row]:
    """The messages that are stuck."""
    if not isinstance(row.of, Stuck):
        return []
    return message_rows(row.of.messages, scene, row.of.agent)
