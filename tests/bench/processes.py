"""Whole processes: what a shell or a harness pays for one command. The floor: `python -c pass`."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from msgcode import Store
from msgcode.events import MessageSent
from tests.bench import hcom
from tests.bench.progress import progress
from tests.bench.row import FLOOR, HCOM, OURS, Row, Target, medians
from tests.bench.scale import Scale

TEXT = "the build is green"

_BARE = [sys.executable, "-c", "pass"]
_SCRIPT = Path(sys.executable).with_name("msgcode")
MSGCODE = [str(_SCRIPT)] if _SCRIPT.exists() else [sys.executable, "-m", "msgcode"]

_COMMANDS = {
    "python -c 'import msgcode'": [sys.executable, "-c", "import msgcode"],
    "send": [*MSGCODE, "send", "bob", TEXT],
    "check, inbox empty": [*MSGCODE, "check"],
}


@contextmanager
def installed_env() -> Iterator[dict[str, str]]:
    """The environment for processes that find their byte code, as those of an installed package do."""
    with tempfile.TemporaryDirectory() as cache:
        env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        yield {**env, "PYTHONPYCACHEPREFIX": cache}


def rows(scale: Scale) -> Iterator[Row]:
    """Each command beside the bare interpreter, then several shells that send one message a command."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        with Store.open(folder) as store:
            store.register("alice")
            store.register("bob")
        env = stack.enter_context(installed_env()) | {"MSGCODE_STORE": folder, "MSGCODE_AGENT": "alice"}
        program = hcom.program() if scale.others else None
        session = stack.enter_context(hcom.HcomSession.started(program)) if program else None
        yield from _single(scale, env, session)
        for count in scale.writers:
            yield from _crowds(count, scale, _Room(folder, env), session)


def _single(scale: Scale, env: Mapping[str, str], session: hcom.HcomSession | None) -> Iterator[Row]:
    samples: dict[str, dict[str, list[float]]] = {what: defaultdict(list) for what in _COMMANDS}
    for round in range(scale.processes + 1):
        progress(f"whole processes, {round} of {scale.processes}")
        for what, command in _COMMANDS.items():
            samples[what][FLOOR].append(_timed(_BARE, env))
            samples[what][OURS].append(_timed(command, env))
        if session:
            samples["send"][HCOM].append(_timed(session.sending(TEXT), session.shell_env))
    for what, found in samples.items():
        target = None
        if what == "send":
            ratio = statistics.median(own / bare for own, bare in zip(found[OURS], found[FLOOR], strict=True))
            target = Target(ratio, most=2.5, unit=" x floor")
        figures = medians({name: values[1:] for name, values in found.items()})  # The first fills the caches.
        yield Row(f"whole process: {what}", "ms", figures, target=target, runs=str(scale.processes))


class _Room(NamedTuple):
    """Our room and what a shell in it runs with."""

    folder: str
    env: Mapping[str, str]

    def sending(self, text: str) -> list[str]:
        return [*MSGCODE, "send", "bob", text]

    @property
    def shell_env(self) -> Mapping[str, str]:
        return self.env

    def messages(self) -> int:
        with Store.open(self.folder) as store:
            return sum(isinstance(event.fact, MessageSent) for event in store.history())


def _crowds(count: int, scale: Scale, ours: _Room, session: hcom.HcomSession | None) -> Iterator[Row]:
    rates: dict[str, list[float]] = defaultdict(list)
    lost: dict[str, float] = defaultdict(float)
    rooms: dict[str, _Room | hcom.HcomSession] = {OURS: ours} | ({HCOM: session} if session else {})
    for round in range(scale.rounds):
        progress(f"{count} shells, {round + 1} of {scale.rounds}")
        rates[FLOOR].append(_crowd(count, scale.seconds, _BARE, ours.env) / scale.seconds)
        for name, room in rooms.items():
            before = room.messages()
            sent = _crowd(count, scale.seconds, room.sending(TEXT), room.shell_env)
            rates[name].append(sent / scale.seconds)
            lost[name] += before + sent - room.messages()
    what = f"{count} shell{'s' * (count > 1)}, a command a message"
    runs = f"{scale.rounds} x {scale.seconds:g} s"
    yield Row(f"{what}: sends", "a second", medians(rates), more_is_better=True, runs=runs)
    yield Row(f"{what}: lost", "messages", lost, target=Target(lost[OURS], most=0), runs=runs)


def _crowd(count: int, seconds: float, command: Sequence[str], env: Mapping[str, str]) -> int:
    """Run the command again and again, so many at a time: how many were begun in time."""

    def shell(deadline: float) -> int:
        runs = 0
        while time.monotonic() < deadline:
            _timed(command, env)
            runs += 1
        return runs

    with ThreadPoolExecutor(count) as pool:
        return sum(pool.map(shell, [time.monotonic() + seconds] * count))


def _timed(command: Sequence[str], env: Mapping[str, str]) -> float:
    """Milliseconds that the process takes. Raises CalledProcessError if it fails."""
    before = time.perf_counter()
    subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL)
    return 1000 * (time.perf_counter() - before)
