"""However a history is cut into its past, what is recent and what is new, the whole comes out of it."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import sys
import time
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from fcntl import ioctl
from pathlib import Path
from subprocess import PIPE, Popen
from termios import FIONREAD

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgcode import Store
from msgcode.errors import Unavailable
from msgcode.events import (
    AgentHeard,
    AgentRegistered,
    AgentUnregistered,
    ChannelCreated,
    ChannelJoined,
    ChannelLeft,
    Event,
    Fact,
    HoldPlaced,
    HoldReleased,
    JournalReset,
    LineDamaged,
    MessageAcknowledged,
    MessageClaimed,
    MessageDelivered,
    MessageDiscarded,
    MessageEdited,
    MessageExpired,
    MessageFailed,
    MessagePassed,
    MessagePrioritized,
    MessageRanked,
    MessageSent,
    RoomPurged,
)
from msgcode.journal.reader import Position
from msgcode.journal.recent import recent
from msgcode.model import Hold, Priority
from msgcode.state import State, fold
from msgcode_tui import app as app_module
from msgcode_tui import past
from msgcode_tui.live import Live
from msgcode_tui.past import Piece, cut, pieces
from msgcode_tui.rooms import EVERYTHING, Room, pair_room
from tests.core.support import picture
from tests.tui.support import Driver, running

START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)

agents = st.sampled_from(["alice", "bob", "human"])
ids = st.sampled_from([f"m{number}" for number in range(9)])
channels = st.sampled_from(["dev", "ops"])
moments = st.integers(0, 40).map(lambda second: START + timedelta(seconds=second))
facts: st.SearchStrategy[Fact | LineDamaged | JournalReset] = st.one_of(
    st.builds(
        MessageSent,
        id=ids,
        sender=agents,
        to=st.lists(agents, max_size=3, unique=True).map(tuple),
        body=st.sampled_from(["hello", "hello?"]),
        thread=ids,
        priority=st.sampled_from(Priority),
        channel=st.none() | channels,
        expires_at=st.none() | moments,
        since=st.none() | moments,
        reply_to=st.none() | ids,
    ),
    st.builds(MessageClaimed, ids, agents, st.just("host"), moments),
    st.builds(MessageDelivered, ids, agents, st.just("host")),
    st.builds(MessageFailed, ids, agents, st.just("host"), st.just("busy")),
    st.builds(MessageAcknowledged, ids, agents),
    st.builds(MessageExpired, ids, agents),
    st.builds(MessageDiscarded, ids, agents),
    st.builds(MessageEdited, ids, agents, st.sampled_from(["hello again", "hello again?"])),
    st.builds(MessagePrioritized, ids, agents, st.sampled_from(Priority)),
    st.builds(MessagePassed, ids, agents, agents),
    st.builds(MessageRanked, ids, st.floats(-3, 30), agents),
    st.builds(HoldPlaced, st.builds(Hold, st.integers(1, 3), moments, agents, message=st.none() | ids)),
    st.builds(HoldReleased, st.integers(1, 3), agents, st.none() | ids),
    st.builds(AgentRegistered, agents, st.just("Name")),
    st.builds(AgentUnregistered, agents),
    st.builds(AgentHeard, agents, ids, st.just(1), st.just(False)),
    st.builds(ChannelCreated, channels, st.just("Channel"), agents),
    st.builds(ChannelJoined, channels, agents),
    st.builds(ChannelLeft, channels, agents),
    st.builds(RoomPurged, moments),
    st.builds(LineDamaged, st.just("0000000001.jsonl"), st.just(3), st.just("cut off")),
    st.builds(JournalReset),
)
histories = st.lists(facts, max_size=60).map(
    lambda facts: [
        Event(number, START + timedelta(seconds=number // 2), fact) for number, fact in enumerate(facts, 1)
    ]
)


def said(live: Live) -> dict[str, object]:
    """All that the room says."""
    rooms: list[Room] = [EVERYTHING, *live.index.pairs()]
    return {
        **picture(live.state),
        "order": list(live.state.messages),
        "inboxes": {agent: list(inbox) for agent, inbox in live.state.inboxes.items()},
        "damage": live.state.damage,
        "rooms": {room: live.index.messages(room) for room in rooms},
        "unread": {room: live.index.unread(room) for room in rooms},
        "channels with messages": live.index.channels(),
        "unanswered": set(live.unanswered.requests()),
    }


@given(
    histories,
    st.integers(0, 60),
    st.integers(0, 60),
    st.integers(0, 60),
    st.lists(st.booleans(), max_size=60),
)
def test_any_split_comes_to_the_same(
    events: list[Event], split: int, recent_count: int, read: int, turns: list[bool]
) -> None:
    since = START + timedelta(seconds=15)
    # Only who follows a journal is told that it was begun anew; no journal has that in its past.
    older = [event for event in events[:split] if not isinstance(event.fact, JournalReset)]
    newer = events[split:]
    now = State()
    for event in older:
        fold(now, event)
    marks = {EVERYTHING: min(read, now.seq)}
    whole = Live("human", since, dict(marks))
    whole.advance([*older, *newer])
    live = Live("human", since, marks)
    live.begin(recent(now, older[max(split - recent_count, 0) :], Position(), whole=False))
    coming = list(cut(older, len(older)))
    for has_news in turns:
        if has_news and newer:
            live.advance([newer.pop(0)])
        elif len(coming) > 1:
            live.recall(coming.pop(0))
    shares = [piece.share for piece in coming]
    for piece in coming:
        live.recall(piece)
    live.advance(newer)
    assert said(live) == said(whole)
    assert live.past is None
    assert shares == sorted(shares)
    assert all(0 <= share <= 1 for share in shares)


def test_what_was_read_meanwhile_stays_read() -> None:
    def sent(number: int) -> Event:
        return Event(number, START, MessageSent(f"m{number}", "alice", ("bob",), "hello", f"m{number}"))

    events = [sent(number) for number in range(1, 9)]
    now = State()
    for event in events[:6]:
        fold(now, event)
    live = Live("human", START, {EVERYTHING: 4})
    live.begin(recent(now, events[4:6], Position(), whole=False))
    assert live.index.unread(EVERYTHING) == ("m5", "m6")
    live.read(EVERYTHING)
    live.advance(events[6:])
    for piece in cut(events[:6], 6):
        live.recall(piece)
    assert live.index.messages(EVERYTHING) == [f"m{number}" for number in range(1, 9)]
    assert live.index.unread(EVERYTHING) == ("m7", "m8")


def test_pieces_are_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(past, "CHARACTERS", 30)
    bodies = ["x" * 10] * 7 + ["y" * 100] + ["z"] * 120
    events = [
        Event(number, START, MessageSent(f"m{number}", "alice", ("bob",), body, f"m{number}"))
        for number, body in enumerate(bodies, 1)
    ]
    sizes = [len(piece.messages) for piece in cut(events, len(events)) if piece.messages]
    assert sizes == [3, 3, 1, 1, 30, 30, 30, 30]


async def test_another_process_reads_it(store: Store) -> None:
    message = store.send("alice", "bob", "für ☃")
    place = store.recent(0).position
    store.send("alice", "bob", "later")
    found = [piece async for piece in pieces(store.name, place)]
    assert [message for piece in found for message in piece.messages] == [message]
    assert found[-1].rest
    assert list(found[-1].rest.agents) == ["alice", "bob"]


@pytest.mark.parametrize(
    "sent", [b"", b"\x80\x05X\x04\x00\x00\x00\xff\xff\xff\xff.", b"\x80\x05K\x01.", b"\x80\x05]"]
)
async def test_what_is_not_whole_is_said(store: Store, monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    command = [sys.executable, "-c", f"import sys; sys.stdout.buffer.write({sent!r})"]
    monkeypatch.setattr(past, "_started", lambda *_: Popen(command, stdout=PIPE, stderr=PIPE))
    with pytest.raises(Unavailable, match="the process that reads the past was killed"):
        _ = [piece async for piece in pieces(store.name, Position())]


def test_a_pause_loses_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", "1")
    bodies = [f"{number}" * 21_000 for number in range(10)]
    for body in bodies:
        store.send("alice", "bob", body)
    with past._started(store.name, store.recent(0).position) as process:
        assert process.stdout
        deadline = time.monotonic() + 30
        while int.from_bytes(ioctl(process.stdout, FIONREAD, bytes(4)), sys.byteorder) < 50_000:
            assert time.monotonic() < deadline, "the pipe is never full"
            time.sleep(0.01)
        process.send_signal(signal.SIGSTOP)
        os.waitpid(process.pid, os.WUNTRACED)
        process.send_signal(signal.SIGCONT)
        found: list[str] = []
        while len(found) < len(bodies):
            found += [message.body for message in Piece(*pickle.load(process.stdout)).messages]
    assert found == bodies


async def test_a_store_that_it_cannot_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "journal").write_text("in the way")
    with pytest.raises(Unavailable, match="is a file, not a folder"):
        await anext(pieces(str(tmp_path), Position(1, 0, 0, 1)))


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """The past comes when this is set. It is all but the newest few messages."""
    event = asyncio.Event()

    async def later(store: str, until: Position) -> AsyncGenerator[Piece, None]:
        yield Piece(0.42, [])
        await event.wait()
        async for piece in pieces(store, until):
            yield piece

    monkeypatch.setattr(past, "pieces", later)
    monkeypatch.setattr(app_module, "RECENT_BYTES", 6000)
    return event


def fill(store: Store, count: int) -> None:
    for number in range(count):
        message = store.send("alice", "bob", f"number {number}.")
        store.acknowledge("bob", message.id)


async def is_whole(app: Driver, count: int) -> None:
    await app.until(lambda: app.app.live.past is None)
    await app.until(lambda: len(app.thread._ids) == count)


async def test_the_newest_are_there_before_the_past(store: Store, folder: Path, gate: asyncio.Event) -> None:
    waiting = store.send("alice", "bob", "waits")
    fill(store, 100)
    async with running(folder) as app:
        await app.shows("number 99.", "reading older ones 42%", "1 waiting")
        ids = app.app.live.index.messages(EVERYTHING)
        assert ids[0] == waiting.id
        assert len(ids) < 50
        store.send("bob", "human", "What is new comes meanwhile.")
        await app.shows("What is new comes meanwhile.", "2 waiting")
        gate.set()
        await is_whole(app, 102)
        assert "reading older" not in app.screen()
        assert app.thread.following
        await app.select(pair_room("bob", "human"))
        await app.shows("What is new comes meanwhile.")


async def test_a_reader_keeps_their_place_when_the_past_comes(
    store: Store, folder: Path, gate: asyncio.Event
) -> None:
    fill(store, 100)
    async with running(folder, size=(100, 20)) as app:
        await app.shows("number 99.")
        app.thread.focus()
        await app.pilot.press("up", "up", "pageup")
        await app.pilot.pause()
        selected, before = app.thread.selected, app.thread._heights.at(app.thread.scroll_offset.y)
        id = app.thread._ids[before[0]]
        assert selected
        gate.set()
        await is_whole(app, 100)
        index, offset = app.thread._heights.at(app.thread.scroll_offset.y)
        assert (app.thread._ids[index], offset) == (id, before[1])
        assert app.thread.selected == selected
        await app.pilot.press("home")
        await app.shows("number 0.")


async def test_a_reader_keeps_their_place_when_messages_go(store: Store, folder: Path) -> None:
    fill(store, 50)
    for number in range(50):
        store.send("alice", "bob", f"waiting {number}.")
    async with running(folder, size=(100, 20)) as app:
        await app.shows("waiting 49.")
        app.thread.focus()
        await app.pilot.press("pageup", "pageup")
        await app.pilot.pause()
        place = app.thread._heights.at(app.thread.scroll_offset.y)
        id = app.thread._ids[place[0]]
        await asyncio.to_thread(store.purge)
        await is_whole(app, 50)
        index, offset = app.thread._heights.at(app.thread.scroll_offset.y)
        assert (app.thread._ids[index], offset) == (id, place[1])


async def test_a_past_that_cannot_be_read_is_said_and_tried_again(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store, 100)
    monkeypatch.setattr(app_module, "RECENT_BYTES", 6000)
    monkeypatch.setattr(app_module, "RETRY", 1.0)
    burning = True

    async def failing(store: str, until: Position) -> AsyncGenerator[Piece, None]:
        if burning:
            raise Unavailable("the disk is on fire")
        async for piece in pieces(store, until):
            yield piece

    monkeypatch.setattr(past, "pieces", failing)
    async with running(folder) as app:
        await app.shows("trying again: the disk is on fire", "number 99.")
        burning = False
        await is_whole(app, 100)
        await app.until(lambda: "on fire" not in app.screen())
