"""What the README tells people to type does what it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.core.nats.server import NatsServer
from tests.e2e.conftest import wait_until
from tests.e2e.scene import Scene

README = (Path(__file__).parents[2] / "README.md").read_text()


def block(mark: str) -> str:
    """The code block that follows the comment `<!-- mark -->`."""
    found = re.search(rf"<!-- {mark} -->\n```\w+\n(.*?)```", README, re.DOTALL)
    assert found, f"the README has no block marked {mark}"
    return found[1]


def test_the_first_conversation_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MSGCODE_STORE", str(tmp_path / "room"))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    done = subprocess.run(
        ["sh", "-euc", block("run")], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "There is a key in src/config.py, line 15." in done.stdout
    assert "file: src/config.py:15" in done.stdout
    assert "Sent to 1 member of #api-changes" in done.stdout


def test_the_python_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MSGCODE_STORE", str(tmp_path / "room"))
    script = block("python") + "\n    assert [m.body for m in store.inbox('alice')] == ['It is.']\n"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_room_on_nats_is_made_and_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = re.sub(r"^(listen|max_payload|jetstream).*\n", "", block("nats.conf"), flags=re.MULTILINE)
    server = NatsServer(tmp_path / "server", config)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")

    def sh(script: str) -> subprocess.CompletedProcess[str]:
        ours = script.replace("127.0.0.1:4222", f"127.0.0.1:{server.port}")
        return subprocess.run(["sh", "-euc", ours], capture_output=True, text=True, timeout=60, check=False)

    try:
        made = sh(block("nats.init"))
        assert made.stdout.startswith("Made room dev, kept in files on one server."), made.stderr
        used = sh(block("nats.use"))
        assert used.returncode == 0, used.stderr
        assert "Sent to fixer" in used.stdout
        assert "Kind:      NATS JetStream" in used.stdout
        screen = block("nats.use").replace("dev:change-me-2", "screen:change-me-3").splitlines()[0]
        assert "Agents: 1," in sh(f"{screen}\nmsgcode status").stdout
        refused = sh(f"{screen}\nmsgcode register wall")
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "your NATS account may not do that in room 'dev'" in refused.stderr
        other = screen.replace("screen:change-me-3", "other:change-me-4")
        assert "there is no room 'dev'" in sh(f"{other}\nmsgcode status").stderr
    finally:
        server.stop()


ID, TIME, SPAN = r"\b[0-9a-f]{8}\b", r"\b\d\d:\d\d:\d\d\b", r" +\d+(?:\.\d)? m?s\b"


def bare(text: str) -> str:
    """The text without what differs each time: ids, times of day and spans."""
    return re.sub(SPAN, " SPAN", re.sub(TIME, "TIME", re.sub(ID, "ID", text)))


def test_the_debugger_does_as_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MSGCODE_STORE", str(tmp_path / "room"))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    section = README.split("## The debugger\n")[1].split("\n## ")[0]
    shown = "".join(re.findall(r"```console\n(.*?)```", section, re.DOTALL))
    ids: dict[str, str] = {}
    with Scene(tmp_path / "room") as scene:
        for command, output in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", shown, re.MULTILINE):
            ours = re.sub(ID, lambda found: ids[found[0]], command)
            done = subprocess.run(["sh", "-c", ours], capture_output=True, text=True, timeout=60, check=False)
            assert (done.returncode, done.stderr) == (0, ""), ours
            assert bare(done.stdout) == bare(output), ours
            ids.update(zip(re.findall(ID, output), re.findall(ID, done.stdout), strict=True))
            if command == "msgcode release":
                wait_until(scene.is_quiet, lambda: "what was released does not arrive")
    assert len(ids) > 10


ROWS = re.findall(
    r"^\| `([a-z]+(?: [a-z]+)?)[^`]*`(.*)$", README.split("## Commands")[1].split("\n## ")[0], re.MULTILINE
)


def test_the_table_of_commands_is_found() -> None:
    assert {"register", "send", "check", "log", "purge"} <= {command for command, _ in ROWS}


@pytest.mark.parametrize(("command", "row"), ROWS)
def test_every_option_in_the_table_exists(command: str, row: str) -> None:
    help = subprocess.run(
        [sys.executable, "-m", "msgcode", *command.split(), "--help"],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    ).stdout
    assert [option for option in re.findall(r"--[a-z-]+", row) if option not in help] == []
