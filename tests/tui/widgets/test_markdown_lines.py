"""A body read as Markdown: what is drawn, that nothing of it is hidden, and that none of it takes long."""

from __future__ import annotations

from time import process_time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style

from msgcode_tui.widgets.markdown_lines import MAX_LINES, MAX_MARKDOWN, markdown_lines
from tests.tui.widgets.test_message_lines import HOSTILE, LOOK, RAW

COLOURED = LOOK._replace(under_way=Style(color="blue"), done=Style(color="green"))


def text_of(body: str, width: int = 60) -> str | None:
    lines = markdown_lines(body, width, LOOK)
    if lines is None:
        return None
    return "\n".join("".join(segment.text for segment in line).rstrip() for line in lines)


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("one\ntwo", "one\ntwo"),
        ("# Title\n\n\n\ntext **bold**", "Title\n\ntext bold"),
        ("- a\n  1. b", " • a\n    1 b"),
        ("> said\n> so", "▌ said\n▌ so"),
        ("[here](http://x.y/ 'really')", 'here (http://x.y/ "really")'),
        ("a <b>c</b> List<int>", "a <b>c</b> List<int>"),
        ("<script>x</script>", "<script>x</script>"),
        ("![alt](http://x.y/z.png)", "!alt (http://x.y/z.png)"),
        ("[x]: http://hidden/ 'y'", "[x]: http://hidden/ 'y'"),
        ("```python\nx = 1\n```", " x = 1"),
        ("```hidden words\nx\n```", " hidden words\n x"),
        ("&#x202e;txt &#27;[2J", "<U+202E>txt \ufffd[2J"),
        ("[bold]x[/bold] [@click=app.quit]y[/]", "[bold]x[/bold] [@click=app.quit]y[/]"),
        ("a\n\n| b | c |\n|---|---|\n| 1 | 2 |\n\nd", "a\n\n b  c\n ────\n 1  2\n\nd"),
        ("---\n", "─" * 60),
    ],
)
def test_what_is_drawn(body: str, shown: str) -> None:
    assert text_of(body) == shown


def test_code_is_coloured() -> None:
    (line,) = markdown_lines("```python\ndef f(): return 'x'\n```", 60, COLOURED) or []
    colors = {
        segment.text: segment.style.color.name for segment in line if segment.style and segment.style.color
    }
    assert colors["def"] == "blue"
    assert colors["x"] == "green"


@pytest.mark.parametrize("body", ["x" * (MAX_MARKDOWN + 1), "a\n" * (MAX_LINES + 1), ">" * 100, "`" * 9, " "])
def test_what_is_better_shown_as_it_was_written(body: str) -> None:
    assert text_of(body) is None


def test_it_needs_some_room() -> None:
    assert text_of("text", 10) is None


@given(HOSTILE | st.text("#>*_`[]()|-~<&;!\\: \n1a", max_size=300), st.integers(8, 100))
@example("[![a](b)](c)", 40)
@example("1. \n- > ```\n|a|\n|-|", 24)
def test_nothing_breaks_out(body: str, width: int) -> None:
    for line in markdown_lines(body, width, LOOK) or []:
        assert sum(cell_len(segment.text) for segment in line) <= width
        for segment in line:
            assert not RAW.search(segment.text), repr(segment.text)
            assert segment.style is None or segment.style.link is None
            assert segment.control is None


@given(st.text("#>*_`[]()|-~! \nxyz", max_size=200))
def test_no_letter_is_lost(body: str) -> None:
    shown = text_of(body, 80)
    if shown is not None:
        letters = [character for character in body if character in "xyz"]
        assert sorted(character for character in shown if character in "xyz") == sorted(letters)


@pytest.mark.parametrize(
    "unit", ["[", "*a_", "**a ", "[a](b", "<", "~~a", "`a", "&amp;", "日本語 ", "- ", "|a"]
)
def test_hostile_text_takes_no_longer_than_a_key_may(unit: str) -> None:
    body = (unit * MAX_MARKDOWN)[:MAX_MARKDOWN]
    begin = process_time()
    markdown_lines(body, 80, LOOK)
    assert process_time() - begin < 1, "it takes some 0.08 s at most of a core"
