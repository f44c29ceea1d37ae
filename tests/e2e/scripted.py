"""A model server whose answers are written down: what any agent program talks to in these tests.

A script is a plain function from a `Turn` (what the program has told the model so far) to an answer. It knows
nothing of HTTP, nor of which vendor's API the program speaks: a `Wire` translates.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from types import TracebackType
from typing import Any, NamedTuple, Protocol, Self

WAIT = 40.0
"""Seconds within which a request that a test waits for has to come."""

USER = "user"
"""The kind of a text that came from the user; of a tool's result it is the tool's name."""


class Entry(NamedTuple):
    """A text that the model is told: what a user said, or what a tool answered."""

    kind: str
    text: str


@dataclass(frozen=True)
class Say:
    """The model says this, which ends its turn."""

    text: str


@dataclass(frozen=True)
class Call:
    """The model calls a tool."""

    tool: str
    arguments: Mapping[str, object]


class Calls:
    """The model calls several tools at once."""

    def __init__(self, *calls: Call) -> None:
        self.calls = calls


@dataclass(frozen=True)
class Fail:
    """The model server refuses with this HTTP status; a program tries 429 and 5xx again, after that time."""

    status: int
    message: str
    retry_after: float = 0.1
    """Seconds."""


Answer = Say | Call | Calls | Fail


@dataclass(frozen=True)
class Told:
    """A request as a wire reads it: the session, the texts in order, the schema of each tool by name.

    A program's own chores (a title, a summary) come without tools.
    """

    session: str
    entries: tuple[Entry, ...]
    tools: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Turn:
    """One request to the model, and what it answers to."""

    session: str
    at: float
    """When it came (`time.monotonic()`)."""
    entries: tuple[Entry, ...]
    """All that the model is told, oldest first."""
    new: tuple[Entry, ...]
    """Those that were not in the session's previous request."""
    tools: Mapping[str, Mapping[str, Any]]
    """The JSON schema of the arguments of each tool offered, by name."""

    @property
    def text(self) -> str:
        """The newest text."""
        return self.entries[-1].text

    @property
    def tool(self) -> str | None:
        """The tool that `text` is the result of; None if a user said it."""
        kind = self.entries[-1].kind
        return None if kind == USER else kind

    @property
    def texts(self) -> list[str]:
        """What users said."""
        return [entry.text for entry in self.entries if entry.kind == USER]

    @property
    def results(self) -> list[Entry]:
        """What tools answered; the kind of each is the tool's name."""
        return [entry for entry in self.entries if entry.kind != USER]


Script = Callable[[Turn], Answer]


def say_ok(turn: Turn) -> Answer:
    """The script of a session that no other script was given for."""
    return Say("ok")


class Wire(Protocol):
    """One vendor's API: requests to `Told`, answers to a stream."""

    def takes(self, path: str) -> bool:
        """Whether a POST to this path speaks it."""

    def read(self, headers: Mapping[str, str], body: Any) -> Told:
        """What a request says."""

    def write(self, answer: Say | Calls, out: BufferedIOBase) -> None:
        """Stream the answer as server-sent events."""


def since(entries: tuple[Entry, ...], before: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """Those entries that were not there before.

    They are not merely what is longer: a text that is posted while a request is being made comes to stand
    before that request's answer, and a program may shorten its history.
    """
    had = Counter(before)
    fresh = []
    for entry in entries:
        if had[entry]:
            had[entry] -= 1
        else:
            fresh.append(entry)
    return tuple(fresh)


class HTTPAnswer(BaseHTTPRequestHandler):
    """The two ways to answer a request."""

    def stream(self) -> BufferedIOBase:
        """Begin a stream of server-sent events, which ends with the connection."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        return self.wfile

    def refuse(self, failure: Fail) -> None:
        """Answer with an HTTP error, in the form that all vendors' clients find the message in."""
        body = json.dumps({"error": {"message": failure.message}}).encode()
        self.send_response(failure.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Retry-After-Ms", str(round(failure.retry_after * 1000)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *values: object) -> None:
        """Keep quiet."""


class ModelServer:
    """A scripted model on a free port of the loopback interface, from `with` until its end.

    Each request has a thread of its own, so a script that blocks holds up its own session only. A script that
    raises, an assertion for example, makes `wait_for` raise the same, and the end of `with`.
    """

    def __init__(self, *wires: Wire) -> None:
        self._wires = wires
        self._scripts: list[tuple[str, Script]] = []
        self._playing: dict[str, Script] = {}
        self._turns: list[Turn] = []
        self._failures: list[Exception] = []
        self._changed = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """Where it listens, without any API's path."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def requests(self) -> list[Turn]:
        """What has come so far, oldest first, without the programs' own chores (titles, summaries)."""
        with self._changed:
            return list(self._turns)

    def play(self, marker: str, script: Script) -> None:
        """Let the script answer for the sessions whose first user text contains the marker.

        Of several markers that occur, the last one given counts. A session keeps the script it began with.
        """
        with self._changed:
            self._scripts.insert(0, (marker, script))

    def wait_for(self, predicate: Callable[[Turn], object], timeout: float = WAIT) -> Turn:
        """The first request, of those that came and those to come, for which the predicate holds.

        Raises AssertionError, which tells what there was, after `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        seen = 0
        with self._changed:
            while True:
                self.raise_failure()
                for turn in self._turns[seen:]:
                    if predicate(turn):
                        return turn
                seen = len(self._turns)
                if not self._changed.wait(deadline - time.monotonic()):
                    told = "\n".join(f"{turn.session}: {turn.new}" for turn in self._turns)
                    raise AssertionError(f"no such request in {timeout} s; there were:\n{told}")

    def raise_failure(self) -> None:
        """Raise what a script raised, once."""
        with self._changed:
            if self._failures:
                raise self._failures.pop()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        if error is None:
            self.raise_failure()

    def _take(self, told: Told) -> Say | Calls | Fail:
        if not told.tools:
            return Say("A scripted session")
        with self._changed:
            earlier = [turn for turn in self._turns if turn.session == told.session]
            new = since(told.entries, earlier[-1].entries if earlier else ())
            turn = Turn(told.session, time.monotonic(), told.entries, new, told.tools)
            self._turns.append(turn)
            self._changed.notify_all()
            if turn.session not in self._playing:
                scripts = (script for marker, script in self._scripts if marker in turn.texts[0])
                self._playing[turn.session] = next(scripts, say_ok)
            script = self._playing[turn.session]
        answer = script(turn)
        return Calls(answer) if isinstance(answer, Call) else answer

    def _answer(self, path: str, headers: Mapping[str, str], body: bytes, out: HTTPAnswer) -> None:
        try:
            wire = next(wire for wire in self._wires if wire.takes(path))
            answer = self._take(wire.read(headers, json.loads(body)))
        except Exception as error:
            error.add_note(f"in the scripted model, for a request to {path}")
            with self._changed:
                self._failures.append(error)
                self._changed.notify_all()
            answer = Fail(400, f"{type(error).__name__}: {error}")
        if isinstance(answer, Fail):
            out.refuse(answer)
        else:
            wire.write(answer, out.stream())

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        model = self

        class Handler(HTTPAnswer):
            def do_POST(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                body = self.rfile.read(int(headers["content-length"]))
                try:
                    model._answer(self.path, headers, body, self)
                except (BrokenPipeError, ConnectionResetError):
                    pass  # The program hung up: its turn was aborted, or it was killed.

        return Handler
