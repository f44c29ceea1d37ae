"""Journals that were cut, scribbled in, half deleted: nothing crashes, nothing is half done or hidden."""

from __future__ import annotations

import itertools
import json
import os
import re
import resource
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from msgcode import Message, Store, Unavailable
from msgcode.events import MessageSent, Unknown
from msgcode.journal import file, seal
from msgcode.journal.reader import Reader
from msgcode.state import State, fold
from tests.core.support import forget_snapshot, join_snapshots, journal_files, mode, picture


@pytest.fixture
def room(tmp_path: Path) -> Path:
    return tmp_path / "room"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments and snapshots after every few events."""
    monkeypatch.setattr(file, "SEGMENT_BYTES", 1000)
    monkeypatch.setattr(file, "SNAPSHOT_BYTES", 1000)


@pytest.fixture
def open_store(room: Path) -> Iterator[Callable[[], Store]]:
    """Opens the room as often as need be."""
    opened: list[Store] = []

    def open_one() -> Store:
        opened.append(Store.open(room, sync=False))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


Opener = Callable[[], Store]


def settled(room: Path, sends: int = 3, *, snapshot: bool = False) -> list[str]:
    """Make a room with two agents and some messages for bob; returns their ids.

    snapshot: leave one, taken before the last message.
    """
    with Store.open(room, sync=False) as store:
        store.register("ann")
        store.register("bob")
        ids = [store.send("ann", "bob", f"tëxt {number}").id for number in range(sends - 1)]
        if snapshot:
            store.purge(older_than=3600)
        return [*ids, store.send("ann", "bob", f"tëxt {sends - 1}").id]


def bodies(store: Store, agent: str = "bob") -> list[str]:
    return [message.body for message in store.inbox(agent)]


def statuses(store: Store, ids: list[str], agent: str = "bob") -> list[str]:
    return [store.message(id).deliveries[agent].status.value for id in ids]


def look(store: Store) -> tuple[object, ...]:
    """What two stores that are in the same room agree on."""
    return store.agents(), store.channels(), store.messages(), store.damage()


class TestCutOff:
    def test_a_last_change_cut_anywhere_is_left_out_whole(self, room: Path, open_store: Opener) -> None:
        ids = settled(room, sends=2)
        (segment,) = journal_files(room)
        before = segment.read_bytes()
        with Store.open(room, sync=False) as store:
            store.check("bob")
        forget_snapshot(room)
        whole = segment.read_bytes()
        assert whole[len(before) :].count(b"\n") == 2, "a change of two lines"
        for cut in range(len(before), len(whole)):
            segment.write_bytes(whole[:cut])
            with Store.open(room, sync=False) as one, Store.open(room, sync=False) as other:
                assert statuses(one, ids) == ["queued", "queued"]
                assert len(list(other.history())) == 4
                third = one.send("ann", "bob", "after")
                assert bodies(other) == ["tëxt 0", "tëxt 1", "after"]
                other.acknowledge("bob", third.id)
                assert statuses(one, [*ids, third.id]) == ["queued", "queued", "acknowledged"]
                assert one.damage() == other.damage() == []
            with Store.open(room, sync=False) as late:
                assert statuses(late, [*ids, third.id]) == ["queued", "queued", "acknowledged"]
                assert late.damage() == []
                assert len(list(late.history())) == 6
            if cut > len(before):
                assert segment.read_bytes() == whole[:cut], "nobody writes to it again"
            for path in (room / "journal").iterdir():
                if path != segment:
                    path.unlink()

    def test_it_does_not_show_in_a_message_that_has_ended(self, room: Path, open_store: Opener) -> None:
        ids = settled(room, sends=2)
        with Store.open(room, sync=False) as store:
            store.purge(older_than=3600, waiting=True)
        forget_snapshot(room)
        newest = journal_files(room)[-1]
        newest.write_bytes(newest.read_bytes()[:-1])
        store = open_store()
        store.acknowledge("bob", *ids)
        assert statuses(store, ids) == ["acknowledged", "acknowledged"]

    def test_a_running_store_waits_for_the_rest(self, room: Path, open_store: Opener) -> None:
        settled(room, sends=2)
        (segment,) = journal_files(room)
        reader = open_store()
        assert len(bodies(reader)) == 2
        before = segment.read_bytes()
        with Store.open(room, sync=False) as writer:
            writer.check("bob")
        added = segment.read_bytes()[len(before) :]
        segment.write_bytes(before)
        with open(segment, "ab", buffering=0) as slow:
            for number in range(len(added)):
                assert {message.deliveries["bob"].status for message in reader.messages()} == {"queued"}
                slow.write(added[number : number + 1])
        assert {message.deliveries["bob"].status for message in reader.messages()} == {"delivered"}

    def test_a_writer_that_died_after_creating_a_segment(self, room: Path, open_store: Opener) -> None:
        settled(room)
        running = open_store()
        (room / "journal" / "0000000002.jsonl").touch(mode=0o600)
        running.send("ann", "bob", "goes to the new one")
        assert len(bodies(open_store())) == 4
        assert len(journal_files(room)) == 2
        assert b"goes to the new one" in journal_files(room)[1].read_bytes()

    def test_a_segment_cut_short_under_running_stores(self, room: Path, open_store: Opener) -> None:
        settled(room)
        one, other = open_store(), open_store()
        (segment,) = journal_files(room)
        os.truncate(segment, 0)
        one.register("cy")
        assert [agent.id for agent in other.agents()] == ["cy"]
        other.send("cy", "ann", "hello")
        assert bodies(one, "ann") == ["hello"]
        late = open_store()
        assert look(one) == look(other) == look(late)


DAMAGE = {
    "not JSON": b'{"seq": 4, oops',
    "not UTF-8": b'{"seq":4,"at":"2030-01-01T00:00:00.000Z","type":"agent.registered","id":"\xff"}',
    "NUL bytes": b"\0" * 40,
    "no object": b'["seq", 4]',
    "a number": b"4",
    "nested deeply": b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "no seq": b'{"at":"2030-01-01T00:00:00.000Z","type":"x"}',
    "seq is text": b'{"seq":"4","at":"2030-01-01T00:00:00.000Z","type":"x"}',
    "seq is true": b'{"seq":true,"at":"2030-01-01T00:00:00.000Z","type":"x"}',
    "seq goes back": b'{"seq":2,"at":"2030-01-01T00:00:00.000Z","type":"x"}',
    "a send said again": (
        b'{"seq":2,"at":"2030-01-01T00:00:00.000Z","type":"message.sent","id":"again","from":"ann",'
        b'"to":["bob"],"body":"again","thread":"again"}'
    ),
    "a send with half a body": (
        b'{"seq":6,"at":"2030-01-01T00:00:00.000Z","type":"message.sent","id":"half","from":"ann","body":"h'
    ),
    "no time": b'{"seq":4,"type":"x"}',
    "a time that is none": b'{"seq":4,"at":"noon","type":"x"}',
    "a time without a zone": b'{"seq":4,"at":"2030-01-01T00:00:00.000","type":"x"}',
    "no type": b'{"seq":4,"at":"2030-01-01T00:00:00.000Z"}',
    "a field of the wrong type": (
        b'{"seq":4,"at":"2030-01-01T00:00:00.000Z","type":"agent.registered","id":7,"name":"n"}'
    ),
    "a missing field": b'{"seq":4,"at":"2030-01-01T00:00:00.000Z","type":"agent.registered","id":"cy"}',
    "half a surrogate pair": (
        b'{"seq":4,"at":"2030-01-01T00:00:00.000Z","type":"agent.registered","id":"cy","name":"\\ud83d"}'
    ),
    "a huge number": b'{"seq":' + b"9" * 5000 + b',"at":"2030-01-01T00:00:00.000Z","type":"x"}',
}


@pytest.mark.usefixtures("small")
def test_a_clean_up_while_somebody_reads(room: Path, open_store: Opener) -> None:
    """Whatever it has read of them by then, a reader never has a beginning without its end."""
    ids = settled(room, sends=16)
    store = open_store()
    store.acknowledge("bob", *ids)
    join_snapshots()
    segments = len(journal_files(room))
    assert segments > 3
    for batches in range(segments + 1):
        copy = room.with_name(f"copy-{batches}")
        shutil.copytree(room, copy)
        state, reader = State(), Reader(str(copy / "journal"))
        pass_by = reader.batches()
        for event in itertools.chain(*itertools.islice(pass_by, batches)):
            fold(state, event)
        with Store.open(copy, sync=False) as cleaner:
            cleaner.purge()
            cleaner.send("ann", "bob", "after")
            for event in itertools.chain(*pass_by, *reader.batches()):
                fold(state, event)
            assert len(cleaner.messages()) == 1
            assert picture(state) == picture(cleaner._journal.state)
        reader.close()


class TestDamagedLines:
    @pytest.mark.parametrize("line", DAMAGE.values(), ids=DAMAGE.keys())
    def test_it_is_reported_skipped_and_kept(self, room: Path, open_store: Opener, line: bytes) -> None:
        settled(room)
        forget_snapshot(room)
        (segment,) = journal_files(room)
        lines = segment.read_bytes().splitlines()
        lines[3] = line
        segment.write_bytes(b"\n".join(lines) + b"\n")
        one, other = open_store(), open_store()
        (report,) = one.damage()
        assert report.startswith("0000000001.jsonl:4: ")
        assert len(report) > len("0000000001.jsonl:4: ")
        assert bodies(one) == ["tëxt 0", "tëxt 2"]
        other.send("ann", "bob", "more")
        other.purge()
        assert look(one) == look(other) == look(open_store())
        assert [agent.id for agent in one.agents()] == ["ann", "bob"]
        assert line in segment.read_bytes()

    @pytest.mark.parametrize("line", DAMAGE.values(), ids=DAMAGE.keys())
    def test_a_running_store_reports_it_too(self, room: Path, open_store: Opener, line: bytes) -> None:
        settled(room)
        one, other = open_store(), open_store()
        (segment,) = journal_files(room)
        with open(segment, "ab") as scribbler:
            scribbler.write(line + b"\n")
        one.send("ann", "bob", "more")
        assert len(one.damage()) == 1
        assert bodies(other)[-1] == "more"
        assert look(one) == look(other) == look(open_store())

    def test_the_first_that_a_clean_up_has_left(self, room: Path, open_store: Opener) -> None:
        """Behind it the numbers begin anywhere, and nothing says where."""
        settled(room, sends=30)
        with Store.open(room, sync=False) as store:
            store.purge(older_than=3600, waiting=True)
        first, newest = journal_files(room)
        first.unlink()
        forget_snapshot(room)
        lines = newest.read_bytes().splitlines()
        newest.write_bytes(b"\n".join([b"oops", *lines[1:]]) + b"\n")
        store = open_store()
        (report,) = store.damage()
        assert report.startswith("0000000002.jsonl:1: ")
        assert [agent.id for agent in store.agents()] == ["ann", "bob"]

    def test_a_change_in_the_making_behind_it(self, room: Path, open_store: Opener) -> None:
        """Who looks meanwhile takes the numbers of that change for right afterwards, as all others do."""
        settled(room, sends=2)
        (segment,) = journal_files(room)
        before = segment.read_bytes().splitlines(keepends=True)
        with Store.open(room, sync=False) as store:
            store.check("bob")
        change = segment.read_bytes().splitlines(keepends=True)[len(before) :]
        forget_snapshot(room)
        segment.write_bytes(b"".join(before[:-1]) + b"oops\n")
        store = open_store()
        with open(segment, "ab", buffering=0) as slow:
            for line in change:
                assert len(store.damage()) == 1
                slow.write(line)
        assert len(store.damage()) == 1
        assert look(store) == look(open_store())

    def test_an_empty_line_is_nothing(self, room: Path, open_store: Opener) -> None:
        settled(room)
        (segment,) = journal_files(room)
        segment.write_bytes(segment.read_bytes().replace(b"\n", b"\n\n \r\n"))
        store = open_store()
        assert len(bodies(store)) == 3
        assert store.damage() == []
        store.send("ann", "bob", "more")
        assert len(bodies(open_store())) == 4

    def test_a_state_remembers_the_newest_hundred(self, room: Path, open_store: Opener) -> None:
        settled(room)
        (segment,) = journal_files(room)
        with open(segment, "ab") as scribbler:
            scribbler.write(b"oops\n" * 150)
        store = open_store()
        assert len(store.damage()) == 100
        assert store.damage()[-1].startswith("0000000001.jsonl:155: ")

    def test_events_and_keys_of_a_newer_version(self, room: Path, open_store: Opener) -> None:
        settled(room)
        (segment,) = journal_files(room)
        sent = MessageSent("m-new", "ann", ("bob",), "from the future", thread="m-new")
        with open(segment, "ab") as newer:
            newer.write(b'{"seq":6,"at":"2030-01-01T00:00:00.000Z","type":"agent.danced","to":{"a":[1]}}\n')
            newer.write(
                json.dumps(
                    {
                        "seq": 7,
                        "at": "2030-01-01T00:00:00.000Z",
                        "type": "message.sent",
                        "id": "m-new",
                        "from": "ann",
                        "to": ["bob"],
                        "body": "from the future",
                        "thread": "m-new",
                        "mood": {"happy": True},
                    }
                ).encode()
                + b"\n"
            )
        before = segment.read_bytes()
        store = open_store()
        assert bodies(store)[-1] == "from the future"
        assert store.damage() == []
        assert [event.fact for event in store.history()][-2:] == [
            Unknown("agent.danced", {"to": {"a": [1]}}),
            sent,
        ]
        store.check("bob")
        for message in store.messages():
            store.acknowledge("bob", message.id)
        store.purge()
        assert segment.read_bytes().startswith(before), "a clean-up keeps what it does not understand"


SNAPSHOTS: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "half": lambda data: data[: len(data) // 2],
    "not JSON": lambda data: b"oops" + data,
    "not UTF-8": lambda data: data.replace(b'"agents"', b'"\xffgents"'),
    "a list": lambda data: b"[]",
    "nested deeply": lambda data: b"[" * 100_000,
    "of another version": lambda data: data.replace(b'"version":', b'"version":9'),
    "without agents": lambda data: data.replace(b'"agents":', b'"agnets":'),
    "with agents of another kind": lambda data: data.replace(b'"agents":[', b'"agents":[7,'),
    "with a position of another kind": lambda data: data.replace(b'"offset":', b'"offset":-'),
    "of another journal": lambda data: data.replace(b'"mark":"{', b'"mark":"x'),
}


def resealed(data: bytes) -> bytes:
    """A snapshot with the checksum that is right for what it has become."""
    rest = data[data.find(b",") + 1 :]
    return seal.sealed(b"{" + rest)


@pytest.mark.usefixtures("small")
class TestSnapshot:
    @pytest.mark.parametrize("spoil", SNAPSHOTS.values(), ids=SNAPSHOTS.keys())
    def test_one_that_is_no_good_is_ignored(
        self, room: Path, open_store: Opener, spoil: Callable[[bytes], bytes]
    ) -> None:
        settled(room, sends=30, snapshot=True)
        snapshot = room / "journal" / "snapshot.json"
        data = snapshot.read_bytes()
        with_it = look(open_store())
        assert spoil(data) != data
        snapshot.write_bytes(resealed(spoil(data)))
        store = open_store()
        assert look(store) == with_it
        snapshot.unlink()
        assert look(open_store()) == with_it
        store.send("ann", "bob", "more")
        assert len(bodies(open_store())) == 31

    def test_one_of_another_room_is_ignored(self, tmp_path: Path, room: Path, open_store: Opener) -> None:
        settled(tmp_path / "other", sends=30, snapshot=True)
        settled(room, sends=30, snapshot=True)
        before = look(open_store())
        join_snapshots()
        for name in ("journal/snapshot.json",):
            shutil.copy(tmp_path / "other" / name, room / name)
        assert look(open_store()) == before

    def test_it_spares_reading_the_past(self, room: Path, open_store: Opener) -> None:
        settled(room, sends=30, snapshot=True)
        before = look(open_store())
        join_snapshots()
        oldest = journal_files(room)[0]
        oldest.write_bytes(b"x" * oldest.stat().st_size + b"\n")
        assert look(open_store()) == before

    @pytest.mark.parametrize("name", ["Ünïcödé " * 12, "😀" * 40, "x" * 200])
    def test_it_is_used_whatever_is_said_just_before_it(
        self, room: Path, open_store: Opener, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        monkeypatch.setattr(file, "SNAPSHOT_BYTES", 1)
        with Store.open(room, sync=False) as store:
            store.register("ann", name)
        (segment,) = journal_files(room)
        line = segment.read_bytes()
        segment.write_bytes(line.replace(b'"ann"', b'"ann"').replace(b'human":false', b'human":oops!'))
        assert [agent.name for agent in open_store().agents()] == [name], "the line was not read again"


@pytest.mark.usefixtures("small")
class TestDeleting:
    """Deleting is how users clean up."""

    def rooms_agree(self, one: Store, other: Store, late: Store) -> None:
        for number, store in enumerate((one, other, late, one)):
            store.register(f"new-{number}")
            store.send(f"new-{number}", "new-0", f"hello {number}")
            assert bodies(one, "new-0") == bodies(other, "new-0") == bodies(late, "new-0")
        assert len(bodies(late, "new-0")) == 4
        assert look(one) == look(other)

    def everything_in(self, room: Path) -> list[Path]:
        return sorted(path.relative_to(room) for path in room.rglob("*"))

    def test_each_file_alone(self, tmp_path: Path) -> None:
        template = tmp_path / "template"
        settled(template, sends=12, snapshot=True)
        with Store.open(template, sync=False) as store:
            store.set_presence("ann", "busy", "thinking")
        join_snapshots()
        names = self.everything_in(template)
        assert len(names) > 8
        snapshot = Path("journal", "snapshot.json")
        for name, keep_snapshot in itertools.product(names, (True, False)):
            room = tmp_path / "copy"
            shutil.copytree(template, room)
            if not keep_snapshot:
                (room / snapshot).unlink()
            if not (room / name).exists():
                shutil.rmtree(room)
                continue
            with Store.open(room, sync=False) as one, Store.open(room, sync=False) as other:
                path = room / name
                join_snapshots()
                shutil.rmtree(path) if path.is_dir() else path.unlink()
                one.inbox("bob")
                with Store.open(room, sync=False) as late:
                    self.rooms_agree(one, other, late)
            shutil.rmtree(room)

    def test_the_whole_room(self, room: Path, open_store: Opener) -> None:
        settled(room, sends=12)
        one, other = open_store(), open_store()
        one.send("ann", "bob", "last words")
        join_snapshots()
        shutil.rmtree(room)
        assert one.agents() == other.agents() == []
        assert not room.exists(), "looking creates nothing"
        late = open_store()
        self.rooms_agree(one, other, late)
        assert look(one) == look(late)
        assert mode(room) == 0o700

    def test_the_whole_room_before_a_change(self, room: Path, open_store: Opener) -> None:
        settled(room, sends=12)
        one, other = open_store(), open_store()
        one.send("ann", "bob", "last words")
        join_snapshots()
        shutil.rmtree(room)
        other.register("cy")
        assert [agent.id for agent in one.agents()] == ["cy"]
        late = open_store()
        self.rooms_agree(one, other, late)
        assert look(one) == look(late)

    def test_a_room_that_was_opened_but_not_looked_at(self, room: Path, open_store: Opener) -> None:
        settled(room, sends=12, snapshot=True)
        one, other = open_store(), open_store()
        shutil.rmtree(room)
        assert one.agents() == []
        self.rooms_agree(one, other, open_store())

    def test_another_room_in_the_place_of_one_not_looked_at(self, room: Path, open_store: Opener) -> None:
        settled(room, sends=12, snapshot=True)
        one, other = open_store(), open_store()
        shutil.rmtree(room)
        settled(room, sends=40)
        assert one.agents() == open_store().agents()
        assert len(bodies(other)) == 40
        self.rooms_agree(one, other, open_store())

    def test_a_room_made_anew_by_another(self, room: Path, open_store: Opener) -> None:
        settled(room, sends=12)
        one, other = open_store(), open_store()
        join_snapshots()
        shutil.rmtree(room)
        settled(room, sends=20)
        assert len(bodies(one)) == len(bodies(other)) == 20
        late = open_store()
        self.rooms_agree(one, other, late)
        assert look(one) == look(late)

    def test_a_room_put_back_from_a_copy(self, room: Path, open_store: Opener) -> None:
        settled(room, sends=12)
        backup = room.with_name("backup")
        shutil.copytree(room, backup)
        one, other = open_store(), open_store()
        one.check("bob")
        join_snapshots()
        shutil.rmtree(room)
        shutil.copytree(backup, room)
        assert {m.deliveries["bob"].status for m in one.messages()} == {"queued"}
        late = open_store()
        self.rooms_agree(one, other, late)
        assert look(one) == look(late)

    def test_a_file_in_the_place_of_the_room(self, room: Path, open_store: Opener) -> None:
        settled(room)
        store = open_store()
        shutil.rmtree(room)
        room.write_text("not a room")
        with pytest.raises(Unavailable, match=r"a file, not a folder\. Nothing was changed\.$"):
            store.register("cy")
        with pytest.raises(Unavailable, match="a file, not a folder"):
            open_store().agents()
        room.unlink()
        store.register("cy")
        assert [agent.id for agent in open_store().agents()] == ["cy"]


class TestPermissions:
    def test_what_is_made_is_private(self, room: Path, open_store: Opener) -> None:
        umask = os.umask(0)
        try:
            settled(room)
            with Store.open(room) as store:
                store.purge()
                store.set_presence("ann", "busy")
        finally:
            os.umask(umask)
        self.all_private(room)

    def test_what_was_there_is_made_private(self, room: Path, tmp_path: Path) -> None:
        settled(room)
        (room / "messages.json").write_text("[]")
        (tmp_path / "elsewhere").write_text("mine")
        (tmp_path / "elsewhere").chmod(0o644)
        (room / "link").symlink_to(tmp_path / "elsewhere")
        for path in [room, *room.rglob("*")]:
            if not path.is_symlink():
                path.chmod(0o777 if path.is_dir() else 0o666)
        Store.open(room).close()
        (room / "link").unlink()
        self.all_private(room)
        assert mode(tmp_path / "elsewhere") == 0o644

    def all_private(self, room: Path) -> None:
        assert mode(room) == 0o700
        for path in room.rglob("*"):
            assert mode(path) == (0o700 if path.is_dir() else 0o600), path


class TestNoMoreFiles:
    def test_a_read_that_fails_half_way_is_taken_up_again(self, room: Path, open_store: Opener) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(file, "SEGMENT_BYTES", 1000)
            settled(room, sends=12)
        assert len(journal_files(room)) > 2
        forget_snapshot(room)
        whole = look(open_store())
        moved = room.with_name("moved")
        room.rename(moved)
        store = open_store()
        moved.rename(room)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        free = os.dup(0)
        os.close(free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (free + 1, hard))
        try:
            with pytest.raises(Unavailable, match=r"Too many open files\. Nothing was changed\.$"):
                store.agents()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert look(store) == whole


def test_a_message_is_what_it_was(room: Path, open_store: Opener) -> None:
    """The journal gives back what the verb returned, field by field."""
    with Store.open(room) as store:
        store.register("ann", human=True)
        made: Message = store.send(
            "ann",
            "bob",
            "line 1\nline 2\t\x00\x1b[31m\u2028",
            subject="s",
            channel="api",
            priority="urgent",
            ttl=60,
            metadata={"file": "a.py", "": "x"},
        )
    forget_snapshot(room)
    assert open_store().message(made.id) == made


class TestNumbers:
    """One damaged number may not make what follows look damaged."""

    def renumber(self, room: Path, line: int, number: int) -> None:
        (segment,) = journal_files(room)
        lines = segment.read_bytes().split(b"\n")
        lines[line] = re.sub(rb'^{"seq":\d+', b'{"seq":%d' % number, lines[line])
        segment.write_bytes(b"\n".join(lines))
        forget_snapshot(room)

    @pytest.mark.parametrize("number", [1, 3, 5, 900, 10**15])
    def test_a_wrong_one_in_the_middle(self, room: Path, open_store: Opener, number: int) -> None:
        settled(room, sends=4)  # Numbers 3 to 6.
        self.renumber(room, 3, number)
        store = open_store()
        assert len(store.damage()) == 1
        assert bodies(store) == ["tëxt 0", "tëxt 2", "tëxt 3"]
        store.send("ann", "bob", "more")
        assert bodies(open_store()) == ["tëxt 0", "tëxt 2", "tëxt 3", "more"]

    def test_two_lines_that_have_become_one(self, room: Path, open_store: Opener) -> None:
        settled(room, sends=6)
        (segment,) = journal_files(room)
        lines = segment.read_bytes().split(b"\n")
        segment.write_bytes(b"\n".join([*lines[:2], b" ".join(lines[2:5]), *lines[5:]]))
        forget_snapshot(room)
        store = open_store()
        assert len(store.damage()) == 1
        assert bodies(store) == ["tëxt 3", "tëxt 4", "tëxt 5"]
