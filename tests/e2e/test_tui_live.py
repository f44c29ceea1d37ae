"""Two terminals: the TUI in one, under tmux, and another process that sends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

from msgcode import Store
from tests.e2e.in_pty import InPty
from tests.e2e.terminal import Terminal, needs_tmux

pytestmark = needs_tmux


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """The TUI on the room in `tmp_path`/room."""
    command = f"{sys.executable} -m msgcode_tui --store {tmp_path}/room --as human"
    terminal = Terminal(command)
    try:
        terminal.wait_for("you are human")
        yield terminal
    finally:
        terminal.close()


def test_a_message_sent_elsewhere_is_on_the_screen_at_once(tmp_path: Path, terminal: Terminal) -> None:
    delays = []
    with Store.open(tmp_path / "room") as store:
        store.register("alice")
        store.register("bob")
        terminal.wait_for("bob")
        for number in range(7):
            store.send("alice", "bob", f"message number {number}.")
            sent = time.monotonic()
            terminal.wait_for(f"message number {number}.")
            delays.append(time.monotonic() - sent)
            time.sleep(0.1)  # So that each comes alone.
    assert median(delays) < 1, delays


def test_the_command_line_and_the_tui_are_in_one_room(tmp_path: Path, terminal: Terminal) -> None:
    environment = {**os.environ, "MSGCODE_STORE": str(tmp_path / "room"), "MSGCODE_AGENT": "alice"}

    def msgcode(*words: str) -> str:
        command = [sys.executable, "-m", "msgcode", *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    msgcode("register", "alice")
    terminal.wait_for("● alice")
    msgcode("send", "human", "May I merge?")
    terminal.wait_for("May I merge?")
    terminal.type("Down", "Enter")
    terminal.wait_for("human → alice")
    terminal.type("-l", "Yes, merge.")
    terminal.type("Enter")
    terminal.wait_for("▎ Yes, merge.")
    assert "Yes, merge." in msgcode("check")
    terminal.wait_for("delivered ✓")


def test_it_leaves_the_terminal_as_it_was() -> None:
    command = f"{sys.executable} -m msgcode_tui --demo; echo left with $?; sleep 60"
    terminal = Terminal(command)
    try:
        terminal.wait_for("streaming tokenizer")
        terminal.type("C-q")
        terminal.wait_for("left with 0")
        assert "streaming tokenizer" not in terminal.screen()
    finally:
        terminal.close()


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_demo_whose_terminal_is_closed_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    terminal = Terminal(f"TMPDIR={tmp_path} exec {sys.executable} -m msgcode_tui --demo")
    try:
        terminal.wait_for("streaming tokenizer")
        assert list(tmp_path.glob("msgcode-demo-*"))
        os.kill(terminal.pid(), number)
        terminal.wait_until(lambda: not list(tmp_path.glob("msgcode-demo-*")), "its room was left behind")
    finally:
        terminal.close()


def test_it_goes_on_and_ends_after_a_pause_that_nobody_announced(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "msgcode_tui", "--store", f"{tmp_path}/room", "--as", "human"]
    with InPty(command, {**os.environ, "TERM": "xterm-256color"}) as terminal:
        terminal.wait_for("you are human")
        for _ in range(2):
            os.kill(terminal.process.pid, signal.SIGSTOP)
            os.kill(terminal.process.pid, signal.SIGCONT)
            terminal.type("?")
            terminal.wait_for("─ Keys ─")
            terminal.type("\x1b")
            terminal.wait_until(lambda: "─ Keys ─" not in terminal.screen(), "the help stays")
        terminal.type("\x11")
        assert terminal.end() == 0
