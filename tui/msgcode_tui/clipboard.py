"""Copying: by every way to a clipboard that there is here, and an honest word on which it was.

- Inside tmux its own buffer has the text for sure. `-w` also hands it to the terminal around tmux.
- On the user's own machine a program of the system puts it on the clipboard for sure.
- Otherwise the terminal is asked (OSC 52), over SSH too. It does not answer, and not all terminals do it.
"""

from __future__ import annotations

import base64
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import NamedTuple

from msgcode.text import visible
from msgcode_tui import tmux

_TERMINALS_TAKE = 74_994
"""Bytes of base64 that every terminal with OSC 52 takes; some take no more."""

Which = Callable[[str], str | None]


class Copied(NamedTuple):
    """What has become of the text."""

    sentence: str
    """Says which way it went, to the user."""
    certain: bool
    """Whether it is known to have arrived somewhere."""


def copy(
    text: str,
    environment: Mapping[str, str],
    write: Callable[[str], object],
    *,
    platform: str = sys.platform,
    which: Which = shutil.which,
) -> Copied:
    """Copy the text, with its control characters made visible: pasted into a shell, they would act.

    environment: that of the process. write: writes to the terminal. Takes up to a few seconds.
    """
    text = visible(text)
    program = _program(environment, platform, which)
    on_clipboard = program is not None and _feed(program, text)
    if environment.get("TMUX") and (in_tmux := _copy_in_tmux(text, environment)):
        if on_clipboard:
            return Copied("Copied, to the clipboard and to tmux's buffer.", True)
        return Copied(in_tmux, True)
    if on_clipboard:
        return Copied("Copied to the clipboard.", True)
    encoded = base64.b64encode(text.encode()).decode()
    write(f"\x1b]52;c;{encoded}\x07")
    doubt = "whether it has done so cannot be known"
    if len(encoded) > _TERMINALS_TAKE:
        doubt = "it is long, and many terminals refuse that"
    return Copied(f"The terminal was asked to copy; {doubt}.", False)


def _program(environment: Mapping[str, str], platform: str, which: Which) -> list[str] | None:
    """What puts its input on the clipboard of the machine that the user sits at."""
    if environment.get("SSH_CONNECTION"):
        return None
    if platform == "darwin":
        return ["pbcopy"]
    if environment.get("WAYLAND_DISPLAY") and which("wl-copy"):
        return ["wl-copy"]
    if environment.get("DISPLAY"):
        if which("xclip"):
            return ["xclip", "-selection", "clipboard"]
        if which("xsel"):
            return ["xsel", "--clipboard", "--input"]
    return None


def _feed(program: list[str], text: str) -> bool:
    try:
        # To nowhere: some of them stay, to hand out the text, and would keep a pipe open.
        done = subprocess.run(
            program,
            input=text.encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _copy_in_tmux(text: str, environment: Mapping[str, str]) -> str | None:
    paste = "paste it with tmux's prefix and ]"
    if tmux.ask(environment, "load-buffer", "-w", "-", given=text) is None:
        if tmux.ask(environment, "load-buffer", "-", given=text) is None:  # Before tmux 3.2 there was no -w.
            return None
        return f"Copied to tmux's buffer only: {paste}."
    if tmux.ask(environment, "show-options", "-sv", "set-clipboard") == "off":
        return f"Copied to tmux's buffer only, as its set-clipboard is off: {paste}."
    return f"Copied to tmux's buffer ({paste}), and the terminal was asked to copy."
