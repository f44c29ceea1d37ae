"""From another process's send until `Store.watch` has yielded it in this one."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator

from msgcode import Store
from msgcode.events import MessageSent
from tests.bench.progress import progress
from tests.bench.row import OURS, Row, Target, percentile
from tests.bench.scale import Scale
from tests.bench.worker import Worker, python_worker


def rows(scale: Scale) -> Iterator[Row]:
    """Median and 95th percentile of the time from before the call of `send`, which syncs, to the yield."""
    progress("wake-up")
    with tempfile.TemporaryDirectory() as folder, python_worker(OURS, folder, sync=True) as sender:
        sender.ask(do="open")
        delays = asyncio.run(_delays(folder, sender, scale.wakes))
    median = statistics.median(delays)
    target = Target(median, most=5, unit=" ms")
    what, runs = "another process's send, synced, to watch", str(scale.wakes)
    yield Row(f"{what}: median", "ms", {OURS: median}, target=target, runs=runs)
    yield Row(f"{what}: 95th percentile", "ms", {OURS: percentile(delays, 0.95)}, runs=runs)


async def _delays(folder: str, sender: Worker, count: int) -> list[float]:
    delays = []
    with Store.open(folder) as store:
        arrivals: asyncio.Queue[tuple[str, float]] = asyncio.Queue()

        async def watch() -> None:
            async for events in store.watch():
                moment = time.monotonic()  # One clock for all processes, on Linux and on macOS.
                for event in events:
                    if isinstance(event.fact, MessageSent):
                        arrivals.put_nowait((event.fact.id, moment))

        watching = asyncio.create_task(watch())
        try:
            for number in range(count):
                id, before = await asyncio.to_thread(sender.ask, do="send")
                async with asyncio.timeout(10):
                    arrived, moment = await arrivals.get()
                assert arrived == id
                delays.append(1000 * (moment - before))
                await asyncio.sleep(0.01 + number % 7 / 1000)  # At no fixed phase to the watcher's steps.
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
    return delays
