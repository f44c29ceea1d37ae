"""Real Claude Code in a test: a private home, the TUI and `claude -p`, with a scripted model."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import replace
from pathlib import Path

from tests.e2e.home import Home, ProgramTerminal, npm_program
from tests.e2e.scripted import Answer, Call, Script, Turn

VERSION = "2.1.197"
"""The version that these tests were written with."""

OURS = "mcp__msgcode__"
"""What Claude Code puts before the names of our tools."""

KEY = "sk-ant-api03-none-of-yours"
"""What the scripted model is given for a key."""


def binary() -> Path:
    """The program itself, not a link to it; a test that needs one where there is none is skipped."""
    package = f"@anthropic-ai/claude-code@{VERSION}"
    return npm_program("claude", "Claude Code", package).resolve(strict=True)


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


class ClaudeHome(Home):
    """A home folder in which Claude Code knows the scripted model and nothing of the user.

    `settings` is added to ~/.claude/settings.json.
    """

    def __init__(self, folder: Path, model_url: str, store: Path | str, **settings: object) -> None:
        environment = {
            "ANTHROPIC_BASE_URL": model_url,
            "ANTHROPIC_API_KEY": KEY,
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL": "1",
            "DISABLE_AUTOUPDATER": "1",
            "DISABLE_INSTALLATION_CHECKS": "1",
            "IS_DEMO": "1",
        }
        super().__init__("claude", folder, store, environment)
        self.settings = folder / ".claude" / "settings.json"
        self.state = folder / ".claude.json"
        self.settings.parent.mkdir(parents=True)
        self.settings.write_text(json.dumps(settings, indent=2))
        answered = {
            "hasCompletedOnboarding": True,
            "theme": "dark",
            # The last 20 characters of the key name it.
            "customApiKeyResponses": {"approved": [KEY[-20:]], "rejected": []},
        }
        self.state.write_text(json.dumps(answered, indent=2))

    def prepare(self, project: Path) -> None:
        """Trust it."""
        state = json.loads(self.state.read_text())
        state.setdefault("projects", {})[str(project)] = {"hasTrustDialogAccepted": True}
        self.state.write_text(json.dumps(state, indent=2))

    def ask(self, prompt: str, *options: str, project: str = "project") -> str:
        """What `claude -p` answers; `options` are more of its words, such as --resume and a session's id."""
        return self.run([binary(), "-p", prompt, *options], project)


class ClaudeTerminal(ProgramTerminal):
    """Claude Code's TUI in a project of a home, ready to be typed into; `session` continues that session."""

    def __init__(self, home: ClaudeHome, project: str = "project", session: str | None = None) -> None:
        words: list[str | Path] = [binary(), *([] if session is None else ["--resume", session])]
        super().__init__(home, words, project, "? for shortcuts")

    def wait_for_rest(self) -> None:
        """Wait until a turn is over, the first one at the latest: then it tells how long it took."""
        self.wait_until(lambda: re.search(r"✻ \w+ for \d", self.screen()), "no turn came to its end")

    def leave(self) -> None:
        """Say /exit, and wait until Claude Code has ended."""
        self.say("/exit")
        self.wait_for_end()
