"""hook.sh: what it does alone, and when it starts Python. The parent of the script is this process."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import threading
import time
from pathlib import Path

import psutil
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

    def start(
        self, role: str, *more: str, stdin: int = subprocess.DEVNULL, within: bool = False
    ) -> subprocess.Popen[str]:
        """within: a shell in between is its parent."""
        words = [self._shell, self._script, self._sessions, str(self._python), "claude", role, *more]
        if within:
            words = [self._shell, "-c", f"{shlex.join(words)}; :"]
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


@pytest.fixture
def waking(shell: str, folder: SessionFolder, tmp_path: Path) -> Hooks:
    """Those whose Python says on standard error what it was told, and that it shall wake the program."""
    return Hooks(shell, folder, tmp_path, '#!/bin/sh\necho "$@" >&2\ncat >&2\nexit 2\n')


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


def wake(folder: SessionFolder, waiter: subprocess.Popen[str]) -> None:
    """Wake the one who waits, again and again as the companion does, until it is over."""
    deadline = time.monotonic() + 10
    while waiter.poll() is None:
        assert time.monotonic() < deadline, "nobody waits"
        folder.wake_up()
        time.sleep(0.01)


def send_home(folder: SessionFolder, *waiters: subprocess.Popen[str]) -> None:
    """Let the session end, and with it those who wait."""
    while not folder.wake_up():  # Nobody waits yet.
        assert any(waiter.poll() is None for waiter in waiters)
        time.sleep(0.01)
    while any(waiter.poll() is None for waiter in waiters):
        folder.remove()
        time.sleep(0.05)
    for waiter in waiters:
        assert waiter.communicate() == ("", "")
        assert waiter.returncode == 0


def test_who_waits_is_woken_by_mail(waking: Hooks, folder: SessionFolder) -> None:
    assert not folder.wake_up(), "nobody waits yet"
    waiter = waking.start("wait", stdin=subprocess.PIPE)
    assert waiter.stdin
    waiter.stdin.write('{"session_id": "s"}\n')
    waiter.stdin.close()
    folder.flag_mail(True)
    wake(folder, waiter)
    waiter.stdin = None
    assert waiter.communicate(timeout=10) == ("", called(folder, "wait") + '{"session_id": "s"}\n')
    assert waiter.returncode == 2


def test_who_is_woken_for_nothing_goes_on_waiting(shell: str, folder: SessionFolder, tmp_path: Path) -> None:
    once = tmp_path / "once"
    python = f"#!/bin/sh\n[ -e {once} ] && echo mail >&2 && exit 2\ntouch {once}\necho trouble >&2\nexit 1\n"
    waiter = Hooks(shell, folder, tmp_path, python).start("wait")
    folder.wake_up()
    folder.flag_mail(True)
    wake(folder, waiter)
    assert once.exists()
    assert waiter.communicate() == ("", "mail\n")
    assert waiter.returncode == 2


def test_a_wait_before_all_else_waits_for_the_pipe(waking: Hooks, folder: SessionFolder) -> None:
    folder.remove()
    waiter = waking.start("wait")
    folder.make()
    folder.flag_mail(True)
    wake(folder, waiter)
    assert waiter.communicate(timeout=10) == ("", called(folder, "wait"))


def test_nobody_waits_for_a_program_that_has_ended(hooks: Hooks) -> None:
    # The one between us and the script is the program here, and it has no folder any more.
    with hooks.start("wait", within=True) as program:
        while len(psutil.Process(program.pid).children(recursive=True)) < 2:
            time.sleep(0.01)  # The script, and what it waits for.
        program.kill()
        program.wait()
        assert program.communicate(timeout=10) == ("", "")


def test_of_several_waiters_one_is_woken(waking: Hooks, folder: SessionFolder) -> None:
    waiters = [waking.start("wait") for _ in range(3)]
    folder.flag_mail(True)
    outputs: list[str] = []
    threads = [
        threading.Thread(target=lambda one=one: outputs.append(one.communicate(timeout=10)[1]))
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
    send_home(folder, *others)


def test_the_end_sends_waiters_home(hooks: Hooks, folder: SessionFolder) -> None:
    send_home(folder, hooks.start("wait"))


def test_the_end_of_a_session_without_a_companion_does_too(hooks: Hooks, folder: SessionFolder) -> None:
    waiter = hooks.start("wait")
    while waiter.poll() is None:
        hooks.run("end")
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
