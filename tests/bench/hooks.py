"""What an agent program pays for a hook at each tool call; beside hcom, if that is there."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ptyprocess import PtyProcess

from msgcode import Store
from msgcode.harness.sessions import Conversation, SessionFolder, hook_command, sessions_folder
from msgcode.model import Session
from tests.bench.processes import installed_env
from tests.bench.table import FLOOR, HCOM, OURS, Row, Scale, Target, progress

TEXT = "the build is green"

CONVERSATION = "11111111-2222-4333-8444-555555555555"

PAYLOAD = json.dumps(
    {
        "session_id": CONVERSATION,
        "transcript_path": "/dev/null",
        "cwd": "/",
        "hook_event_name": "PostToolUse",
        "tool_name": "Bash",
        "tool_input": {"command": "make test"},
        "tool_response": {"stdout": "ok\n" * 100, "stderr": ""},
    }
).encode()

_FAKE_CLAUDE = """\
#!/bin/sh
[ "$1" = --version ] && exec echo "2.1.197 (Claude Code)"
env >"$HOME/env.new" && mv "$HOME/env.new" "$HOME/env"
exec sleep 600
"""


def rows(scale: Scale) -> Iterator[Row]:
    """A hook with nothing to do, and one that hands a message over."""
    samples: dict[tuple[bool, str], list[float]] = defaultdict(list)
    with ExitStack() as stack:
        ours = stack.enter_context(_Ours.ready())
        theirs = stack.enter_context(_Hcom.ready()) if shutil.which("hcom") else None
        if not theirs:
            progress("hooks, without hcom: pip install hcom")
        for round in range(scale.processes + 1):
            if round % 10 == 0:
                progress(f"hooks, {round} of {scale.processes}")
            samples[False, FLOOR].append(_timed(["/bin/sh", "-c", "exit 0"], os.environ)[0])
            for name, contender in ((OURS, ours), (HCOM, theirs)):
                if not contender:
                    continue
                took, said = _timed(contender.command, contender.env)
                assert not said, f"{name} had nothing to say, and said {said}"
                samples[False, name].append(took)
                contender.send()
                took, said = _timed(contender.command, contender.env)
                assert TEXT in said, f"{name} handed nothing over: {said}"
                samples[True, name].append(took)
                contender.settle()
    for waits, what in ((False, "nothing waits"), (True, "a message is handed over")):
        figures = {
            name: statistics.median(values[1:]) for (had, name), values in samples.items() if had is waits
        }
        target = None if waits else Target(figures[OURS], most=3, unit=" ms")
        yield Row(f"hook after a tool call, {what}", "ms", figures, target=target)


class _Ours:
    """A session of Claude Code, as our hooks see it; this process is the program's, and the companion."""

    def __init__(self, store: Store, folder: SessionFolder, env: Mapping[str, str]) -> None:
        self.command = ("/bin/sh", "-c", hook_command("claude", "tool"))
        self.env = env
        self._store, self._folder = store, folder

    @classmethod
    @contextmanager
    def ready(cls) -> Iterator[_Ours]:
        with tempfile.TemporaryDirectory() as room, installed_env() as env, Store.open(room) as store:
            folder = SessionFolder(sessions_folder() / str(os.getpid()))
            folder.begin(Conversation(CONVERSATION), os.getpid())
            folder.serve(room)
            store.register("ann")
            store.register("bob", session=Session(CONVERSATION, "claude", "bench"))
            try:
                yield cls(store, folder, env)
            finally:
                folder.remove()

    def send(self) -> None:
        self._store.send("ann", "bob", TEXT)
        self._folder.flag_mail(True)

    def settle(self) -> None:
        self._folder.flag_mail(False)


class _Hcom:
    """A session of Claude Code that hcom has started; in its place is a program that only waits."""

    command = ("hcom", "post")

    def __init__(self, env: Mapping[str, str]) -> None:
        self.env = env

    @classmethod
    @contextmanager
    def ready(cls) -> Iterator[_Hcom]:
        with tempfile.TemporaryDirectory() as home:
            claude = Path(home, "bin", "claude")
            claude.parent.mkdir()
            claude.write_text(_FAKE_CLAUDE)
            claude.chmod(0o755)
            env = {"HOME": home, "PATH": f"{claude.parent}:{os.environ['PATH']}", "TERM": "xterm-256color"}
            terminal = PtyProcess.spawn(["hcom", "1", "claude"], env=env)
            try:
                yield cls(_launched(Path(home, "env")))
            finally:
                terminal.terminate(force=True)
                subprocess.run(["hcom", "kill", "all"], env=env, capture_output=True, check=False)

    def send(self) -> None:
        words = ["hcom", "send", f"@{self.env['HCOM_INSTANCE_NAME']}", "--from", "bench", "--", TEXT]
        home = {name: self.env[name] for name in ("HOME", "PATH")}
        subprocess.run(words, env=home, check=True, capture_output=True)

    def settle(self) -> None:
        pass


def _launched(file: Path) -> dict[str, str]:
    """The environment that hcom has given its program, once that has begun its session."""
    deadline = time.monotonic() + 20
    while not file.exists():
        assert time.monotonic() < deadline, "hcom has not started its program"
        time.sleep(0.05)
    env = dict(line.split("=", 1) for line in file.read_text().splitlines() if "=" in line)
    for event in ("sessionstart", "userpromptsubmit", "post"):
        _timed(["hcom", event], env)
    return env


def _timed(command: Sequence[str], env: Mapping[str, str]) -> tuple[float, str]:
    """How long a hook takes, in milliseconds, and what it says."""
    before = time.perf_counter()
    done = subprocess.run(command, env=env, input=PAYLOAD, capture_output=True, check=True)
    return 1000 * (time.perf_counter() - before), done.stdout.decode()
