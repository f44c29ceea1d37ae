"""Where a message stands, why, and what can be done."""

from __future__ import annotations

from datetime import datetime

import pytest

from msgcode import Refused
from msgcode.debugger.why import Explanation, Standing, why
from msgcode.events import AgentUnregistered
from msgcode.model import PEER, Message, Session
from tests.core.debugger.conftest import Room

S = Standing


def explain(room: Room, sent: Message, agent: str = "bob", *, hold: str | None = None) -> Explanation:
    store = room.store
    agents = {known.id: known for known in store.agents()}
    gone: datetime | None = None
    for event in store.history():
        if event.fact == AgentUnregistered(agent):
            gone = event.at
    message, life = store.message(sent.id), store.life(sent.id)
    return why(message, agent, life, agents, store.presence(agent), room.clock(), hold=hold, gone=gone)


def commands(found: Explanation) -> list[str]:
    return [advice.command.split()[0] for advice in found.advice if advice.command]


def test_every_hop_with_its_time(room: Room) -> None:
    sent = room.store.send("ann", "bob", "hi")
    steps = [(2, "claim"), (1, "fail"), (5, "claim"), (40, "claim"), (3, "confirm"), (60, "acknowledge")]
    for seconds, verb in steps:
        room.clock.advance(seconds)
        if verb == "claim":
            room.store.claim("bob", "host")
        elif verb == "fail":
            room.store.fail("bob", sent.id, "host", "it is restarting")
        elif verb == "confirm":
            room.store.confirm("bob", sent.id, "host")
        else:
            room.store.acknowledge("bob", sent.id)
    found = explain(room, sent)
    assert [(hop.what, hop.took.total_seconds(), hop.by, hop.detail) for hop in found.hops] == [
        ("sent", 0, "ann", ""),
        ("claimed", 2, "host", ""),
        ("failed", 1, "host", "it is restarting"),
        ("claimed", 5, "host", ""),
        ("lapsed", 30, "host", ""),
        ("claimed", 10, "host", ""),
        ("delivered", 3, "host", ""),
        ("acknowledged", 60, None, ""),
    ]
    assert (found.stands, found.since, found.advice) == (S.ACKNOWLEDGED, room.clock(), ())
    assert found.reason.startswith("bob acknowledged it at ")


def test_the_hops_of_another_recipient_are_none_of_its(room: Room) -> None:
    sent = room.store.send("ann", ["bob", "cy"], "hi")
    room.store.check("cy")
    assert [hop.what for hop in explain(room, sent).hops] == ["sent"]
    assert [hop.what for hop in explain(room, sent, "cy").hops] == ["sent", "delivered"]
    with pytest.raises(Refused, match="not addressed to agent 'ann'"):
        explain(room, sent, "ann")


def test_without_its_life_the_delivery_has_to_do(room: Room) -> None:
    sent = room.store.send("ann", "bob", "hi")
    room.store.check("bob")
    room.store.acknowledge("bob", sent.id)
    message = room.store.message(sent.id)
    found = why(message, "bob", [], {}, room.store.presence("bob"), room.clock())
    assert [hop.what for hop in found.hops] == ["sent", "delivered", "acknowledged"]


def test_nobody_is_registered_by_that_name(room: Room) -> None:
    found = explain(room, room.store.send("ann", "bbo", "hi"), "bbo")
    assert found.stands is S.UNKNOWN
    assert found.reason == "bbo is not registered (did you mean 'bob'?)"
    assert [advice.command for advice in found.advice][:2] == ["register bbo", "forward m0001-00 bob"]


def test_unregistered_since(room: Room) -> None:
    sent = room.store.send("ann", "bob", "hi")
    room.store.unregister("bob")
    found = explain(room, sent)
    assert found.stands is S.GONE
    assert found.reason.startswith("bob was unregistered at ")
    assert commands(found) == ["register", "forward", "edit", "discard"]


def test_offline(room: Room) -> None:
    sent = room.store.send("ann", "bob", "hi")
    room.clock.advance(31)
    found = explain(room, sent)
    assert found.stands is S.OFFLINE
    assert found.reason == f"bob is offline since {(room.clock()).astimezone():%H:%M}"


def test_busy_or_blocked_and_for_how_long(room: Room) -> None:
    sent = room.store.send("ann", "bob", "hi")
    room.store.set_presence("bob", "busy", "compiling")
    for _ in range(12):
        room.clock.advance(20)
        room.store.seen("bob")
    found = explain(room, sent)
    assert (found.stands, found.reason) == (S.BUSY, "bob is busy for 4 min: compiling")
    assert "priority" in commands(found)
    room.store.set_presence("bob", "blocked", "a permission: rm -rf")
    room.clock.advance(12)
    found = explain(room, sent)
    assert (found.stands, found.reason) == (S.BLOCKED, "bob is blocked for 12 s: a permission: rm -rf")


def test_there_and_idle_and_nobody_takes_it(room: Room) -> None:
    sent = room.store.send("ann", "bob", "hi")
    room.clock.advance(20)
    assert explain(room, sent).stands is S.UNCLAIMED
    assert "lives in no session" in explain(room, sent).reason
    room.store.register("bob", session=Session("s1", "opencode", "host-7"))
    found = explain(room, sent)
    assert found.reason == "bob is idle, and the deliverer of opencode s1 has not claimed it for 20 s"
    room.store.register("eve", human=True)
    assert "has not read it" in explain(room, room.store.send("ann", "eve", "hi"), "eve").reason


def test_claimed_with_its_lease_running_out(room: Room) -> None:
    room.store.register("bob", session=Session("s1", "opencode", "host-7"))
    sent = room.store.send("ann", "bob", "hi")
    room.store.claim("bob", "host-7")
    room.clock.advance(12)
    found = explain(room, sent)
    assert found.stands is S.CLAIMED
    assert found.reason == "claimed 12 s ago by opencode s1, lease ends in 18 s"
    room.clock.advance(18)
    room.store.seen("bob")
    found = explain(room, sent)
    assert (found.stands, found.hops[-1].what) == (S.LAPSED, "lapsed")
    assert "nobody has claimed it since; bob is idle" in found.reason


def test_failed_with_the_errors(room: Room) -> None:
    sent = room.store.send("ann", "bob", "hi")
    for reason in ("it is gone", "it is still gone"):
        room.store.claim("bob", "host")
        room.store.fail("bob", sent.id, "host", reason)
    found = explain(room, sent)
    assert (found.stands, found.reason) == (
        S.FAILED, "bob is idle; delivery failed 2 times, the last: it is still gone"
    )  # fmt: skip
    assert [hop.detail for hop in found.hops if hop.what == "failed"] == ["it is gone", "it is still gone"]


def test_held(room: Room) -> None:
    sent = room.store.send("ann", "bob", "hi")
    found = explain(room, sent, hold="breakpoint 2")
    assert (found.stands, found.reason) == (S.HELD, "held by breakpoint 2")
    assert commands(found) == ["step", "held", "edit", "discard"]


def test_delivered_and_not_acknowledged(room: Room) -> None:
    sent = room.store.send("ann", "bob", "hi")
    room.store.check("bob")
    room.clock.advance(20)
    found = explain(room, sent)
    assert found.stands is S.DELIVERED
    assert found.reason.endswith("(20 s) and has not acknowledged it; bob is idle")
    assert [advice.command for advice in found.advice] == ["resend m0001-00", "--as bob ack m0001-00"]


def test_taken_by_a_foreign_plugin(room: Room) -> None:
    sent = room.store.send("ann", "bob", "hi")
    room.store.confirm("bob", sent.id, PEER)
    found = explain(room, sent)
    assert found.stands is S.FOREIGN
    assert found.reason.startswith("taken by oh-my-msgcode at ")


def test_past_its_time_and_ended(room: Room) -> None:
    sent = room.store.send("ann", "bob", "hi", ttl=10)
    other = room.store.send("ann", "bob", "hi")
    room.clock.advance(11)
    assert explain(room, sent).stands is S.OVERDUE
    room.store.expire()
    room.store.discard(other.id, by="ann")
    assert (explain(room, sent).stands, commands(explain(room, sent))) == (S.EXPIRED, ["resend"])
    assert explain(room, other).reason.startswith("discarded by ann at ")
