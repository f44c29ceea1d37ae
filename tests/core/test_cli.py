"""`msgcode` in a shell: real processes, their output and exit codes."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pty
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msgcode import Store, cli
from tests.core.test_text import obeyed


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MSGCODE_STORE", str(tmp_path / "room"))
    monkeypatch.delenv("MSGCODE_AGENT", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    return tmp_path / "room"


def msgcode(*words: str, stdin: str = "", code: int = 0) -> str:
    """Run a command in a process of its own; returns its output, or its error if that is what it had."""
    done = subprocess.run(
        [sys.executable, "-m", "msgcode", *words], input=stdin, capture_output=True, text=True, timeout=30
    )
    assert done.returncode == code, done
    assert not (done.stdout and done.stderr)
    return done.stdout or done.stderr


def test_a_conversation(room: Path) -> None:
    assert msgcode("register", "alice") == "Registered alice.\n"
    msgcode("register", "bob", "Bob")
    sent = json.loads(msgcode("send", "bob", "look", "here", "--as", "alice", "--json"))
    assert (sent["from"], sent["to"], sent["body"], sent["status"]) == ("alice", "bob", "look here", "queued")
    assert sent["warnings"] == []
    (got,) = json.loads(msgcode("check", "--as", "bob", "--json"))
    assert (got["id"], got["status"]) == (sent["id"], "delivered")
    assert msgcode("ack", sent["id"][:8], "--as", "bob") == f"Acknowledged {sent['id'][:8]}.\n"
    assert msgcode("check", "bob") == "Nothing waits for bob.\n"


def test_standard_input_is_a_body(room: Path) -> None:
    msgcode("register", "alice")
    msgcode("send", "alice", "-", "--as", "alice", stdin="one\ntwo\n")
    with Store.open() as store:
        assert [message.body for message in store.inbox("alice")] == ["one\ntwo"]


def test_options_stand_before_or_after_the_command(room: Path) -> None:
    msgcode("register", "alice")
    for words in (("--as", "alice", "--json", "check"), ("check", "--json", "--as", "alice")):
        assert json.loads(msgcode(*words)) == []


def test_the_store_option_wins_over_the_environment(room: Path, tmp_path: Path) -> None:
    msgcode("register", "alice", "--store", str(tmp_path / "other"))
    assert msgcode("agents").startswith("No agents are registered.")
    assert "alice" in msgcode("agents", "--store", str(tmp_path / "other"))


def test_looking_creates_nothing(room: Path) -> None:
    for words in (("agents",), ("status",), ("channel", "list"), ("log",)):
        msgcode(*words)
    assert not room.exists()


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["sned"], 2, "'sned' is no command (did you mean 'send'?)"),
        (["send", "bob", "hi"], 2, "say who you are: add --as ID, or set MSGCODE_AGENT."),
        (["send", "bob", "hi", "--as", "nobody"], 1, "agent 'nobody' is not registered"),
        (["send", "bob", "--as", "alice"], 2, "required: BODY"),
        (["register", "a b"], 2, "cannot be an agent id"),
        (["ack", "abcd", "--as", "alice"], 1, "there is no message 'abcd'"),
        (["status", "--store", "ftp://x"], 2, "give the path of a folder"),
        (["register", "x", "--store", "/dev/null/x"], 1, "a part of the path is a file"),
        (["completion", "tcsh"], 2, "invalid choice: 'tcsh'"),
    ],
)
def test_errors_are_one_sentence_on_standard_error(
    room: Path, words: list[str], code: int, sentence: str
) -> None:
    message = msgcode(*words, code=code)
    assert message.startswith("msgcode: ")
    assert sentence in message
    assert message.count("\n") == 1


def test_install_and_uninstall(room: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    path = tmp_path / "config" / "opencode" / "plugin" / "msgcode.js"
    assert msgcode("install", "opencode").startswith(f"Installed: {path}. ")
    assert json.loads(msgcode("install", "opencode", "--json")) == {"file": str(path), "done": "unchanged"}
    assert msgcode("uninstall", "opencode") == f"Removed: {path}.\n"
    assert msgcode("uninstall", "opencode") == f"Nothing to remove: there is no {path}.\n"
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    assert "was not put there by msgcode" in msgcode("install", "opencode", code=1)
    assert "invalid choice: 'emacs'" in msgcode("install", "emacs", code=2)


def test_a_host_answers_its_plugin_and_ends_with_it(room: Path) -> None:
    hello = {"jsonrpc": "2.0", "id": 1, "method": "hello", "params": {"directory": "/src", "sessions": []}}
    with subprocess.Popen(
        [sys.executable, "-m", "msgcode", "host", "opencode"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as host:  # fmt: skip
        assert host.stdin
        assert host.stdout
        print(json.dumps(hello), file=host.stdin, flush=True)
        answer = json.loads(host.stdout.readline())
        assert answer["id"] == 1
        assert len(answer["result"]["tools"]) == 12
        assert host.communicate(timeout=20) == ("", ""), "it prints nothing else, and ends with its input"
    assert host.returncode == 0


def test_a_host_is_not_started_by_hand(room: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("{}\n")
    with (tmp_path / "file").open() as file:
        done = subprocess.run(
            [sys.executable, "-m", "msgcode", "host", "opencode"],
            stdin=file, capture_output=True, text=True, timeout=30,
        )  # fmt: skip
    sentence = "msgcode: a host speaks over pipes with the plugin that starts it, not with files.\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", sentence)


def test_help_and_version(room: Path) -> None:
    assert "What to do next:" in msgcode()
    assert "usage: msgcode" in msgcode("--help")
    assert "usage: msgcode send" in msgcode("send", "--help")
    assert "channel create" in msgcode("channel", "create", "--help")
    assert "usage: msgcode channel" in msgcode("channel", "--help")
    assert msgcode("--version").startswith("msgcode 0.")


def test_log_is_json_lines(room: Path) -> None:
    msgcode("register", "alice")
    msgcode("send", "alice", "hi\u202e", "--as", "alice")
    output = msgcode("log", "--json")
    events = [json.loads(line) for line in output.splitlines()]
    assert [event["type"] for event in events] == ["agent.registered", "message.sent"]
    assert events[1]["body"] == "hi\u202e"
    assert output.isascii()


def test_watch_prints_a_line_for_each_fact_as_it_happens(room: Path) -> None:
    with Store.open(room) as store:
        store.register("alice")
        feed = subprocess.Popen(
            [sys.executable, "-m", "msgcode", "watch", "--past", "--json"], stdout=subprocess.PIPE, text=True
        )
        assert feed.stdout
        try:
            assert json.loads(feed.stdout.readline())["type"] == "agent.registered"
            store.send("alice", "bob", "hi")
            assert json.loads(feed.stdout.readline())["body"] == "hi"
        finally:
            feed.send_signal(2)
            assert feed.wait(10) == 130
            feed.stdout.close()


def test_a_reader_that_goes_away_is_no_error(room: Path) -> None:
    with Store.open(room, sync=False) as store:
        store.register("alice")
        for _ in range(2000):
            store.send("alice", "bob", "x" * 90)
    log = subprocess.Popen(
        [sys.executable, "-m", "msgcode", "log", "--limit", "2000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert log.stdout
    assert log.stderr
    log.stdout.readline()
    log.stdout.close()
    assert log.wait(20) == 0
    assert log.stderr.read() == b""
    log.stderr.close()


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_colour_only_on_a_terminal_and_only_if_wanted(
    room: Path, monkeypatch: pytest.MonkeyPatch, no_color: str, coloured: bool
) -> None:
    msgcode("register", "alice")
    assert "\x1b" not in msgcode("agents")
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setenv("TERM", "xterm")
    assert (b"\x1b[32m" in on_terminal("agents")) is coloured


def on_terminal(*words: str) -> bytes:
    """What a command prints on a terminal of its own."""
    master, slave = pty.openpty()
    process = subprocess.Popen([sys.executable, "-m", "msgcode", *words], stdout=slave, stderr=slave)
    os.close(slave)
    output = b""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            chunk = os.read(master, 4096)
        except OSError:  # Linux says so when the last writer has closed the terminal.
            break
        if not chunk:
            break
        output += chunk
    os.close(master)
    assert process.wait(10) == 0
    return output


def test_completion_needs_no_room(room: Path) -> None:
    for shell, word in (("bash", "complete"), ("zsh", "compdef"), ("fish", "--command msgcode")):
        assert word in msgcode("completion", shell)
    assert not room.exists()


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize(
    ("line", "choices"),
    [
        ("msgcode sen", ["send "]),
        ("msgcode send sec", ["security-auditor "]),
        ("msgcode send --pri", ["--priority "]),
        ("msgcode send --priority ", ["urgent", "high", "normal", "low"]),
        ("msgcode channel ", ["create", "join", "leave", "list"]),
        ("msgcode channel join ", ["dev "]),
        ("msgcode help env", ["environment "]),
    ],
)
def test_bash_completes(room: Path, line: str, choices: list[str]) -> None:
    msgcode("register", "security-auditor")
    msgcode("channel", "create", "dev", "--as", "security-auditor")
    script = (
        'eval "$(msgcode completion bash)"; COMP_LINE=$1 COMP_POINT=${#1} COMP_TYPE=9; '
        "_python_argcomplete msgcode; printf '%s\\n' \"${COMPREPLY[@]}\""
    )
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "--norc", "-c", script, "bash", line],
        env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines() == choices


def test_completion_knows_the_rooms_agents(room: Path, tmp_path: Path) -> None:
    msgcode("register", "security-auditor")
    line = "msgcode send sec"
    result = tmp_path / "completions"
    environment = {
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(result),
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
        "COMP_TYPE": "9",
    }
    subprocess.run(
        [sys.executable, "-m", "msgcode"], env={**os.environ, **environment}, check=True, timeout=30
    )
    assert result.read_text().strip() == "security-auditor"


@settings(max_examples=25, deadline=None)
@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=200))
def test_no_text_reaches_the_terminal_raw(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.mktemp("room")
    line = text.replace("\n", " ").strip() or "x"
    with Store.open(folder, sync=False) as store:
        store.register("alice", name=line, description=line)
        store.create_channel("dev", "alice", name=line)
        store.send("alice", "alice", text + ".", subject=line, metadata={"key": text})
        store.set_presence("alice", "blocked", line)
    for command in ("agents", "channel list", "log", "check alice", "status"):
        for json_option in ([], ["--json"]):
            output = run_in_process([*command.split(), *json_option, "--store", str(folder)])
            assert not obeyed(output), (command, output)


def run_in_process(words: list[str]) -> str:
    """The output of a command run here, to save the start of a process."""
    with contextlib.redirect_stdout(io.StringIO()) as output:
        assert cli.main(words) == 0
    return output.getvalue()
