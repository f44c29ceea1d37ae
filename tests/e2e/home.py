"""What the agent programs of all makers have in common in a test: where they are found, the private home that
each lives in, and a terminal with its TUI."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.e2e.terminal import Terminal

WAIT = 40.0
"""Seconds within which an agent program has to do what a test waits for."""


def npm_program(command: str, title: str, package: str) -> Path:
    """Where npm has put a program's command; a test that needs one where there is none is skipped.

    It is looked for in the folder MSGCODE_TEST_NPM, else on PATH. title: what people call it. package: the
    npm package with its version, for whoever is told to install it.
    """
    folder = os.environ.get("MSGCODE_TEST_NPM")
    if folder is not None:
        return Path(folder, "node_modules", ".bin", command).absolute()
    found = shutil.which(command)
    if found is None:
        pytest.skip(f"{title} is not installed: npm install --global {package}")
    return Path(found)


class Home:
    """A home folder in which an agent program knows nothing of the user.

    harness: what `msgcode install` calls the program. `store` is the room of msgcode. `environment` is all
    that the program sees of it; what a test adds counts for what is started afterwards.
    """

    def __init__(self, harness: str, folder: Path, store: Path | str, environment: dict[str, str]) -> None:
        self.harness = harness
        self.folder = folder
        self.store = store
        self.environment = {
            "HOME": str(folder),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            "MSGCODE_STORE": str(store),
            **environment,
        }

    def install_msgcode(self) -> str:
        """Connect the program to the room as a user does; what the command says."""
        return self.msgcode("install", self.harness)

    def msgcode(self, *words: str) -> str:
        """What a command says that this user gives."""
        command = [sys.executable, "-m", "msgcode", *words]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=True)
        return done.stdout

    def project(self, name: str = "project") -> Path:
        """The project folder of this name, made at the first call."""
        project = self.folder / name
        if not project.exists():
            project.mkdir()
            self.prepare(project)
        return project

    def prepare(self, project: Path) -> None:
        """Make a fresh project folder one that the program does not ask about."""

    def run(self, words: Sequence[str | Path], project: str) -> str:
        """What the program says when it is started with these words, to do one thing and end."""
        done = subprocess.run(
            words,
            cwd=self.project(project),
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=WAIT,
            check=False,
        )
        assert done.returncode == 0, f"{words} ended with {done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout


class ProgramTerminal(Terminal):
    """The TUI of an agent program in a project of a home.

    words: its command. ready: what its screen shows once it can be typed into.
    """

    def __init__(self, home: Home, words: Sequence[str | Path], project: str, ready: str) -> None:
        super().__init__(
            f"exec {shlex.join(map(str, words))}", folder=home.project(project), environment=home.environment
        )
        try:
            self.begin()
            self.wait_for(ready)
        except BaseException:
            self.close()
            raise

    def begin(self) -> None:
        """Answer what the program asks before it can be typed into."""

    def say(self, text: str) -> None:
        """Paste the text and press Enter."""
        self.paste(text)
        self.wait_for(text.splitlines()[0][:40])
        self.type("Enter")

    def wait_for_end(self) -> None:
        """Wait until the program has ended."""
        self.wait_until(lambda: not self.runs(), "it does not end")

    def close(self) -> None:
        """Close the terminal's window, and wait until what ran in it has ended by itself."""
        if not self.runs():
            return
        group = self.pid()  # Some programs run as a child of themselves.
        super().close()
        deadline = time.monotonic() + WAIT
        while _lives(group):
            if time.monotonic() > deadline:
                os.killpg(group, signal.SIGKILL)
                raise AssertionError(f"the program has not ended {WAIT} s after its terminal")
            time.sleep(0.01)

    def kill(self) -> None:
        """End it at once, itself only, as `kill -9` does."""
        os.kill(self.pid(), signal.SIGKILL)


def _lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
