"""What is held, and by what. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from msgcode import Message, Priority
from msgcode.debugger import holds
from msgcode.debugger.holds import Held
from msgcode.model import Hold
from msgcode_tui.actions import named
from msgcode_tui.debugger.rows import MOST, Reading, Row, Scene, first, heading, line, message_rows, text_rows
from msgcode_tui.health import age
from msgcode_tui.items import Item, count

_URGENCY = {priority: place for place, priority in enumerate(Priority)}


class Kept(NamedTuple):
    """A hold, with the ids of the messages that nothing before it keeps already, in order."""

    hold: Hold
    messages: tuple[str, ...]


def read(scene: Scene) -> Reading:
    """The holds, and behind them the messages in the order in which they would go."""
    waiting = in_order(holds.held(scene.state))
    kept: dict[int, list[str]] = {}
    for held in waiting:
        kept.setdefault(held.hold.number, []).append(held.message.id)
    placed = list(scene.state.holds.values())
    if not placed and not waiting:
        return Reading([], "Nothing is held.")
    rows = [_hold(Kept(hold, tuple(kept.get(hold.number, ()))), scene) for hold in placed[:MOST]]
    rows = first(rows, len(placed) - MOST, "holds")
    if waiting:
        rows.append(heading("In the order in which they would go"))
    rows += [_message(held, number, scene) for number, held in enumerate(waiting[:MOST], 1)]
    said = f"{count(len(waiting), 'message')} held" + (f" by {count(len(placed), 'hold')}" if placed else "")
    return Reading(first(rows, len(waiting) - MOST, "messages"), said, len(waiting))


def in_order(waiting: Sequence[Held]) -> list[Held]:
    """In the order in which `step` lets them through: the most urgent first."""
    return sorted(waiting, key=lambda held: _URGENCY[held.message.priority])


def _hold(kept: Kept, scene: Scene) -> Row:
    hold, number = kept.hold, len(kept.messages)
    reason = f": {hold.reason}" if hold.reason else ""
    behind = f"{count(number, 'message')} behind it" if number else "nothing behind it yet"
    title = Item(f"hold {hold.number} on {holds.name(hold)}", "warning", "■ ", age(hold.at, scene.now))
    return Row(f"hold {hold.number}", (title, Item(f"by {hold.by}{reason}, {behind}", "muted")), kept)


def _message(held: Held, number: int, scene: Scene) -> Row:
    message = held.message
    edited = ", edited" if message.edited else ""
    urgency = "" if message.priority is Priority.NORMAL else f"{message.priority}, "
    kept = f"{urgency}kept from {named(held.agents)} by {holds.words(held.hold)}{edited}"
    items = (line(message, scene.now, f"{number} "), Item(kept, "muted", target=message.id))
    return Row(f"message {message.id}", items, held, message.id, held.agents[0])


def detail(row: Row, scene: Scene) -> list[Row]:
    """What a held message says, and said before it was edited; what a hold keeps."""
    message = scene.state.messages.get(row.message or "")
    if message:
        return text_rows(message)
    return message_rows(row.of.messages, scene) if isinstance(row.of, Kept) else []


def neighbour(rows: Sequence[Row], row: Row, step: int) -> Message | None:
    """The next held message above (-1) or below (1) in the rows that has a recipient in common."""
    place = next((place for place, each in enumerate(rows) if each.key == row.key), None)
    if place is None or not isinstance(row.of, Held):
        return None
    others = rows[place + 1 :] if step > 0 else rows[:place][::-1]
    own = set(row.of.message.deliveries)
    found = (each.of.message for each in others if isinstance(each.of, Held))
    return next((message for message in found if own & set(message.deliveries)), None)
