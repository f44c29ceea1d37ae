"""The TUI in a real terminal, beside an editor, a bell and what it remembers."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from msgcode import Store
from tests.e2e.terminal import Terminal, needs_tmux

pytestmark = needs_tmux


@pytest.mark.skipif(shutil.which("vim") is None, reason="vim is not installed")
def test_vim_opens_what_a_message_names_and_the_room_comes_back(tmp_path: Path) -> None:
    source = tmp_path / "config.py"
    source.write_text("".join(f"line {number}\n" for number in range(1, 100)))
    with Store.open(tmp_path / "room", sync=False) as store:
        store.register("scanner")
        store.send("scanner", "fixer", "A key.", metadata={"file": "config.py", "line": "42"})
    environment = {**os.environ, "VISUAL": "vim -u NONE -N", "HOME": str(tmp_path)}
    command = f"exec {sys.executable} -m msgcode_tui --store room"
    terminal = Terminal(command, folder=tmp_path, environment=environment)
    try:
        terminal.wait_for("A key.")
        terminal.type("Tab", "k", "o")
        terminal.wait_for("line 42")
        terminal.type("-l", ":s/42/was here/|x")
        terminal.type("Enter")
        terminal.wait_for("A key.")
        terminal.wait_for("you are human")
        assert source.read_text().splitlines()[41] == "line was here"
    finally:
        terminal.close()


def test_an_urgent_message_rings(tmp_path: Path) -> None:
    environment = {**os.environ, "HOME": str(tmp_path)}
    rang = tmp_path / "rang"
    terminal = Terminal(
        f"exec {sys.executable} -m msgcode_tui --store {tmp_path}/room", environment=environment
    )
    try:
        terminal.wait_for("you are human")
        terminal.on_bell(f"touch {rang}")
        with Store.open(tmp_path / "room", sync=False) as store:
            store.register("scanner")
            store.send("scanner", "fixer", "Nothing much.")
            terminal.wait_for("Nothing much.")
            assert not rang.exists()
            store.send("scanner", "fixer", "A key!", priority="urgent")
            terminal.wait_until(rang.exists, "no bell was rung")
    finally:
        terminal.close()
