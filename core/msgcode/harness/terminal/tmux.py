"""`msgcode adopt`: an agent in a pane of tmux that is there already."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import time

import libtmux
from rich.cells import get_character_cell_size

from msgcode.errors import BadInput
from msgcode.harness.terminal.modes import hides_input
from msgcode.harness.terminal.wake import Screen, View
from msgcode.harness.terminal.waker import Waker, session, wake_up
from msgcode.store import Store
from msgcode.text import visible_line

_STATE = (
    "cursor_x",
    "cursor_y",
    "pane_height",
    "alternate_on",
    "pane_in_mode",
    "pane_input_off",
    "pane_synchronized",
    "pane_dead",
    "pane_current_command",
)
_FORMAT = "\t".join(f"#{{{name}}}" for name in _STATE)


class Gone(Exception):
    """The pane is no more."""


def main(store: Store, agent: str, name: str | None, text: str | None) -> str:
    """Watch over the agent in the pane `name` until that has gone, or a signal comes. Returns what ended it.

    text: what is typed to wake it. Raises BadInput if there is no such pane, and what
    `Store.register` raises.
    """
    if not shutil.which("tmux"):
        raise BadInput(
            "adopt needs tmux, which is not installed: start the program with msgcode run instead."
        )
    pane = _pane(name)
    command = pane.pane_current_command or "a program"
    text = wake_up(agent, command, text)
    here = session(command, pane.pane_current_path or os.getcwd())
    known = next((known for known in store.agents() if known.id == agent), None)
    if not (known and known.session and store.presence(agent).online):
        store.register(agent, session=here)
    words = f"Watching over {agent} in pane {pane.pane_id} ({command}): mail wakes it when that is safe."
    print(visible_line(f"{words} ctrl+c ends this."), flush=True)
    return asyncio.run(_watch(Waker(store, agent, here, Pane(pane, command), text)))


async def _watch(waker: Waker) -> str:
    watching = asyncio.ensure_future(waker.run())
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, watching.cancel)
    try:
        await watching
    except asyncio.CancelledError:
        return "Ended."
    except Gone:
        return "The pane has gone."
    return ""


def _pane(name: str | None) -> libtmux.Pane:
    socket = os.environ.get("TMUX", "").partition(",")[0]
    panes = (libtmux.Server(socket_path=socket) if socket else libtmux.Server()).panes
    if not panes:
        raise BadInput("no tmux runs: start the program with msgcode run instead.")
    own = os.environ.get("TMUX_PANE") if socket else None
    by_name = {known: pane for pane in panes for known in (pane.pane_id, _place(pane))}
    if name is None:
        others = [pane for pane in panes if pane.pane_id != own]
        listed = ", ".join(f"{pane.pane_id} ({_place(pane)}, {pane.pane_current_command})" for pane in others)
        raise BadInput(visible_line(f"say which pane to adopt: {listed or 'there is none but this one'}."))
    pane = by_name.get(name)
    if not pane:
        raise BadInput(visible_line(f"tmux has no pane {name[:80]!r}: adopt without a pane lists them."))
    if pane.pane_id == own:
        raise BadInput(f"{pane.pane_id} is the pane that this runs in: adopt it from another one.")
    return pane


def _place(pane: libtmux.Pane) -> str:
    return f"{pane.session_name}:{pane.window_index}.{pane.pane_index}"


class Pane:
    """A pane as `Waker` needs it. The user's keys go past us, so what is typed is read off the screen."""

    tick = 0.5

    def __init__(self, pane: libtmux.Pane, command: str) -> None:
        self._pane = pane
        self._command = command
        self._shown: tuple[object, ...] = ()
        self._moved = time.monotonic()

    async def view(self) -> View:
        """What it shows. Raises Gone."""
        return await asyncio.to_thread(self._view)

    async def type(self, text: str) -> None:
        """Press these keys. Raises Gone."""
        await asyncio.to_thread(self._tmux, "send-keys", "-l", text)

    def hold_keys(self, held: bool) -> None:
        """Nothing can be kept back in tmux."""

    def asks(self, asks: bool) -> None:
        """Nobody follows the keys."""

    def _view(self) -> View:
        id = str(self._pane.pane_id)
        shown = self._tmux("display-message", "-p", _FORMAT, ";", "capture-pane", "-p", "-N", "-t", id)
        state = dict(zip(_STATE, shown[0].split("\t"), strict=True))
        if state["pane_dead"] == "1":
            raise Gone
        height, row = int(state["pane_height"]), int(state["cursor_y"])
        lines = (*shown[1:], *[""] * height)[:height]
        left = _cells(lines[row], int(state["cursor_x"]))
        screen = Screen(lines, row, left, state["alternate_on"] == "1")
        hands_off = self._hands_off()
        now = time.monotonic()
        if shown != self._shown:
            self._shown = shown
            self._moved = now if hands_off > 1 else self._moved
        return View(
            screen,
            now - self._moved,
            hands_off,
            typed=None,
            foreground=state["pane_current_command"] == self._command,
            hidden=self._hidden(),
            closed=any(
                state[name] != "0" for name in ("pane_in_mode", "pane_input_off", "pane_synchronized")
            ),
        )

    def _hands_off(self) -> float:
        """Seconds since somebody who looks at the pane has pressed a key."""
        clients = self._tmux("list-clients", "-F", "#{pane_id} #{client_activity}", target=False)
        id = self._pane.pane_id
        pressed = [int(line.split()[1]) for line in clients if line.split()[0] == id]
        return time.time() - max(pressed, default=0)

    def _hidden(self) -> bool:
        try:
            terminal = os.open(str(self._pane.pane_tty), os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
        except OSError:
            return False
        try:
            return hides_input(terminal)
        finally:
            os.close(terminal)

    def _tmux(self, command: str, *words: str, target: bool = True) -> tuple[str, ...]:
        where = ["-t", str(self._pane.pane_id)] if target else []
        done = self._pane.server.cmd(command, *where, *words)
        if done.returncode:
            raise Gone
        return tuple(done.stdout)


def _cells(line: str, count: int) -> str:
    """The beginning of the line that takes so many cells of the screen."""
    text, taken = "", 0
    for char in line:
        if taken >= count:
            break
        text += char
        taken += get_character_cell_size(char)
    return text + " " * max(count - taken, 0)
