"""One line on standard error that says what is being measured, and since when."""

from __future__ import annotations

import sys
import time

_BEGAN = time.monotonic()


def progress(text: str) -> None:
    """Say it, in place of what was said before where that is a terminal."""
    minutes, seconds = divmod(int(time.monotonic() - _BEGAN), 60)
    before, after = ("\r\x1b[K", "") if sys.stderr.isatty() else ("", "\n")
    print(f"{before}{minutes}:{seconds:02} {text}", end=after, file=sys.stderr, flush=True)
