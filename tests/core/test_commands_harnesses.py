"""`msgcode install` and `uninstall`, as people and scripts read them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from msgcode.cli import main


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the test's own, and a room that cannot be opened, which is not needed."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("MSGCODE_STORE", str(tmp_path / "file"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("CLAUDE_CONFIG_DIR", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def run(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert main(words) == code
    captured = capsys.readouterr()
    return captured.out if code == 0 else captured.err


def test_in_words(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / ".claude.json").write_text("{}")
    hooks, mcp = home / ".claude" / "settings.json", home / ".claude.json"
    assert run(capsys, "install", "claude") == (
        f"Made: {hooks}\n"
        f"Changed: {mcp} (as it was: {mcp}.before-msgcode)\n"
        "Each Claude Code that starts from now on is in the room.\n"
    )
    assert run(capsys, "install", "claude") == f"In place already: {hooks}\nIn place already: {mcp}\n"
    assert run(capsys, "uninstall", "claude") == f"Removed: {hooks}\nAs it was before: {mcp}\n"
    assert (
        run(capsys, "uninstall", "claude")
        == f"Nothing of msgcode in: {hooks}\nNothing of msgcode in: {mcp}\n"
    )


def test_in_json(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / ".claude.json").write_text("{}")
    hooks, mcp = home / ".claude" / "settings.json", home / ".claude.json"
    assert json.loads(run(capsys, "install", "claude", "--json")) == {
        "files": [
            {"file": str(hooks), "done": "made", "backup": None},
            {"file": str(mcp), "done": "changed", "backup": f"{mcp}.before-msgcode"},
        ]
    }
    mcp.write_text(mcp.read_text().replace("{", '{"more": 1,', 1))
    done = json.loads(run(capsys, "uninstall", "claude", "--json"))["files"]
    assert [file["done"] for file in done] == ["removed", "cleaned"]


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("install", "claude", "--project"), 2, "--project is for OpenCode"),
        (("uninstall", "claude", "--project"), 2, "--project is for OpenCode"),
        (("install", "claude", "--at", "2"), 2, "--at is for what only reads the room"),
        (("install",), 2, "the following arguments are required: harness"),
    ],
)
def test_what_makes_no_sense(
    home: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: int, sentence: str
) -> None:
    assert sentence in run(capsys, *words, code=code)
    assert list(home.iterdir()) == []


def test_a_file_that_cannot_be_edited(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / ".claude.json").write_text("{} // mine")
    error = run(capsys, "install", "claude", code=1)
    assert error.startswith(f"msgcode: {home}/.claude.json cannot be edited: it is not plain JSON ")
    assert error.count("\n") == 1
