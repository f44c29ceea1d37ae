"""The command line of msgcode-tui."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from msgcode import __version__
from msgcode_tui.__main__ import main
from msgcode_tui.app import MsgcodeApp


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """The stores that the app was started on, and for whom; it ends at once."""
    seen: list[tuple[str, str]] = []
    monkeypatch.setattr(MsgcodeApp, "run", lambda app: seen.append((app.store.name, app.live.me)))
    return seen


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--as", "not an id"], "'not an id' cannot be an agent id"),
        (["--frobnicate"], "unrecognized arguments: --frobnicate"),
        (["--demo", "--store", "x"], "--demo has a room of its own"),
        (["--store", "http://host/room"], "is not a store"),
        (["--store"], "expected one argument"),
        (["--settings", "/none.toml"], "there are no settings at /none.toml"),
        (["--web", "--host", "0.0.0.0"], "--host must be a loopback address, such as 127.0.0.1"),
        (["--web", "--host", "example.com"], "--host must be a loopback address"),
        (["--web", "--port", "x"], "argument --port: invalid int value"),
        (["--web", "--port", "99999"], "--port must be a number from 1 to 65535"),
    ],
)
def test_bad_usage_is_one_sentence(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str], opened: list[tuple[str, str]]
) -> None:
    assert main(words) == 2
    shown = capsys.readouterr()
    assert sentence in shown.err
    assert (shown.out, shown.err.count("\n"), opened) == ("", 1, [])


def test_a_store_that_cannot_be_opened(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], opened: list[tuple[str, str]]
) -> None:
    (tmp_path / "journal").write_text("in the way")
    assert main(["--store", str(tmp_path)]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert opened == []


def test_who_and_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened: list[tuple[str, str]]
) -> None:
    assert main([]) == 0
    monkeypatch.setenv("MSGCODE_AGENT", "eve")
    assert main(["--store", str(tmp_path / "mine")]) == 0
    assert main(["--as", "carol"]) == 0
    default = str(tmp_path / "default-room")
    assert opened == [(default, "human"), (str(tmp_path / "mine"), "human"), (default, "carol")]


def test_the_demo_has_a_room_of_its_own_and_leaves_nothing(opened: list[tuple[str, str]]) -> None:
    assert main(["--demo"]) == 0
    ((folder, me),) = opened
    assert "msgcode-demo-" in folder
    assert me == "human"
    assert not Path(folder).exists()


def test_a_mistake_in_the_settings_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], opened: list[tuple[str, str]]
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[notify]\nbell = "yes"\n')
    assert main(["--settings", str(file)]) == 2
    sentence = f'msgcode-tui: {file}, line 2: notify.bell must be true or false, not "yes".\n'
    assert capsys.readouterr().err == sentence
    assert opened == []


def test_printed_settings_can_be_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], opened: list[tuple[str, str]]
) -> None:
    assert main(["--print-settings"]) == 0
    file = tmp_path / "mine.toml"
    file.write_text(capsys.readouterr().out)
    assert main(["--settings", str(file)]) == 0
    assert len(opened) == 1


def test_the_web_without_its_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "msgcode_tui.web", None)
    assert main(["--web"]) == 1
    assert (
        capsys.readouterr().err
        == "msgcode-tui: a browser needs the extra \"web\": pip install 'msgcode[web]'.\n"
    )


def test_a_port_that_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["--web", "--port", str(taken.getsockname()[1])]) == 1
    assert "cannot be served: Address already in use. Try another --port." in capsys.readouterr().err


def test_it_runs_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "msgcode_tui", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"msgcode-tui {__version__}\n"
