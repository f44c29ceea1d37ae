"""Other processes that take part in a measurement, and the program that those in Python run.

They talk in lines of JSON: one question on standard input, one answer on standard output.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

from tests.bench.rooms import READER, SENDER, FloorRoom, MsgcodeRoom, Room, SqliteRoom
from tests.bench.row import FLOOR, OURS, SQLITE

ROOMS: dict[str, type[MsgcodeRoom | SqliteRoom | FloorRoom]] = {
    OURS: MsgcodeRoom,
    SQLITE: SqliteRoom,
    FLOOR: FloorRoom,
}


class Worker:
    """A process that answers questions. A context manager that ends it."""

    def __init__(self, command: list[str], env: dict[str, str] | None = None) -> None:
        self._process = subprocess.Popen(
            command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def tell(self, **question: object) -> None:
        """Ask without waiting for the answer, which `answer` then gives."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()

    def answer(self) -> Any:
        """The answer to the oldest question that is not answered yet. Raises EOFError if it died."""
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise EOFError(f"{self._process.args!r} ended with {self._process.wait()}")
        return json.loads(line)

    def ask(self, **question: object) -> Any:
        """Ask, and wait for the answer."""
        self.tell(**question)
        return self.answer()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, failure: object, *_: object) -> None:
        self._process.communicate()  # The end of its input ends it.
        if self._process.returncode and not failure:
            raise subprocess.CalledProcessError(self._process.returncode, self._process.args)


def python_worker(contender: str, folder: str, *, sync: bool) -> Worker:
    """A Worker that has one of ROOMS open."""
    return Worker([sys.executable, "-m", "tests.bench.worker", contender, folder, "sync" if sync else ""])


def main() -> None:
    contender, folder, sync = sys.argv[1:]
    room: Room = ROOMS[contender](folder, sync=bool(sync))
    for line in sys.stdin:
        question = json.loads(line)
        match question["do"]:
            case "open":
                answer: object = True
            case "write":
                answer = _write(room, question["at"], question["seconds"])
            case "send":
                before = time.monotonic()
                answer = [room.send(SENDER, READER), before]
        print(json.dumps(answer), flush=True)
    room.close()


def _write(room: Room, at: float, seconds: float) -> list[str]:
    """Send as fast as possible from the wall-clock time `at` on; returns the ids that were sent."""
    time.sleep(max(0, at - time.time()))
    deadline = time.monotonic() + seconds
    sent = []
    while time.monotonic() < deadline:
        sent.append(room.send(SENDER, READER))
    return sent


if __name__ == "__main__":
    main()
