"""Claim, inject, confirm: on a real store, with an injection that does what the test wants."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from msgcode import Store
from msgcode.errors import Unavailable
from msgcode.events import (
    Event,
    MessageAcknowledged,
    MessageClaimed,
    MessageDelivered,
    MessageFailed,
    MessageSent,
)
from msgcode.harness import delivery
from msgcode.harness.delivery import Deliverer, NotInjected
from msgcode.model import Message, Status
from msgcode.text import visible_line

BY = "opencode ses_1"


class Harness:
    """What a deliverer injects into: it takes everything, unless `refuse` or `hold` say otherwise."""

    def __init__(self) -> None:
        self.given: list[list[str]] = []
        self.more: list[int] = []
        self.statuses: list[Status] = []
        self.is_ready = True
        self.refuse: list[Exception] = []
        self.taken: Callable[[list[str]], Collection[str]] = lambda ids: ids
        self.hold: asyncio.Event | None = None
        self.came = asyncio.Event()
        self.changed = asyncio.Event()

    async def inject(self, messages: list[Message], more: int) -> Collection[str]:
        self.given.append([message.body for message in messages])
        self.more.append(more)
        self.statuses += [message.deliveries["bob"].status for message in messages]
        self.came.set()
        self.changed.set()
        if self.hold:
            await self.hold.wait()
        if self.refuse:
            raise self.refuse.pop(0)
        return self.taken([message.id for message in messages])

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                self.changed.clear()
                await self.changed.wait()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "room", sync=False) as store:
        store.register("ann")
        store.register("bob")
        yield store


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as executor:
        yield executor


@pytest.fixture(autouse=True)
def no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "BACK_OFF", (0.01, 0.02))


@asynccontextmanager
async def delivering(
    store: Store, harness: Harness, executor: ThreadPoolExecutor
) -> AsyncIterator[tuple[Deliverer, asyncio.Task[None]]]:
    deliverer = Deliverer(store, "bob", BY, harness.inject, lambda: harness.is_ready, executor)
    task = asyncio.create_task(deliverer.run())
    try:
        yield deliverer, task
    finally:
        task.cancel()
        await asyncio.wait([task])


def life(store: Store, id: str) -> list[str]:
    """What has happened to the message, as the types of the facts about it."""
    names = {
        MessageSent: "sent",
        MessageClaimed: "claimed",
        MessageDelivered: "delivered",
        MessageFailed: "failed",
        MessageAcknowledged: "acknowledged",
    }
    return [names[type(event.fact)] for event in store.history() if getattr(event.fact, "id", None) == id]


async def until_status(store: Store, id: str, status: Status) -> Message:
    """The message, as soon as it has come this far."""
    async with asyncio.timeout(10):
        while store.message(id).deliveries["bob"].status is not status:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    return store.message(id)


def failures(events: Iterator[Event]) -> list[str]:
    return [event.fact.reason for event in events if isinstance(event.fact, MessageFailed)]


async def test_delivered_is_written_only_after_the_harness_took_it(
    store: Store, executor: ThreadPoolExecutor
) -> None:
    sent = store.send("ann", "bob", "hi")
    harness = Harness()
    harness.hold = asyncio.Event()
    async with delivering(store, harness, executor):
        await asyncio.wait_for(harness.came.wait(), 10)
        assert life(store, sent.id) == ["sent", "claimed"]
        assert store.message(sent.id).deliveries["bob"].by == BY
        harness.hold.set()
        message = await until_status(store, sent.id, Status.DELIVERED)
    assert life(store, sent.id) == ["sent", "claimed", "delivered"]
    assert message.deliveries["bob"].by == BY
    assert harness.given == [["hi"]]
    assert harness.more == [0]
    assert harness.statuses == [Status.CLAIMED]


async def test_all_that_waits_comes_in_one_prompt_urgent_first(
    store: Store, executor: ThreadPoolExecutor
) -> None:
    for body, priority in (("a", "normal"), ("b", "urgent"), ("c", "low"), ("d", "normal")):
        store.send("ann", "bob", body, priority=priority)
    harness = Harness()
    async with delivering(store, harness, executor):
        await harness.until(lambda: bool(harness.given))
    assert harness.given == [["b", "a", "d", "c"]]


async def test_what_comes_later_waits_for_a_wake_up(store: Store, executor: ThreadPoolExecutor) -> None:
    harness = Harness()
    async with delivering(store, harness, executor) as (deliverer, task):
        await idle(executor)
        for body in ("one", "two", "three"):
            store.send("ann", "bob", body)
            deliverer.wake()
            await harness.until(lambda body=body: harness.given[-1:] == [[body]])  # type: ignore[misc]
        assert not task.done()
    assert harness.given == [["one"], ["two"], ["three"]]


async def test_a_wake_up_during_an_injection_is_not_lost(store: Store, executor: ThreadPoolExecutor) -> None:
    store.send("ann", "bob", "one")
    harness = Harness()
    harness.hold = asyncio.Event()
    async with delivering(store, harness, executor) as (deliverer, _):
        await harness.until(lambda: len(harness.given) == 1)
        store.send("ann", "bob", "two")
        deliverer.wake()
        harness.hold.set()
        await harness.until(lambda: len(harness.given) == 2)
    assert harness.given == [["one"], ["two"]]


async def test_nothing_is_claimed_for_a_session_that_is_not_ready(
    store: Store, executor: ThreadPoolExecutor
) -> None:
    sent = store.send("ann", "bob", "hi")
    harness = Harness()
    harness.is_ready = False
    async with delivering(store, harness, executor) as (deliverer, _):
        for _ in range(3):
            deliverer.wake()
            await idle(executor)
        assert life(store, sent.id) == ["sent"]
        harness.is_ready = True
        deliverer.wake()
        await until_status(store, sent.id, Status.DELIVERED)


async def test_a_failure_is_recorded_with_its_reason_and_tried_again(
    store: Store, executor: ThreadPoolExecutor
) -> None:
    sent = store.send("ann", "bob", "hi")
    harness = Harness()
    harness.refuse = [NotInjected("OpenCode said no"), NotInjected("and no again")]
    async with delivering(store, harness, executor):
        message = await until_status(store, sent.id, Status.DELIVERED)
    assert life(store, sent.id) == ["sent", "claimed", "failed", "claimed", "failed", "claimed", "delivered"]
    assert message.deliveries["bob"].failures == ("OpenCode said no", "and no again")
    assert message.deliveries["bob"].claims == 3


@pytest.mark.parametrize(
    "reason", ["Error: no\n    at chat.message (plugin.js:13)", "x" * 5000, "half \ud800", "\x1b[2J", "\r\n"]
)
async def test_a_reason_of_any_text_is_recorded(
    store: Store, executor: ThreadPoolExecutor, reason: str
) -> None:
    """One that could not be recorded left the message claimed until the lease ran out."""
    sent = store.send("ann", "bob", "hi")
    harness = Harness()
    harness.refuse = [NotInjected(reason)]
    async with delivering(store, harness, executor):
        await until_status(store, sent.id, Status.DELIVERED)
    assert life(store, sent.id) == ["sent", "claimed", "failed", "claimed", "delivered"]
    (recorded,) = failures(store.history())
    assert recorded == visible_line(reason)[:500]


async def test_the_pauses_grow_and_a_success_makes_them_short_again(
    store: Store, executor: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "BACK_OFF", (0.03, 0.12))
    harness = Harness()
    harness.refuse = [NotInjected("no")] * 3
    moments: list[float] = []
    inject = harness.inject

    async def timed(messages: list[Message], more: int) -> Collection[str]:
        moments.append(time.monotonic())
        return await inject(messages, more)

    monkeypatch.setattr(harness, "inject", timed)
    first = store.send("ann", "bob", "hi")
    async with delivering(store, harness, executor) as (deliverer, _):
        await until_status(store, first.id, Status.DELIVERED)
        pauses = [later - earlier for earlier, later in itertools.pairwise(moments)]
        assert len(pauses) == 3
        assert all(pause >= least for pause, least in zip(pauses, (0.03, 0.12, 0.12), strict=True))
        harness.refuse = [NotInjected("no")]
        second = store.send("ann", "bob", "again")
        deliverer.wake()
        await until_status(store, second.id, Status.DELIVERED)
    assert moments[-1] - moments[-2] >= 0.03
    assert len(moments) == 6


async def test_waking_does_not_cut_a_pause_short(
    store: Store, executor: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "BACK_OFF", (30.0,))
    sent = store.send("ann", "bob", "hi")
    harness = Harness()
    harness.refuse = [NotInjected("no")]
    async with delivering(store, harness, executor) as (deliverer, _):
        await harness.until(lambda: bool(harness.given))
        for _ in range(20):
            deliverer.wake()
            await idle(executor)
    assert life(store, sent.id) == ["sent", "claimed", "failed"]


async def test_the_claim_of_a_deliverer_that_died_lapses(
    store: Store, executor: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = store.send("ann", "bob", "hi")
    store.claim("bob", "opencode dead", lease=0.3)
    harness = Harness()
    async with delivering(store, harness, executor):
        # Nobody wakes it: it knows itself when the lease runs out.
        message = await until_status(store, sent.id, Status.DELIVERED)
    assert life(store, sent.id) == ["sent", "claimed", "claimed", "delivered"]
    assert message.deliveries["bob"].claims == 2, "so that the injection looks whether it is there already"


async def test_what_the_harness_did_not_take_is_offered_again(
    store: Store, executor: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "LEASE", 0.2)
    one, two = store.send("ann", "bob", "one"), store.send("ann", "bob", "two")
    harness = Harness()
    harness.taken = lambda ids: ids[:1]
    async with delivering(store, harness, executor):
        await until_status(store, two.id, Status.DELIVERED)
    assert harness.given == [["one", "two"], ["two"]]
    assert life(store, one.id) == ["sent", "claimed", "delivered"]


async def test_cancelling_gives_the_claim_back(store: Store, executor: ThreadPoolExecutor) -> None:
    sent = store.send("ann", "bob", "hi")
    harness = Harness()
    harness.hold = asyncio.Event()
    async with delivering(store, harness, executor) as (_, task):
        await harness.until(lambda: bool(harness.given))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await idle(executor)
    assert life(store, sent.id) == ["sent", "claimed", "failed"]
    assert "ended before it had taken" in store.message(sent.id).deliveries["bob"].failures[0]
    assert [message.id for message in store.undelivered("bob")] == [sent.id], "at once, not after the lease"


async def test_cancelling_while_it_claims_gives_the_claim_back(
    store: Store, executor: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = store.send("ann", "bob", "hi")
    claiming, go_on = threading.Event(), threading.Event()
    claim = store.claim

    def slow(*args: object, **options: object) -> list[Message]:
        claiming.set()
        assert go_on.wait(10)
        return claim(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "claim", slow)
    harness = Harness()
    async with delivering(store, harness, executor) as (_, task):
        assert await asyncio.to_thread(claiming.wait, 10)
        task.cancel()
        await asyncio.wait([task])
        go_on.set()
    await idle(executor)
    assert harness.given == []
    assert life(store, sent.id) in (["sent", "claimed", "failed"], ["sent"])
    assert [message.id for message in store.undelivered("bob")] == [sent.id]


async def test_cancelling_with_nothing_claimed_writes_nothing(
    store: Store, executor: ThreadPoolExecutor
) -> None:
    sent = store.send("ann", "bob", "hi")
    harness = Harness()
    async with delivering(store, harness, executor):
        await until_status(store, sent.id, Status.DELIVERED)
        before = len(list(store.history()))
    await idle(executor)
    assert len(list(store.history())) == before


async def test_a_large_inbox_comes_in_portions(store: Store, executor: ThreadPoolExecutor) -> None:
    bodies = [f"{number:03}" + "x" * 9000 for number in range(20)]
    for body in bodies:
        store.send("ann", "bob", body)
    harness = Harness()
    async with delivering(store, harness, executor):
        await harness.until(lambda: sum(map(len, harness.given)) == len(bodies))
    assert [body for given in harness.given for body in given] == bodies
    assert [len(given) for given in harness.given] == [6, 6, 6, 2]
    assert harness.more == [14, 8, 2, 0]


async def test_one_mebibyte_is_delivered(store: Store, executor: ThreadPoolExecutor) -> None:
    sent = store.send("ann", "bob", "x" * 1024 * 1024)
    harness = Harness()
    async with delivering(store, harness, executor):
        await until_status(store, sent.id, Status.DELIVERED)


async def test_what_expired_is_not_given(store: Store, executor: ThreadPoolExecutor) -> None:
    gone = store.send("ann", "bob", "gone", ttl=0.02)
    await asyncio.sleep(0.03)
    store.send("ann", "bob", "here")
    harness = Harness()
    async with delivering(store, harness, executor):
        await harness.until(lambda: bool(harness.given))
    assert harness.given == [["here"]]
    assert store.message(gone.id).deliveries["bob"].status is Status.EXPIRED


async def test_acknowledged_before_it_is_confirmed(store: Store, executor: ThreadPoolExecutor) -> None:
    """A quick agent acknowledges what it was given before the deliverer has said that it arrived."""
    sent = store.send("ann", "bob", "hi")
    harness = Harness()
    harness.hold = asyncio.Event()
    async with delivering(store, harness, executor) as (deliverer, task):
        await harness.until(lambda: bool(harness.given))
        store.acknowledge("bob", sent.id)
        harness.hold.set()
        store.send("ann", "bob", "next")
        deliverer.wake()
        await harness.until(lambda: len(harness.given) == 2)
        assert not task.done()
    assert life(store, sent.id) == ["sent", "claimed", "acknowledged"]


@pytest.mark.parametrize("verb", ["undelivered", "claim", "next_offer", "confirm", "fail"])
async def test_a_store_that_cannot_be_used_for_a_while(
    store: Store, executor: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    """Whichever verb it fails at, the deliverer lives on, does not spin, and delivers in the end."""
    monkeypatch.setattr(delivery, "LEASE", 0.2)
    faults = 0
    real = getattr(store, verb)

    def failing(*args: object, **options: object) -> object:
        nonlocal faults
        if faults < 3:
            faults += 1
            raise Unavailable("the disk is full.")
        return real(*args, **options)

    monkeypatch.setattr(store, verb, failing)
    harness = Harness()
    if verb == "fail":
        harness.refuse = [NotInjected("no")] * 3
    async with delivering(store, harness, executor) as (deliverer, task):
        await idle(executor)
        sent = store.send("ann", "bob", "hi")
        deliverer.wake()
        message = await until_status(store, sent.id, Status.DELIVERED)
        assert not task.done()
    assert faults >= (1 if verb == "next_offer" else 3)
    assert message.deliveries["bob"].claims < 6


async def test_a_store_that_stays_full_is_not_asked_all_the_time(
    store: Store, executor: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.send("ann", "bob", "hi")
    monkeypatch.setattr(delivery, "BACK_OFF", (0.05,))
    asked = 0

    def full(*_: object, **__: object) -> None:
        nonlocal asked
        asked += 1
        raise Unavailable("the disk is full.")

    monkeypatch.setattr(store, "claim", full)
    async with delivering(store, Harness(), executor) as (deliverer, task):
        begin = time.monotonic()
        while time.monotonic() < begin + 0.3 or asked < 2:
            deliverer.wake()
            await asyncio.sleep(0.001)
        assert not task.done()
        assert asked <= 2 + (time.monotonic() - begin) / 0.05


async def test_an_agent_that_is_not_registered_is_no_end(store: Store, executor: ThreadPoolExecutor) -> None:
    store.send("ann", "bob", "hi")
    store.unregister("bob")
    harness = Harness()
    async with delivering(store, harness, executor) as (_, task):
        await idle(executor)
        assert not task.done()
        assert harness.given == []
        store.register("bob")
        await harness.until(lambda: bool(harness.given))


async def test_a_fault_of_the_injection_gives_the_claim_back(
    store: Store, executor: ThreadPoolExecutor
) -> None:
    sent = store.send("ann", "bob", "hi")
    harness = Harness()
    harness.refuse = [ZeroDivisionError()]
    async with delivering(store, harness, executor) as (_, task):
        await asyncio.wait([task], timeout=10)
        assert isinstance(task.exception(), ZeroDivisionError)
    await idle(executor)
    assert [message.id for message in store.undelivered("bob")] == [sent.id]


async def idle(executor: ThreadPoolExecutor) -> None:
    """Wait until everything that was begun has been done."""
    for _ in range(5):
        await asyncio.sleep(0)
        await asyncio.wrap_future(executor.submit(lambda: None))
