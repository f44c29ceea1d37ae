"""A crew of scripted agents on a real store, so that there is something to see at once.

They do what agents do: register, say what they are at, check their inboxes, answer, acknowledge. A coder
and a reviewer go to and fro until it looks good, a backend tells #api-changes, a scanner finds a leaked key
and a fixer sees to it. Who writes to one of them gets an answer.
"""

from __future__ import annotations

import random
import tempfile
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgcode import Activity, Message, MsgcodeError, Store
from msgcode_tui.live import Live

CREW = {
    "coder": "writes the code",
    "reviewer": "reads every change",
    "backend": "owns the HTTP API",
    "frontend": "owns the web client",
    "docs": "keeps the handbook true",
    "scanner": "looks for secrets and known holes",
    "fixer": "sees to what the scanner finds",
}
CHANNEL = "api-changes"

STARTS_AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
"""When a staged room begins."""

_TICK = 1.0
"""Seconds between two looks of the crew at whether a human has written."""


class Crew:
    """The agents of the demo on a store. Nothing happens by itself: `play` and `tick` do it."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def play(self) -> Iterator[float]:
        """Play the script: yields how many seconds to wait, and goes on when asked for the next."""
        self._enrol()
        review = self._send(
            "coder",
            "reviewer",
            "The tokenizer now reads the file in chunks of 64 KiB instead of all at once.\n"
            "Peak memory on the big fixture went from 410 MB to 38 MB.\n\n"
            "Please look at `Tokenizer._refill` above all: it has to keep a token that straddles two chunks.",
            subject="Review: streaming tokenizer",
        )
        yield 0.4
        self._busy("reviewer", "reading tokenizer.py")
        self._read("reviewer", review)
        announcement = self.store.broadcast(
            "backend",
            CHANNEL,
            "From Monday GET /users answers in pages of 100. Without `?page=` you get the first.",
            subject="GET /users is paged",
            priority="high",
        )
        yield 2
        self._read("frontend", announcement)
        leak = self._send(
            "scanner",
            "fixer",
            "There is an API key in src/config.py, line 15, and it is on the main branch since 08:52.",
            subject="Leaked key in src/config.py:15",
            priority="urgent",
            metadata={"file": "src/config.py", "line": "15"},
        )
        yield 2
        self._busy("fixer", "rotating the key")
        self._read("fixer", leak, done=False)
        review = self._reply(
            "reviewer",
            review,
            "Two things before this can go in:\n"
            "1. `_refill` drops the carriage return when CR LF is split by a chunk.\n"
            "2. There is no test with a token longer than a chunk.",
        )
        yield 3
        self._busy("coder", "fixing _refill")
        self._read("coder", review)
        self._reply(
            "frontend", announcement, "Does the answer say how many pages there are? The table needs a total."
        )
        yield 3
        self._read("backend")
        count = self._send("backend", "frontend", "Yes: the header X-Total-Count. It is on staging now.")
        yield 2
        self._read("frontend", count)
        self._idle("frontend")
        leak = self._reply(
            "fixer",
            leak,
            "The key is revoked, and the code reads it from the environment: 4f2c1ab.",
        )
        yield 3
        review = self._reply(
            "coder",
            review,
            "Both done. The chunk size is now a parameter, and the test runs with 1, 2 and 3 bytes:\n\n"
            "```python\n"
            '@pytest.mark.parametrize("size", [1, 2, 3])\n'
            "def test_a_token_longer_than_a_chunk(size: int) -> None:\n"
            '    tokens = Tokenizer(BytesIO(b"alpha\\r\\n"), chunk=size)\n'
            '    assert list(tokens) == [Word("alpha"), NEWLINE]\n'
            "```",
        )
        self._idle("coder")
        yield 2
        self._read("scanner", leak)
        self._reply("scanner", leak, "Scanned again: nothing left, in the tree or in the history since v2.3.")
        self._idle("fixer")
        yield 3
        self._read("reviewer", review)
        review = self._reply(
            "reviewer", review, "Good. One more: the error for a bad escape names the wrong line."
        )
        yield 3
        self._read("coder", review)
        self._busy("coder", "fixing the line number")
        self._send("coder", "docs", "Please add the chunk size to the handbook.", priority="low")
        yield 3
        self.store.send(
            "coder",
            "human",
            "The tokenizer is nearly through review. May I merge it today, or does it wait for the release?",
            subject="Merge today?",
            priority="high",
            metadata={
                "choices": "today | after the release",
                "default": "after the release",
                "deadline": "60",
            },
        )
        yield 2
        review = self._reply("coder", review, "Fixed, with a test.")
        yield 4
        self._read("reviewer", review)
        review = self._reply("reviewer", review, "LGTM.")
        self._idle("reviewer")
        yield 2
        self._read("coder", review)
        self._idle("coder")
        self._read("fixer")
        yield 3
        self.store.broadcast(
            "backend", CHANNEL, "POST /sessions now answers 201 instead of 200. Old clients keep working."
        )
        yield 4
        self._read("frontend")

    def tick(self) -> None:
        """Keep everybody online, and answer humans who have written."""
        for agent in CREW:
            self.store.seen(agent)
            for message in self.store.inbox(agent):
                if message.human and agent != "docs":
                    self._read(agent, message)
                    self._reply(agent, message, f"Understood. ({agent} is scripted: this is all it says.)")

    def _enrol(self) -> None:
        for agent, description in CREW.items():
            self.store.register(agent, agent.capitalize(), description)
            self._idle(agent)
        self.store.create_channel(CHANNEL, "backend", description="What changes in the HTTP API")
        for member in ("frontend", "docs"):
            self.store.join(CHANNEL, member)
        self.store.set_presence("docs", Activity.BLOCKED, "waiting for permission to write docs/api.md")
        self.store.set_presence("frontend", Activity.BUSY, "rebuilding the user table")

    def _send(self, sender: str, to: str, body: str, **more: object) -> Message:
        return self.store.send(sender, to, body, **more)  # type: ignore[arg-type]

    def _reply(self, sender: str, origin: Message, body: str) -> Message:
        return self.store.send(sender, origin.sender, body, reply_to=origin.id)

    def _read(self, agent: str, *messages: Message, done: bool = True) -> None:
        """The agent reads its inbox, and is done with these messages; with none given, with all."""
        found = self.store.check(agent)
        finished = [message.id for message in messages or found]
        if done and finished:
            self.store.acknowledge(agent, *finished)

    def _busy(self, agent: str, reason: str) -> None:
        self.store.set_presence(agent, Activity.BUSY, reason)

    def _idle(self, agent: str) -> None:
        self.store.set_presence(agent, Activity.IDLE)


@contextmanager
def running_crew(*, pace: float = 1.0) -> Iterator[str]:
    """A crew at work in a thread; gives the folder of its store, which is deleted at the end.

    pace: by how much its pauses are stretched; 0 for none at all.
    """
    with tempfile.TemporaryDirectory(prefix="msgcode-demo-", ignore_cleanup_errors=True) as folder:
        stop = threading.Event()
        thread = threading.Thread(target=_work, args=(folder, stop, pace), name="demo crew")
        thread.start()
        try:
            yield folder
        finally:
            stop.set()
            thread.join()


def _work(folder: str, stop: threading.Event, pace: float) -> None:
    with Store.open(folder, sync=False) as store:
        crew = Crew(store)
        try:
            for pause in crew.play():
                left = pause * pace
                while left > 0 and not stop.wait(min(left, _TICK)):
                    crew.tick()
                    left -= _TICK
                if stop.is_set():
                    return
            while not stop.wait(_TICK):
                crew.tick()
        except MsgcodeError:
            return  # Somebody has deleted the room, or thrown the crew out: the show is over.


class Stage:
    """The room of the demo, played by hand and the same each time: its clock and its ids are pinned.

    folder: where its store is made; it must not exist. A context manager, which closes the store.
    """

    def __init__(self, folder: Path) -> None:
        self._moment = self._next = STARTS_AT
        ids = random.Random(7)

        def new_id() -> str:
            return f"{ids.getrandbits(32):08x}-0000-4000-8000-{ids.getrandbits(48):012x}"

        self.store = Store.open(folder, sync=False, clock=self.clock, new_id=new_id)
        self._script = Crew(self.store).play()

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *_: object) -> None:
        self.store.close()

    def clock(self) -> datetime:
        """The time on stage, which stands still between two calls of `play_until`."""
        return self._moment

    def play_until(self, seconds: float) -> None:
        """Play what is in the first `seconds` of the script."""
        end = STARTS_AT + timedelta(seconds=seconds)
        while self._next <= end:
            self._moment = self._next
            pause = next(self._script, None)
            if pause is None:
                break
            self._next += timedelta(seconds=pause)
        self._moment = end
        for agent in self.store.agents():  # Its user too, whom the jump would leave behind.
            self.store.seen(agent.id)

    def is_shown(self, live: Live) -> bool:
        """Whether its user is there, and it has taken in all that has happened."""
        last = deque(self.store.history(), maxlen=1)[0].seq
        agents = [agent.id for agent in self.store.agents()]
        presences = {agent: self.store.presence(agent) for agent in agents}
        return live.me in agents and (live.state.seq, live.presences) == (last, presences)
