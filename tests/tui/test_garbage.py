"""When Python looks for garbage."""

from __future__ import annotations

import gc
import weakref

from msgcode_tui import garbage


class Knot:
    """Something that holds itself."""

    def __init__(self) -> None:
        self.itself = self


def test_all_is_looked_through_once_enough_has_been_made() -> None:
    gc.collect()
    knot = Knot()
    for _ in range(2):
        gc.collect(1)  # What is new is looked through, and is no longer new.
    left = weakref.ref(knot)
    del knot
    garbage.clear_away()
    assert left() is not None
    gc.collect(1)
    garbage.clear_away()
    assert left() is None
