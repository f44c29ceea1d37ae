"""Putting the plugin in place and taking it away: one file, and nothing of the user's."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from msgcode import Refused, __version__
from msgcode.errors import Unavailable
from msgcode.harness.opencode.install import host_command, install, plugin, uninstall
from tests.core.support import mode


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the test's own, in which a project is the current folder."""
    home = tmp_path / "my home"
    (home / "project").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.chdir(home / "project")
    return home


def files(folder: Path) -> dict[str, str | None]:
    """All that is in the folder; None for a folder."""
    return {
        str(path.relative_to(folder)): path.read_text() if path.is_file() else None
        for path in folder.rglob("*")
    }


def test_for_all_of_the_users_projects(home: Path) -> None:
    before = files(home)
    path, done = install(False, None)
    assert (path, done) == (home / ".config/opencode/plugin/msgcode.js", "installed")
    assert mode(path) == 0o600
    assert path.read_text() == plugin(host_command(), made=3)
    assert path.read_text().startswith(f"// Put here by msgcode {__version__}; `msgcode uninstall opencode`")
    assert install(False, None) == (path, "unchanged")
    assert uninstall(False) == (path, "removed")
    assert files(home) == before
    assert uninstall(False) == (path, "absent")


def test_for_one_project(home: Path) -> None:
    path, done = install(True, None)
    assert (path, done) == (home / "project/.opencode/plugin/msgcode.js", "installed")
    assert not (home / ".config").exists()
    uninstall(True)
    assert files(home) == {"project": None}


def test_where_the_configuration_is_elsewhere(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "conf"))
    assert install(False, None)[0] == home / "conf/opencode/plugin/msgcode.js"


def test_what_was_there_stays(home: Path) -> None:
    config = home / ".config" / "opencode"
    (config / "plugin").mkdir(parents=True)
    (config / "opencode.json").write_text('{"model": "mine"}')
    before = files(home)
    install(False, None)
    uninstall(False)
    assert files(home) == before, "an empty folder that was there stays too"


def test_folders_in_use_by_now_stay(home: Path) -> None:
    path, _ = install(False, None)
    (path.parent / "another.js").write_text("export const Another = async () => ({})\n")
    uninstall(False)
    assert files(path.parent) == {"another.js": "export const Another = async () => ({})\n"}


def test_an_older_one_is_updated(home: Path) -> None:
    path, _ = install(False, None)
    path.write_text(path.read_text().replace(__version__, "0.0.1") + "// old\n")
    assert install(False, None) == (path, "updated")
    assert path.read_text() == plugin(host_command(), made=3), "it knows still which folders were made"


def test_a_file_of_somebody_elses_is_left_alone(home: Path) -> None:
    path = home / ".config/opencode/plugin/msgcode.js"
    path.parent.mkdir(parents=True)
    path.write_text("export const Mine = async () => ({})\n")
    before = files(home)
    sentence = r"msgcode\.js was not put there by msgcode: move it away"
    with pytest.raises(Refused, match=sentence):
        install(False, None)
    with pytest.raises(Refused, match=sentence):
        uninstall(False)
    assert files(home) == before


def test_a_folder_that_cannot_be_made(home: Path) -> None:
    (home / ".config").write_text("a file")
    with pytest.raises(Unavailable, match=r"msgcode\.js"):
        install(False, None)


def test_the_host_is_this_installations(home: Path) -> None:
    assert host_command() == [sys.executable, "-P", "-m", "msgcode", "host", "opencode"]
    path, _ = install(False, "~/a room")
    words = json.dumps([*host_command(), "--store", str(home / "a room")])
    assert f"const HOST = {words} //" in path.read_text()


def test_the_host_runs_nothing_of_the_project(home: Path) -> None:
    for module in ("secrets", "socket", "json", "msgcode"):
        (home / "project" / f"{module}.py").write_text("raise SystemExit('hijacked')\n")
    done = subprocess.run(
        host_command(str(home / "room")), input="", capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.parametrize("store", ["plain", 'it\'s "quoted" \\ here'])
def test_it_is_javascript(tmp_path: Path, store: str) -> None:
    path = tmp_path / "plugin.mjs"
    path.write_text(plugin(host_command(os.path.join(tmp_path, store))))
    done = subprocess.run(["node", "--check", path], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
