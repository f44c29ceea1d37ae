"""The processes in the room: started, killed, paused, started again. Each is a process group of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.soak.ledger import BROKEN, Ledger

_ENDS_WITHIN = 60.0
"""Seconds within which a process has to end when it is asked to."""

WATCH = "watch"
"""The kind that is `msgcode watch`, which keeps the files of oh-my-msgcode."""


class Crew:
    """All processes of one run.

    members: the kind of each, by name. room: the folder. outside: where ledgers and errors go.
    """

    def __init__(self, members: dict[str, str], room: Path, outside: Path, seed: int, pace: float) -> None:
        self.members = members
        self._room = room
        self._outside = outside
        self._seed = seed
        self._pace = pace
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._lives = dict.fromkeys(members, 0)
        self._paused: set[str] = set()
        self._ledger = Ledger(outside, "crew")

    def start(self, name: str, limit: int | None = None) -> None:
        """Start the process, if it does not run. limit: see `worker.main`."""
        if name in self._processes:
            return
        self._lives[name] += 1
        up(self._outside, name).unlink(missing_ok=True)
        seed = f"{self._seed}.{self._lives[name]}"
        if self.members[name] == WATCH:
            words = ["msgcode", "--store", str(self._room), WATCH]
        else:
            words = ["tests.soak.worker", self.members[name], name]
            words += [str(self._room), str(self._outside), seed, str(self._pace)]
            words += [str(limit)] if limit else []
        with open(self._outside / f"{name}.err", "ab") as errors:
            self._processes[name] = subprocess.Popen(
                [sys.executable, "-m", *words], env=self._environment(), start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors,
            )  # fmt: skip

    def _environment(self) -> dict[str, str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MSGCODE_")}
        if npm := os.environ.get("MSGCODE_TEST_NPM"):
            environment["MSGCODE_TEST_NPM"] = npm
        homes = {name: str(self._outside / "home") for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME")}
        return {**environment, **homes, "HOME": str(self._outside / "home")}

    def kill(self, name: str) -> bool:
        """End it at once; returns whether it ran."""
        process = self._processes.pop(name, None)
        self._paused.discard(name)
        if process:
            _signal(process, signal.SIGKILL)
            process.wait()
        return process is not None

    def kill_all(self) -> list[str]:
        """End all at once, as a power cut does; returns who ran."""
        running = list(self._processes)
        for process in self._processes.values():
            _signal(process, signal.SIGSTOP)
        for name in running:
            self.kill(name)
        return running

    def pause(self, name: str) -> bool:
        """Suspend it; returns whether it runs.

        Not a screen that is still coming up: until then Textual takes the end of a pause amiss.
        """
        process = self._processes.get(name)
        if not process or (self.members[name] == "screen" and not up(self._outside, name).exists()):
            return False
        self._paused.add(name)
        return _signal(process, signal.SIGSTOP)

    def resume(self, name: str) -> None:
        """Let it go on."""
        process = self._processes.get(name)
        if process and name in self._paused:
            _signal(process, signal.SIGCONT)
        self._paused.discard(name)

    def look_after(self) -> None:
        """Start again who has ended without having been killed, and take note of it."""
        for name, process in list(self._processes.items()):
            if process.poll() is not None:
                self._note(name, process.returncode)
                _signal(process, signal.SIGKILL)  # What it has left in its group.
                del self._processes[name]
                self.start(name)

    def _note(self, name: str, code: int) -> None:
        errors = (self._outside / f"{name}.err").read_text(errors="replace").strip()[-200:]
        # `msgcode watch` may say that it cannot read the room.
        if code != 0 and (self.members[name] != WATCH or code != 1 or "Traceback" in errors):
            self._ledger.write(BROKEN, by=name, text=f"it ended with {code}: {errors}")

    def end(self) -> None:
        """Let all end by themselves."""
        for name, process in self._processes.items():
            self.resume(name)
            process.terminate()
        deadline = time.monotonic() + _ENDS_WITHIN
        for name, process in list(self._processes.items()):
            try:
                code = process.wait(max(0, deadline - time.monotonic()))
                self._note(name, 0 if code == -signal.SIGTERM else code)  # Before it could listen.
            except subprocess.TimeoutExpired:
                self._ledger.write(BROKEN, by=name, text=f"it did not end within {_ENDS_WITHIN:.0f} s")
            self.kill(name)


def up(outside: Path, name: str) -> Path:
    """The file that a screen makes once it shows the room."""
    return outside / f"{name}.up"


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> bool:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return False
    return True
