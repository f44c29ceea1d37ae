"""When Python looks for garbage: a big room is a million objects, and no picture may wait for such a look."""

from __future__ import annotations

import gc

_PUT_OFF = 2
"""So many looks at what is new go before one at all."""

_THRESHOLDS = 5_000, 10, 20
"""A picture of the screen is 10,000 objects in cycles: with Python's own 700, 10, 10 every fourth one had to
wait while all that is there was looked through."""


def begin() -> None:
    """Begin to look for garbage, of which there was none while the app was made. All that is there stays."""
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
    gc.enable()


def keep() -> None:
    """What is there stays. Looking through it for garbage, again and again as it grows, would take as long
    as reading it."""
    gc.collect()
    gc.freeze()


def clear_away() -> None:
    """Look through all that does not stay, if enough has been made since. To be called when nobody waits: it
    takes some hundredths of a second, and more if it is put off."""
    if gc.get_count()[2] > _PUT_OFF:
        gc.collect()
