"""hook.sh: what it does alone, and when it starts Python. The parent of the script is this process."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import threading
import time
from pathlib import Path

import pytest

from msgcode.harness.sessions import SessionFolder, hook_command
from msgcode.model import Activity

SHELLS = [found for shell in ("dash", "bash", "ksh", "zsh") if (found := shutil.which(shell))]


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def folder(tmp_path: Path) -> SessionFolder:
    """The folder of this process, made."""
    folder = SessionFolder(tmp_path / "sessions" / str(os.getpid()))
    folder.make()
    return folder


class Hooks:
    """Runs hook.sh for a session's folder; what stands for Python says what it was called with."""

    def __init__(
        self, shell: str, folder: SessionFolder, tmp_path: Path, python: str = '#!/bin/sh\necho "$@"\n'
    ) -> None:
        self._python = tmp_path / "python"
        self._python.write_text(python)
        self._python.chmod(0o755)
        self._shell, self._sessions = shell, str(folder.path.parent)
        self._script = hook_command("claude", "tool").split()[2]

    def start(self, role: str, *more: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
        words = [self._shell, self._script, self._sessions, str(self._python), "claude", role, *more]
        pipe = subprocess.PIPE
        return subprocess.Popen(words, stdin=stdin, stdout=pipe, stderr=pipe, text=True)

    def run(self, role: str) -> str:
        """What it printed; nothing on standard error, and exit code 0."""
        with self.start(role) as process:
            out, err = process.communicate(timeout=10)
        assert (err, process.returncode) == ("", 0)
        return out


@pytest.fixture
def hooks(shell: str, folder: SessionFolder, tmp_path: Path) -> Hooks:
    return Hooks(shell, folder, tmp_path)


def called(folder: SessionFolder, role: str) -> str:
    return f"-P -m msgcode.harness.hook {folder.path} claude {role} {os.getpid()}\n"


def test_no_mail_starts_nothing(hooks: Hooks) -> None:
    for role in ("tool", "prompt", "stop", "end"):
        assert hooks.run(role) == ""


def test_mail_starts_python(hooks: Hooks, folder: SessionFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLAUDE_CODE_ENTRYPOINT", raising=False)
    folder.flag_mail(True)
    for role in ("tool", "prompt", "stop"):
        assert hooks.run(role) == called(folder, role)
    folder.flag_mail(False)
    assert hooks.run("tool") == ""


def test_in_its_terminal_claude_code_is_woken_instead_at_the_end_of_a_turn(
    hooks: Hooks, folder: SessionFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAUDE_CODE_ENTRYPOINT", "cli")
    folder.tell(Activity.BUSY)
    folder.flag_mail(True)
    assert hooks.run("stop") == ""
    assert folder.presence == (Activity.IDLE, None)
    assert hooks.run("tool") == called(folder, "tool")


def test_the_beginning_and_a_question_always_start_it(hooks: Hooks, folder: SessionFolder) -> None:
    for role in ("start", "ask"):
        assert hooks.run(role) == called(folder, role)


def test_tells_what_the_session_is_doing(hooks: Hooks, folder: SessionFolder) -> None:
    assert folder.presence[0] is Activity.IDLE
    folder.tell(Activity.BLOCKED, "it wants to run rm -rf build")
    assert folder.presence == (Activity.BLOCKED, "it wants to run rm -rf build")
    for role, activity in (
        ("tool", Activity.BUSY),
        ("stop", Activity.IDLE),
        ("prompt", Activity.BUSY),
        ("end", Activity.OFFLINE),
    ):
        hooks.run(role)
        assert folder.presence[0] is activity


def test_the_same_again_is_not_written_again(hooks: Hooks, folder: SessionFolder) -> None:
    hooks.run("tool")
    before = (folder.path / "state").stat().st_mtime_ns
    hooks.run("tool")
    assert (folder.path / "state").stat().st_mtime_ns == before


def test_without_a_folder_it_does_nothing(hooks: Hooks, folder: SessionFolder) -> None:
    folder.remove()
    for role in ("tool", "prompt", "stop", "end"):
        assert hooks.run(role) == ""
    assert not folder.path.exists()


def wake(folder: SessionFolder) -> None:
    deadline = time.monotonic() + 10
    while not folder.wake_up():
        assert time.monotonic() < deadline, "nobody waits"
        time.sleep(0.01)


def test_who_waits_is_woken_by_mail(hooks: Hooks, folder: SessionFolder) -> None:
    assert not folder.wake_up(), "nobody waits yet"
    waiter = hooks.start("wait")
    folder.flag_mail(True)
    wake(folder)
    assert waiter.communicate(timeout=10) == (called(folder, "wait"), "")


def test_a_wait_before_all_else_makes_the_pipe(hooks: Hooks, folder: SessionFolder) -> None:
    folder.remove()
    waiter = hooks.start("wait")
    wake(folder)
    assert waiter.communicate(timeout=10) == ("", ""), "and there was no mail"
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    assert stat.S_IMODE(folder.wake.stat().st_mode) == 0o600


def test_of_several_waiters_one_is_woken(hooks: Hooks, folder: SessionFolder) -> None:
    waiters = [hooks.start("wait") for _ in range(3)]
    folder.flag_mail(True)
    outputs: list[str] = []
    threads = [
        threading.Thread(target=lambda one=one: outputs.append(one.communicate(timeout=10)[0]))
        for one in waiters
    ]
    for thread in threads:
        thread.start()
    while len(outputs) < 3:
        folder.wake_up()
        time.sleep(0.05)
    for thread in threads:
        thread.join()
    assert called(folder, "wait") in outputs


def test_a_new_waiter_sends_others_home(hooks: Hooks, folder: SessionFolder) -> None:
    first = hooks.start("wait")
    others = []
    while first.poll() is None:
        others.append(hooks.start("wait"))
        time.sleep(0.05)
    assert first.communicate() == ("", "")
    while any(other.poll() is None for other in others):
        folder.wake_up()
    for other in others:
        other.communicate()


def test_the_end_sends_waiters_home(hooks: Hooks, folder: SessionFolder) -> None:
    waiter = hooks.start("wait")
    while waiter.poll() is None:
        folder.remove()
        time.sleep(0.05)
    assert waiter.communicate() == ("", "")


def test_without_a_terminal_nobody_waits(
    hooks: Hooks, folder: SessionFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAUDE_CODE_ENTRYPOINT", "sdk-cli")
    assert hooks.run("wait") == ""


class TestShared:
    """Where conversations share a process, what the hook is told names the folder."""

    def run(self, hooks: Hooks, role: str, told: str) -> str:
        with hooks.start(role, "shared", stdin=subprocess.PIPE) as process:
            out, err = process.communicate(told, timeout=10)
        assert (err, process.returncode) == ("", 0)
        return out

    def folder(self, folder: SessionFolder, id: str) -> SessionFolder:
        found = SessionFolder(folder.path.parent / id)
        found.make()
        return found

    def test_each_has_its_own(self, hooks: Hooks, folder: SessionFolder) -> None:
        one, other = self.folder(folder, "c-1"), self.folder(folder, "c-2")
        one.flag_mail(True)
        assert self.run(hooks, "tool", '{"session_id":"c-1","x":"\u00fc"}') == called(one, "tool")
        assert self.run(hooks, "stop", '{"session_id":"c-2","x":1}') == ""
        assert one.presence[0] is Activity.BUSY
        assert other.presence[0] is Activity.IDLE
        assert not (folder.path / "state").exists()

    def test_what_was_told_is_passed_on_whole(
        self, shell: str, folder: SessionFolder, tmp_path: Path
    ) -> None:
        self.folder(folder, "c-1").flag_mail(True)
        told = '{"session_id":"c-1","x":"' + "\u00fc" * 10_000 + '"}'
        hooks = Hooks(shell, folder, tmp_path, python="#!/bin/sh\ncat\n")
        assert self.run(hooks, "tool", told) == told

    @pytest.mark.parametrize("told", ["", "{}", '{"session_id":""}', '{"session_id":"../x"}', '{"a":"b'])
    def test_what_names_none(self, hooks: Hooks, folder: SessionFolder, told: str) -> None:
        folder.flag_mail(True)
        assert self.run(hooks, "tool", told) == ""


def test_paths_with_blanks(shell: str, tmp_path: Path) -> None:
    folder = SessionFolder(tmp_path / "a b's" / str(os.getpid()))
    folder.make()
    folder.flag_mail(True)
    assert Hooks(shell, folder, tmp_path).run("tool") == called(folder, "tool")
