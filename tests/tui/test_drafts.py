"""What is begun in each room, what was sent before, and long texts that a mark stands for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from msgcode import Priority
from msgcode_tui.drafts import (
    FOLD_OVER,
    MAX_HISTORY,
    MAX_REMEMBERED,
    Draft,
    Drafts,
    History,
    Options,
    draft_of,
    mark_for,
)
from msgcode_tui.rooms import EVERYTHING, channel_room


def test_each_room_keeps_its_own() -> None:
    drafts, dev = Drafts(), channel_room("dev")
    drafts.keep(dev, Draft("begun"))
    drafts.keep(EVERYTHING, Draft("", Options(priority=Priority.URGENT)))
    assert (drafts.of(dev).text, drafts.of(EVERYTHING).options.priority) == ("begun", Priority.URGENT)
    assert Drafts(drafts.kept).of(dev) == drafts.of(dev)
    drafts.keep(dev, Draft(" \n"))
    assert list(drafts.kept) == [EVERYTHING]


@given(st.text(max_size=20), st.text(min_size=FOLD_OVER + 1, max_size=FOLD_OVER + 50), st.text(max_size=20))
def test_a_mark_stands_for_a_long_text(before: str, pasted: str, after: str) -> None:
    mark = mark_for(pasted, ())
    draft = Draft(before + mark + after, pasted={mark: pasted})
    assert draft.whole == before + pasted + after
    assert draft.size == len(draft.whole.encode("utf-8", "replace"))
    assert mark_for(pasted, [mark]) != mark


def test_a_long_text_comes_back_as_a_mark() -> None:
    long = "x" * (FOLD_OVER + 1)
    assert (draft_of(long).whole, len(draft_of(long).text) < 50) == (long, True)
    assert draft_of("short") == Draft("short")
    assert mark_for("a\nb", ()) == "[pasted text 1: 2 lines]"


def test_going_back_through_what_was_sent_and_forth_to_what_was_begun() -> None:
    history = History(["one", "two", "two"])
    history.add("two")
    begun = Draft("begun")
    older = [history.older(begun), history.older(Draft("two")), history.older(Draft("two"))]
    assert [draft and draft.text for draft in older] == ["two", "two", "one"]
    assert history.older(Draft("one")) is None
    newer = [history.newer(Draft("x")), history.newer(Draft("x")), history.newer(Draft("x"))]
    assert [draft and draft.text for draft in newer] == ["two", "two", "begun"]
    assert history.newer(begun) is None


def test_who_writes_begins_at_the_newest_again() -> None:
    history = History(["one", "two"])
    history.older(Draft())
    history.older(Draft())
    history.leave()
    again = history.older(Draft("mine"))
    assert again is not None
    assert again.text == "two"


def test_the_history_has_an_end() -> None:
    history = History(str(number) for number in range(MAX_HISTORY + 5))
    assert (len(history.lines), history.lines[0]) == (MAX_HISTORY, "5")
    history.add("x" * (MAX_REMEMBERED + 1))
    history.add("new")
    assert (len(history.lines), history.lines[-2:]) == (MAX_HISTORY, [str(MAX_HISTORY + 4), "new"])
