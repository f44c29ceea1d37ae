"""The index of a journal tells of any place what folding all that came before it does."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from msgcode import Store
from msgcode.errors import MsgcodeError
from msgcode.events import Event, LineDamaged, MessageSent
from msgcode.journal.index import Index
from msgcode.journal.reader import Position, Reader, segment_path
from msgcode.state import State, fold
from tests.core.support import Clock, Ids, journal_files, picture
from tests.troubles import HEALTHY, TROUBLES, Script
from tests.written import written


def agrees_everywhere(room: Path) -> None:
    """At each of its events the index tells the same room as a fold of all before."""
    folder = str(room / "journal")
    index, events = Index(folder), Reader(folder).read()
    assert index.events(0, len(index)) == events
    state = State()
    every = 1 if len(events) < 500 else len(events) // 15
    for count, event in enumerate(events, 1):
        fold(state, event)
        if count % every:
            continue
        assert picture(index.state(count)) == picture(state), event
        assert index.number(count - 1) == event.seq
    assert index.last == (events[-1].seq if events else 0)


@pytest.mark.parametrize("script", [*TROUBLES.values(), *HEALTHY.values()], ids=[*TROUBLES, *HEALTHY])
def test_recorded_rooms(script: Script, tmp_path: Path) -> None:
    script(tmp_path / "room")
    agrees_everywhere(tmp_path / "room")


@pytest.mark.parametrize("seed", range(6))
def test_rooms_in_which_anything_happens(seed: int, tmp_path: Path) -> None:
    play(tmp_path / "room", random.Random(seed), 250)
    agrees_everywhere(tmp_path / "room")


def play(room: Path, chance: random.Random, verbs: int) -> None:
    """Agents and a human do whatever comes, refused or not."""
    clock = Clock()
    with Store.open(room, sync=False, clock=clock, new_id=Ids()) as store:
        agents = ["ann", "bob", "cy"]
        for agent in agents:
            store.register(agent)
        store.register("human", human=True)
        store.create_channel("api", "ann")
        for agent in agents:
            store.join("api", agent)
        ids: list[str] = []

        def one() -> str:
            return chance.choice(agents)

        def message() -> str:
            return chance.choice(ids)

        actions: dict[str, Callable[[], object]] = {
            "send": lambda: ids.append(store.send(one(), one(), "hi", ttl=chance.choice([None, 60])).id),
            "ask": lambda: ids.append(store.send("human", [one(), one()], "hi", reply_to=message()).id),
            "broadcast": lambda: ids.append(store.broadcast(one(), "api", "all").id),
            "check": lambda: store.check(one(), limit=2),
            "claim": lambda: store.claim(one(), "host", limit=2, lease=5),
            "confirm": lambda: store.confirm(one(), message(), "host"),
            "fail": lambda: store.fail(one(), message(), "host", "no"),
            "ack": lambda: store.acknowledge(one(), message()),
            "ack for": lambda: store.acknowledge(one(), message(), by="human"),
            "edit": lambda: store.edit(message(), "changed", by="human"),
            "rank": lambda: store.move(message(), message(), "human"),
            "priority": lambda: store.prioritize(message(), priority="urgent", by="human"),
            "discard": lambda: store.discard(message(), by="human"),
            "expire": lambda: store.expire(),
            "hold": lambda: store.hold("human", agent=one()),
            "release": lambda: store.release("human"),
            "step": lambda: store.step("human"),
            "break": lambda: store.add_breakpoint("human", sender=one(), text="hi"),
            "budget": lambda: store.add_breakpoint("human", to=one(), budget=chance.choice([2, 200])),
            "unbreak": lambda: store.remove_breakpoint(1, "human"),
            "leave": lambda: store.unregister("cy"),
            "back": lambda: store.register("cy"),
            "purge": lambda: store.purge(),
        }
        rare = {"leave", "purge", "break", "budget", "hold"}
        usual = [name for name in actions for _ in range(1 if name in rare else 6)]
        for _ in range(verbs):
            clock.advance(chance.random() * 3)
            try:
                actions[chance.choice(usual)]()
            except (MsgcodeError, IndexError):
                continue


def test_places_and_times(tmp_path: Path) -> None:
    clock = Clock()
    with Store.open(tmp_path / "room", sync=False, clock=clock) as store:
        store.register("ann")
        for number in range(5):
            clock.advance(10)
            store.send("ann", "bob", f"Number {number}")
    index = Index(str(tmp_path / "room" / "journal"))
    events = Reader(str(tmp_path / "room" / "journal")).read()
    assert [index.count_until(event.at) for event in events] == [1, 2, 3, 4, 5, 6]
    assert index.count_until(events[0].at.replace(year=2029)) == 0
    assert [index.count(seq) for seq in (0, 1, 6, 100)] == [0, 1, 6, 6]
    assert index.position(0) == Position()
    after = Reader(str(tmp_path / "room" / "journal"), index.position(4))
    assert after.read() == events[4:]
    assert after.position == index.position(6)


def test_only_up_to_a_number(tmp_path: Path) -> None:
    play(tmp_path / "room", random.Random(1), 100)
    folder = str(tmp_path / "room" / "journal")
    whole, part = Index(folder), Index(folder, 40)
    assert (len(part), part.last) == (40, 40)
    assert picture(part.state(40)) == picture(whole.state(40))
    assert part.position(40) == whole.position(40)


def test_what_ends_later_is_kept(tmp_path: Path) -> None:
    with Store.open(tmp_path / "room", sync=False, new_id=Ids()) as store:
        store.register("ann")
        for _ in range(3):
            store.acknowledge("bob", store.send("ann", "bob", "hi").id)
    index = Index(str(tmp_path / "room" / "journal"))
    state = index.state(4, keep_ended=True)
    for event in index.events(4, len(index)):
        fold(state, event)
    assert [message.id[:5] for message in state.messages.values()] == ["m0002", "m0003"]


def test_segments_and_damage(tmp_path: Path) -> None:
    """Segments, lines that are none, numbers that jump, changes that were cut off: as a reader sees them."""
    play(tmp_path / "room", random.Random(2), 120)
    (file,) = journal_files(tmp_path / "room")
    lines = file.read_bytes().splitlines(keepends=True)
    journal = str(tmp_path / "damaged" / "journal")
    Path(journal).mkdir(parents=True)
    last = Reader(str(file.parent)).read()[-1]
    jumped = Event(last.seq + 500, last.at, MessageSent("x", "ann", ("bob",), "hi", "x"))
    odd = b'{"at":"2030-01-01T12:00:00.000Z","seq":%d,"type":"agent.registered","id":"odd","name":"o"}\n'
    cut_off = written(
        [Event(51 + n, last.at, MessageSent(f"y{n}", "ann", ("b",), "hi", "y")) for n in range(2)]
    )
    parts = [
        lines[:50] + cut_off[:1],
        [*lines[50:60], b"nonsense\n", b"\n", b'{"seq":61,"at":"never"}\n', *lines[60:90]],
        [*lines[90:], *written([jumped]), odd % (last.seq + 1), b'{"seq":'],
    ]
    for number, part in enumerate(parts, 1):
        Path(segment_path(journal, number)).write_bytes(b"".join(part))
    index, events = Index(journal), Reader(journal).read()
    told = index.events(0, len(index))
    assert [event.fact for event in told] == [event.fact for event in events]
    assert [event.seq for event in told] == [event.seq for event in events]
    assert sum(isinstance(event.fact, LineDamaged) for event in told) >= 3
    state = State()
    for event in events:
        fold(state, event)
    assert picture(index.state(len(index))) == picture(state)


def test_nothing(tmp_path: Path) -> None:
    index = Index(str(tmp_path / "none"))
    assert (len(index), index.first, index.last, index.count(5)) == (0, 0, 0, 0)
    assert picture(index.state(0)) == picture(State())
