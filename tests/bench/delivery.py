"""From an agent's send tool call to its recipient's model: two real OpenCodes for each system, in turns."""

from __future__ import annotations

import os
import random
import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from msgcode import Store
from tests.bench import oh_my_msgcode
from tests.bench.progress import progress
from tests.bench.row import OH_MY, OURS, Row, Target, medians, percentile
from tests.bench.scale import Scale
from tests.e2e.chat_completions import ChatCompletions
from tests.e2e.conftest import wait_until
from tests.e2e.opencode import OpenCodeHome, OpenCodeServer
from tests.e2e.scripted import USER, Answer, Call, ModelServer, Say, Script, Turn

WAIT = 30.0
"""Seconds within which a message must have arrived."""

OH_MY_LOOKS_EVERY = 5.0
"""Seconds between two looks of oh-my-msgcode."""

MEDIAN, WORST = "median", "95th percentile"
"""What is given of the delays."""

STEP = 0.3
"""Seconds that each step of a busy recipient's turn takes, at least: it runs `sleep`."""


def available() -> bool:
    """Whether there is an OpenCode to measure with."""
    return "MSGCODE_TEST_NPM" in os.environ or shutil.which("opencode") is not None


def title(*, busy: bool) -> str:
    """What is measured."""
    state = f"a busy recipient's model (steps of {STEP} s)" if busy else "an idle recipient's model"
    return f"send tool call to {state}"


def rows(scale: Scale) -> Iterator[Row]:
    """Median and 95th percentile, to an idle recipient and to a busy one."""
    if not scale.deliveries or not available():
        return
    with ExitStack() as stack:
        model = stack.enter_context(ModelServer(ChatCompletions()))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        progress("starting OpenCode")
        pairs = [Pair(stack, model, folder / "ours", OURS)]
        plugin = oh_my_msgcode.plugin() if scale.others else None
        if plugin:
            pairs.append(Pair(stack, model, folder / "oh-my-msgcode", OH_MY, plugin=[plugin.as_uri()]))
        for busy in (False, True):
            delays = defaultdict(list)
            for number in range(scale.deliveries):
                progress(f"{title(busy=busy)}, {number} of {scale.deliveries}")
                for pair in pairs:
                    delays[pair.name].append(pair.delay(busy=busy))
            yield from _rows(title(busy=busy), delays)
        (ours, *_) = pairs
        released = [ours.release_delay() for _ in range(scale.deliveries)]
        yield from _rows("release of a hold to an idle recipient's model", {OURS: released})


def _rows(what: str, delays: Mapping[str, Sequence[float]]) -> Iterator[Row]:
    runs = str(len(delays[OURS]))
    figures = medians(delays)
    target = Target(figures[OURS], most=250, unit=" ms") if what == title(busy=False) else None
    yield Row(f"{what}: {MEDIAN}", "ms", figures, target=target, runs=runs)
    if target and OH_MY in figures:
        ratio = figures[OH_MY] / figures[OURS]
        least = Target(ratio, least=8, unit=" x")
        yield Row("... oh-my-msgcode's over ours", "x", {OURS: ratio}, target=least, runs=runs)
    worst = {name: percentile(found, 0.95) for name, found in delays.items()}
    yield Row(f"{what}: {WORST}", "ms", worst, runs=runs)


class Pair:
    """A sender and a recipient, each in an OpenCode of its own, with one system's plugin."""

    def __init__(
        self, stack: ExitStack, model: ModelServer, folder: Path, name: str, **config: object
    ) -> None:
        self.name = name
        self._room = folder / "room"
        self._model = model
        self._count = 0
        self._random = random.Random(0)
        self._works = False
        home = OpenCodeHome(folder / "home", model.url, self._room, **config)
        if name == OURS:
            home.install_msgcode()
        self._servers = [OpenCodeServer(home, role) for role in ("sender", "recipient")]
        for server in self._servers:
            stack.callback(server.stop)
        self._sender, self._recipient = (
            self._registered(server, role, script)
            for server, role, script in zip(
                self._servers, ("sender", "recipient"), (self._send, self._receive), strict=True
            )
        )

    def delay(self, *, busy: bool) -> float:
        """Milliseconds from one call of the send tool until the recipient's model has the message."""
        self._count += 1
        self._works = busy
        if self.name == OH_MY:
            # It looks for messages at a fixed rate, so they must come at any phase of it.
            time.sleep(self._random.uniform(0, OH_MY_LOOKS_EVERY))
        sender, recipient = self._servers
        if busy:
            task = f"Work on task {self._count}."
            recipient.prompt(self._recipient, task)
            self._model.wait_for(
                lambda turn: turn.session == self._recipient and turn.tool == "bash" and task in turn.texts
            )
        sender.prompt(self._sender, f"Send it number {self._count}.")
        sent = self._first(self._sender, f"Send it number {self._count}.")
        arrived = self._first(self._recipient, self._token)
        self._works = False
        sender.wait_until_idle(self._sender)
        wait_until(lambda: not recipient.status(), lambda: "a session is still busy")
        return 1000 * (arrived.at - sent.at)

    def release_delay(self) -> float:
        """Milliseconds from the call of `Store.release` until the recipient's model has what was held."""
        self._count += 1
        with Store.open(self._room) as store:
            store.register("human", human=True)
            store.hold("human")
            store.send("human", "recipient", self._token)
            before = time.monotonic()
            store.release("human")
        arrived = self._first(self._recipient, self._token)
        wait_until(lambda: not self._servers[1].status(), lambda: "the recipient is still busy")
        return 1000 * (arrived.at - before)

    @property
    def _token(self) -> str:
        return f"<{self.name} number {self._count}>"

    def _first(self, session: str, text: str) -> Turn:
        """The session's first request that has the text in what a user said."""
        return self._model.wait_for(
            lambda turn: (
                turn.session == session
                and any(entry.kind == USER and text in entry.text for entry in turn.new)
            ),
            timeout=WAIT,
        )

    def _registered(self, server: OpenCodeServer, role: str, script: Script) -> str:
        hello = f"You are the {role} of {self.name}."
        self._model.play(hello, script)
        session = server.session()
        server.prompt(session, hello)
        server.wait_until_idle(session)
        return session

    def _send(self, turn: Turn) -> Answer:
        if turn.tool is None and len(turn.texts) == 1:
            return Call("register_agent", {"agent_id": "sender", "name": "Sender"})
        if turn.tool is None and turn.text.startswith("Send it"):
            return Call("send_message", {"from": "sender", "to": "recipient", "body": self._token})
        return Say("Done.")

    def _receive(self, turn: Turn) -> Answer:
        if turn.tool is None and len(turn.texts) == 1:
            return Call("register_agent", {"agent_id": "recipient", "name": "Recipient"})
        if self._works:
            return Call("bash", {"command": f"sleep {STEP}", "description": "work"})
        return Say("Done.")
