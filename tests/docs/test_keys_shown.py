"""The guides to the TUI name every key."""

from __future__ import annotations

import re

from textual.keys import key_to_character

from msgcode_tui import keys
from tests.docs.pages import PAGES, spoken

GUIDES = [page for page in PAGES if "tui" in page.parts]

NAMES = {"up": "↑", "down": "↓", "left": "←", "right": "→", "enter": "⏎", "escape": "esc"}


def written(key: str) -> str:
    """The key, as the guides write it."""
    *held, last = key.split("+")
    character = key_to_character(last) if len(last) > 1 else last
    return "+".join([*held, NAMES.get(last) or (character or "").strip() or last])


def test_every_action_has_a_key_that_a_guide_names() -> None:
    named = {word for page in GUIDES for code in spoken(page) for word in code.split()}
    for page in GUIDES:
        for first, last in re.findall(r"`(\d)` to `(\d)`", page.read_text()):
            named |= {str(digit) for digit in range(int(first), int(last) + 1)}
    bindings = [binding for own in keys.bindings().values() for binding in own]
    assert len(bindings) > 100
    unnamed = [binding.id for binding in bindings if not named & {*map(written, binding.key.split(","))}]
    assert unnamed == []
