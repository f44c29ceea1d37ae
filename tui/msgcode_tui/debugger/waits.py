"""Who waits on whom. Pure."""

from __future__ import annotations

from msgcode.debugger.waits import Wait, waits
from msgcode_tui.debugger.rows import MOST, Reading, Row, Scene, about, first, heading, text_rows
from msgcode_tui.health import age
from msgcode_tui.items import Item, count

_NAME = 16
"""Characters of an agent's name that are kept in line."""


def read(scene: Scene) -> Reading:
    """The waits: deadlocks first, then dead ends, then the oldest."""
    found = waits(scene.state, scene.presences, scene.now, scene.unanswered)
    inside = [wait for ring in found.deadlocks for wait in ring]
    shown = [*inside, *found.others]
    if not shown:
        return Reading([], "Nobody waits for an answer.")
    widths = (
        min(max(len(wait.waiter) for wait in shown), _NAME),
        min(max(len(wait.on) for wait in shown), _NAME),
    )
    rows: list[Row] = []
    for ring in found.deadlocks[:MOST]:
        round_trip = " → ".join([*(wait.waiter for wait in ring), ring[0].waiter])
        rows.append(Row("", (Item(f"Deadlock: {round_trip}", "failed"),)))
        rows += [_wait(wait, scene, widths, "failed") for wait in ring]
    if found.others and found.deadlocks:
        rows.append(heading("Other waits"))
    rows += [_wait(wait, scene, widths, "warning" if wait.dead_end else "") for wait in found.others[:MOST]]
    ends = sum(wait.dead_end for wait in shown)
    said = [count(len(shown), "wait")]
    said += [count(len(found.deadlocks), "deadlock")] if found.deadlocks else []
    said += [count(ends, "dead end")] if ends else []
    left = len(found.others) - MOST
    return Reading(first(rows, left, "waits"), ", ".join(said), len(found.deadlocks) + ends)


def _wait(wait: Wait, scene: Scene, widths: tuple[int, int], tone: str) -> Row:
    arrow = "─✗" if wait.dead_end else "─▶" if wait.sure else "┄▶"
    names = f"{wait.waiter[:_NAME]:{widths[0]}} {arrow} {wait.on[:_NAME]:{widths[1]}}"
    where = wait.where.removeprefix(f"{wait.on} is ")
    rest = about(wait.message) if wait.alive else f"{where} · {about(wait.message)}"
    item = Item(f"{names}  {rest}", tone, "", age(wait.since, scene.now), wait.message.id)
    key = f"wait {wait.waiter} {wait.on} {wait.message.id}"
    return Row(key, (item,), wait, wait.message.id, wait.on)


def detail(row: Row, scene: Scene) -> list[Row]:
    """What is waited for, and how sure that is."""
    wait = row.of
    if not isinstance(wait, Wait):
        return []
    notes = [Item(f"{wait.waiter} waits for {wait.on}: {wait.where}.", "warning" if wait.dead_end else "")]
    if wait.dead_end:
        notes.append(Item(f"A dead end: {wait.on} cannot answer.", "warning"))
    if not wait.sure:
        notes.append(Item(f"{wait.waiter} has sent other things since, and may have gone on.", "muted"))
    return [Row("", tuple(notes)), heading("What was asked"), *text_rows(wait.message)]
