"""Marks: single messages and ranges of them."""

from __future__ import annotations

from msgcode_tui.widgets.marks import Marks


def test_a_mark_comes_and_goes() -> None:
    marks = Marks()
    marks.toggle("a")
    marks.toggle("b")
    assert marks.ids == {"a", "b"}
    assert "a" in marks
    marks.toggle("a")
    assert marks.ids == {"b"}
    marks.clear()
    assert not marks


def test_a_range_shrinks_until_it_is_ended_and_leaves_other_marks() -> None:
    marks = Marks()
    marks.toggle("z")
    marks.begin_range("a")
    marks.draw_range("abc")
    assert marks.ids == set("abcz")
    marks.draw_range("ab")
    assert marks.ids == set("abz")
    assert marks.anchor == "a"
    marks.end_range()
    assert marks.ids == set("abz")
    assert marks.anchor is None
    marks.toggle("b")
    assert marks.ids == set("az")
