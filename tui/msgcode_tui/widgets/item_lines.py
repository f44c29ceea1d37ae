"""The lines in which items are drawn. Pure."""

from __future__ import annotations

from typing import NamedTuple

from rich.cells import cell_len

from msgcode_tui import safe
from msgcode_tui.items import Item

_MAX_TEXT = 4_000
"""Characters of a paragraph that are shown; the values of metadata may be long."""


class ItemLine(NamedTuple):
    """One line as it is drawn."""

    lead: str
    text: str
    aside: str
    item: Item


def item_lines(item: Item, width: int) -> list[ItemLine]:
    """The item in lines of at most `width` cells."""
    lead, aside = safe.line(item.lead), safe.line(item.aside)
    if cell_len(lead) > width // 2:
        lead = safe.fit(lead, width // 2)
    indent = cell_len(lead)
    if item.target:
        text = safe.fit(item.text, width - indent - (cell_len(aside) + 1 if aside else 0))
        return [ItemLine(lead, text, aside, item)]
    text = item.text if len(item.text) <= _MAX_TEXT else f"{item.text[:_MAX_TEXT]}…"
    lines = safe.wrap(text, width - indent - (cell_len(aside) + 1 if aside else 0))
    return [
        ItemLine(lead if index == 0 else " " * indent, line, aside if index == 0 else "", item)
        for index, line in enumerate(lines)
    ]
