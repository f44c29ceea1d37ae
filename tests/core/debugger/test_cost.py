"""How much text was put into whom."""

from __future__ import annotations

from datetime import timedelta

from msgcode.debugger.cost import Cost, Ledger, Put, cost
from tests.core.debugger.conftest import Room
from tests.core.support import START


def test_what_counts(room: Room) -> None:
    store = room.store
    store.register("eve", human=True)
    had = store.send("ann", ["bob", "cy", "eve"], "x" * 38, subject="abc")
    store.check("bob")
    store.check("eve")
    queued = store.send("ann", "bob", "y" * 1000)
    store.acknowledge("bob", queued.id, by="eve")
    read = store.send("bob", "ann", "z" * 10, reply_to=had.id)
    store.acknowledge("ann", read.id)
    found = cost(room.state(), room.clock())
    assert found.total == Cost(51, 2, 51)
    assert found.agents == {"bob": Cost(41, 1, 41), "ann": Cost(10, 1, 10)}
    assert list(found.agents) == ["bob", "ann"]
    assert found.threads == {had.id: found.total}
    assert list(found.pairs) == [("ann", "bob"), ("bob", "ann")]
    assert found.shares[had.id, "bob"] == Cost(41, 1, 41)
    assert Cost(41).tokens == 11


def test_rates_are_of_the_window(room: Room) -> None:
    for _ in range(4):
        room.store.send("ann", "bob", "x" * 100)
        room.store.check("bob")
        room.clock.advance(600)
    found = cost(room.state(), room.clock(), timedelta(minutes=30))
    assert found.total == Cost(400, 4, 400)
    assert cost(room.state(), room.clock(), timedelta(minutes=10, seconds=1)).total.per_hour == 599


def test_the_ledger_agrees_with_the_sums(room: Room) -> None:
    store = room.store
    first = store.send("ann", "bob", "x" * 100)
    store.check("bob")
    room.clock.advance(60)
    since = room.clock()
    store.send("cy", "bob", "y" * 30)
    store.send("bob", "ann", "z" * 7, reply_to=first.id)
    store.check("bob")
    store.check("ann")
    ledger = Ledger.of(room.state())
    assert ledger.spent() == 137
    assert ledger.spent(agent="bob") == 130
    assert ledger.spent(agent="bob", since=since) == 30
    assert ledger.spent(thread=first.id) == 107
    assert ledger.spent(thread=first.id, since=since) == 7
    assert ledger.spent(agent="bob", thread=first.id) == 100
    assert ledger.spent(agent="bob", since=since + timedelta(seconds=1)) == 0
    assert ledger.spent(agent="nobody") == 0
    ledger.add(Put(START, "ann", "bob", first.id, 5))
    assert ledger.spent(agent="bob", since=since) == 35, "news from before counts as of now"
