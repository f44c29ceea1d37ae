"""What users install is what is tested: the wheel, away from the tree it was built from."""

from __future__ import annotations

import json
import os
import sys
import venv
from pathlib import Path

import pytest

from msgcode import __version__
from tests.e2e.terminal import Terminal, needs_tmux
from tests.release.conftest import Built, run

PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input")


@pytest.fixture(scope="module")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which the wheel is installed; what it needs is installed where the tests run."""
    folder = tmp_path_factory.mktemp("installed")
    run(*PIP, "install", "--no-deps", "--no-index", "--no-compile", "--target", folder, built.wheel)
    return folder


def test_messages_go_through_the_wheel(installed: Path, tmp_path: Path) -> None:
    def msgcode(*words: str) -> str:
        environment = {"PYTHONPATH": str(installed), "MSGCODE_STORE": str(tmp_path / "room")}
        return run(installed / "bin" / "msgcode", *words, folder=tmp_path, **environment)

    where = "import msgcode, msgcode_tui; print(msgcode.__file__, msgcode_tui.__file__)"
    for path in run(sys.executable, "-c", where, folder=tmp_path, PYTHONPATH=str(installed)).split():
        assert Path(path).is_relative_to(installed)
    assert msgcode("--version") == f"msgcode {__version__}\n"
    msgcode("register", "alice")
    msgcode("register", "bob")
    msgcode("send", "--as", "alice", "bob", "Is the wheel round?")
    (message,) = json.loads(msgcode("check", "bob", "--json"))
    assert message["body"] == "Is the wheel round?"


@needs_tmux
def test_the_screen_of_the_wheel_comes_up(installed: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(installed), "HOME": str(tmp_path)}
    command = f"exec {installed}/bin/msgcode-tui --store room"
    terminal = Terminal(command, folder=tmp_path, environment=environment)
    try:
        terminal.wait_for("you are human")
    finally:
        terminal.close()


@pytest.mark.timeout(300)
def test_the_wheel_brings_all_that_it_needs(built: Built, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv")
    binaries = tmp_path / "venv" / "bin"
    # Neither a pip of its own, nor what it needs compiled ahead: half a minute of work, and nothing of ours.
    run(*PIP, "--python", binaries / "python", "install", "--no-compile", built.wheel)
    store = str(tmp_path / "room")
    assert run(binaries / "msgcode", "register", "alice", MSGCODE_STORE=store) == "Registered alice.\n"
    assert "alice" in run(binaries / "python", "-m", "msgcode", "agents", MSGCODE_STORE=store)
    assert run(binaries / "msgcode-tui", "--version") == f"msgcode-tui {__version__}\n"
