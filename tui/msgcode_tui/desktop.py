"""Desktop notifications: by the terminal where it is known to show them, else by a program of the system.

Nothing tells whether a notification was seen, or shown at all, so a terminal is only trusted by its name:

- OSC 9 is iTerm2's; kitty has it too. (ConEmu and Windows Terminal take it for a progress bar.)
- OSC 777 is urxvt's; foot, Ghostty and WezTerm have it too. GNOME's VTE swallows it.
- Terminal.app, Alacritty and xterm have neither. There `osascript` and `notify-send` do it, on the machine
  that the app runs on, which is the wrong one over SSH.
- tmux passes neither on, unless `allow-passthrough` is on; then it says what the terminal around it is.

Where none of these works there is the bell, which every terminal knows.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping

from msgcode_tui import safe, tmux
from msgcode_tui.notices import Notice

_OSC_9 = ("iterm", "kitty")
_OSC_777 = ("foot", "ghostty", "rxvt", "wezterm")

_LONGEST = 200
"""Characters of a notification. Systems show fewer."""

_APPLESCRIPT = (
    "-e", "on run argv",
    "-e", "display notification (item 2 of argv) with title (item 1 of argv)",
    "-e", "end run",
)  # fmt: skip

Which = Callable[[str], str | None]


def escape(notice: Notice, environment: Mapping[str, str]) -> str | None:
    """What to write to the terminal so that it shows the notice; None if it is not known to do that.

    environment: that of the process. Where it says that this is tmux, tmux is asked.
    """
    if not environment.get("TMUX"):
        return _sequence(notice, " ".join(environment.get(name, "") for name in ("TERM_PROGRAM", "TERM")))
    question = "#{allow-passthrough} #{client_termtype} #{client_termname}"
    answer = tmux.ask(environment, "display-message", "-p", question) or ""
    passes, _, terminal = answer.partition(" ")
    sequence = _sequence(notice, terminal) if passes in ("1", "on", "all") else None
    return sequence and "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"


def _sequence(notice: Notice, terminal: str) -> str | None:
    title, text = _texts(notice)
    name = terminal.lower()
    if any(known in name for known in _OSC_9):
        # What begins with a number and a semicolon is a progress bar in some.
        return f"\x1b]9;{title}: {text}\x1b\\"
    if any(known in name for known in _OSC_777):
        return f"\x1b]777;notify;{title.replace(';', ',')};{text}\x1b\\"
    return None


def command(
    notice: Notice,
    environment: Mapping[str, str],
    *,
    platform: str = sys.platform,
    which: Which = shutil.which,
) -> list[str] | None:
    """The program that shows the notice on this machine; None if there is none, or nobody sits at it."""
    if environment.get("SSH_CONNECTION"):
        return None
    title, text = _texts(notice)
    if platform == "darwin":
        return ["osascript", *_APPLESCRIPT, title, text]
    if which("notify-send") and (environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY")):
        from html import escape  # Only now: it takes a millisecond.

        # Desktops take tags in the text.
        return ["notify-send", "--app-name=msgcode", "--", title, escape(text, quote=False)]
    return None


def _texts(notice: Notice) -> tuple[str, str]:
    return f"msgcode: {safe.fit(notice.title, _LONGEST)}", safe.fit(notice.text[: 4 * _LONGEST], _LONGEST)


def run(words: list[str]) -> None:
    """Run a `command` to its end. That it could not do it is of no use to anybody: the bell was rung."""
    try:
        subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        pass
