"""Heights against the plainest model of them: a list."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgcode_tui.widgets.heights import Heights

LISTS = st.lists(st.integers(1, 9), max_size=700)


@given(LISTS, st.lists(st.integers(1, 9), max_size=20), st.data())
def test_it_agrees_with_a_list(heights: list[int], more: list[int], data: st.DataObject) -> None:
    made = Heights(heights)
    for height in more:
        made.append(height)
        heights.append(height)
    for _ in range(5 if heights else 0):
        index = data.draw(st.integers(0, len(heights) - 1))
        height = data.draw(st.integers(1, 50))
        made[index] = height
        heights[index] = height
    assert (len(made), made.total) == (len(heights), sum(heights))
    for index in data.draw(st.sets(st.integers(0, len(heights) - 1), max_size=9)) if heights else ():
        top = sum(heights[:index])
        assert made.top(index) == top
        assert made.at(top) == (index, 0)
        assert made.at(top + heights[index] - 1) == (index, heights[index] - 1)


@pytest.mark.parametrize("line", [-1, 3])
def test_lines_outside_are_refused(line: int) -> None:
    with pytest.raises(IndexError):
        Heights([1, 2]).at(line)
