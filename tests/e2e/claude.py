"""Real Claude Code in a test: a private home, the TUI and `claude -p`, with a scripted model."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.e2e.scripted import Answer, Call, Script, Turn
from tests.e2e.terminal import Terminal

WAIT = 40.0
"""Seconds within which Claude Code has to do what a test waits for."""

VERSION = "2.1.197"
"""The version that these tests were written with."""

OURS = "mcp__msgcode__"
"""What Claude Code puts before the names of our tools."""

KEY = "sk-ant-api03-none-of-yours"
"""What the scripted model is given for a key."""


def binary() -> Path:
    """The program itself, not a link to it; a test that needs one where there is none is skipped."""
    folder = os.environ.get("MSGCODE_TEST_NPM")
    if folder is not None:
        return Path(folder, "node_modules", ".bin", "claude").resolve(strict=True)
    found = shutil.which("claude")
    if found is None:
        pytest.skip(f"Claude Code is not installed: npm install --global @anthropic-ai/claude-code@{VERSION}")
    return Path(found).resolve()


def with_tools(script: Script) -> Script:
    """The script, once Claude Code has our tools: it does not wait for them, but brings them amid a turn."""
    begun = threading.Event()

    def answer(turn: Turn) -> Answer:
        if begun.is_set():
            return script(turn)
        if f"{OURS}register_agent" not in turn.tools:
            return Call("Bash", {"command": "sleep 0.1", "description": "wait"})
        begun.set()
        return script(replace(turn, new=turn.entries))

    return answer


class ClaudeHome:
    """A home folder in which Claude Code knows the scripted model and nothing of the user.

    `store` is the room of msgcode. `settings` is added to ~/.claude/settings.json. `environment` is all that
    Claude Code sees of it; what a test adds counts for what is started afterwards.
    """

    def __init__(self, folder: Path, model_url: str, store: Path | str, **settings: object) -> None:
        self.folder = folder
        self.store = store
        self.settings = folder / ".claude" / "settings.json"
        self.state = folder / ".claude.json"
        self.environment = {
            "HOME": str(folder),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            "MSGCODE_STORE": str(store),
            "ANTHROPIC_BASE_URL": model_url,
            "ANTHROPIC_API_KEY": KEY,
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL": "1",
            "DISABLE_AUTOUPDATER": "1",
            "DISABLE_INSTALLATION_CHECKS": "1",
            "IS_DEMO": "1",
        }
        self.settings.parent.mkdir(parents=True)
        self.settings.write_text(json.dumps(settings, indent=2))
        answered = {
            "hasCompletedOnboarding": True,
            "theme": "dark",
            # The last 20 characters of the key name it.
            "customApiKeyResponses": {"approved": [KEY[-20:]], "rejected": []},
        }
        self.state.write_text(json.dumps(answered, indent=2))

    def install_msgcode(self) -> str:
        """Connect it to the room as a user does; what the command says."""
        return self.msgcode("install", "claude")

    def msgcode(self, *words: str) -> str:
        """What a command says that this user gives."""
        command = [sys.executable, "-m", "msgcode", *words]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=True)
        return done.stdout

    def project(self, name: str = "project") -> Path:
        """The project folder of this name, made and trusted at the first call."""
        project = self.folder / name
        if not project.exists():
            project.mkdir()
            state = json.loads(self.state.read_text())
            state.setdefault("projects", {})[str(project)] = {"hasTrustDialogAccepted": True}
            self.state.write_text(json.dumps(state, indent=2))
        return project

    def ask(self, prompt: str, *options: str, project: str = "project") -> str:
        """What `claude -p` answers; `options` are more of its words, such as --resume and a session's id."""
        done = subprocess.run(
            [binary(), "-p", prompt, *options],
            cwd=self.project(project),
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=WAIT,
            check=False,
        )
        assert done.returncode == 0, f"claude -p ended with {done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout


class ClaudeTerminal(Terminal):
    """Claude Code's TUI in a project of a home, ready to be typed into; `session` continues that session."""

    def __init__(self, home: ClaudeHome, project: str = "project", session: str | None = None) -> None:
        words = [str(binary()), *([] if session is None else ["--resume", session])]
        super().__init__(
            f"exec {shlex.join(words)}", folder=home.project(project), environment=home.environment
        )
        try:
            self.wait_for("? for shortcuts")
        except BaseException:
            self.close()
            raise

    def say(self, text: str) -> None:
        """Paste the text and press Enter."""
        self.paste(text)
        self.wait_for(text.splitlines()[0][:40])
        self.type("Enter")

    def wait_for_rest(self) -> None:
        """Wait until a turn is over, the first one at the latest: then it tells how long it took."""
        self.wait_until(lambda: re.search(r"✻ \w+ for \d", self.screen()), "no turn came to its end")

    def leave(self) -> None:
        """Say /exit, and wait until Claude Code has ended."""
        self.say("/exit")
        deadline = time.monotonic() + WAIT
        while self.runs():
            assert time.monotonic() < deadline, f"it does not end:\n{self.screen()}"
            time.sleep(0.05)

    def close(self) -> None:
        """Close the terminal's window, and wait until Claude Code has ended by itself."""
        if self.runs():
            os.kill(self.pid(), signal.SIGHUP)
            deadline = time.monotonic() + WAIT
            while self.runs() and time.monotonic() < deadline:
                time.sleep(0.01)
        super().close()

    def kill(self) -> None:
        """End it at once, itself only, as `kill -9` does."""
        os.kill(self.pid(), signal.SIGKILL)
