"""Real Gemini CLI in a test: a private home, the TUI and `gemini -p`, offline, with a scripted model."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.terminal import Terminal

WAIT = 40.0
"""Seconds within which Gemini CLI has to do what a test waits for."""

VERSION = "0.61.0"
"""The version that these tests were written with."""

TOOLS = "mcp_msgcode_"
"""What Gemini CLI puts before the names of the tools of an MCP server called msgcode."""

PROMPT = "Type your message or @path/to/file"
"""What its empty prompt shows."""


HELD = re.compile(
    r"^ [>*] (?!  Type your message).*\n(?:(?:   .*)?\n)*▀+\n(?: .*\n)*? workspace", re.MULTILINE
)
"""Its prompt with a text in it, as the screen shows it."""

ENTER_AGAIN = 0.5
"""Seconds between two tries to send a text: Gemini CLI takes an Enter for a part of what was pasted less than
40 ms before, and on a busy machine it sees them together."""


def binary() -> Path:
    """The program, which needs Node; a test that needs it where it is missing is skipped."""
    folder = os.environ.get("MSGCODE_TEST_NPM")
    path = None if folder is None else f"{folder}/node_modules/.bin"
    found = shutil.which("gemini", path=path)
    if found is None:
        pytest.skip(f"Gemini CLI is not installed: npm install --global @google/gemini-cli@{VERSION}")
    return Path(found)


class GeminiHome:
    """A home folder in which Gemini CLI knows the scripted model and nothing of the user.

    `store` is the room of msgcode. `settings` are added to settings.json. `environment` is all that Gemini
    CLI sees of it; what a test adds counts for what is started afterwards.
    """

    def __init__(self, folder: Path, model_url: str, store: Path, **settings: object) -> None:
        self.folder = folder
        self.store = store
        self.settings = folder / ".gemini" / "settings.json"
        self.environment = {
            "HOME": str(folder),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",  # It warns where it is missing.
            "MSGCODE_STORE": str(store),
            "GEMINI_API_KEY": "none",
            "GOOGLE_GEMINI_BASE_URL": model_url,
        }
        whole = {
            "security": {"auth": {"selectedType": "gemini-api-key"}, "folderTrust": {"enabled": False}},
            "general": {"enableAutoUpdate": False, "enableAutoUpdateNotification": False},
            "privacy": {"usageStatisticsEnabled": False},
            "telemetry": {"enabled": False},
            "ui": {"theme": "Default", "hideTips": True, "hideBanner": True},
            "ide": {"hasSeenNudge": True},
            "model": {"name": "gemini-2.5-flash"},
            **settings,
        }
        self.settings.parent.mkdir(parents=True)
        self.settings.write_text(json.dumps(whole, indent=2))

    def msgcode(self, *words: str) -> str:
        """What a command says that this user gives."""
        command = [sys.executable, "-m", "msgcode", *words]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=True)
        return done.stdout

    def project(self, name: str = "project") -> Path:
        """The project folder of this name, made at the first call."""
        project = self.folder / name
        project.mkdir(exist_ok=True)
        return project

    def ask(self, text: str, *options: str, project: str = "project") -> str:
        """What it answers to `gemini -p`, which ends with the turn; all tools are allowed."""
        done = subprocess.run(
            [str(binary()), "--approval-mode", "yolo", "-p", text, *options],
            cwd=self.project(project),
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=WAIT,
            check=False,
        )
        assert done.returncode == 0, f"gemini -p said {done.returncode}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def recordings(self) -> list[Path]:
        """The recordings of its sessions (JSON lines), oldest first."""
        found = (self.folder / ".gemini" / "tmp").glob("*/chats/*.jsonl")
        return sorted(found, key=lambda recording: recording.stat().st_mtime)

    def sessions(self) -> list[str]:
        """The ids of its sessions, oldest first."""
        return [str(head(recording)["sessionId"]) for recording in self.recordings()]


def head(recording: Path) -> dict[str, Any]:
    """The first line of a recording."""
    with recording.open() as lines:
        return dict(json.loads(next(lines)))


class GeminiTerminal(Terminal):
    """Gemini CLI's TUI in a project of a home, ready to be typed into.

    `options` are those of its command line, such as `--resume`. `before` is put before the command, such as
    `msgcode run --`.
    """

    def __init__(
        self, home: GeminiHome, *options: str, project: str = "project", before: tuple[str, ...] = ()
    ) -> None:
        words = [*before, str(binary()), *options]
        super().__init__(
            f"exec {shlex.join(words)}", folder=home.project(project), environment=home.environment
        )
        try:
            self.wait_for(PROMPT)
        except BaseException:
            self.close()
            raise

    def say(self, text: str) -> None:
        """Paste the text and press Enter, until it has been sent."""
        self.paste(text)
        self.wait_until(lambda: HELD.search(self.screen()), "the text was not pasted")
        pressed = 0.0

        def sent() -> bool:
            nonlocal pressed
            held = HELD.search(self.screen())
            if held and time.monotonic() - pressed >= ENTER_AGAIN:
                self.type("Enter")
                pressed = time.monotonic()
            return not held

        self.wait_until(sent, "the text was not sent")

    def close(self) -> None:
        """Close the terminal's window, and wait until what ran in it has ended by itself.

        Gemini CLI runs as a child of itself, in the same process group.
        """
        if not self.runs():
            return
        group = self.pid()
        super().close()
        deadline = time.monotonic() + WAIT
        while _lives(group):
            if time.monotonic() > deadline:
                os.killpg(group, signal.SIGKILL)
                raise AssertionError(f"Gemini CLI has not ended {WAIT} s after its terminal")
            time.sleep(0.01)


def _lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
