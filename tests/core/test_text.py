"""No text can make a terminal do anything."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from msgcode.text import visible, visible_line

DIRECTIONS = {"RLO", "LRO", "RLE", "LRE", "PDF", "RLI", "LRI", "FSI", "PDI"}


def obeyed(text: str, *, line: bool = False) -> list[str]:
    """The characters of `text` that a terminal might obey, or that turn the reading direction."""
    allowed = "" if line else "\n\t"
    return [
        c
        for c in text
        if (unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") and c not in allowed)
        or unicodedata.bidirectional(c) in DIRECTIONS
    ]


@given(st.text(st.characters()))
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    assert not obeyed(visible(text))
    assert not obeyed(visible_line(text), line=True)
    assert "\n" not in visible_line(text)


@given(st.text(st.characters()))
def test_making_visible_twice_changes_nothing_more(text: str) -> None:
    assert visible(visible(text)) == visible(text)


@given(st.text(st.characters(categories=("L", "N", "P", "S", "Zs", "M"))))
def test_ordinary_text_of_any_script_is_left_alone(text: str) -> None:
    assert visible(text) == text


def test_what_is_made_visible_can_still_be_told() -> None:
    assert visible("\x1b[31mred\x07\x7f") == "␛[31mred␇␡"
    assert visible("\x9b31m") == "<U+009B>31m"
    assert visible("a\u202eb\u2066c") == "a<U+202E>b<U+2066>c"
    assert visible("hidden\U000e0041") == "hidden<U+E0041>"
    assert visible("one\r\ntwo\rthree") == "one\ntwo␍three"
    assert visible("tab\tand\nnewline") == "tab\tand\nnewline"
    assert visible_line("tab\tand\nnewline") == "tab␉and␊newline"


def test_emoji_and_joined_scripts_keep_their_joiners() -> None:
    for text in ("👩‍💻", "🏳️‍🌈", "می‌خواهم", "क्‍ष"):
        assert visible(text) == text
