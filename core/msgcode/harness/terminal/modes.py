"""What the system knows of a terminal."""

from __future__ import annotations

import termios


def hides_input(terminal: int) -> bool:
    """Whether lines are read from the open terminal that are not shown, such as a password."""
    try:
        state = termios.tcgetattr(terminal)[3]
    except termios.error:
        return False  # It has gone.
    return bool(state & termios.ICANON and not state & termios.ECHO)
