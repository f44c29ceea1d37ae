"""Text that is selected with the mouse in a long list of messages: how it is drawn, and what is copied. Pure.

Lines are numbered by their message and their place in it, since lines counted from the top of the list move
as heights become exact.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Offset
from textual.selection import Selection
from textual.strip import Strip

from msgcode_tui.widgets.message_lines import Line

_STRIDE = 1 << 20
"""More lines than any message has."""


def number(index: int, line: int) -> int:
    """The number of a line of the message at `index`."""
    return index * _STRIDE + line


def whole(index: int, lines: Sequence[Line]) -> Selection:
    """All of the message at `index`."""
    return Selection(Offset(0, number(index, 0)), Offset(len(lines[-1].text), number(index, len(lines) - 1)))


def drawn(line: Line, number: int, selection: Selection | None, style: Style) -> Strip:
    """The line, with `style` laid over what is selected of it, so that the mouse finds its text."""
    strip = line.strip
    span = selection.get_span(number) if selection else None
    if span is not None:
        cuts = [line.at + cell_len(line.text[:place]) for place in _clamped(span, line.text)]
        left, inside, right = strip.divide([*cuts, strip.cell_length])
        over = [Segment(text, (own or Style()) + style) for text, own, _ in inside]
        strip = Strip([*left, *over, *right], strip.cell_length)
    return strip.apply_offsets(-line.at, number)


def text(
    selection: Selection, count: int, lines_of: Callable[[int], list[Line]], text_of: Callable[[int], str]
) -> str:
    """What is selected of `count` messages, without what is drawn around it.

    lines_of: the lines of a message. text_of: the text of one that is selected as a whole.
    """
    begin = selection.start.y if selection.start else 0
    end = selection.end.y if selection.end else number(count, 0) - 1
    parts: list[str] = []
    for index in range(begin // _STRIDE, end // _STRIDE + 1):
        first = number(index, 0)
        if begin < first and first + _STRIDE <= end:
            parts += ["\n\n", text_of(index)]
            continue
        for place, line in enumerate(lines_of(index)):
            if span := selection.get_span(first + place):
                start, stop = _clamped(span, line.text)
                parts += [line.glue, line.text[start:stop]]
    return "".join(parts[1:])


def _clamped(span: tuple[int, int], text: str) -> tuple[int, int]:
    """The span without what is outside the text; an end of -1 is the text's."""
    start, end = span
    return min(max(start, 0), len(text)), min(max(end, 0), len(text)) if end != -1 else len(text)
