"""Real Codex in a test: a private home, the TUI and `codex exec`, with a scripted model."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from tests.e2e.home import WAIT, Home, ProgramTerminal, npm_program

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
    return npm_program("codex", "Codex", f"@openai/codex@{VERSION}").resolve(strict=True)


class CodexHome(Home):
    """A home folder in which Codex knows the scripted model and nothing of the user.

    Whoever makes one says `stop` in the end.
    """

    def __init__(self, folder: Path, model_url: str, store: Path | str) -> None:
        super().__init__("codex", folder, store, {"SCRIPTED_KEY": "none"})
        self.codex = folder / ".codex"
        self.config = self.codex / "config.toml"
        self.codex.mkdir(parents=True)
        self.config.write_text(CONFIG.format(url=model_url))

    def prepare(self, project: Path) -> None:
        """Trust it."""
        with self.config.open("a") as config:
            config.write(f'\n[projects.{json.dumps(str(project))}]\ntrust_level = "trusted"\n')

    @property
    def distrusts(self) -> bool:
        """Whether its user has not yet said that the hooks that are there may run."""
        return (self.codex / "hooks.json").exists() and "trusted_hash" not in self.config.read_text()

    def execute(self, *words: str, project: str = "project") -> str:
        """What `codex exec` answers to these words (a prompt; or resume, a session's id and a prompt).

        All hooks count as trusted.
        """
        options = ("--skip-git-repo-check", "--dangerously-bypass-hook-trust")
        return self.run([binary(), "exec", *options, *words], project)

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


class CodexTerminal(ProgramTerminal):
    """Codex's TUI in a project of a home, ready to be typed into.

    words: what `codex` is told, such as --no-daemon, or resume and a session's id. trust: whether its user
    trusts hooks that are new.
    """

    def __init__(self, home: CodexHome, *words: str, project: str = "project", trust: bool = True) -> None:
        self._trust = trust
        self._asks = home.distrusts
        super().__init__(home, [binary(), *words], project, IDLE)

    def begin(self) -> None:
        """Trust the hooks, or go on without them."""
        if self._asks:
            self._choose("2. Trust all" if self._trust else "3. Continue without")

    def _choose(self, choice: str) -> None:
        """Choose in the dialog about hooks, which shows before it hears keys."""
        self.wait_for("Hooks need review")
        while "Hooks need review" in (screen := self.screen()):
            chosen = f"\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} {choice}" in screen
            self.type("Enter" if chosen else choice[0])
            time.sleep(0.5)

    def wait_until_idle(self) -> None:
        """Wait until no turn is running, and the box is empty."""
        self.wait_until(
            lambda: IDLE in (screen := self.screen()) and "esc to " not in screen, "it never became idle"
        )

    def leave(self) -> None:
        """Say /quit, and wait until it has ended; a daemon stays."""
        self.wait_until_idle()
        self.say("/quit")
        self.wait_for_end()
