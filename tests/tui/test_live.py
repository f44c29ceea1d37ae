"""What one user sees of a store: what is unread, what waits for them, whom they speak to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgcode import Store
from msgcode.events import Event, JournalReset
from msgcode.model import now
from msgcode_tui.live import Live
from msgcode_tui.past import pieces
from msgcode_tui.rooms import EVERYTHING, channel_room, pair_room
from tests.troubles.loops import ping_pong_thanks


def live_of(store: Store, *, me: str = "human", since: datetime | None = None) -> Live:
    live = Live(me, since or now() - timedelta(hours=1))
    live.advance(store.history())
    return live


def test_old_news_is_read_unless_it_waits_for_me(store: Store) -> None:
    store.register("human", human=True)
    store.send("alice", "bob", "old")
    store.send("alice", "human", "for you")
    live = live_of(store, since=now() + timedelta(hours=1))
    assert live.index.unread_count(pair_room("alice", "bob")) == 0
    assert live.index.unread_count(pair_room("alice", "human")) == 1
    assert live.index.unread_count(EVERYTHING) == 1


def test_my_own_messages_are_never_unread(store: Store) -> None:
    store.register("human", human=True)
    store.send("human", "bob", "mine")
    store.send("alice", "bob", "mine too", by="human")
    assert live_of(store).index.unread_count(EVERYTHING) == 0


def test_what_was_delivered_to_me_is_read(store: Store) -> None:
    store.register("human", human=True)
    store.send("alice", "human", "for you")
    live = live_of(store)
    assert live.index.unread_count(EVERYTHING) == 1
    store.check("human")
    assert live_of(store).index.unread_count(EVERYTHING) == 0


def test_reading_a_room_says_what_to_confirm(store: Store) -> None:
    store.register("human", human=True)
    store.join("dev", "human")
    direct = store.send("alice", "human", "direct")
    news = store.broadcast("alice", "dev", "news")
    live = live_of(store)
    assert live.read(channel_room("dev")) == [news.id]
    assert live.index.unread_count(EVERYTHING) == 1
    assert live.read(EVERYTHING) == [direct.id, news.id]
    assert live.index.unread_count(EVERYTHING) == 0


def test_what_was_not_read_is_unread_the_next_time(store: Store) -> None:
    store.send("alice", "bob", "before the first time")
    first = Live("human", now())
    first.begin(store.recent(1 << 20))
    assert first.index.unread_count(EVERYTHING) == 0
    store.broadcast("alice", "dev", "seen")
    store.send("alice", "bob", "not seen")
    first.advance(list(store.history())[-2:])
    assert first.index.unread_count(EVERYTHING) == 2
    first.read(channel_room("dev"))
    store.send("alice", "bob", "while nobody was there")

    second = Live("human", now(), dict(first.marks))
    second.begin(store.recent(1 << 20))
    assert second.index.unread_count(pair_room("alice", "bob")) == 2
    assert second.index.unread_count(channel_room("dev")) == 0
    second.read(EVERYTHING)
    third = Live("human", now(), dict(second.marks))
    third.begin(store.recent(1 << 20))
    assert third.index.unread_count(EVERYTHING) == 0


def test_marks_of_another_store_do_not_count(store: Store) -> None:
    live = Live("human", now(), {EVERYTHING: 1_000_000})
    live.begin(store.recent(1 << 20))
    store.send("alice", "bob", "news")
    live.advance(list(store.history())[-1:])
    assert live.index.unread_count(EVERYTHING) == 1


def test_whom_one_speaks_to(store: Store) -> None:
    live = live_of(store)
    assert live.recipient(pair_room("human", "bob")) == "bob"
    assert live.recipient(channel_room("dev")) == "dev"
    assert live.recipient(pair_room("alice", "bob")) is None
    assert live.recipient(EVERYTHING) is None


def test_purged_messages_leave_the_rooms(store: Store) -> None:
    gone = store.send("alice", "bob", "gone")
    store.acknowledge("bob", gone.id)
    kept = store.send("alice", "bob", "kept")
    live = live_of(store)
    events = list(store.history())
    store.purge()
    live.advance(event for event in store.history() if event not in events)
    assert live.index.messages(EVERYTHING) == [kept.id]
    assert live.index.unread(EVERYTHING) == (kept.id,)


def test_a_deleted_journal_empties_the_rooms(store: Store) -> None:
    store.send("alice", "bob", "hello")
    live = live_of(store)
    live.advance([Event(0, datetime.now(UTC), JournalReset())])
    assert live.index.messages(EVERYTHING) == []
    assert not live.state.messages


def test_the_fold_is_that_of_the_store(store: Store, folder: Path) -> None:
    store.broadcast("alice", "dev", "news")
    live = live_of(store)
    assert sorted(live.state.agents.values()) == store.agents()
    assert list(live.state.messages.values()) == store.messages()
    assert (live.waiting("bob"), live.waiting("alice")) == (1, 0)


def test_loops_are_found_as_messages_come(tmp_path: Path) -> None:
    recorded = ping_pong_thanks(tmp_path / "room")
    with recorded.open() as store:
        live = live_of(store)
        (found,) = live.findings(recorded.now)
    assert set(found.messages) == set(recorded.messages)


async def test_loops_of_the_past_are_found_once_it_is_read(tmp_path: Path) -> None:
    recorded = ping_pong_thanks(tmp_path / "room")
    with recorded.open() as store:
        recent = store.recent(2_000)
        assert not recent.whole
        live = Live("human", recorded.now)
        live.begin(recent)
        assert live.findings(recorded.now) == []
        more = store.send("alice", "bob", "Thanks!", reply_to=recorded.messages[-1])
        live.advance(list(store.history())[recent.state.seq :])
        async for piece in pieces(store.name, recent.position):
            live.recall(piece)
        (found,) = live.findings(recorded.now)
    assert found.messages == (*recorded.messages, more.id)
