"""Colours for senders."""

from __future__ import annotations

import pytest
from textual.color import Color
from textual.theme import BUILTIN_THEMES

from msgcode_tui.palette import CONTRAST, contrast, palette_for, sender_color


def test_a_sender_keeps_its_colour() -> None:
    palette = palette_for(BUILTIN_THEMES["textual-dark"], Color.parse("#121212"))
    assert sender_color("coder", palette) == sender_color("coder", palette)
    assert len({sender_color(f"agent-{number}", palette) for number in range(200)}) == len(palette)


@pytest.mark.parametrize("background", ["#000000", "#121212", "#2E3440", "#E0E0E0", "#fdf6e3", "#ffffff"])
def test_every_colour_can_be_read(background: str) -> None:
    palette = palette_for(BUILTIN_THEMES["textual-dark"], Color.parse(background))
    for color in palette:
        assert contrast(Color.parse(color), Color.parse(background)) >= CONTRAST


def test_themes_of_the_terminal_keep_to_its_colours() -> None:
    assert "cyan" in palette_for(BUILTIN_THEMES["ansi-dark"], Color.parse("#000000"))
