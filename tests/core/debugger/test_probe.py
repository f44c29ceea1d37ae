"""What a probe has come through, and how long each hop took."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from msgcode import Message, Store
from msgcode.debugger.loops import LoopDetector
from msgcode.debugger.probe import BODY, Probe, Spread, spreads
from msgcode.debugger.unanswered import asks
from msgcode.events import MessageSent
from msgcode.model import PROBE
from msgcode.state import new_message
from tests.core.support import Clock, Ids


class Probed:
    """A room with bob in it, whom the human probes."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.store = Store.open(folder, sync=False, clock=self.clock, new_id=Ids())
        for agent in ("ann", "bob"):
            self.store.register(agent)
        self.store.register("human", human=True)

    def probe(self) -> Probe:
        asked = self.clock.now
        self.clock.advance(0.002)
        return Probe(self.store.send("human", "bob", BODY, ttl=60, metadata={PROBE: "1"}), asked)

    def followed(self, probe: Probe) -> Probe:
        for event in self.store.history():
            if event.seq > probe.message.seq:
                probe.see(event)
        return probe

    def hops(self, probe: Probe) -> list[tuple[str, float, str]]:
        return [(hop.what, hop.took, hop.detail) for hop in self.followed(probe).hops]


@pytest.fixture
def path(tmp_path: Path) -> Probed:
    return Probed(tmp_path / "room")


def test_there_and_back(path: Probed) -> None:
    probe = path.probe()
    path.clock.advance(0.01)
    path.store.claim("bob", "host")
    path.clock.advance(0.1)
    path.store.confirm("bob", probe.message.id, "host")
    path.clock.advance(2)
    path.store.acknowledge("bob", probe.message.id)
    assert path.hops(probe) == [
        ("stored", 0.002, ""),
        ("claimed", 0.01, "host"),
        ("delivered", 0.1, ""),
        ("answered", 2.0, "acknowledged"),
    ]
    assert (probe.answered, probe.over, round(probe.total, 3)) == (True, True, 2.112)


def test_a_reply_is_an_answer_too(path: Probed) -> None:
    probe = path.probe()
    path.store.send("bob", "human", "Before it came.")
    path.store.check("bob")
    path.store.send("ann", "human", "Somebody else.")
    path.store.send("bob", "ann", "To somebody else.")
    path.clock.advance(1)
    path.store.send("bob", "human", "Here.")
    path.store.acknowledge("bob", probe.message.id)
    assert path.hops(probe) == [("stored", 0.002, ""), ("delivered", 0, ""), ("answered", 1, "replied")]
    named = path.probe()
    path.store.send("bob", "ann", "Here.", reply_to=named.message.id)
    assert path.hops(named)[-1][::2] == ("answered", "replied")


def test_on_the_way_it_failed(path: Probed) -> None:
    probe = path.probe()
    for _ in range(2):
        path.store.claim("bob", "host")
        path.store.fail("bob", probe.message.id, "host", "no session")
    assert [hop[::2] for hop in path.hops(probe)[1:3]] == [("claimed", "host"), ("failed", "no session")]
    assert len(probe.hops) == 5
    assert not probe.over


@pytest.mark.parametrize("end", ["expired", "discarded"])
def test_it_ended(path: Probed, end: str) -> None:
    probe = path.probe()
    if end == "expired":
        path.clock.advance(61)
        path.store.expire()
    else:
        path.store.discard(probe.message.id, by="human")
    assert path.hops(probe)[-1][0] == end
    assert (probe.over, probe.answered) == (True, False)


def test_what_others_do_is_not_its_own(path: Probed) -> None:
    probe = path.probe()
    other = path.store.send("ann", "bob", "hi")
    path.store.acknowledge("bob", other.id)
    assert len(path.hops(probe)) == 1


def test_spreads(path: Probed) -> None:
    probes = []
    for number in range(1, 101):
        probe = path.probe()
        path.clock.advance(number / 1000)
        path.store.check("bob")
        if number > 50:
            path.store.acknowledge("bob", probe.message.id)
        probes.append(path.followed(probe))
        if number <= 50:
            path.store.discard(probe.message.id, by="human")
    found = spreads(probes)
    assert list(found) == ["stored", "delivered", "answered", "total"]
    assert found["delivered"] == Spread(0.05, 0.099, 100)
    assert found["total"].probes == 50
    assert found["total"].p50 == pytest.approx(0.077)
    assert spreads([]) == {}


def test_it_leaves_no_mark_on_what_it_looks_at(path: Probed) -> None:
    """It asks nobody, is no loop, and what the agent sends next is not caused by it."""
    first = path.store.send("ann", "bob", "Look at this")
    path.store.check("bob")
    probe = path.probe()
    path.store.check("bob")
    next_one = path.store.send("bob", "ann", "I did")
    assert (next_one.cause, next_one.hops) == (first.id, 1)
    assert not asks(probe.message)
    assert not asks(probe.message._replace(body="Are you there?"))
    assert asks(probe.message._replace(body="Are you there?", metadata={}))


def test_a_loop_goes_on_through_probes() -> None:
    def found(probes: bool) -> int:
        detector, count, before = LoopDetector(), 0, None
        moment = Clock().now
        for number in range(30):
            moment += timedelta(seconds=5)
            sender, to = ("ann", "bob")[:: 1 if number % 2 else -1]
            message = _message(number, sender, to, "Thanks!", moment, before)
            before = message.id
            count += len(detector.sent(message))
            if probes:
                probe = _message(1000 + number, "human", to, BODY, moment, None)
                count += len(detector.sent(probe._replace(human=True, metadata={PROBE: "1"})))
        return count

    assert found(probes=False) == found(probes=True) > 0


def _message(seq: int, sender: str, to: str, body: str, at: datetime, cause: str | None) -> Message:
    id = f"id{seq}"
    sent = MessageSent(id, sender, (to,), body, "thread", reply_to=cause, cause=cause, hops=seq)
    return new_message(seq, at, sent)
