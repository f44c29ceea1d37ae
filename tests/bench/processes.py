"""Whole processes: what a shell, a hook or a harness pays for one command."""

from __future__ import annotations

import importlib.util
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgcode import Store
from tests.bench.table import OURS, Row, Scale, Target, progress

_BARE = "python -c pass"
_MODULE = "python -m msgcode send ..."
_SCRIPT = "msgcode send ..."


@contextmanager
def installed_env() -> Iterator[dict[str, str]]:
    """The environment for processes that find their byte code, as those of an installed package do."""
    with tempfile.TemporaryDirectory() as cache:
        env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        yield {**env, "PYTHONPYCACHEPREFIX": cache}


def rows(scale: Scale) -> Iterator[Row]:
    """The bare interpreter, then each command as a multiple of it."""
    with tempfile.TemporaryDirectory() as folder, installed_env() as env:
        with Store.open(folder) as store:
            store.register("alice")
            store.register("bob")
        samples = _measure(scale, {**env, "MSGCODE_STORE": folder, "MSGCODE_AGENT": "alice"})
    sending = _SCRIPT if _SCRIPT in samples else _MODULE
    for name, figures in samples.items():
        ratio = statistics.median(own / bare for own, bare in zip(figures, samples[_BARE], strict=True))
        target = Target(ratio, most=2.5, unit=" x bare") if name == sending else None
        yield Row(f"whole process: {name}", "ms", {OURS: statistics.median(figures)}, target=target)


def _measure(scale: Scale, env: dict[str, str]) -> dict[str, list[float]]:
    samples = defaultdict(list)
    for round in range(scale.processes + 1):
        if round % 10 == 0:
            progress(f"whole processes, {round} of {scale.processes}")
        for name, command in _commands().items():
            before = time.perf_counter()
            subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL)
            samples[name].append(1000 * (time.perf_counter() - before))
    return {name: figures[1:] for name, figures in samples.items()}  # The first one fills the caches.


def _commands() -> dict[str, list[str]]:
    python = sys.executable
    commands = {
        _BARE: [python, "-c", "pass"],
        "python -c 'import json'": [python, "-c", "import json"],
        "python -c 'import msgcode'": [python, "-c", "import msgcode"],
    }
    send, check = ["send", "bob", "the build is green"], ["check"]
    if not importlib.util.find_spec("msgcode.__main__"):
        progress("without the commands: msgcode has none yet")
        return commands
    commands[_MODULE] = [python, "-m", "msgcode", *send]
    commands["python -m msgcode check, inbox empty"] = [python, "-m", "msgcode", *check]
    script = Path(python).with_name("msgcode")
    if script.exists():
        commands[_SCRIPT] = [str(script), *send]
    return commands
