"""Real agent programs read what `msgcode install` has written, and get their files back."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from msgcode.harness.codex import trust
from msgcode.harness.description import Harness
from msgcode.harness.known import HOOKED, described
from tests.e2e.conftest import wait_until

ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_AUTOUPDATER": "1",
    "GEMINI_API_KEY": "none",
    "GEMINI_CLI_TRUST_WORKSPACE": "true",
    "GEMINI_TELEMETRY_ENABLED": "false",
}

BEFORE = {
    ".claude/settings.json": '{\n    "theme": "dark",\n    "permissions": {"allow": ["Bash(ls:*)"]}\n}\n',
    ".codex/config.toml": '# mine\nmodel = "gpt-5" # the one\n\n[tui]\nnotifications = true\n',
    ".gemini/settings.json": '{"privacy": {"usageStatisticsEnabled": false},\n "ui": {"hideTips": true}}',
}
"""What its user has written, by file."""

LISTED = {"claude": "✔ Connected", "codex": "enabled", "gemini": "Connected"}
"""What each program says of a server that it can use."""


class Connected:
    """A home in which a program is connected, or not yet."""

    def __init__(self, folder: Path, harness: Harness, programs: Path) -> None:
        self.folder = folder
        self.harness = harness
        self.environment = {
            **ENVIRONMENT,
            "HOME": str(folder),
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "MSGCODE_STORE": str(folder / "room"),
        }
        for name, text in BEFORE.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)

    def run(self, *words: str | Path, code: int = 0) -> str:
        done = subprocess.run(
            words, cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == code, done
        return done.stdout + done.stderr

    def msgcode(self, *words: str, code: int = 0) -> str:
        return self.run(sys.executable, "-m", "msgcode", *words, code=code)

    def server(self) -> str:
        """What the program says of our server, in a line."""
        lines = self.run(self.harness.program, "mcp", "list").splitlines()
        (line,) = (line for line in lines if "-m msgcode" in line)
        return line

    def doctor(self, code: int = 0) -> list[dict[str, Any]]:
        found: list[dict[str, Any]]
        (found,) = json.loads(self.msgcode("doctor", self.harness.id, "--json", code=code))["harnesses"]
        return found["findings"]  # type: ignore[call-overload,no-any-return]


@pytest.fixture(params=HOOKED)
def connected(request: pytest.FixtureRequest, tmp_path: Path) -> Connected:
    harness = described(request.param)
    folder = os.environ.get("MSGCODE_TEST_NPM")
    if folder is not None:
        programs = Path(folder, "node_modules", ".bin")
        assert (programs / harness.program).exists()
    else:
        found = shutil.which(harness.program)
        if found is None:
            pytest.skip(f"{harness.title} is not installed: npm install --global {harness.package}")
        programs = Path(found).parent
    (tmp_path / "home").mkdir()
    return Connected(tmp_path / "home", harness, programs)


def test_the_program_reads_it(connected: Connected) -> None:
    harness = connected.harness
    connected.msgcode("install", harness.id)
    assert connected.doctor(code=harness.id == "codex")[-1]["text"] == "its MCP server answers, with 12 tools"
    # A program that gives its servers 5 s may find ours too slow while much else is running.
    wait_until(lambda: LISTED[harness.id] in connected.server(), connected.server)
    assert connected.server().startswith(("msgcode", "✓ msgcode"))
    connected.msgcode("uninstall", harness.id)
    assert "-m msgcode" not in connected.run(harness.program, "mcp", "list")
    for name, text in BEFORE.items():
        assert (connected.folder / name).read_text() == text
    for pattern in ("msgcode.json", "*.before-msgcode*"):
        assert list(connected.folder.rglob(pattern)) == []


@pytest.mark.parametrize("connected", ["codex"], indirect=True)
def test_codex_agrees_which_hooks_are_trusted(connected: Connected) -> None:
    """Trusted here by the digests that Codex tells, in place of its user."""
    connected.msgcode("install", "codex")
    (problem,) = [finding for finding in connected.doctor(code=1) if finding["mark"] == "problem"]
    assert problem["text"].startswith("not trusted yet, so they are skipped: its hooks for ")
    assert problem["command"] == "codex"
    home = connected.folder / ".codex"
    program = shutil.which("codex", path=connected.environment["PATH"])
    assert program
    hooks = trust.listed(program, str(home), 30)
    assert {hook["trustStatus"] for hook in hooks} == {"untrusted"}
    with open(home / "config.toml", "a") as file:
        for hook in hooks:
            file.write(f'\n[hooks.state.{json.dumps(hook["key"])}]\ntrusted_hash = "{hook["currentHash"]}"\n')
    assert {hook["trustStatus"] for hook in trust.listed(program, str(home), 30)} == {"trusted"}
    assert "its hooks are trusted" in [finding["text"] for finding in connected.doctor()]
