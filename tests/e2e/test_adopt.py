"""`msgcode adopt` in a real tmux, around a program like a shell (`prompt_box.py`)."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from msgcode.model import Activity
from msgcode.store import Store
from tests.e2e.conftest import wait_until
from tests.e2e.terminal import Terminal, needs_tmux

pytestmark = needs_tmux

BOX = str(Path(__file__).with_name("prompt_box.py"))
MARKER = "msgcode: mail for ann (msgcode check --as ann)"


class Adopted:
    """prompt_box.py in a pane of tmux, `msgcode adopt` beside it, and the room."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sockets = tempfile.TemporaryDirectory(prefix="tmux-")  # A socket's path may not be long.
        self._log = folder / "sent"
        kept = {
            key: value for key, value in os.environ.items() if not key.startswith(("TMUX", "MSGCODE_AGENT"))
        }
        self._environment = {**kept, "MSGCODE_STORE": str(folder / "room"), "TMUX_TMPDIR": self._sockets.name}
        command = shlex.join([sys.executable, BOX, str(self._log)])
        self.terminal = Terminal(f"exec {command}", environment=self._environment, size=(100, 24))
        self.store = Store.open(folder / "room", sync=False)
        self._adopting: subprocess.Popen[str] | None = None
        self.terminal.wait_for(">")

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """`msgcode` with these words, beside the pane."""
        command = [sys.executable, "-m", "msgcode", *words]
        inside = {**self._environment, "TMUX": f"{self.terminal.socket},1,0", **environment}
        return subprocess.run(command, env=inside, capture_output=True, text=True, check=False, timeout=30)

    def adopt(self) -> None:
        """Adopt the pane, until the test ends."""
        with (self._folder / "adopt").open("w") as said:
            self._adopting = subprocess.Popen(
                [sys.executable, "-m", "msgcode", "adopt", "--as", "ann", "%0"],
                env={**self._environment, "TMUX": f"{self.terminal.socket},1,0"},
                stdin=subprocess.DEVNULL,
                stdout=said,
                text=True,
            )
        wait_until(lambda: self.store.presence("ann").online, self.said)

    def said(self) -> str:
        """What `msgcode adopt` has said."""
        return (self._folder / "adopt").read_text()

    def ended(self) -> int:
        """Wait until `msgcode adopt` has ended. Returns its exit code."""
        assert self._adopting
        return self._adopting.wait(20)

    def interrupt(self) -> None:
        """End it as ctrl+c does."""
        assert self._adopting
        self._adopting.send_signal(2)

    @property
    def sent(self) -> list[str]:
        """The lines that the program was sent."""
        return [json.loads(line) for line in self._log.read_text().splitlines()] if self._log.exists() else []

    def mail(self) -> None:
        """A message for ann."""
        self.store.register("bob")
        self.store.send("bob", "ann", "hello")

    def woken(self) -> None:
        """Wait until the program has been sent the wake-up."""
        self.terminal.wait_until(lambda: MARKER in self.sent, f"not woken, but {self.sent}")

    def told(self, activity: Activity, reason: str = "") -> None:
        """Wait until the room is told that ann does this, for this reason."""

        def is_told() -> bool:
            known = self.store.presence("ann")
            return known.activity is activity and reason in (known.reason or "")

        wait_until(is_told, lambda: f"{self.store.presence('ann')}, on:\n{self.terminal.screen()}")

    def close(self) -> None:
        """End it all."""
        if self._adopting:
            self._adopting.kill()
            self._adopting.wait()
        self.store.close()
        self.terminal.close()
        self._sockets.cleanup()


@pytest.fixture
def pane(tmp_path: Path) -> Iterator[Adopted]:
    """prompt_box.py in a pane, not adopted yet."""
    adopted = Adopted(tmp_path)
    try:
        yield adopted
    finally:
        adopted.close()


def test_an_idle_pane_is_woken_and_its_end_is_told(pane: Adopted) -> None:
    pane.adopt()
    wait_until(lambda: pane.said().startswith("Watching over ann in pane %0"), pane.said)
    pane.mail()
    pane.woken()
    pane.told(Activity.IDLE, "woken, and has not looked")
    assert pane.sent == [MARKER]
    pane.terminal.close()
    assert pane.ended() == 0
    pane.told(Activity.OFFLINE)
    assert "The pane has gone." in pane.said()


def test_what_is_half_typed_is_let_be(pane: Adopted) -> None:
    pane.adopt()
    pane.terminal.type("-l", "git commit -m 'half")
    pane.mail()
    pane.told(Activity.IDLE, "no prompt at the cursor")
    time.sleep(3)
    assert pane.sent == []
    pane.terminal.type("Enter")
    pane.woken()
    assert pane.sent == ["git commit -m 'half", MARKER]


def test_an_approval_is_left_to_the_user(pane: Adopted) -> None:
    pane.adopt()
    pane.terminal.type("-l", "ask")
    pane.terminal.type("Enter")
    pane.told(Activity.BLOCKED, "Do you want to delete everything? (y/n)")
    pane.mail()
    time.sleep(3)
    assert pane.sent == ["ask"]
    pane.terminal.type("n")
    pane.woken()


def test_a_wake_up_that_is_not_shown_is_taken_out_again(pane: Adopted) -> None:
    pane.terminal.type("-l", "garble")
    pane.terminal.type("Enter")
    pane.adopt()
    pane.mail()
    pane.told(Activity.IDLE, "did not show just what was typed")
    pane.terminal.type("-l", "after")
    pane.terminal.type("Enter")
    pane.terminal.wait_until(lambda: "after" in pane.sent, f"never sent, but {pane.sent}")
    assert pane.sent == ["garble", "after"]


def test_an_interrupt_ends_it(pane: Adopted) -> None:
    pane.adopt()
    pane.mail()
    pane.woken()
    pane.interrupt()
    assert pane.ended() == 0
    pane.told(Activity.OFFLINE)
    assert pane.terminal.runs()


def test_it_says_which_panes_there_are_and_refuses_the_others(pane: Adopted, tmp_path: Path) -> None:
    asked = pane.run("adopt", "--as", "ann")
    program = Path(sys.executable).name
    assert asked.stderr == f"msgcode: say which pane to adopt: %0 (0:0.0, {program}).\n"
    assert asked.returncode == 2
    other = pane.run("adopt", "--as", "ann", "%77")
    assert other.returncode == 2
    assert "tmux has no pane '%77'" in other.stderr
    own = pane.run("adopt", "--as", "ann", "%0", TMUX_PANE="%0")
    assert own.returncode == 2
    assert "is the pane that this runs in" in own.stderr
    without = pane.run("adopt", "--as", "ann", "%0", TMUX=f"{tmp_path / 'nothing'},1,0")
    assert without.returncode == 2
    assert "no tmux runs" in without.stderr
    assert pane.store.agents() == []
