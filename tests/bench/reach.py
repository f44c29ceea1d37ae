"""From a shell's send command to the model of an idle agent, in a real OpenCode in a terminal of its own."""

from __future__ import annotations

import subprocess
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from threading import Thread

from ptyprocess import PtyProcess

from tests.bench import hcom
from tests.bench.delivery import MEDIAN, WORST, available
from tests.bench.processes import MSGCODE
from tests.bench.progress import progress
from tests.bench.row import HCOM, OURS, Row, medians, percentile
from tests.bench.scale import Scale
from tests.e2e.chat_completions import ChatCompletions
from tests.e2e.opencode import OpenCodeHome, binary
from tests.e2e.scripted import USER, Answer, Call, ModelServer, Say, Turn

TITLE = "a shell's send command to an idle recipient's model"

_REST = 1.0
"""Seconds that a recipient is idle before the next message."""

_WAIT = 60.0
"""Seconds within which a model must have what it is told; the first time OpenCode starts too."""

_HELLO = "You are the recipient."


def rows(scale: Scale) -> Iterator[Row]:
    """Median and 95th percentile."""
    if not scale.deliveries or not available():
        return
    delays: dict[str, list[float]] = defaultdict(list)
    with ExitStack() as stack:
        progress("starting OpenCode in terminals")
        recipients = [stack.enter_context(_Ours())]
        program = hcom.program() if scale.others else None
        if program:
            recipients.append(stack.enter_context(_Hcom(program)))
        for number in range(scale.deliveries + 1):
            progress(f"{TITLE}, {number} of {scale.deliveries}")
            for recipient in recipients:
                delays[recipient.name].append(recipient.delay(f"<number {number}>"))
    found = {name: values[1:] for name, values in delays.items()}  # The first one fills the caches.
    runs = str(scale.deliveries)
    yield Row(f"{TITLE}: {MEDIAN}", "ms", medians(found), runs=runs)
    worst = {name: percentile(values, 0.95) for name, values in found.items()}
    yield Row(f"{TITLE}: {WORST}", "ms", worst, runs=runs)


class _Recipient:
    """An agent in an OpenCode in a terminal. A context manager that ends it."""

    name: str

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._model = self._stack.enter_context(ModelServer(ChatCompletions()))
        self._model.play(_HELLO, self._answer)
        self._folder = Path(self._stack.enter_context(hcom.temporary_home()))
        self._home = OpenCodeHome(self._folder / "home", self._model.url, self._folder / "room")
        self._env = dict(self._home.environment)

    def __enter__(self) -> _Recipient:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _answer(self, turn: Turn) -> Answer:
        return Say("Done.")

    def _sending(self, text: str) -> tuple[list[str], Mapping[str, str]]:
        """The command that sends it the text, and what that runs with."""
        raise NotImplementedError

    def _start(self, command: list[str]) -> None:
        """Run it in a terminal that nobody looks at."""
        terminal = PtyProcess.spawn(
            command, cwd=str(self._home.project()), env=self._env, dimensions=(40, 140)
        )
        self._stack.callback(terminal.terminate, force=True)
        Thread(target=_read_all, args=(terminal,), daemon=True).start()

    def delay(self, text: str) -> float:
        """Milliseconds from the start of the command until its model has the message."""
        time.sleep(_REST)
        command, env = self._sending(text)
        before = time.monotonic()
        subprocess.run(command, env=env, check=True, capture_output=True)
        return 1000 * (self._told(text).at - before)

    def _told(self, text: str) -> Turn:
        """The model's first request with the text in what a user said."""
        return self._model.wait_for(
            lambda turn: any(entry.kind == USER and text in entry.text for entry in turn.new), timeout=_WAIT
        )


class _Ours(_Recipient):
    name = OURS

    def __init__(self) -> None:
        super().__init__()
        self._home.install_msgcode()
        self._home.msgcode("register", "shell")
        self._start([str(binary()), "--prompt", _HELLO])
        self._model.wait_for(lambda turn: turn.tool == "register_agent", timeout=_WAIT)

    def _answer(self, turn: Turn) -> Answer:
        if turn.tool is None and len(turn.texts) == 1:
            return Call("register_agent", {"agent_id": "recipient", "name": "Recipient"})
        return super()._answer(turn)

    def _sending(self, text: str) -> tuple[list[str], Mapping[str, str]]:
        return [*MSGCODE, "--as", "shell", "send", "recipient", text], self._env


class _Hcom(_Recipient):
    name = HCOM

    def __init__(self, program: Path) -> None:
        super().__init__()
        self._program = str(program)
        beside = self._folder / "bin"
        beside.mkdir()
        (beside / "opencode").symlink_to(binary())
        self._env["PATH"] = f"{beside}:{program.parent}:{self._env['PATH']}"
        self._start([self._program, "opencode", "--hcom-prompt", _HELLO])
        self._stack.callback(self._said, "kill", "all")
        self._told(_HELLO)
        self._agent = self._said("list", "--names").split()[0]

    def _said(self, *words: str) -> str:
        command = [self._program, *words]
        return subprocess.run(command, env=self._env, capture_output=True, text=True, check=False).stdout

    def _sending(self, text: str) -> tuple[list[str], Mapping[str, str]]:
        return [self._program, "send", f"@{self._agent}", "--from", "shell", "--", text], self._env


def _read_all(terminal: PtyProcess) -> None:
    """Read what is written, so that its program never waits for that."""
    while True:
        try:
            terminal.read(65536)
        except (EOFError, OSError, ValueError):
            return
