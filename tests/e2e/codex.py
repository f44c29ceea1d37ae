"""Real Codex in a test: a private home, the TUI and `codex exec`, with a scripted model."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.terminal import Terminal

WAIT = 40.0
"""Seconds within which Codex has to do what a test waits for."""

VERSION = "0.169.0"
"""The version that these tests were written with."""

IDLE = "Ask Codex to do anything"
"""What stands in the box as long as nothing is typed."""

CONFIG = """\
model = "scripted"
model_provider = "scripted"
approval_policy = "on-request"
check_for_update_on_startup = false
# By itself it gives MCP servers one second, and then begins without their tools.
mcp_optional_startup_grace_ms = 30000

[model_providers.scripted]
name = "scripted"
base_url = "{url}/v1"
wire_api = "responses"
env_key = "SCRIPTED_KEY"
supports_websockets = false

[analytics]
enabled = false

[feedback]
enabled = false

[tui]
show_tooltips = false
"""


def binary() -> Path:
    """The program as npm installs it: a launcher; a test that needs one where there is none is skipped."""
    folder = os.environ.get("MSGCODE_TEST_NPM")
    if folder is not None:
        return Path(folder, "node_modules", ".bin", "codex").resolve(strict=True)
    found = shutil.which("codex")
    if found is None:
        pytest.skip(f"Codex is not installed: npm install --global @openai/codex@{VERSION}")
    return Path(found).resolve()


class CodexHome:
    """A home folder in which Codex knows the scripted model and nothing of the user.

    `store` is the room of msgcode. `environment` is all that Codex sees of it; what a test adds counts for
    what is started afterwards. Whoever makes one says `stop` in the end.
    """

    def __init__(self, folder: Path, model_url: str, store: Path) -> None:
        self.folder = folder
        self.store = store
        self.codex = folder / ".codex"
        self.config = self.codex / "config.toml"
        self.environment = {
            "HOME": str(folder),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            "MSGCODE_STORE": str(store),
            "SCRIPTED_KEY": "none",
        }
        self.codex.mkdir(parents=True)
        self.config.write_text(CONFIG.format(url=model_url))

    def install_msgcode(self) -> str:
        """Connect it to the room as a user does; what the command says."""
        return self.msgcode("install", "codex")

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
            with self.config.open("a") as config:
                config.write(f'\n[projects.{json.dumps(str(project))}]\ntrust_level = "trusted"\n')
        return project

    @property
    def distrusts(self) -> bool:
        """Whether its user has not yet said that the hooks that are there may run."""
        return (self.codex / "hooks.json").exists() and "trusted_hash" not in self.config.read_text()

    def execute(self, *words: str, project: str = "project") -> str:
        """What `codex exec` answers to these words (a prompt; or resume, a session's id and a prompt).

        All hooks count as trusted.
        """
        command = [str(binary()), "exec", "--skip-git-repo-check", "--dangerously-bypass-hook-trust", *words]
        done = subprocess.run(
            command,
            cwd=self.project(project),
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=WAIT,
            check=False,
        )
        assert done.returncode == 0, f"codex exec ended with {done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout

    def stop(self) -> None:
        """End its daemon and what that keeps: 400 MB, which it has copied for itself."""
        daemon = self.codex / "app-server-daemon"
        if daemon.exists():
            words = [str(binary()), "app-server", "daemon", "stop"]
            subprocess.run(words, env=self.environment, capture_output=True, check=True, timeout=WAIT)
            # That which looks for updates stays behind.
            updater = daemon / "daemon-updater.pid"
            if updater.exists() and (written := updater.read_text()):
                os.kill(json.loads(written)["pid"], signal.SIGTERM)
        shutil.rmtree(self.codex / "packages", ignore_errors=True)


class CodexTerminal(Terminal):
    """Codex's TUI in a project of a home, ready to be typed into.

    words: what `codex` is told, such as --no-daemon, or resume and a session's id. trust: whether its user
    trusts hooks that are new.
    """

    def __init__(self, home: CodexHome, *words: str, project: str = "project", trust: bool = True) -> None:
        super().__init__(
            f"exec {shlex.join([str(binary()), *words])}",
            folder=home.project(project),
            environment=home.environment,
        )
        try:
            if home.distrusts:
                self._choose("2. Trust all" if trust else "3. Continue without")
            self.wait_for(IDLE)
        except BaseException:
            self.close()
            raise

    def _choose(self, choice: str) -> None:
        """Choose in the dialog about hooks, which shows before it hears keys."""
        self.wait_for("Hooks need review")
        while "Hooks need review" in (screen := self.screen()):
            chosen = f"\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} {choice}" in screen
            self.type("Enter" if chosen else choice[0])
            time.sleep(0.5)

    def say(self, text: str) -> None:
        """Paste the text, of one line, and press Enter."""
        self.paste(text)
        self.wait_for(text[:40])
        self.type("Enter")

    def wait_until_idle(self) -> None:
        """Wait until no turn is running, and the box is empty."""
        self.wait_until(
            lambda: IDLE in (screen := self.screen()) and "esc to " not in screen, "it never became idle"
        )

    def leave(self) -> None:
        """Say /quit, and wait until it has ended; a daemon stays."""
        self.wait_until_idle()
        self.say("/quit")
        deadline = time.monotonic() + WAIT
        while self.runs():
            assert time.monotonic() < deadline, f"it does not end:\n{self.screen()}"
            time.sleep(0.05)
