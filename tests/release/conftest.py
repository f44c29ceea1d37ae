"""What is released, the source archive and the wheel: built from this tree as `python -m build` does it."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]


class Built(NamedTuple):
    """A release."""

    archive: Path
    wheel: Path
    """Built from the tree."""
    unpacked: Path
    """What the archive holds."""


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("release")
    build(ROOT, folder, "--sdist", "--wheel")
    (archive,) = folder.glob("*.tar.gz")
    (wheel,) = folder.glob("*.whl")
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return Built(archive, wheel, folder / archive.name.removesuffix(".tar.gz"))


def build(tree: Path, into: Path, *what: str) -> None:
    """Build from a tree, with the tools that are installed here."""
    run(sys.executable, "-m", "build", *what, "--no-isolation", "--outdir", into, tree)


def run(*words: object, folder: Path | None = None, **environment: str) -> str:
    """The output of a command that must succeed."""
    done = subprocess.run(
        [str(word) for word in words],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        cwd=folder,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def files(folder: Path) -> set[str]:
    """The files in a folder, as paths from there, without what Python keeps beside them."""
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
