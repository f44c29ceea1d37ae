"""Each rule of the audit, on a room in which all is well, and on one in which one thing is not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from msgcode import Message, Store
from msgcode.events import (
    Event,
    Fact,
    LineDamaged,
    MessageAcknowledged,
    MessageClaimed,
    MessageDelivered,
    MessageExpired,
    MessageSent,
)
from msgcode.mirror.versions import FILES
from msgcode.state import State, fold
from tests.core.support import START, Clock, Ids, picture
from tests.soak import audit
from tests.soak.ledger import (
    ACKNOWLEDGED,
    BROKEN,
    CONFIRMED,
    CUT,
    INJECTED,
    REFUSED,
    SENT,
    Entry,
    Ledger,
    read,
)
from tests.soak.mirrored import mirrored


class Scene(NamedTuple):
    """A room and the ledgers of those who were in it."""

    events: list[Event]
    entries: list[Entry]
    messages: dict[str, Message]
    state: State
    files: dict[str, bytes]


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """ann sends bob three messages. The first is done with, the second comes twice after a lease, the third
    waits."""
    monkeypatch.setenv("MSGCODE_MIRROR", "on")
    clock = Clock()
    entries = []
    with Store.open(tmp_path, sync=False, clock=clock, new_id=Ids()) as store:
        store.register("ann")
        store.register("bob")
        ids = []
        for number in range(2):
            ids.append(store.send("ann", "bob", f"body {number}").id)
            entries.append(Entry(SENT, ids[-1], "bob"))
        store.claim("bob", "host 1", lease=2)
        entries += [Entry(INJECTED, id, "bob", "host 1") for id in ids]
        store.confirm("bob", ids[0], "host 1")
        store.acknowledge("bob", ids[0])
        entries += [Entry(CONFIRMED, ids[0], "bob", "host 1"), Entry(ACKNOWLEDGED, ids[0], "bob")]
        clock.advance(2)
        store.claim("bob", "host 2", lease=2)
        store.confirm("bob", ids[1], "host 2")
        entries += [Entry(INJECTED, ids[1], "bob", "host 2"), Entry(CONFIRMED, ids[1], "bob", "host 2")]
        entries.append(Entry(SENT, store.send("ann", "bob", "body 2").id, "bob"))
        events = [*store.history()]
        messages = {message.id: message for message in store.messages(ended=True)}
    state = State(keep_ended=True)
    for event in events:
        fold(state, event)
    return Scene(events, entries, messages, state, {name: (tmp_path / name).read_bytes() for name in FILES})


def flaws(scene: Scene) -> list[str]:
    """All that the rules find."""
    return [
        *audit.numbers(scene.events),
        *audit.lawful(scene.events),
        *audit.promised(scene.messages, scene.entries),
        *audit.offered(scene.events, scene.entries),
        *audit.broken(scene.entries),
        *mirrored(scene.state, scene.files, START + timedelta(seconds=2)),
    ]


def test_a_sound_room(scene: Scene) -> None:
    assert flaws(scene) == []


def index_of(scene: Scene, kind: type[Fact]) -> int:
    """Where the newest event of this kind is."""
    return max(place for place, event in enumerate(scene.events) if isinstance(event.fact, kind))


class TestNumbers:
    def test_an_event_that_is_missing(self, scene: Scene) -> None:
        del scene.events[3]
        assert list(audit.numbers(scene.events)) == ["event 5 follows event 3"]

    def test_one_that_is_there_twice(self, scene: Scene) -> None:
        scene.events.insert(3, scene.events[3])
        assert list(audit.numbers(scene.events)) == ["event 4 follows event 4"]

    def test_a_line_that_cannot_be_read(self, scene: Scene) -> None:
        damaged = LineDamaged("0000000001.jsonl", 4, "it is not JSON")
        scene.events.insert(3, Event(3, START, damaged))
        assert list(audit.numbers(scene.events)) == ["0000000001.jsonl:4 cannot be read: it is not JSON"]


class TestLawful:
    @pytest.mark.parametrize(
        "fact",
        [
            lambda id: MessageSent(id, "ann", ("bob",), "again", id),
            lambda id: MessageDelivered(id, "bob", "host 2"),
            lambda id: MessageClaimed(id, "bob", "host 3", START + timedelta(hours=1)),
            lambda id: MessageExpired(id, "bob"),
            lambda id: MessageAcknowledged(id, "cy"),
            lambda id: MessageAcknowledged("no-such-message", "bob"),
        ],
    )
    def test_what_may_not_follow(self, scene: Scene, fact: Callable[[str], Fact]) -> None:
        delivered = scene.entries[1].id
        scene.events.append(Event(scene.events[-1].seq + 1, START, fact(delivered)))
        assert len(list(audit.lawful(scene.events))) == 1

    def test_a_claim_on_what_another_holds(self, scene: Scene) -> None:
        place = index_of(scene, MessageClaimed)
        early = scene.events[place].at - timedelta(milliseconds=1)
        scene.events[place] = scene.events[place]._replace(at=early)
        (flaw,) = audit.lawful(scene.events)
        assert "MessageClaimed" in flaw

    def test_an_end_that_comes_twice(self, scene: Scene) -> None:
        scene.events.append(scene.events[index_of(scene, MessageAcknowledged)])
        assert len(list(audit.lawful(scene.events))) == 1


class TestPromised:
    def test_a_message_that_is_lost(self, scene: Scene) -> None:
        del scene.messages[scene.entries[-1].id]
        (flaw,) = audit.promised(scene.messages, scene.entries)
        assert flaw.endswith("to bob was sent, and is not there")
        gone = Entry(CUT, scene.entries[-1].id, "bob", text="message.sent")
        assert list(audit.promised(scene.messages, [*scene.entries, gone])) == []

    def test_one_that_was_refused(self, scene: Scene) -> None:
        refused = Entry(REFUSED, scene.entries[0].id, text="the disk is full")
        (flaw,) = audit.promised(scene.messages, [refused])
        assert "was refused (the disk is full), and is there" in flaw

    def test_one_that_is_to_somebody_else(self, scene: Scene) -> None:
        sent = scene.entries[0]._replace(agent="bob cy")
        assert len(list(audit.promised(scene.messages, [sent]))) == 1

    @pytest.mark.parametrize("did", [CONFIRMED, ACKNOWLEDGED])
    def test_one_that_waits_again(self, scene: Scene, did: str) -> None:
        waiting = scene.entries[-1].id
        assert len(list(audit.promised(scene.messages, [Entry(did, waiting, "bob")]))) == 1
        gone = Entry(CUT, waiting, "bob", text="message.delivered")
        assert list(audit.promised(scene.messages, [Entry(did, waiting, "bob"), gone])) == []

    def test_an_acknowledgement_that_is_lost(self, scene: Scene) -> None:
        (flaw,) = audit.promised(scene.messages, [Entry(ACKNOWLEDGED, scene.entries[1].id, "bob")])
        assert flaw.endswith("was acknowledged at bob, and is delivered")


def test_a_message_that_was_given_twice_on_one_claim(scene: Scene) -> None:
    twice = next(entry for entry in scene.entries if entry.did == INJECTED)
    (flaw,) = audit.offered(scene.events, [*scene.entries, twice])
    assert flaw.endswith("to bob 2 times, with 1 claims")


def test_one_that_nobody_delivers(scene: Scene) -> None:
    assert len(list(audit.drained(scene.messages, ["bob"]))) == 2, "one is delivered, one is queued"
    assert list(audit.drained(scene.messages, ["ann"])) == []


def test_a_state_that_is_another(scene: Scene) -> None:
    assert list(audit.same(picture(scene.state), picture(scene.state), "it")) == []
    other = scene.state.copy()
    fold(other, Event(99, START, MessageAcknowledged(scene.entries[-1].id, "bob")))
    found = list(audit.same(picture(scene.state), picture(other), "it"))
    parts = [flaw.split(" than ")[0].removeprefix("it has other ") for flaw in found]
    assert parts == ["seq", "messages", "heard", "inboxes"]


def test_a_process_that_ended(scene: Scene) -> None:
    assert list(audit.broken([Entry(BROKEN, by="writer-1", text="it ended with 1")])) == [
        "writer-1: it ended with 1"
    ]


class TestMirrored:
    @pytest.mark.parametrize(
        ("name", "was", "becomes"),
        [
            ("agents.json", b'"id": "bob"', b'"id": "cy"'),
            ("channels.json", b"[]", b'[{"id": "all", "members": ["bob"]}]'),
            ("messages.json", b"body 2", b"body 3"),
            ("messages.json", b'"acknowledged"', b'"delivered"'),
            ("messages.json", b'"queued"', b'"delivered"'),
            ("messages.json", b"m0003", b"m0004"),
            ("messages.json", b"]", b""),
        ],
    )
    def test_a_file_that_disagrees(self, scene: Scene, name: str, was: bytes, becomes: bytes) -> None:
        assert was in scene.files[name]
        changed = {**scene.files, name: scene.files[name].replace(was, becomes)}
        assert list(mirrored(scene.state, changed, START)) != []

    def test_what_a_deliverer_has_just_now(self, scene: Scene) -> None:
        """It is not to be taken, so a file that offers it is wrong."""
        id = scene.entries[-1].id
        claim = MessageClaimed(id, "bob", "host 3", START + timedelta(hours=1))
        fold(scene.state, Event(99, START, claim))
        (flaw,) = mirrored(scene.state, scene.files, START)
        assert flaw.endswith("to bob as queued, which is not to be taken")


def test_a_ledger_is_read_as_it_was_written(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, "writer-1")
    ledger.write(SENT, "m1", "bob")
    with open(tmp_path / "writer-1.jsonl", "ab") as killed:
        killed.write(b'\n["sent", "m2')
    Ledger(tmp_path, "writer-1").write(REFUSED, "m3", text="no [room]\n")
    assert read(tmp_path) == [Entry(SENT, "m1", "bob"), Entry(REFUSED, "m3", text="no [room]\n")]
