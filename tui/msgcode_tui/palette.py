"""A colour for each agent: the same wherever and whenever it is drawn, readable on the theme's background."""

from __future__ import annotations

from functools import lru_cache
from zlib import crc32

from textual.color import Color
from textual.theme import Theme

CONTRAST = 5.0
"""The least ratio of luminance between a sender's colour and the background (4.5 is WCAG's AA for text)."""

# Hues in degrees, without the reds in which themes state errors. Those next to each other here are far apart.
_HUES = (205, 35, 285, 170, 325, 240, 85, 265, 190, 305, 55, 130)

_SHADES = (0.75, 0.4)
"""Saturations: with two of each hue, fewer senders share a colour."""

_ANSI = ("blue", "magenta", "cyan", "bright_blue", "bright_magenta", "bright_cyan")


def sender_color(sender: str, palette: tuple[str, ...]) -> str:
    """The colour of this sender, as Rich writes it."""
    return palette[crc32(sender.encode("utf-8", "replace")) % len(palette)]


def palette_for(theme: Theme, background: Color) -> tuple[str, ...]:
    """The colours for senders on this background; those of the terminal where the theme leaves it to them."""
    return (
        _ANSI if background.ansi is not None or theme.name.startswith("ansi") else readable_hues(background)
    )


@lru_cache(maxsize=8)
def readable_hues(background: Color) -> tuple[str, ...]:
    """The hues, each as light or dark as it takes to be read on the background."""
    return tuple(_readable(hue, shade, background).hex for shade in _SHADES for hue in _HUES)


def _readable(hue: int, saturation: float, background: Color) -> Color:
    dark = luminance(background) < 0.18
    lightness = [step / 100 for step in (range(60, 96, 2) if dark else range(45, 9, -2))]
    shades = [Color.from_hsl(hue / 360, saturation, light) for light in lightness]
    return next((shade for shade in shades if contrast(shade, background) >= CONTRAST), shades[-1])


def luminance(color: Color) -> float:
    """The relative luminance of WCAG 2, from 0 for black to 1 for white."""
    channels = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in color.normalized]
    return 0.2126 * channels[0] + 0.7152 * channels[1] + 0.0722 * channels[2]


def contrast(one: Color, other: Color) -> float:
    """The contrast ratio of WCAG 2, from 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)
