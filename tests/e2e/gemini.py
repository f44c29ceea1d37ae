"""Real Gemini CLI in a test: a private home, the TUI and `gemini -p`, offline, with a scripted model."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tests.e2e.home import Home, ProgramTerminal, npm_program

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


def binary() -> Path:
    """The program, which needs Node; a test that needs it where it is missing is skipped."""
    return npm_program("gemini", "Gemini CLI", f"@google/gemini-cli@{VERSION}")


class GeminiHome(Home):
    """A home folder in which Gemini CLI knows the scripted model and nothing of the user.

    `settings` are added to settings.json.
    """

    def __init__(self, folder: Path, model_url: str, store: Path | str, **settings: object) -> None:
        environment = {
            "COLORTERM": "truecolor",  # It warns where it is missing.
            "GEMINI_API_KEY": "none",
            "GOOGLE_GEMINI_BASE_URL": model_url,
        }
        super().__init__("gemini", folder, store, environment)
        self.settings = folder / ".gemini" / "settings.json"
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

    def ask(self, text: str, *options: str, project: str = "project") -> str:
        """What it answers to `gemini -p`, which ends with the turn; all tools are allowed."""
        return self.run([binary(), "--approval-mode", "yolo", "-p", text, *options], project)

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


class GeminiTerminal(ProgramTerminal):
    """Gemini CLI's TUI in a project of a home, ready to be typed into.

    `options` are those of its command line, such as `--resume`. `before` is put before the command, such as
    `msgcode run --`.
    """

    def __init__(
        self, home: GeminiHome, *options: str, project: str = "project", before: tuple[str, ...] = ()
    ) -> None:
        super().__init__(home, [*before, binary(), *options], project, PROMPT)

    def say(self, text: str) -> None:
        """Paste the text and press Enter, until it has been sent."""
        self.paste(text)
        self.wait_until(lambda: HELD.search(self.screen()), "the text was not pasted")
        # It takes an Enter for a part of what was pasted less than 30-40 ms before, and on a busy machine it
        # sees them together.
        self.press("Enter", until=lambda: not HELD.search(self.screen()))
