"""Colours for senders."""

from __future__ import annotations

import pytest
from rich.color import ANSI_COLOR_NAMES
from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

from msgcode_tui.palette import CONTRAST, contrast, palette_for, sender_color
from msgcode_tui.themes import HIGH_CONTRAST, THEMES


def test_a_sender_keeps_its_colour() -> None:
    palette = palette_for(BUILTIN_THEMES["textual-dark"], Color.parse("#121212"))
    assert sender_color("coder", palette) == sender_color("coder", palette)
    assert len({sender_color(f"agent-{number}", palette) for number in range(200)}) == len(palette)


@pytest.mark.parametrize("background", ["#000000", "#121212", "#2E3440", "#E0E0E0", "#fdf6e3", "#ffffff"])
def test_every_colour_can_be_read(background: str) -> None:
    palette = palette_for(BUILTIN_THEMES["textual-dark"], Color.parse(background))
    for color in palette:
        assert contrast(Color.parse(color), Color.parse(background)) >= CONTRAST


@pytest.mark.parametrize("theme", [*BUILTIN_THEMES.values(), *THEMES], ids=lambda theme: theme.name)
def test_every_sender_can_be_read_in_every_theme(theme: Theme) -> None:
    """On the background of messages, of the list of rooms, and of what is selected in them."""
    colors = theme.to_color_system().generate()
    for name in ("background", "surface", "panel"):
        background = Color.parse(colors[name])
        palette = palette_for(theme, background)
        if theme.ansi:
            assert all(color in ANSI_COLOR_NAMES for color in palette)  # Theirs to make readable.
        else:
            assert min(contrast(Color.parse(color), background) for color in palette) >= CONTRAST


@pytest.mark.parametrize("background", ["background", "surface", "panel"])
def test_the_theme_of_high_contrast_has_it(background: str) -> None:
    colors = HIGH_CONTRAST.to_color_system().generate()
    below = Color.parse(colors[background])
    names = [name for name in colors if name == "foreground" or name.startswith(("text", "border"))]
    for name in [*names, "footer-key-foreground", "foreground-muted"]:
        # What begins with "auto" is black or white, whichever is farther from what is below.
        if not colors[name].startswith("auto") and name != "text-style":
            assert contrast(below + Color.parse(colors[name]), below) >= 7, name


def test_themes_of_the_terminal_keep_to_its_colours() -> None:
    assert "cyan" in palette_for(BUILTIN_THEMES["ansi-dark"], Color.parse("#000000"))
