"""The themes that the app adds to Textual's own."""

from __future__ import annotations

from textual.theme import BUILTIN_THEMES, Theme

HIGH_CONTRAST = Theme(
    name="high-contrast",
    primary="#ffd700",
    secondary="#00ffff",
    accent="#ffd700",
    warning="#ffaf00",
    error="#ff8080",
    success="#5fff5f",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#1a1a1a",
    boost="#262626",
    dark=True,
    text_alpha=1.0,
    variables={
        "text-muted": "#e0e0e0",
        "text-disabled": "#c0c0c0",
        "foreground-muted": "#e0e0e0",
        "border": "#ffffff",
        "border-blurred": "#c0c0c0",
        "block-cursor-background": "#ffd700",
        "block-cursor-foreground": "#000000",
        "block-cursor-text-style": "bold",
        "footer-key-foreground": "#ffd700",
        "footer-description-foreground": "#ffffff",
        "input-selection-background": "#0000ff",
    },
)
"""White on black, with nothing dimmed: every text has a contrast of at least 7 (WCAG's AAA)."""

THEMES = (HIGH_CONTRAST,)


def names() -> list[str]:
    """The names of all themes."""
    return [*BUILTIN_THEMES, *(theme.name for theme in THEMES)]
