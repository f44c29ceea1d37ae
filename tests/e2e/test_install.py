"""What users install is what is tested: the wheel, in an environment of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from this tree."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT)
    (built,) = folder.glob("msgcode-*.whl")
    return built


def run(*words: object, **environment: str) -> str:
    """The output of a command that must succeed."""
    done = subprocess.run(
        [str(word) for word in words],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_holds_the_two_packages_whole(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    tree = {
        path.relative_to(top.parent).as_posix()
        for top in (ROOT / "core" / "msgcode", ROOT / "tui" / "msgcode_tui")
        for path in top.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert packed == tree
    assert {"msgcode/py.typed", "msgcode_tui/py.typed"} <= packed


@pytest.mark.timeout(300)
def test_the_wheel_installs_and_both_commands_run(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv")
    binaries = tmp_path / "venv" / "bin"
    # Neither a pip of its own, nor what it needs compiled ahead: half a minute of work, and nothing of ours.
    pip = [sys.executable, "-m", "pip", "--python", binaries / "python"]
    run(*pip, "install", "--quiet", "--disable-pip-version-check", "--no-compile", wheel)
    store = str(tmp_path / "room")
    assert run(binaries / "msgcode", "register", "alice", MSGCODE_STORE=store) == "Registered alice.\n"
    assert "alice" in run(binaries / "python", "-m", "msgcode", "agents", MSGCODE_STORE=store)
    assert run(binaries / "msgcode-tui", "--version").startswith("msgcode-tui 0.")
