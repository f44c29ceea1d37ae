"""Waking up when something has changed."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from msgcode import Store, watch
from msgcode.events import JournalReset, MessageSent
from msgcode.journal.reader import Position

SEND = "import sys; from msgcode import Store; Store.open(sys.argv[1]).send('ann', 'bob', sys.argv[2])"


def send_from_elsewhere(room: Path, body: str) -> None:
    """Another process sends a message."""
    subprocess.run([sys.executable, "-c", SEND, str(room), body], check=True, timeout=20)


def make(room: Path) -> None:
    with Store.open(room) as store:
        store.register("ann")


async def until_sent(events: AsyncIterator[list[object]], body: str) -> list[object]:
    """Follow until this has been sent; returns the facts up to there."""
    facts: list[object] = []
    async with asyncio.timeout(15):
        while not any(isinstance(fact, MessageSent) and fact.body == body for fact in facts):
            facts += [event.fact for event in await anext(events)]  # type: ignore[attr-defined]
    return facts


async def following(store: Store, room: Path, *, past: bool = False) -> AsyncIterator[list[object]]:
    """A watch that has begun: it has told of a first message."""
    events = store.watch(Position() if past else None)
    first = asyncio.ensure_future(until_sent(events, "first"))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    await asyncio.to_thread(send_from_elsewhere, room, "first")
    await first
    return events  # type: ignore[return-value]


@pytest.fixture
def room(tmp_path: Path) -> Path:
    return tmp_path / "room"


@pytest.fixture
def rarely(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that only the system's own reports can wake a watch in time."""
    monkeypatch.setattr(watch, "RESCAN_MS", 60_000)


@pytest.mark.usefixtures("rarely")
async def test_it_wakes_when_another_process_appends(room: Path) -> None:
    make(room)
    with Store.open(room) as store:
        events = await following(store, room)
        for body in ("second", "third"):
            sent = asyncio.ensure_future(until_sent(events, body))
            await asyncio.to_thread(send_from_elsewhere, room, body)
            await sent
        await events.aclose()  # type: ignore[attr-defined]


async def test_a_room_that_is_made_later(room: Path) -> None:
    with Store.open(room) as store:
        events = store.watch()
        sent = asyncio.ensure_future(until_sent(events, "hello"))  # type: ignore[arg-type]
        await asyncio.sleep(0.05)
        await asyncio.to_thread(make, room)
        await asyncio.to_thread(send_from_elsewhere, room, "hello")
        await sent
        await events.aclose()  # type: ignore[attr-defined]


async def test_a_room_that_is_deleted_and_made_again(room: Path) -> None:
    make(room)
    with Store.open(room) as store:
        events = await following(store, room)
        for body in ("again", "and again"):
            sent = asyncio.ensure_future(until_sent(events, body))
            await asyncio.sleep(0)
            shutil.rmtree(room)
            await asyncio.to_thread(make, room)
            await asyncio.to_thread(send_from_elsewhere, room, body)
            facts = await sent
            assert JournalReset() in facts
        await events.aclose()  # type: ignore[attr-defined]


async def test_a_room_that_is_deleted_says_so_by_itself(room: Path) -> None:
    make(room)
    with Store.open(room) as store:
        events = await following(store, room)
        shutil.rmtree(room)
        async with asyncio.timeout(10):
            assert [event.fact for event in await anext(events)] == [JournalReset()]  # type: ignore[attr-defined]
        await events.aclose()  # type: ignore[attr-defined]


async def test_where_there_are_no_native_events(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHFILES_FORCE_POLLING", "true")
    make(room)
    with Store.open(room) as store:
        events = await following(store, room)
        sent = asyncio.ensure_future(until_sent(events, "second"))
        await asyncio.to_thread(send_from_elsewhere, room, "second")
        await sent
        await events.aclose()  # type: ignore[attr-defined]


async def test_the_rescan_finds_what_nobody_reported(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def deaf(folder: str, *, rust_timeout: int, **_: object) -> AsyncIterator[set[object]]:
        while True:
            await asyncio.sleep(rust_timeout / 1000)
            yield set()

    monkeypatch.setattr(watch, "awatch", deaf)
    monkeypatch.setattr(watch, "RESCAN_MS", 50)
    make(room)
    with Store.open(room) as store:
        events = await following(store, room)
        await asyncio.to_thread(send_from_elsewhere, room, "second")
        await until_sent(events, "second")
        await events.aclose()  # type: ignore[attr-defined]


async def test_rooms_made_and_deleted_quickly(room: Path) -> None:
    """A folder that goes away between two looks at it ends no watch."""
    make(room)
    with Store.open(room) as store:
        events = await following(store, room)
        last = asyncio.ensure_future(until_sent(events, "last"))
        for _ in range(60):
            shutil.rmtree(room)
            await asyncio.sleep(0.001)
            make(room)
            await asyncio.sleep(0.001)
        await asyncio.to_thread(send_from_elsewhere, room, "last")
        await last
        await events.aclose()  # type: ignore[attr-defined]


async def test_several_watches_and_none_is_left_behind(room: Path) -> None:
    make(room)
    with Store.open(room) as one, Store.open(room) as other:
        watches = [one.watch(), one.watch(Position()), other.watch()]
        waiting = [asyncio.ensure_future(until_sent(each, "hello")) for each in watches]  # type: ignore[arg-type]
        await asyncio.sleep(0)
        await asyncio.to_thread(send_from_elsewhere, room, "hello")
        await asyncio.gather(*waiting)
        for each in watches:
            await each.aclose()  # type: ignore[attr-defined]
    assert len(asyncio.all_tasks()) == 1


async def test_a_cancelled_watch_ends(room: Path) -> None:
    make(room)
    with Store.open(room) as store:
        waiting = asyncio.ensure_future(until_sent(store.watch(), "never"))  # type: ignore[arg-type]
        await asyncio.sleep(0.05)
        waiting.cancel()
        async with asyncio.timeout(5):
            with pytest.raises(asyncio.CancelledError):
                await waiting
