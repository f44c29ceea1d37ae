"""What counts as an unanswered request, and what the graph of them looks like."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from msgcode.debugger.unanswered import asks
from msgcode.debugger.waits import Waits, draw, waits
from tests.core.debugger.conftest import Room


def found(room: Room) -> Waits:
    return waits(room.state(), room.presences(), room.clock())


def pairs(room: Room) -> list[tuple[str, str]]:
    return sorted((wait.waiter, wait.on) for wait in found(room).others)


@pytest.mark.parametrize(
    ("body", "asks_something"),
    [
        ("Which fields does it show?", True),
        ("Could you look at it", True),
        ("Please run the tests.", True),
        ("I'm waiting for your schema.", True),
        ("Was it you?! I doubt it", True),
        ("Fixed, with a test.", False),
        ("See https://example.org/a?b=c for more.", False),
        ("It was `x ? y : z` before.", False),
        ("```\nwhat?\n```\nis printed", False),
        ("All pleased with it.", False),
    ],
)
def test_what_asks(room: Room, body: str, asks_something: bool) -> None:
    assert asks(room.store.send("ann", "bob", body)) is asks_something


def test_structured_questions_ask(room: Room) -> None:
    assert asks(room.store.send("ann", "bob", "Deploy.", metadata={"choices": "yes | no"}))


def test_what_ends_a_wait(room: Room) -> None:
    store = room.store
    ends: list[Callable[[str], object]] = [
        lambda id: store.acknowledge("bob", id),
        lambda id: store.discard(id, by="ann"),
        lambda id: store.send("bob", "ann", "Here.", reply_to=id),
        lambda id: (store.send("bob", "ann", "First, what for?", reply_to=id), store.check("ann")),
        lambda id: (store.check("bob"), store.send("bob", "ann", "It is done.")),
    ]
    for end in ends:
        asked = store.send("ann", "bob", "Can you do it?")
        assert ("ann", "bob") in pairs(room)
        end(asked.id)
        assert ("ann", "bob") not in pairs(room)


def test_a_counter_question_elsewhere_ends_none(room: Room) -> None:
    room.store.send("ann", "bob", "Can you do it?")
    room.store.check("bob")
    room.store.send("bob", "ann", "Can you do mine first?")
    assert pairs(room) == [("ann", "bob"), ("bob", "ann")]


def test_a_newer_word_in_the_thread_is_what_is_waited_for(room: Room) -> None:
    asked = room.store.send("ann", "bob", "Can you do it?")
    again = room.store.send("ann", "bob", "Can you do it now?", reply_to=asked.id)
    assert [wait.message.id for wait in found(room).others] == [again.id]
    room.store.send("ann", "bob", "Never mind.", reply_to=asked.id)
    assert pairs(room) == []


def test_a_broadcast_asks_whom_it_names(room: Room) -> None:
    room.store.create_channel("dev", "ann")
    for agent in ("bob", "cy"):
        room.store.join("dev", agent)
    room.store.broadcast("ann", "dev", "Who knows?")
    assert pairs(room) == []
    room.store.broadcast("ann", "dev", "Do you know, @cy? It is not @bobby's.")
    assert pairs(room) == [("ann", "cy")]


def test_who_has_gone_on_waits_less_surely(room: Room) -> None:
    room.store.send("ann", "bob", "Can you do it?")
    room.store.send("ann", "cy", "And can you?")
    assert [wait.sure for wait in found(room).others] == [True, True]
    room.store.send("ann", "cy", "I do it myself.")
    assert [wait.sure for wait in found(room).others] == [False, False]


def test_a_ring_is_a_deadlock_only_with_time(room: Room) -> None:
    agents = ("ann", "bob", "cy")
    for one, other in zip(agents, (*agents[1:], agents[0]), strict=True):
        room.store.send(one, other, "Yours first, please.")
    room.store.send("cy", "bob", "Can you see this?")
    room.clock.advance(59)
    assert found(room).deadlocks == ()
    room.clock.advance(1)
    rings = [[wait.waiter for wait in ring] for ring in found(room).deadlocks]
    assert rings == [["ann", "bob", "cy"], ["bob", "cy"]] or rings == [["ann", "bob", "cy"], ["cy", "bob"]]
    assert found(room).others == ()


def test_dead_ends(room: Room) -> None:
    room.store.send("ann", "nobody", "Can you do it?")
    room.store.send("ann", "bob", "Can you do it?")
    room.store.set_presence("cy", "blocked", "a permission")
    room.store.send("ann", "cy", "Can you do it?")
    assert [(wait.on, wait.alive, wait.dead_end) for wait in found(room).others] == [
        ("nobody", False, True), ("bob", True, False), ("cy", False, False)
    ]  # fmt: skip
    for _ in range(6):
        room.clock.advance(15)
        room.store.seen("cy")
    assert [(wait.on, wait.dead_end) for wait in found(room).others] == [
        ("nobody", True), ("bob", True), ("cy", True)
    ]  # fmt: skip


def test_the_drawing_fits_and_is_safe(room: Room) -> None:
    name = "a" * 64
    room.store.register(name)
    room.store.send(name, "bob", "Can you\x1b[2J do it? " + "x" * 200)
    room.store.send("bob", name, "After you, please.")
    room.store.send("ann", "cy", "Can you do it?")
    room.clock.advance(70)
    for width in (80, 50):
        lines = draw(found(room), room.clock(), width)
        assert all(len(line) <= width and "\x1b" not in line for line in lines)
        assert ("offline since" in lines[-1]) is (width == 80)
    assert [line.split()[0] for line in lines] == ["Deadlock:", "aaaaaaaaa…", "bob", "Other", "ann"]
    assert "─✗ cy" in lines[-1]
    assert draw(Waits(), room.clock()) == []
