from __future__ import annotations

from msgcode.harness.terminal.pacing import PAUSES, Pacing


def test_one_wake_up_is_for_all_that_waits() -> None:
    pacing = Pacing()
    assert not pacing.due(set(), 0)
    assert pacing.due({"a", "b"}, 0)
    pacing.tried({"a", "b"}, 0)
    assert not pacing.due({"a", "b", "c"}, PAUSES[0] - 1)


def test_the_pauses_grow() -> None:
    pacing, now = Pacing(), 0.0
    for pause in (*PAUSES, PAUSES[-1]):
        assert pacing.due({"a"}, now)
        pacing.tried({"a"}, now)
        assert not pacing.due({"a"}, now + pause - 1)
        now += pause


def test_once_some_of_it_was_taken_the_next_is_due_at_once() -> None:
    pacing = Pacing()
    assert pacing.due({"a"}, 0)
    pacing.tried({"a"}, 0)
    assert not pacing.due({"a", "b"}, 1)
    assert pacing.due({"b"}, 2)


def test_nothing_is_due_when_all_was_taken() -> None:
    pacing = Pacing()
    pacing.tried({"a"}, 0)
    assert not pacing.due(set(), 1)
    assert pacing.due({"b"}, 2)
