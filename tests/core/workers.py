"""What the processes of test_races.py do: `python -m tests.core.workers ROLE ROOM ...`.

Each prints one line for each thing it has done, after the verb returned, and flushes it.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable

from msgcode import Refused, Store, Unavailable
from msgcode.events import MessageSent
from msgcode.journal.reader import Position


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def send(room: str, sender: str, count: str, size: str) -> None:
    """Send messages as fast as it goes."""
    with Store.open(room, sync=False) as store:
        say("ready")
        for number in range(int(count)):
            body = f"{sender} {number} ".ljust(int(size), "x")
            say(store.send(sender, "reader", body).id)


def follow(room: str, count: str) -> None:
    """Print what is sent as it comes, until there have been so many."""

    async def run() -> None:
        left = int(count)
        with Store.open(room, sync=False) as store:
            events = store.watch(Position())
            say("ready")
            while left:
                for event in await anext(events):
                    if isinstance(event.fact, MessageSent):
                        say(f"{event.seq} {event.fact.id}")
                        left -= 1
            await events.aclose()  # type: ignore[attr-defined]

    asyncio.run(run())


def deliver(room: str, deliverer: str, count: str, lease: str) -> None:
    """Claim and confirm, all there is, until so many have been delivered by anybody."""
    with Store.open(room, sync=False) as store:
        say("ready")
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            for message in store.claim("reader", deliverer, limit=3, lease=float(lease)):
                say(message.id)
                store.confirm("reader", message.id, deliverer)
            delivered = [m for m in store.messages() if m.deliveries["reader"].status == "delivered"]
            if len(delivered) == int(count):
                return


def hold(room: str) -> None:
    """Hold the room's lock until standard input ends."""
    with Store.open(room, sync=False) as store, store._journal._journal._lock:  # type: ignore[attr-defined]
        say("ready")
        sys.stdin.read()


def survive(room: str, agent: str, stop: str) -> None:
    """Go on in a room that is deleted again and again, until `stop` exists; then say what one sees."""
    with Store.open(room, sync=False) as store:
        say("ready")
        while not os.path.exists(stop):
            try:
                store.register(agent)
                store.send(agent, "reader", "hello")
                store.inbox("reader")
            except (Refused, Unavailable):
                pass  # The room went away in the middle of it.
        store.register(agent)
        say("settled")
        sys.stdin.readline()
        say(" ".join(agent.id for agent in store.agents()))
        say(" ".join(message.id for message in store.messages()))


if __name__ == "__main__":
    roles: dict[str, Callable[..., None]] = {
        "send": send,
        "follow": follow,
        "deliver": deliver,
        "hold": hold,
        "survive": survive,
    }
    roles[sys.argv[1]](*sys.argv[2:])
