"""What is said to somebody who has just come, by what is on the machine."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import pytest

from msgcode.cli import main
from msgcode.first_steps import Program, empty_room, programs, welcome
from msgcode.harness.known import HARNESSES, title

OPENCODE, CLAUDE = Program("opencode", "OpenCode", False), Program("claude", "Claude Code", False)


@pytest.fixture
def binaries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on the PATH, and a home of the test's own."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "GEMINI_CLI_HOME"):
        monkeypatch.delenv(name, raising=False)
    return folder


def put(folder: Path, name: str) -> None:
    (folder / name).write_text("#!/bin/sh\n")
    os.chmod(folder / name, 0o755)


def test_what_is_on_the_path_can_be_connected(binaries: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert programs() == []
    assert main([]) == 0
    assert "msgcode run --as ann -- bash" in capsys.readouterr().out
    put(binaries, "opencode")
    put(binaries, "claude")
    assert programs() == [OPENCODE, CLAUDE]
    assert main([]) == 0
    said = capsys.readouterr().out
    assert "  msgcode install claude    connect Claude Code, which is on this machine\n" in said
    assert "msgcode install codex" not in said


@pytest.mark.parametrize("id", HARNESSES)
def test_what_is_connected_is_not_to_be_connected_again(
    id: str, binaries: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(binaries, id)
    assert main(["install", id]) == 0
    assert programs() == [Program(id, title(id), True)]
    capsys.readouterr()
    assert main([]) == 0
    said = capsys.readouterr().out
    assert "install" not in said
    assert f"msgcode doctor      see whether all is right with {title(id)}\n" in said


def test_settings_that_cannot_be_read_are_no_obstacle(binaries: Path, tmp_path: Path) -> None:
    put(binaries, "claude")
    (tmp_path / ".claude.json").write_text("{")
    assert programs() == [CLAUDE]


def test_it_is_said_in_few_lines_whatever_is_there() -> None:
    for connected in itertools.product((None, False, True), repeat=len(HARNESSES)):
        found = [
            Program(id, title(id), state)
            for id, state in zip(HARNESSES, connected, strict=True)
            if state is not None
        ]
        lines = welcome(found).splitlines()
        assert len(lines) <= 10
        assert max(map(len, lines)) <= 120
        lines = empty_room(found).splitlines()
        assert len(lines) <= 10
        assert max(map(len, lines)) <= 46
        assert lines[0] == "Nobody is here yet."
        assert "msgcode-tui --demo" in lines[-1]
