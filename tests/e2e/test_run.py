"""`msgcode run` in a real terminal, around a program like a shell (`prompt_box.py`)."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from msgcode.model import Activity
from msgcode.store import Store
from tests.e2e.conftest import wait_until
from tests.e2e.in_pty import InPty

BOX = str(Path(__file__).with_name("prompt_box.py"))
MARKER = "msgcode: mail for ann (msgcode check --as ann)"
LONG_ENOUGH = 5.0
"""Seconds within which a wake-up that is safe has long been typed."""


class Running:
    """`msgcode run --as ann -- prompt_box.py`, and the room."""

    def __init__(self, terminal: InPty, store: Store, log: Path) -> None:
        self.terminal = terminal
        self.store = store
        self._log = log

    @property
    def sent(self) -> list[str]:
        """The lines that the program was sent."""
        return [json.loads(line) for line in self._log.read_text().splitlines()] if self._log.exists() else []

    def mail(self, body: str = "hello") -> str:
        """A message for ann; returns its id."""
        self.store.register("bob")
        return self.store.send("bob", "ann", body).id

    def woken(self, times: int = 1) -> None:
        """Wait until the program has been sent the wake-up so many times."""
        self.terminal.wait_until(lambda: self.sent.count(MARKER) >= times, f"not woken, but {self.sent}")

    def presence(self, activity: Activity, reason: str | None = None) -> None:
        """Wait until ann does this, for this reason."""

        def told() -> bool:
            known = self.store.presence("ann")
            return known.activity is activity and (reason is None or reason in (known.reason or ""))

        wait_until(told, lambda: f"{self.store.presence('ann')}, on:\n{self.terminal.screen()}")

    def not_woken(self, reason: str) -> None:
        """Wait until the room is told why, and see that nothing has been typed by then, and after."""
        wait_until(
            lambda: reason in (self.store.presence("ann").reason or ""),
            lambda: str(self.store.presence("ann")),
        )
        seen = self.terminal.bytes
        time.sleep(LONG_ENOUGH / 2)
        assert b"msgcode" not in self.terminal.bytes[len(seen) :]
        assert MARKER not in self.sent


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The environment of what a test runs."""
    kept = {key: value for key, value in os.environ.items() if key not in ("TMUX", "MSGCODE_AGENT")}
    return {**kept, "MSGCODE_STORE": str(tmp_path / "room"), "HOME": str(tmp_path), "TERM": "xterm-256color"}


Start = Callable[..., Running]


@pytest.fixture
def start(tmp_path: Path, environment: dict[str, str]) -> Iterator[Start]:
    """Starts prompt_box.py with `msgcode run`, around which nothing is left after the test."""
    with ExitStack() as stack:

        def run(*command: str) -> Running:
            log = tmp_path / "sent"
            inner = command or (sys.executable, BOX, str(log))
            words = [sys.executable, "-m", "msgcode", "run", "--as", "ann", "--", *inner]
            terminal = stack.enter_context(InPty(words, environment))
            store = stack.enter_context(Store.open(tmp_path / "room", sync=False))
            return Running(terminal, store, log)

        yield run


@pytest.fixture
def box(start: Start) -> Running:
    """prompt_box.py at its prompt."""
    running = start()
    running.terminal.wait_for(">")
    return running


def test_an_idle_program_is_woken_once_for_all_that_waits(box: Running) -> None:
    box.mail("first")
    box.mail("second")
    box.woken()
    box.presence(Activity.IDLE, "woken, and has not looked")
    time.sleep(LONG_ENOUGH)
    assert box.sent == [MARKER]
    box.store.check("ann")
    box.mail("third")
    box.woken(2)


def test_what_is_half_typed_is_let_be(box: Running) -> None:
    box.terminal.type("git commit -m 'half")
    box.mail()
    box.not_woken("something was typed in its terminal and not sent")
    box.terminal.type(" done'\r")
    box.woken()
    assert box.sent == ["git commit -m 'half done'", MARKER]


def test_an_approval_is_left_to_the_user(box: Running) -> None:
    box.terminal.type("ask\r")
    box.terminal.wait_for("(y/n)")
    box.mail()
    box.presence(Activity.BLOCKED, "Do you want to delete everything? (y/n)")
    box.not_woken("(y/n)")
    box.terminal.type("n\x0d")
    box.woken()
    assert "you said 'n'" in box.terminal.screen()


def test_all_bytes_pass_and_the_exit_code(start: Start) -> None:
    whole = b"\x1b[38:2::1:2:3mcolour\x1b[0m\x1b]0;title\x07\x1b[?1000h\xff\xfe\x00"
    running = start(sys.executable, "-c", f"import os; os.write(1, {whole!r}); raise SystemExit(42)")
    assert running.terminal.end() == 42
    assert running.terminal.bytes == whole + b"\x1b[?1000l"  # The mouse it has left behind is put back.
    running.presence(Activity.OFFLINE)


def test_a_signal_that_ended_the_program_is_told(box: Running) -> None:
    box.terminal.type("die SIGKILL\r")
    assert box.terminal.end() == 128 + 9
