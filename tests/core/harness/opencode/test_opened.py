"""Which session a command line opens."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from msgcode.harness.opencode.opened import LAST, named_session, opened_session


@pytest.mark.parametrize(
    ("line", "session"),
    [
        ("opencode", None),
        ("opencode serve --port 4096", None),
        ("opencode --session ses_1", "ses_1"),
        ("/opt/my tools/opencode -s ses_1 --agent plan", "ses_1"),
        ("opencode --session=ses_1 .", "ses_1"),
        ("opencode run --session ses_1 hello", "ses_1"),
        ("opencode --session", None),
        ("opencode --session=", None),
        ("opencode -c", LAST),
        ("opencode --continue --agent plan", LAST),
        ("", None),
    ],
)
def test_what_is_named(line: str, session: str | None) -> None:
    assert named_session(line.split()) == session


def test_our_parents_command_line_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "program").write_text("input()")
    words = [sys.executable, str(tmp_path / "program"), "--session", "ses_1"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as parent:
        monkeypatch.setattr(os, "getppid", lambda: parent.pid)
        assert asyncio.run(opened_session()) == "ses_1"


async def test_without_ps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert await opened_session() is None
