"""Which way a copied text goes, and what is said of it. In a real tmux: tests/e2e/test_terminal_ways.py."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path

import pytest

from msgcode_tui.clipboard import Copied, copy


class Machine:
    """A machine on which some programs put what they read into a file of their name."""

    def __init__(self, folder: Path, *programs: str) -> None:
        self.folder = folder
        self.written: list[str] = []
        for program in programs:
            (folder / program).write_text(f'#!/bin/sh\ncat > "{folder}/{program}.got"\n')
            (folder / program).chmod(0o755)

    def copy(self, text: str, environment: Mapping[str, str], platform: str = "linux") -> Copied:
        return copy(text, environment, self.written.append, platform=platform, which=self._which)

    def _which(self, program: str) -> str | None:
        return str(self.folder / program) if (self.folder / program).exists() else None

    def got(self) -> dict[str, str]:
        return {path.stem: path.read_text() for path in self.folder.glob("*.got")}


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose programs come first."""
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return tmp_path


@pytest.mark.parametrize(
    ("programs", "environment", "platform", "way"),
    [
        (["wl-copy", "xclip"], {"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"}, "linux", "wl-copy"),
        (["wl-copy", "xclip", "xsel"], {"DISPLAY": ":0"}, "linux", "xclip"),
        (["xsel"], {"DISPLAY": ":0"}, "linux", "xsel"),
        (["pbcopy"], {}, "darwin", "pbcopy"),
    ],
)
def test_the_systems_programs(
    path: Path, programs: list[str], environment: dict[str, str], platform: str, way: str
) -> None:
    machine = Machine(path, *programs)
    assert machine.copy("héllo\nthere", environment, platform) == Copied("Copied to the clipboard.", True)
    assert (machine.got(), machine.written) == ({way: "héllo\nthere"}, [])


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"WAYLAND_DISPLAY": "", "DISPLAY": ""},
        {"SSH_CONNECTION": "::1 1 ::1 22", "DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"},
    ],
    ids=["no desktop", "empty", "ssh"],
)
def test_elsewhere_the_terminal_is_asked(path: Path, environment: dict[str, str]) -> None:
    machine = Machine(path, "wl-copy", "xclip")
    said = machine.copy("héllo", environment)
    assert said == Copied("The terminal was asked to copy; whether it has done so cannot be known.", False)
    assert machine.got() == {}
    assert machine.written == [f"\x1b]52;c;{base64.b64encode('héllo'.encode()).decode()}\x07"]


def test_over_ssh_to_a_mac_the_terminal_is_asked(path: Path) -> None:
    machine = Machine(path, "pbcopy")
    assert not machine.copy("x", {"SSH_CONNECTION": "::1 1 ::1 22"}, "darwin").certain
    assert (machine.got(), len(machine.written)) == ({}, 1)


def test_a_program_that_fails_is_not_believed(path: Path) -> None:
    machine = Machine(path, "xclip")
    (path / "xclip").write_text("#!/bin/sh\nexit 1\n")
    assert not machine.copy("x", {"DISPLAY": ":0"}).certain
    assert len(machine.written) == 1


def test_a_tmux_that_is_gone_is_not_believed(path: Path) -> None:
    machine = Machine(path)
    assert not machine.copy("x", {"TMUX": "/nowhere,1,0"}).certain
    assert len(machine.written) == 1


def test_a_long_text_is_doubted(path: Path) -> None:
    assert "many terminals refuse that" in Machine(path).copy("x" * 80_000, {}).sentence


def test_what_acts_in_a_shell_is_made_visible(path: Path) -> None:
    machine = Machine(path, "xclip")
    machine.copy("ls\x1b[201~\r\x03\u202e", {"DISPLAY": ":0"})
    assert machine.got() == {"xclip": "ls␛[201~␍␃<U+202E>"}
