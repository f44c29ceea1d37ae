"""Going on after a pause."""

from __future__ import annotations

import signal
from types import FrameType

from textual.driver import Driver


def go_on_after_any(driver: Driver) -> None:
    """Have the app go on after a SIGSTOP as it does after Ctrl+Z.

    Textual takes every SIGCONT for the end of a pause before which it put the terminal and its threads away.
    Before a SIGSTOP nobody could, and those that it starts then come on top: two that read the keys, and one
    that the process waits for when it should end.
    """
    pause, go_on = signal.getsignal(signal.SIGTSTP), signal.getsignal(signal.SIGCONT)
    if not callable(pause) or not callable(go_on):
        return  # It is in no terminal.
    announced = False

    def paused(number: int, frame: FrameType | None) -> None:
        nonlocal announced
        announced = True
        pause(number, frame)

    def gone_on(number: int, frame: FrameType | None) -> None:
        nonlocal announced
        if not announced:
            driver.suspend_application_mode()
        announced = False
        go_on(number, frame)

    signal.signal(signal.SIGTSTP, paused)
    signal.signal(signal.SIGCONT, gone_on)
