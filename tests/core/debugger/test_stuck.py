"""What counts as stuck, from when on, and in which order it is listed."""

from __future__ import annotations

from itertools import pairwise

from msgcode.debugger.stuck import DEFAULTS, Kind, Stuck, Thresholds, stuck
from msgcode.model import Session
from tests.core.debugger.conftest import Room


def found(room: Room, thresholds: Thresholds = DEFAULTS) -> list[Stuck]:
    return stuck(room.state(), room.presences(), room.clock(), thresholds)


def kinds(room: Room, thresholds: Thresholds = DEFAULTS) -> list[tuple[str, Kind]]:
    return [(one.agent, one.kind) for one in found(room, thresholds)]


def go_on(room: Room, seconds: int, *there: str) -> None:
    for _ in range(0, seconds, 10):
        room.clock.advance(10)
        for agent in there:
            room.store.seen(agent)


def test_each_threshold_to_the_second(room: Room) -> None:
    room.store.send("ann", "nobody", "hi")
    room.clock.advance(59.999)
    assert found(room) == []
    room.clock.advance(0.001)
    (one,) = found(room)
    assert (one.agent, one.kind, one.messages, one.behind) == (
        "nobody", Kind.UNKNOWN, ("m0001-0000-4000-8000-000000000000",), 1
    )  # fmt: skip
    assert kinds(room, Thresholds(unknown=61)) == []


def test_offline_and_back(room: Room) -> None:
    room.store.register("bob", session=Session("s1", "opencode", "host"))
    room.store.send("ann", "bob", "hi")
    go_on(room, 290)
    assert kinds(room) == []
    go_on(room, 10)
    assert kinds(room) == [("bob", Kind.OFFLINE)]
    room.store.set_presence("bob", "idle")
    assert kinds(room) == [], "its deliverer has only just come"
    go_on(room, 60, "bob")
    assert kinds(room) == [("bob", Kind.SILENT)]
    assert found(room)[0].reason == "bob is idle, and nobody claims what waits for it"


def test_a_busy_agent_gets_more_time(room: Room) -> None:
    room.store.register("bob", session=Session("s1", "opencode", "host"))
    room.store.send("ann", "bob", "hi")
    room.store.set_presence("bob", "busy", "compiling")
    go_on(room, 290, "bob")
    assert kinds(room) == []
    go_on(room, 10, "bob")
    assert kinds(room) == [("bob", Kind.SILENT)]


def test_blocked_with_and_without_mail(room: Room) -> None:
    room.store.set_presence("bob", "blocked", "permission: rm")
    go_on(room, 110, "bob")
    assert kinds(room) == []
    go_on(room, 10, "bob")
    (one,) = found(room)
    assert (one.kind, one.messages) == (Kind.BLOCKED, ())
    assert one.reason == "bob is blocked for 2 min: permission: rm"
    sent = room.store.send("ann", "bob", "hi")
    go_on(room, 300, "bob")
    assert found(room)[0].messages == (sent.id,)


def test_failures_and_lapses_are_told_at_once(room: Room) -> None:
    sent = room.store.send("ann", "bob", "hi")
    for _ in range(3):
        assert kinds(room) == []
        room.store.claim("bob", "host")
        room.store.fail("bob", sent.id, "host", "gone")
    assert found(room)[0].reason == "bob is idle; failed 3 times, the last: gone"
    assert kinds(room, Thresholds(failures=4)) == []
    room.store.send("ann", "cy", "hi")
    for _ in range(3):
        room.store.claim("cy", "host", lease=1)
        assert ("cy", Kind.LAPSING) not in kinds(room)
        room.clock.advance(1)
    assert ("cy", Kind.LAPSING) in kinds(room)


def test_a_claim_that_nobody_took_up_again(room: Room) -> None:
    room.store.send("ann", "bob", "hi")
    room.store.claim("bob", "host")
    go_on(room, 80, "bob")
    assert kinds(room) == []
    go_on(room, 10, "bob")
    assert kinds(room) == [("bob", Kind.LAPSING)]


def test_delivered_and_nothing_has_come_of_it(room: Room) -> None:
    room.store.create_channel("dev", "ann")
    for agent in ("bob", "cy"):
        room.store.join("dev", agent)
    asked = [room.store.send("ann", "bob", str(number)) for number in range(4)]
    room.store.broadcast("ann", "dev", "news are for nobody in particular")
    room.store.check("bob")
    room.store.check("cy")
    room.store.acknowledge("bob", asked[0].id)
    room.store.send("bob", "ann", "on it", reply_to=asked[1].id)
    room.store.send("bob", "cy", "can you do what ann wants?")
    room.store.unregister("ann")  # Who leaves no answers open of their own.
    go_on(room, 890, "bob", "cy")
    assert ("bob", Kind.UNACKNOWLEDGED) not in kinds(room)
    go_on(room, 10, "bob", "cy")
    left = {one.agent: one.messages for one in found(room) if one.kind is Kind.UNACKNOWLEDGED}
    caused = room.store.messages()[-1].cause
    assert left == {"bob": tuple(one.id for one in asked[2:] if one.id != caused)}


def test_humans_may_take_their_time(room: Room) -> None:
    room.store.register("eve", human=True)
    room.store.send("ann", "eve", "hi")
    room.clock.advance(100_000)
    assert found(room) == []


def test_ranked_by_age_and_by_what_waits_behind(room: Room) -> None:
    room.store.send("ann", "old", "hi")
    room.clock.advance(100)
    for _ in range(3):
        room.store.send("ann", "young", "hi")
    room.clock.advance(100)
    ranked = found(room)
    assert [(one.agent, one.weight(room.clock())) for one in ranked] == [("young", 300), ("old", 200)]
    assert all(a.weight(room.clock()) >= b.weight(room.clock()) for a, b in pairwise(ranked))
