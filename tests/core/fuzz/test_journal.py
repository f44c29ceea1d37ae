"""Segments and snapshots with any damage: what was written is read, or the damage is told."""

from __future__ import annotations

import functools
import itertools
import json
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from hypothesis import assume, example, given
from hypothesis import strategies as st

from msgcode import Store
from msgcode.codec import decode_line
from msgcode.events import Event, LineDamaged
from msgcode.journal import file
from msgcode.journal.index import Index
from msgcode.journal.reader import Reader, events_mentioning, segment_numbers
from msgcode.journal.snapshot import NAME
from msgcode.state import State, fold
from tests.core.fuzz.mutation import LOSSES, Edit, edits, mutated
from tests.core.support import Clock, Ids, join_snapshots, picture

Files = dict[str, bytes]


@functools.cache
def written() -> Files:
    """The journal of a room in which much has happened, by the names of its files."""
    with tempfile.TemporaryDirectory() as folder, patch.object(file, "SEGMENT_BYTES", 1500):
        with Store.open(Path(folder, "room"), sync=False, clock=Clock(), new_id=Ids()) as store:
            for agent in ("ann", "bob", "cy"):
                store.register(agent)
            store.register("eve", human=True)
            store.create_channel("dev", "ann", "Entwicklung für alle")
            store.join("dev", "bob")
            first = store.send("ann", "bob", "first", subject="ünï", metadata={"file": "a.py:15"})
            store.broadcast("ann", "dev", "to all")
            store.check("bob")
            store.send("bob", "ann", "answer", reply_to=first.id)
            store.acknowledge("bob", first.id)
            store.hold("eve", agent="cy")
            held = [store.send("ann", "cy", f"held {number}") for number in range(3)]
            store.edit(held[1].id, "edited", by="eve")
            store.add_breakpoint("eve", text="boom")
            store.send("ann", "bob", "boom")
            store.discard(held[0].id, by="eve")
            store.purge(older_than=3600)
            store.release("eve", agent="cy")
            store.check("cy")
            store.send("cy", "ann", "last")
        join_snapshots()
        return {path.name: path.read_bytes() for path in Path(folder, "room", "journal").iterdir()}


SEGMENTS = sorted(name for name in written() if name != NAME)


@contextmanager
def a_room(files: Files) -> Iterator[Path]:
    """A room with this journal."""
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder, "room")
        (room / "journal").mkdir(parents=True)
        for name, data in files.items():
            (room / "journal" / name).write_bytes(data)
        yield room


def segments() -> Files:
    return {name: written()[name] for name in SEGMENTS}


def damaged(name: str, changes: list[Edit]) -> Files:
    return {**segments(), name: mutated(written()[name], changes)}


def read(room: Path) -> list[Event]:
    reader = Reader(str(room / "journal"))
    try:
        return reader.read()
    finally:
        reader.close()


@functools.cache
def all_written() -> list[Event]:
    with a_room(segments()) as room:
        return read(room)


def told(events: list[Event]) -> list[tuple[int, object]]:
    """The events, without the time of those that tell of damage: that of whoever looks."""
    return [(event.seq, event.fact if isinstance(event.fact, LineDamaged) else event) for event in events]


names = st.sampled_from(SEGMENTS)


@given(names, edits())
def test_every_line_is_read_or_reported(name: str, changes: list[Edit]) -> None:
    """And whatever it says, numbers only go up, and what comes before the damage is as it was."""
    files = damaged(name, changes)
    with a_room(files) as room:
        events = read(room)
    assert len(events) == sum(map(_lines_of_whole_changes, files.values()))
    seqs = [event.seq for event in events if not isinstance(event.fact, LineDamaged)]
    assert seqs == sorted(set(seqs))
    undamaged = [line for other in SEGMENTS if other < name for line in written()[other].splitlines()]
    undamaged += _shared_lines(written()[name], files[name])
    while undamaged and b'"more":true' in undamaged[-1]:
        undamaged.pop()
    assert events[: len(undamaged)] == all_written()[: len(undamaged)]


def _lines_of_whole_changes(data: bytes) -> int:
    lines = data.split(b"\n")[:-1]
    while lines and _has_more(lines[-1]):
        lines.pop()
    return sum(bool(line.strip()) for line in lines)


def _has_more(line: bytes) -> bool:
    try:
        return decode_line(line)[1]
    except ValueError:
        return False


def _shared_lines(one: bytes, other: bytes) -> list[bytes]:
    """The lines with which both begin."""
    both = zip(one.splitlines(keepends=True), other.splitlines(keepends=True), strict=False)
    return [line for line, _ in itertools.takewhile(lambda pair: pair[0] == pair[1], both)]


@given(names, edits(LOSSES))
def test_nothing_is_invented(name: str, changes: list[Edit]) -> None:
    """What is read was written, and once; what was written and is still there is read or reported."""
    files = damaged(name, changes)
    with a_room(files) as room:
        events = read(room)
    facts = Counter(repr(event) for event in events if not isinstance(event.fact, LineDamaged))
    assert facts <= Counter(map(repr, all_written()))


@given(names, st.booleans(), st.data())
def test_one_damaged_line_costs_no_other(name: str, alone: bool, data: st.DataObject) -> None:
    """Wherever it stands, also at the beginning of what a clean-up has left."""
    lines = written()[name].splitlines(keepends=True)
    at = data.draw(st.integers(0, len(lines) - 1))
    assume(b'"more":true' not in lines[at])
    rest = {other: written()[other] for other in SEGMENTS if other >= name or not alone}
    with a_room(rest) as room:
        undamaged = read(room)
    damage = data.draw(st.sampled_from([b"", b"oops", b"\0" * (len(lines[at]) - 1), lines[at][:-9]]))
    lost = json.loads(lines[at])["seq"]
    lines[at] = damage + b"\n"
    with a_room({**rest, name: b"".join(lines)}) as room:
        events = read(room)
    kept = [event for event in events if not isinstance(event.fact, LineDamaged)]
    assert kept == [event for event in undamaged if event.seq != lost]


@given(names, edits(), st.lists(st.integers(1, 2000), max_size=8))
def test_read_as_it_grows_it_is_the_same(name: str, changes: list[Edit], steps: list[int]) -> None:
    files = damaged(name, changes)
    with a_room({}) as room:
        reader, events = Reader(str(room / "journal")), []
        for name, data in files.items():
            path = room / "journal" / name
            ends = [end for end in {*steps, len(data)} if end <= len(data)]
            for end in sorted(ends):
                path.write_bytes(b"")
                with path.open("r+b") as growing:
                    growing.write(data[:end])
                events += reader.read()
        reader.close()
        whole = read(room)
    assert told(events) == told(whole)


@given(names, edits(LOSSES))
def test_the_index_shows_the_same_room(name: str, changes: list[Edit]) -> None:
    with a_room(damaged(name, changes)) as room:
        folder = str(room / "journal")
        index, state = Index(folder), State()
        for event in read(room):
            fold(state, event)
        # The number of a line that is damaged behind it counts in the index until another contradicts it.
        assert picture(index.state(len(index))) | {"seq": 0} == picture(state) | {"seq": 0}


def only(data: bytes) -> list[Edit]:
    """In place of all that was there."""
    return [Edit("truncate", 0, 0, 0, b""), Edit("insert", 0, 0, 0, data)]


@given(names, edits() | st.builds(only, st.binary(max_size=300)))
def test_anything_can_be_indexed_and_searched(name: str, changes: list[Edit]) -> None:
    files = damaged(name, changes)
    with a_room(files) as room:
        folder = str(room / "journal")
        index = Index(folder)
        read_whole = index.lines(0, len(index))
        assert len(read_whole) == len(index)
        for count in (0, len(index) // 2, len(index)):
            index.state(count)
            index.position(count)
            index.count_before(count, 500)
        for event in read_whole:
            if event:
                index.count_until(event.at)
        list(events_mentioning(folder, "first"))
        assert segment_numbers(folder) == [int(name.removesuffix(".jsonl")) for name in SEGMENTS]


@given(names, edits())
def test_a_damaged_room_goes_on(name: str, changes: list[Edit]) -> None:
    """One can write to it, nobody changes what was there, and all agree on what it says."""
    files = damaged(name, changes)
    with a_room(files) as room:
        with Store.open(room, sync=False) as store, Store.open(room, sync=False) as other:
            before = list(store.history())
            store.register("dan")
            store.register("fay")
            other.send("dan", "fay", "after the damage")
            assert [message.body for message in store.inbox("fay")] == ["after the damage"]
            assert other.damage() == store.damage()
        join_snapshots()
        for segment, data in files.items():
            assert (room / "journal" / segment).read_bytes().startswith(data)
        with Store.open(room, sync=False) as late:
            assert [message.body for message in late.inbox("fay")] == ["after the damage"]
            assert told(list(late.history()))[: len(before)] == told(before)
            pictured = picture(late._journal.state)
        (room / "journal" / NAME).unlink(missing_ok=True)
        with Store.open(room, sync=False) as later:
            assert picture(later._journal.state) == pictured


@given(edits())
@example([Edit("flip", written()[NAME].index(b'"seq":') + 7, 0, 1, b"")])
@example([Edit("overwrite", written()[NAME].index(b"held 1"), 0, 0, b"hold 1")])
def test_a_snapshot_with_any_damage_is_ignored(changes: list[Edit]) -> None:
    """It shows no room but the journal's own, and nothing that is written next rests on it."""
    with a_room({**written(), NAME: mutated(written()[NAME], changes)}) as room:
        with Store.open(room, sync=False) as store, a_room(segments()) as same:
            with Store.open(same, sync=False) as right:
                assert picture(store._journal.state) == picture(right._journal.state)
            store.send("ann", "bob", "next")
        assert [event.seq for event in read(room)][-1] == len(all_written()) + 1
