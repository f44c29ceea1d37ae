"""Connecting an agent program that has hooks, and undoing that: the user's files."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from msgcode.errors import Refused, Unavailable
from msgcode.harness import changes
from msgcode.harness.description import Harness
from msgcode.harness.install import install, installed, server_command, uninstall
from msgcode.harness.known import python
from msgcode.journal.folder import replace_file
from tests.core.harness.programs import ALL, CLAUDE, CODEX, GEMINI
from tests.core.support import mode


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the test's own."""
    home = tmp_path / "my home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "GEMINI_CLI_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    return home


def files(folder: Path) -> dict[str, bytes | str | None]:
    """All that is in the folder: what is in a file, where a link leads, None for a folder."""
    return {
        str(path.relative_to(folder)): os.readlink(path)
        if path.is_symlink()
        else path.read_bytes()
        if path.is_file()
        else None
        for path in folder.rglob("*")
    }


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize("harness", ALL)
def test_where_nothing_was(home: Path, harness: Harness) -> None:
    assert {done.what for done in install(harness, None)} == {"made"}
    before = files(home)
    assert {done.what for done in install(harness, None)} == {"unchanged"}
    assert files(home) == before
    for name in (harness.hooks_file, harness.mcp_file):
        assert mode(home / name) == 0o600
    found = installed(harness)
    assert (found.present, found.missing, found.store) == (True, (), None)
    assert {done.what for done in uninstall(harness)} == {"removed"}
    assert files(home) == {}
    assert not installed(harness).present
    assert {done.what for done in uninstall(harness)} == {"absent"}


@pytest.mark.parametrize("harness", ALL)
def test_files_get_their_bytes_back(home: Path, harness: Harness) -> None:
    for name in {harness.hooks_file, harness.mcp_file}:
        text = (
            "# mine\n[features]\nhooks   = false\n" if name.endswith("toml") else '{"hooks": { }, "z": 1e2}'
        )
        put(home / name, text).chmod(0o640)
    before = files(home)
    for done in install(harness, None):
        assert (done.what, done.backup) == ("changed", f"{done.file}.before-msgcode")
        assert Path(f"{done.file}.before-msgcode").read_bytes() == before[os.path.relpath(done.file, home)]
        assert mode(Path(done.file)) == mode(Path(f"{done.file}.before-msgcode")) == 0o640
    assert {done.what for done in uninstall(harness)} == {"restored"}
    assert files(home) == before
    assert mode(home / harness.mcp_file) == 0o640


def test_what_was_written_in_between_stays(home: Path) -> None:
    mcp = put(home / CLAUDE.mcp_file, '{"numStartups": 1}')
    install(CLAUDE, None)
    data = json.loads(mcp.read_text())
    mcp.write_text(json.dumps({**data, "numStartups": 2}, indent=2))
    hooks = home / CLAUDE.hooks_file
    hooks.write_text(hooks.read_text().replace('"mcp__msgcode"', '"mcp__msgcode", "Bash(ls)"'))
    (home / ".claude" / "history").touch()
    assert {done.what for done in uninstall(CLAUDE)} == {"cleaned"}
    assert json.loads(mcp.read_text()) == {"numStartups": 2}
    assert json.loads(hooks.read_text()) == {"permissions": {"allow": ["Bash(ls)"]}}
    assert set(files(home)) == {".claude.json", ".claude", ".claude/settings.json", ".claude/history"}


def test_a_file_of_ours_that_was_only_laid_out_anew_goes(home: Path) -> None:
    install(CLAUDE, None)
    path = home / CLAUDE.mcp_file
    path.write_text(json.dumps(json.loads(path.read_text())))
    uninstall(CLAUDE)
    assert files(home) == {}


def test_a_second_install_after_changes_does_not_bring_the_old_file_back(home: Path) -> None:
    path = put(home / CLAUDE.mcp_file, '{"numStartups": 1}')
    install(CLAUDE, None)
    path.write_text(path.read_text().replace('"numStartups": 1', '"numStartups": 2'))
    assert [done.what for done in install(CLAUDE, "~/room")] == ["unchanged", "changed"]
    assert [done.what for done in uninstall(CLAUDE)] == ["removed", "cleaned"]
    assert path.read_text() == '{"numStartups": 2}'


def test_the_room_is_named_to_the_server(home: Path) -> None:
    install(CODEX, "~/a room")
    found = installed(CODEX)
    assert found.server is not None
    words = [found.server["command"], *found.server["args"]]
    assert words == server_command("codex", str(home / "a room"))
    assert words == [
        python(),
        "-P",
        "-m",
        "msgcode",
        "mcp",
        "--harness",
        "codex",
        "--store",
        f"{home}/a room",
    ]
    assert (found.store, found.missing) == (f"{home}/a room", ())


@pytest.mark.skipif(sys.prefix == sys.base_prefix, reason="only in a virtual environment")
def test_the_same_python_by_another_name(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(CODEX, None)
    before = files(home)
    monkeypatch.setattr(sys, "executable", str(Path(sys.executable).with_name("python")))
    assert {done.what for done in install(CODEX, None)} == {"unchanged"}
    assert files(home) == before, "Codex would have its user trust the hooks anew"


def test_another_python_takes_the_place(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = files(home)
    monkeypatch.setattr(sys, "executable", "/old/python3")
    install(GEMINI, None)
    monkeypatch.undo()
    monkeypatch.setenv("HOME", str(home))
    assert installed(GEMINI).missing == (str(home / GEMINI.hooks_file),)
    install(GEMINI, None)
    text = (home / GEMINI.hooks_file).read_text()
    assert "/old/python3" not in text
    assert text.count("hook.sh") == len(GEMINI.hooks)
    uninstall(GEMINI)
    assert files(home) == before


@pytest.mark.parametrize("harness", ALL)
def test_elsewhere_if_the_environment_says_so(
    home: Path, monkeypatch: pytest.MonkeyPatch, harness: Harness
) -> None:
    monkeypatch.setenv(harness.home_variable, str(home / "conf"))
    install(harness, None)
    expected = {
        "claude": {"settings.json", ".claude.json", "msgcode.json"},
        "codex": {"hooks.json", "config.toml", "msgcode.json"},
        "gemini": {".gemini", ".gemini/settings.json", ".gemini/msgcode.json"},
    }
    assert set(files(home)) == {"conf", *(f"conf/{name}" for name in expected[harness.id])}
    uninstall(harness)
    assert files(home) == {}


def test_links_stay_links(home: Path) -> None:
    real = put(home / "dotfiles" / "settings.json", '{"a": 1}')
    (home / ".claude").mkdir()
    (home / ".claude" / "settings.json").symlink_to(real)
    (home / ".claude.json").symlink_to(home / "dotfiles" / "claude.json")
    before = files(home)
    install(CLAUDE, None)
    assert "hook.sh" in real.read_text()
    assert "mcpServers" in (home / "dotfiles" / "claude.json").read_text()
    assert (home / ".claude.json").is_symlink()
    uninstall(CLAUDE)
    assert files(home) == before


@pytest.mark.parametrize(
    ("harness", "name", "text", "why"),
    [
        (CLAUDE, ".claude/settings.json", '{\n  "a": 1, // why\n}', "it is not plain JSON"),
        (CLAUDE, ".claude.json", '{"a": 1,}', "it is not plain JSON"),
        (CLAUDE, ".claude.json", '{"a": NaN}', "it is not plain JSON"),
        (CLAUDE, ".claude.json", '{"mcpServers": []}', "mcpServers is not an object in it"),
        (CLAUDE, ".claude/settings.json", '{"hooks": {"Stop": {}}}', "hooks.Stop is not a list in it"),
        (CLAUDE, ".claude/settings.json", "[" * 100_000, "it is not plain JSON"),
        (CODEX, ".codex/config.toml", "a = \n", "it is not TOML that can be edited"),
        (CODEX, ".codex/config.toml", "mcp_servers = 1\n", "mcp_servers is not an object in it"),
        (GEMINI, ".gemini/settings.json", "null", "the whole is not an object in it"),
    ],
)
def test_files_that_cannot_be_edited(home: Path, harness: Harness, name: str, text: str, why: str) -> None:
    put(home / name, text)
    before = files(home)
    with pytest.raises(Refused) as refused:
        install(harness, None)
    assert str(refused.value).startswith(f"{home / name} cannot be edited: {why}")
    assert str(refused.value).endswith(" Nothing was changed.")
    assert "\n" not in str(refused.value)
    assert files(home) == before


def test_not_text(home: Path) -> None:
    (home / ".claude.json").write_bytes(b"\xff{}")
    with pytest.raises(Refused, match=r"\.claude\.json is not text in UTF-8\. Nothing was changed\.$"):
        install(CLAUDE, None)


@pytest.mark.parametrize(
    ("there", "fails"), [*((True, number) for number in range(5)), *((False, number) for number in range(3))]
)
def test_all_or_none(home: Path, monkeypatch: pytest.MonkeyPatch, there: bool, fails: int) -> None:
    """Two backups if the files were there, the record, and two files are written; one of them fails."""
    if there:
        put(home / CLAUDE.mcp_file, '{"a": 1}')
        put(home / CLAUDE.hooks_file, "{}")
    before = files(home)
    calls: list[str] = []

    def full(path: str, data: bytes, mode: int, *, sync: bool) -> None:
        calls.append(path)
        if len(calls) == fails + 1:
            raise OSError(28, "No space left on device")
        replace_file(path, data, mode, sync=sync)

    monkeypatch.setattr(changes, "replace_file", full)
    with pytest.raises(Unavailable, match=r"the disk is full\. Nothing was changed\.$"):
        install(CLAUDE, None)
    assert len(calls) > fails
    assert files(home) == before


def test_what_cannot_be_put_back_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(home / CLAUDE.mcp_file, '{"a": 1}')
    put(home / CLAUDE.hooks_file, "{}")
    calls: list[str] = []

    def full(path: str, data: bytes, mode: int, *, sync: bool) -> None:
        calls.append(path)
        if len(calls) > 4:
            raise OSError(28, "No space left on device")
        replace_file(path, data, mode, sync=sync)

    monkeypatch.setattr(changes, "replace_file", full)
    with pytest.raises(
        Unavailable, match=r"claude\.json, and .*settings\.json cannot be put back as it was\.$"
    ):
        install(CLAUDE, None)
    assert (home / f"{CLAUDE.hooks_file}").read_text() != "{}"


def test_a_folder_that_cannot_be_made(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODEX_HOME", str(put(home / "file", "") / "in it"))
    before = files(home)
    with pytest.raises(Unavailable, match=r"Nothing was changed\.$"):
        install(CODEX, None)
    assert files(home) == before


def test_the_record_is_lost(home: Path) -> None:
    path = put(home / CLAUDE.mcp_file, '{"a": 1}')
    install(CLAUDE, None)
    record = home / ".claude" / "msgcode.json"
    record.write_text("[]")
    before = files(home)
    for act in (lambda: install(CLAUDE, None), lambda: uninstall(CLAUDE), lambda: installed(CLAUDE)):
        with pytest.raises(Refused, match=r"msgcode\.json is not as msgcode writes it: move it away"):
            act()
    assert files(home) == before
    record.unlink()
    uninstall(CLAUDE)
    assert json.loads(path.read_text()) == {"a": 1, "mcpServers": {}}
    assert (home / ".claude.json.before-msgcode").exists(), "nobody knows any more whose it is"
    install(CLAUDE, None)
    assert (home / ".claude.json.before-msgcode-2").exists()


def test_a_file_that_is_gone_by_now_stays_so(home: Path) -> None:
    path = put(home / CLAUDE.mcp_file, '{"a": 1}')
    install(CLAUDE, None)
    path.unlink()
    assert [done.what for done in uninstall(CLAUDE)] == ["removed", "absent"]
    assert set(files(home)) == {".claude.json.before-msgcode"}, "it may be all that is left of it"
