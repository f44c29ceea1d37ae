"""The one way from text in the room to something drawn.

Names, subjects, bodies, reasons: whatever came from the store is untrusted. Widgets draw strips of
`line` and `wrap`, and what `content` returns; none of these is ever parsed as markup.
"""

from __future__ import annotations

from collections.abc import Iterator

from rich.cells import cell_len, set_cell_size
from textual.content import Content

from msgcode.text import visible, visible_line

_TAB = 4

_LONGEST_LINE = 1_000
"""Characters. A field may have a mebibyte, and measuring all of that takes longer than a frame may."""


def line(text: str) -> str:
    """The text as a single line that a terminal can be given, cut off where no line is so long."""
    return visible_line(text) if len(text) <= _LONGEST_LINE else f"{visible_line(text[:_LONGEST_LINE])}…"


def content(text: str, style: str = "") -> Content:
    """The text, with its newlines, as something that a widget can show; markup in it shows as it is."""
    shown = visible(text).expandtabs(_TAB)
    return Content.styled(shown, style) if style else Content(shown)


def wrap(text: str, width: int) -> list[str]:
    """The text, broken into lines of at most `width` cells (2 where a wide character needs them)."""
    return [piece for _, piece in pieces(text, width)]


def pieces(text: str, width: int) -> Iterator[tuple[str, str]]:
    """The lines that `wrap` makes, each with what stands between it and the line before: a newline, the
    blanks at which a paragraph was broken, or nothing where a word was. All of it together is the text,
    but for blanks at its end."""
    glue = ""
    for paragraph in visible(text).expandtabs(_TAB).split("\n"):
        end = 0
        if len(paragraph) <= width and paragraph.isascii():
            yield glue, paragraph
            end = len(paragraph)
        else:
            for wrapped in Content(paragraph).wrap(max(width, 2)):
                piece = wrapped.plain.rstrip()
                start = paragraph.find(piece, end)
                yield glue + paragraph[end:start], piece
                glue, end = "", start + len(piece)
        glue = paragraph[end:] + "\n"


def fit(text: str, width: int) -> str:
    """The text as a single line of at most `width` cells, its end cut off with an ellipsis if need be."""
    shown = line(text)
    if cell_len(shown) <= width:
        return shown
    return set_cell_size(shown, width - 1).rstrip() + "…" if width > 0 else ""
