"""What is right and wrong with the agent programs of a machine, seen without changing anything."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import pytest

from msgcode import Store, __version__
from msgcode.cli import main
from msgcode.harness import doctor, known
from msgcode.harness.codex.trust import skipped
from msgcode.harness.description import Harness
from msgcode.harness.doctor import Finding, Mark
from msgcode.harness.install import install
from msgcode.harness.opencode import install as opencode
from msgcode.model import Session
from tests.core.harness.programs import ALL, CLAUDE, CODEX, GEMINI
from tests.core.harness.test_install import files, put

DESCRIBED = {harness.id: harness for harness in ALL}

CODEX_THAT_LISTS = """\
import hashlib, json, os, sys
if sys.argv[1:] == ["--version"]:
    print("codex-cli 0.169.0")
    raise SystemExit
path = os.path.join(os.environ["CODEX_HOME"], "hooks.json")
with open(os.path.join(os.environ["CODEX_HOME"], "state"), "w") as file:
    file.write("as Codex does")
hooks = []
for event, groups in json.load(open(path))["hooks"].items():
    for index, group in enumerate(groups):
        command = group["hooks"][0]["command"]
        digest = "sha256:" + hashlib.sha256(command.encode()).hexdigest()
        hooks.append({"key": f"{path}:{event}:{index}:0", "sourcePath": path, "eventName": event,
                      "command": command, "currentHash": digest, "trustStatus": "untrusted"})
for line in sys.stdin:
    request = json.loads(line)
    if request["method"] == "hooks/list":
        print(json.dumps({"method": "warning", "params": {}}))
        print(json.dumps({"id": request["id"], "result": {"data": [{"hooks": hooks}]}}), flush=True)
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the test's own, and a PATH on which no agent program is."""
    home = tmp_path / "my home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "GEMINI_CLI_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("MSGCODE_STORE", str(tmp_path / "room"))
    monkeypatch.setattr(doctor, "described", DESCRIBED.__getitem__)
    return home


def program(home: Path, name: str, script: str) -> Path:
    """Put a program on PATH; script: Python."""
    path = put(home.parent / "bin" / name, f"#!{sys.executable}\n{script}")
    path.chmod(0o700)
    return path


def says(version: str) -> str:
    return f"print({version!r})\n"


def problems(findings: list[Finding]) -> list[str]:
    return [finding.text for finding in findings if finding.mark is Mark.PROBLEM]


@pytest.mark.parametrize("id", known.HARNESSES)
def test_nothing_is_there(home: Path, id: str) -> None:
    (finding,) = doctor.examine(id)
    assert (finding.mark, finding.text) == (Mark.NOTE, f"{id} is not on PATH")
    assert finding.command
    assert finding.command.startswith("npm install --global ")
    assert files(home) == {}


@pytest.mark.parametrize(
    ("id", "said"),
    [
        ("opencode", "1.18.33"),
        ("claude", "2.1.197 (Claude Code)"),
        ("codex", "codex-cli 0.169.0"),
        ("gemini", "0.61.0"),
    ],
)
def test_a_program_that_is_not_connected(home: Path, id: str, said: str) -> None:
    path = program(home, id, says(said))
    found, connected = doctor.examine(id)
    version = "".join(character for character in said.partition("(")[0] if character in "0123456789.")
    assert found == Finding(Mark.OK, f"{id} {version} at {path}")
    assert connected == Finding(Mark.NOTE, "not connected", f"msgcode install {id}")


def test_a_version_that_was_not_tried(home: Path) -> None:
    path = program(home, "gemini", says("0.62.0-preview.1"))
    assert doctor.examine("gemini")[0] == Finding(
        Mark.NOTE, f"gemini 0.62.0-preview.1 at {path}; msgcode was tried with 0.61.0"
    )


@pytest.mark.parametrize(
    "script", ["raise SystemExit(3)", "print('no number')", "import time; time.sleep(60)"]
)
def test_a_program_that_does_not_run(home: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    monkeypatch.setattr(doctor, "LIMIT", 0.5)
    path = program(home, "claude", script)
    assert problems(doctor.examine("claude")) == [f"{path} does not run"]


def test_a_program_that_writes_when_it_is_asked_its_version(home: Path) -> None:
    program(
        home,
        "gemini",
        "import os, pathlib\n"
        "folder = pathlib.Path(os.environ.get('GEMINI_CLI_HOME') or os.environ['HOME'])\n"
        "(folder / '.gemini').mkdir()\nprint('0.61.0')",
    )
    doctor.examine("gemini")
    assert files(home) == {}


@pytest.mark.parametrize("harness", [CLAUDE, GEMINI])
def test_all_is_well(home: Path, harness: Harness) -> None:
    path = program(home, harness.program, says(harness.tried[0]))
    install(harness, None)
    before = files(home.parent)
    assert doctor.examine(harness.id) == [
        Finding(Mark.OK, f"{harness.program} {harness.tried[0]} at {path}"),
        Finding(Mark.OK, f"connected by this msgcode ({__version__}, {known.python()})"),
        Finding(Mark.OK, "its MCP server answers, with 12 tools"),
    ]
    assert files(home.parent) == before


def test_opencode_is_well_or_not(home: Path) -> None:
    program(home, "opencode", says("1.18.33"))
    file, _ = opencode.install(project=False, store="a // room")
    before = files(home.parent)
    findings = doctor.examine("opencode")
    assert [finding.text for finding in findings][1:] == [
        f"connected by this msgcode ({__version__}, {sys.executable})",
        "its host starts",
    ]
    assert files(home.parent) == before
    file.write_text(file.read_text() + "// more\n")
    assert problems(doctor.examine("opencode")) == [f"{file} is not what this version puts there"]
    file.write_text(file.read_text().replace("msgcode", "nothing"))
    assert problems(doctor.examine("opencode")) == [
        f"{file} was not put there by msgcode: move it away, and try again."
    ]


def test_the_program_is_gone(home: Path) -> None:
    install(GEMINI, None)
    opencode.install(project=False, store=None)
    for id in ("gemini", "opencode"):
        assert problems(doctor.examine(id)) == [
            f"connected, but {id} is not to be found: put its folder on PATH"
        ]


def test_files_that_say_it_no_more(home: Path) -> None:
    program(home, "claude", says("2.1.197"))
    install(CLAUDE, None)
    hooks, mcp = home / CLAUDE.hooks_file, home / CLAUDE.mcp_file
    data = json.loads(hooks.read_text())
    del data["hooks"]["Stop"]
    hooks.write_text(json.dumps(data))
    assert problems(doctor.examine("claude")) == [f"{hooks} does not say all that this version puts there"]
    mcp.write_text("{}")
    assert problems(doctor.examine("claude")) == [f"{mcp} does not name the MCP server"]
    mcp.write_text("{,}")
    (problem,) = problems(doctor.examine("claude"))
    assert problem.startswith(f"{mcp} cannot be edited: it is not plain JSON")


def test_connected_by_another_python(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(home, "gemini", says("0.61.0"))
    other = home.parent / "other"
    monkeypatch.setattr(sys, "executable", str(other))
    install(GEMINI, None)
    monkeypatch.undo()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PATH", str(home.parent / "bin"))
    monkeypatch.setattr(doctor, "described", DESCRIBED.__getitem__)
    assert problems(doctor.examine("gemini"))[0] == f"connected by {other}, which has no msgcode that runs"
    put(other, f'#!/bin/sh\nexec "{sys.executable}" "$@"\n').chmod(0o700)
    findings = doctor.examine("gemini")
    assert problems(findings) == []
    text = f"connected by another installation (msgcode {__version__}, {other}); to take this one"
    assert findings[1] == Finding(Mark.NOTE, text, "msgcode install gemini")


def test_a_server_that_does_not_start(home: Path) -> None:
    program(home, "gemini", says("0.61.0"))
    install(GEMINI, "room")
    file = home / GEMINI.mcp_file
    file.write_text(file.read_text().replace('"--store"', '"--stor"'))
    found = problems(doctor.examine("gemini"))
    assert found[0] == f"{file} does not say all that this version puts there"
    assert found[1].startswith("its MCP server does not answer: ")


def test_hooks_are_switched_off(home: Path) -> None:
    program(home, "codex", CODEX_THAT_LISTS)
    install(CODEX, None)
    config = home / CODEX.mcp_file
    config.write_text(config.read_text() + "\n[features]\nhooks = false\n")
    assert f"hooks are switched off: features.hooks in {config}" in problems(doctor.examine("codex"))


def test_hooks_that_are_not_trusted(home: Path) -> None:
    path = program(home, "codex", CODEX_THAT_LISTS)
    install(CODEX, None)
    before = files(home)
    (problem,) = problems(doctor.examine("codex"))
    all_events = [hook.event for hook in CODEX.hooks]
    assert problem.startswith(f"not trusted yet, so they are skipped: its hooks for {', '.join(all_events)};")
    assert files(home) == before, "Codex writes where it is told to"

    hooks, config = home / CODEX.hooks_file, home / CODEX.mcp_file
    assert skipped(str(path), str(hooks), str(config)) == all_events
    for event, groups in json.loads(hooks.read_text())["hooks"].items():
        digest = hashlib.sha256(groups[0]["hooks"][0]["command"].encode()).hexdigest()
        state = f'[hooks.state."{hooks}:{event}:0:0"]\ntrusted_hash = "sha256:{digest}"\n'
        config.write_text(f"{config.read_text()}\n{state}")
    assert skipped(str(path), str(hooks), str(config)) == []
    config.write_text(config.read_text() + "enabled = false\n")
    assert skipped(str(path), str(hooks), str(config)) == all_events[-1:]
    config.write_text("hooks = 1")
    assert skipped(str(path), str(hooks), str(config)) == all_events


def test_a_codex_that_does_not_tell(home: Path) -> None:
    program(home, "codex", says("0.169.0"))
    install(CODEX, None)
    assert problems(doctor.examine("codex")) == ["Codex does not tell which hooks it runs."]


# The command


def run(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert main(["doctor", *words]) == code
    return capsys.readouterr().out


def test_the_command(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    room = home.parent / "room"
    text = run(capsys)
    assert text.startswith(
        f"Room\n  ok       {room}: 0 of 0 agents are there\n\nOpenCode\n  note     opencode is not"
    )
    assert not room.exists()
    path = program(home, "gemini", says("0.61.0"))
    install(GEMINI, None)
    path.unlink()
    line = "  problem  connected, but gemini is not to be found: put its folder on PATH\n"
    assert line in run(capsys, "gemini", code=1)
    data = json.loads(run(capsys, "gemini", "--json", code=1))
    assert data["ok"] is False
    assert data["room"]["mark"] == "ok"
    assert [found["harness"] for found in data["harnesses"]] == ["gemini"]
    assert data["harnesses"][0]["findings"][0]["command"] == "npm install --global @google/gemini-cli"


def test_who_lives_there(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Store.open() as store:
        store.register("ada", session=Session("s1", "gemini", "host", "/src"))
        store.set_presence("ada", "blocked", "may it?")
        store.register("bob", session=Session("s2", "claude", "host"))
        store.set_presence("bob", "offline")
    text = run(capsys, "gemini")
    assert "1 of 2 agents are there\n" in text
    assert text.endswith("  ok       ada lives in gemini s1 in /src: blocked (may it?)\n")


def test_a_room_that_cannot_be_opened(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MSGCODE_STORE", str(put(home.parent / "file", "")))
    text = run(capsys, "claude", code=1)
    assert text.startswith("Room\n  problem  ")
    assert "claude is not on PATH" in text


def test_a_probe(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from msgcode import commands_doctor

    assert "No probe was sent: agent 'ada' is not registered" in run(
        capsys, "claude", "--probe", "ada", code=1
    )
    with Store.open() as store:
        store.register("ada")
    monkeypatch.setattr(commands_doctor, "_PROBE_WAIT", 0.2)
    assert "Probe of ada: " in run(capsys, "claude", "--probe", "@ada", code=1)
    data = json.loads(run(capsys, "claude", "--probe", "ada", "--json", code=1))
    assert (data["ok"], data["probe"]["answered"]) == (False, 0)


def test_what_is_shown_is_safe(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    install(GEMINI, None)
    file = home / GEMINI.mcp_file
    file.write_text(file.read_text().replace(json.dumps(known.python()), '"/a\\u001b[2Jb"'))
    text = run(capsys, "gemini", code=1)
    assert "\x1b" not in text
    assert "␛[2J" in text
