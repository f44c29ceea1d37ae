"""Looking for messages in slices, while they come and go."""

from __future__ import annotations

from msgcode import Message, Store
from msgcode.model import now
from msgcode.search import parse_query
from msgcode_tui import finding
from msgcode_tui.finding import Search, finish, first
from msgcode_tui.live import Live
from msgcode_tui.rooms import EVERYTHING, Room, pair_room
from tests.tui.test_live import live_of


def search_for(text: str, room: Room = EVERYTHING) -> Search:
    return Search(text, parse_query(text, now()), room)


def bodies(search: Search, live: Live) -> list[str]:
    return [live.state.messages[search.at(place)].body for place in range(search.count)]


def send(store: Store, *texts: str) -> list[Message]:
    return [store.send("alice", "bob", text) for text in texts]


async def test_the_newest_is_first(store: Store) -> None:
    send(store, "needle one", "hay", "needle two", "needle three")
    live, search = live_of(store), search_for("needle")
    await finish(search, live, lambda: None)
    assert bodies(search, live) == ["needle three", "needle two", "needle one"]
    assert search.found == [search.at(2), search.at(1), search.at(0)]


def test_a_slice_is_no_more_than_a_slice(store: Store) -> None:
    send(store, *(f"needle {number}" + "x" * (finding.SLICE // 2) for number in range(4)))
    live, search, shares = live_of(store), search_for("needle"), [0.0]
    while not search.look(live):
        shares.append(search.share)
        assert search.found is None
    assert shares == [0, 0.5]
    assert search.count == 4


async def test_the_first_hit_is_enough_to_go_to(store: Store) -> None:
    send(store, "needle", *("x" * finding.SLICE for _ in range(3)), "needle")
    search = search_for("needle")
    await first(search, live_of(store))
    assert search.count == 1
    assert search.found is None


async def test_what_comes_meanwhile_is_found_too(store: Store) -> None:
    send(store, "needle old", "x" * finding.SLICE)
    live, search = live_of(store), search_for("needle")
    assert not search.look(live)
    send(store, "needle new")
    live.advance(list(store.history())[-1:])
    await finish(search, live)
    assert bodies(search, live) == ["needle new", "needle old"]
    found = search.found
    send(store, "needle newest")
    live.advance(list(store.history())[-1:])
    await finish(search, live)
    assert bodies(search, live)[0] == "needle newest"
    assert search.found is found


async def test_what_is_gone_is_not_found(store: Store) -> None:
    gone, _ = send(store, "needle gone", "needle kept")
    live, search = live_of(store), search_for("needle")
    await finish(search, live)
    before = len(list(store.history()))
    store.acknowledge("bob", gone.id)
    store.purge()
    live.advance(list(store.history())[before:])
    await finish(search, live)
    assert bodies(search, live) == ["needle kept"]


async def test_what_changes_is_looked_at_again(store: Store) -> None:
    one, two, three = send(store, "one", "two", "three")
    live, search = live_of(store), search_for("status:queued")
    await finish(search, live)
    assert bodies(search, live) == ["three", "two", "one"]

    async def found_after(*changes: object) -> list[str]:
        live.advance(event for event in store.history() if event.seq > live.state.seq)
        await finish(search, live)
        return bodies(search, live)

    found = search.found
    assert await found_after(store.prioritize(one.id, priority="high", by="alice")) == ["three", "two", "one"]
    assert search.found is found, "nothing has come or gone"
    assert await found_after(store.acknowledge("bob", two.id)) == ["three", "one"]
    (claimed,) = store.claim("bob", "host", limit=1)
    assert claimed.id == one.id
    assert await found_after() == ["three"]
    assert await found_after(store.fail("bob", one.id, "host", "no")) == ["three", "one"]
    assert await found_after(*send(store, "four")) == ["four", "three", "one"]
    other = search_for("four", pair_room("alice", "bob"))
    await finish(other, live)
    edited = store.edit(three.id, "twenty-four", by="alice")
    live.advance(event for event in store.history() if event.seq > live.state.seq)
    await finish(other, live)
    assert bodies(other, live) == ["four", edited.body]


async def test_from_hit_to_hit(store: Store) -> None:
    one, between, two = send(store, "needle", "hay", "needle")
    live, search = live_of(store), search_for("needle")
    await finish(search, live)
    messages = live.state.messages
    assert search.beside(None, 1) == two.id
    assert search.beside(messages[two.id], 1) == one.id
    assert search.beside(messages[one.id], 1) == two.id
    assert search.beside(messages[between.id], 1) == one.id
    assert search.beside(messages[between.id], -1) == two.id
    assert search.beside(messages[two.id], -1) == one.id
    assert [search.place(messages[each.id]) for each in (one, between, two)] == [1, None, 0]


async def test_of_one_room(store: Store) -> None:
    send(store, "needle")
    store.broadcast("alice", "dev", "needle for all")
    live, search = live_of(store), search_for("needle", pair_room("alice", "bob"))
    await finish(search, live)
    assert bodies(search, live) == ["needle"]
