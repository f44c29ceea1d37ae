"""The breakpoints, and what they have stopped. Pure."""

from __future__ import annotations

from msgcode.debugger.breakpoints import describe
from msgcode.model import Breakpoint
from msgcode_tui.debugger.rows import MOST, Reading, Row, Scene, first, message_rows
from msgcode_tui.items import Item, count


def read(scene: Scene) -> Reading:
    """The breakpoints, numbered."""
    rules = list(scene.state.breakpoints.values())
    if not rules:
        return Reading([], "There are no breakpoints.")
    on = sum(rule.enabled for rule in rules)
    rows = [_rule(rule) for rule in rules[:MOST]]
    said = f"{count(len(rules), 'breakpoint')}, {on:,} enabled"
    return Reading(first(rows, len(rules) - MOST, "breakpoints"), said)


def _rule(rule: Breakpoint) -> Row:
    mark = "●" if rule.enabled else "○"
    tone = "" if rule.enabled else "muted"
    about = [] if rule.enabled else ["disabled"]
    about += [f"{rule.spent:,} of {rule.budget:,} characters spent"] if rule.budget is not None else []
    about.append(f"set by {rule.by}")
    items = (
        Item(describe(rule), tone, f"{mark} {rule.number} ", count(rule.hits, "hit")),
        Item(", ".join(about), "muted"),
    )
    return Row(f"breakpoint {rule.number}", items, rule)


def detail(row: Row, scene: Scene) -> list[Row]:
    """The messages that the breakpoint stops now."""
    if not isinstance(row.of, Breakpoint):
        return []
    stopped = scene.state.stopped.items()
    found = message_rows((id for id, hold in stopped if hold.breakpoint == row.of.number), scene)
    return found or [Row("", (Item("It stops no message now.", "muted"),))]
