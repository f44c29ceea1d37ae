"""The numbers of a copy; the rest of copying is in tests/core/test_commands_store.py."""

from __future__ import annotations

from msgcode.journal.copying import _Numbers


def test_places_among_the_numbers_stay_in_order_without_their_gaps() -> None:
    numbers = _Numbers()
    old = [10, 11, 30, 31, 50]
    for new, number in enumerate(old, 1):
        numbers.renumber(number, new)
    assert [numbers.place(number) for number in old] == [1, 2, 3, 4, 5]
    between = [9.0, 10.0, 10.5, 11.0, 11.5, 20.5, 29.9, 30.0, 30.5, 31.0, 40.0, 50.0, 60.0]
    places = [numbers.place(rank) for rank in between]
    assert places == sorted(set(places))


def test_without_gaps_places_stay_as_they_are() -> None:
    numbers = _Numbers()
    for number in (1, 2, 3):
        numbers.renumber(number, number)
    assert not numbers.moved
    assert numbers.place(2.5) == 2.5
