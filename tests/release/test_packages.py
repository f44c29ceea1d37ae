"""The source archive and the wheel hold what they should, and nothing else."""

from __future__ import annotations

import zipfile
from pathlib import Path

from msgcode import __version__
from tests.release.conftest import ROOT, Built, build, files


def packed(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_holds_the_two_packages_whole(built: Built) -> None:
    names = packed(built.wheel)
    about = f"msgcode-{__version__}.dist-info/"
    ours = {name for name in names if not name.startswith(about)}
    packages = (ROOT / "core" / "msgcode", ROOT / "tui" / "msgcode_tui")
    assert ours == {f"{package.name}/{name}" for package in packages for name in files(package)}
    assert {f"{about}{name}" for name in ("METADATA", "entry_points.txt", "licenses/LICENSE")} < names
    assert {"msgcode/py.typed", "msgcode/harness/hook.sh", "msgcode/harness/opencode/plugin.js"} < names
    assert {Path(name).suffix for name in ours} == {".py", ".typed", ".sh", ".js", ".tcss"}


def test_the_archive_holds_what_the_next_engineer_needs(built: Built) -> None:
    assert built.archive.name == f"msgcode-{__version__}.tar.gz"
    for folder in ("core", "tui", "tests", "screenshots"):
        assert files(built.unpacked / folder) == files(ROOT / folder)
    top = {path.name for path in built.unpacked.iterdir()}
    texts = {"README.md", "CHANGELOG.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "LICENSE", "pyproject.toml"}
    assert texts < top
    assert {name for name in top if name.startswith(".")} == {".gitignore"}
    assert not top & {"build", "dist", "htmlcov"}


def test_the_archive_makes_the_same_wheel(built: Built, tmp_path: Path) -> None:
    build(built.unpacked, tmp_path, "--wheel")
    (wheel,) = tmp_path.iterdir()
    assert wheel.name == built.wheel.name
    assert wheel.read_bytes() == built.wheel.read_bytes()
