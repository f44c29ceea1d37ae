"""The commands about where a room is kept, on folders and on a real nats-server."""

from __future__ import annotations

import itertools
import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from msgcode import Store, cli
from msgcode.errors import Refused
from msgcode.events import MessageRanked
from msgcode.journal.copying import MOST_LINES, FolderTarget
from msgcode.nats.address import parse
from msgcode.nats.room import open_target
from tests.core.nats.server import NatsCluster, NatsServer
from tests.core.support import forget_snapshot, join_snapshots, journal_files, picture

_NUMBERS = itertools.count(1)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The copies of rooms on NATS are not in the user's cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def url(nats_server: NatsServer) -> str:
    """The address of a room that is not there yet."""
    return f"{nats_server.url}/copy-{next(_NUMBERS)}"


@pytest.fixture
def there(url: str, capsys: pytest.CaptureFixture[str]) -> str:
    """The address of a room that is there, and empty."""
    done(capsys, "store", "init", url)
    return url


@pytest.fixture
def room(tmp_path: Path) -> Path:
    """A room in which something has happened."""
    folder = tmp_path / "room"
    with Store.open(folder, sync=False) as store:
        store.register("human", human=True)
        for agent in ("alice", "bob"):
            store.register(agent)
        store.create_channel("dev", "alice")
        store.join("dev", "bob")
        store.send("alice", "bob", 'Änderung, "more":true\nhere', subject="CI", priority="high")
        for message in store.check("bob"):
            store.acknowledge("bob", message.id)
        store.broadcast("alice", "dev", "to all of you")
        store.hold("human", agent="bob")
    join_snapshots()
    return folder


def done(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    code = cli.main(words)
    shown = capsys.readouterr()
    assert (code, shown.err) == (0, ""), shown
    return shown.out


def data(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(done(capsys, *words, "--json"))
    return found


def wrong(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = cli.main(words)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    return code, shown.err.removeprefix("msgcode: ").strip()


def told(name: str | Path) -> list[tuple[object, object]]:
    with Store.open(name) as store:
        return [(event.at, event.fact) for event in store.history()]


def shape(name: str | Path) -> dict[str, object]:
    with Store.open(name) as store:
        return picture(store._fresh())


# Making a room


def test_a_room_is_made_once(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    name = url.rpartition("/")[2]
    assert done(capsys, "store", "init", url) == (
        f"Made room {name}, kept in files on one server. Open it with MSGCODE_STORE={url}.\n"
    )
    assert data(capsys, "store", "init", url, "--memory") == {
        "store": url, "made": False, "storage": "file", "replicas": 1
    }  # fmt: skip
    assert "is there already, kept in files" in done(capsys, "store", "init", url)
    done(capsys, "register", "alice", "--store", url)


def test_a_room_in_memory(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "kept in memory on one server" in done(capsys, "store", "init", url, "--memory")


def test_no_more_replicas_than_servers(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, sentence = wrong(capsys, "store", "init", url, "--replicas", "3")
    assert code == 1
    assert "replicas" in sentence
    code, sentence = wrong(capsys, "store", "init", url, "--replicas", "2")
    assert code == 2


def test_replicas_on_the_servers_of_a_cluster(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cluster = NatsCluster(tmp_path / "cluster")
    try:
        url = f"{cluster.url}/dev"
        deadline = time.monotonic() + 40
        while cli.main(["store", "init", url, "--replicas", "3"]):  # Until they have found each other.
            assert time.monotonic() < deadline, capsys.readouterr()
            time.sleep(0.2)
        assert "Made room dev, kept in files on 3 servers." in capsys.readouterr().out
        done(capsys, "register", "alice", "--store", url)
        found = data(capsys, "store", "info", url)
        assert found["replicas"] == 3
        assert found["leader"] in ("n1", "n2", "n3")
        number = int(str(found["leader"])[1:])
        cluster.servers[number - 1].stop(signal.SIGKILL)
        assert "alice" in done(capsys, "agents", "--store", url)
        done(capsys, "register", "bob", "--store", url)
        cluster.servers[number - 1].start()
    finally:
        cluster.stop()


def test_a_folder_is_not_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, sentence = wrong(capsys, "store", "init", str(tmp_path / "new"))
    assert (code, "a folder comes by itself" in sentence) == (2, True)
    assert not (tmp_path / "new").exists()


def test_a_password_is_not_shown(nats_server: NatsServer, capsys: pytest.CaptureFixture[str]) -> None:
    address = f"nats://me:secret@127.0.0.1:{nats_server.port}/copy-{next(_NUMBERS)}"
    assert "secret" not in done(capsys, "store", "init", address)
    assert "secret" not in done(capsys, "store", "info", address)


# Looking at one


def test_info_on_a_folder(room: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = data(capsys, "store", "info", str(room))
    history = told(room)
    assert found["store"] == str(room)
    assert found["kind"] == "folder"
    assert found["events"] == len(history)
    assert found["bytes"] == sum(path.stat().st_size for path in journal_files(room))
    assert (found["agents"], found["waiting"]) == (3, 1)
    first, last = found["first"], found["last"]
    assert isinstance(first, dict)
    assert isinstance(last, dict)
    assert (first["seq"], last["seq"]) == (1, len(history))
    assert first["at"][:19] == f"{history[0][0]:%Y-%m-%dT%H:%M:%S}"
    text = done(capsys, "store", "info", str(room))
    assert re.search(rf"^Events: +{len(history)}$", text, re.MULTILINE)
    assert re.findall(r"^Last: +(.*)$", text, re.MULTILINE) == [f"event {len(history)}, {last['at']}"]


def test_info_without_a_name_is_on_your_room(
    room: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert data(capsys, "store", "info", "--store", str(room))["store"] == str(room)
    monkeypatch.setenv("MSGCODE_STORE", str(room))
    assert data(capsys, "store", "info")["store"] == str(room)
    code, sentence = wrong(capsys, "store", "info", str(room / "none"))
    assert (code, sentence) == (1, f"there is no room in {room / 'none'}.")
    assert not (room / "none").exists()


def test_info_on_nats(there: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert data(capsys, "store", "info", there)["events"] == 0
    done(capsys, "register", "alice", "--store", there)
    found = data(capsys, "store", "info", there)
    assert (found["kind"], found["storage"], found["replicas"]) == ("NATS JetStream", "file", 1)
    assert (found["events"], found["agents"], found["waiting"]) == (1, 1, 0)
    server = found["server"]
    assert isinstance(server, str)
    assert server.startswith("2.")
    copy = Path(str(found["copy"]))
    assert copy.is_relative_to(tmp_path / "cache")
    assert journal_files(copy)
    assert "Copy here:" in done(capsys, "store", "info", there)


# Copying one


def test_a_folder_goes_to_nats_and_back(
    room: Path, there: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    count = len(told(room))
    found = data(capsys, "store", "copy", str(room), there)
    assert (found["events"], found["copied"], found["skipped"], found["notCopied"]) == (count, count, 0, 0)
    text = done(capsys, "store", "copy", there, str(tmp_path / "back"))
    assert text.startswith(f"Copied {count} events from {there} to {tmp_path / 'back'}.\n")
    assert f"Verified: {count} events, SHA-256 {found['sha256']}." in text
    assert told(room) == told(there) == told(tmp_path / "back")
    assert shape(room) == shape(there) == shape(tmp_path / "back")
    assert b"".join(map(Path.read_bytes, journal_files(room))) == b"".join(
        map(Path.read_bytes, journal_files(tmp_path / "back"))
    )
    for name in (there, str(tmp_path / "back")):
        done(capsys, "send", "bob", "goes on", "--as", "alice", "--store", name)


def test_a_copy_can_be_taken_again(room: Path, there: str, capsys: pytest.CaptureFixture[str]) -> None:
    done(capsys, "store", "copy", str(room), there)
    count = len(told(room))
    text = done(capsys, "store", "copy", str(room), there)
    assert text.startswith("Copied 0 events")
    assert f"{count} events had been copied before." in text
    done(capsys, "register", "carol", "--store", str(room))
    assert data(capsys, "store", "copy", str(room), there)["copied"] == 1
    assert told(there) == told(room)


def test_a_room_that_has_gone_on_is_no_target(
    room: Path, there: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for target in (there, str(tmp_path / "other")):
        done(capsys, "store", "copy", str(room), target)
        done(capsys, "register", "dave", "--store", target)
        before = told(target)
        code, sentence = wrong(capsys, "store", "copy", str(room), target)
        assert (code, "the target differs behind event" in sentence) == (1, True)
        done(capsys, "register", "carol", "--store", str(room))
        code, sentence = wrong(capsys, "store", "copy", str(room), target)
        assert (code, "the target differs behind event" in sentence) == (1, True)
        assert told(target) == before


def test_what_cannot_be_copied(
    room: Path, url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert wrong(capsys, "store", "copy", str(room), f"{room}/.")[0] == 2
    assert wrong(capsys, "store", "copy", str(tmp_path / "none"), str(tmp_path / "to"))[0] == 1
    assert wrong(capsys, "store", "copy", str(room), "http://x/y")[0] == 2
    code, sentence = wrong(capsys, "store", "copy", str(room), url)
    assert (code, "store init" in sentence) == (1, True)
    assert not (tmp_path / "to").exists()


def test_damage_is_left_out_and_counted(
    room: Path, there: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (segment,) = journal_files(room)
    forget_snapshot(room)
    lines = segment.read_bytes().splitlines(keepends=True)
    # In the middle of a change: the channel is created, and its first member joins.
    assert b'"more":true' in lines[3]
    lines[4:5] = [b"garbage\n", b"\n"]
    segment.write_bytes(b"".join(lines) + lines[3])  # A change that was cut off, too.
    text = done(capsys, "store", "copy", str(room), there)
    assert "Left out 1 line that cannot be read." in text
    ours, theirs = told(room), told(there)
    assert [fact for fact in ours if "LineDamaged" not in repr(fact)] == theirs
    assert len(theirs) == len(lines) - 2
    with Store.open(there) as store:
        assert store.damage() == []
        assert [channel.id for channel in store.channels()] == ["dev"]
    done(capsys, "store", "copy", there, str(tmp_path / "back"))
    assert told(tmp_path / "back") == theirs


def test_order_stays_though_numbers_change(
    tmp_path: Path, there: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with Store.open(tmp_path / "room", sync=False) as store:
        store.register("human", human=True)
        for agent in ("alice", "bob"):
            store.register(agent)
        for number in range(5):
            store.send("alice", "bob", f"old {number}")
        for message in store.check("bob"):
            store.acknowledge("bob", message.id)
        store.purge()
        sent = [store.send("alice", "bob", f"new {number}").id for number in range(3)]
        store.move(sent[2], sent[0], "human")
        assert [message.body for message in store.inbox("bob")] == ["new 2", "new 0", "new 1"]
        assert next(store.history()).seq > 1
    done(capsys, "store", "copy", str(tmp_path / "room"), there)
    with Store.open(there) as store:
        assert next(store.history()).seq == 1
        later = store.send("alice", "bob", "last").body
        assert [message.body for message in store.inbox("bob")] == ["new 2", "new 0", "new 1", later]


def test_a_room_goes_from_nats_to_nats(
    there: str, nats_server: NatsServer, capsys: pytest.CaptureFixture[str]
) -> None:
    with Store.open(there) as store:
        store.register("human", human=True)
        for agent in ("alice", "bob"):
            store.register(agent)
        sent = []
        for number in range(4):
            sent.append(store.send("alice", "bob", f"message {number}").id)
            store.hold("human", agent=("alice", "bob", "human")[number % 3])  # Leaves numbers without events.
        store.move(sent[3], sent[1], "human")
        store.move(sent[2], sent[3], "human")
        order = [message.body for message in store.inbox("bob")]
        assert order == ["message 0", "message 2", "message 3", "message 1"]
        events = len([*store.history()])
    target = f"{nats_server.url}/copy-{next(_NUMBERS)}"
    done(capsys, "store", "init", target)
    found = data(capsys, "store", "copy", there, target)
    assert (found["events"], found["copied"], found["notCopied"]) == (events, events, 0)
    again = data(capsys, "store", "copy", there, target)
    assert (again["copied"], again["sha256"]) == (0, found["sha256"])
    for name, last in ((there, events), (target, events)):
        assert data(capsys, "store", "info", name)["events"] == last
    with Store.open(target) as store:
        assert [event.seq for event in store.history()] == list(range(1, events + 1))
        assert [message.body for message in store.inbox("bob")] == order
        assert len(store.release("human")) == 3
        assert [message.body for message in store.claim("bob", "host")] == order
    ranked = [[fact for fact in told(name) if isinstance(fact[1], MessageRanked)] for name in (there, target)]
    assert [at for at, _ in ranked[0]] == [at for at, _ in ranked[1]]


def test_lines_in_another_hand(tmp_path: Path, there: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Fields that this version does not know, in another order, are kept."""
    folder = tmp_path / "room" / "journal"
    folder.mkdir(parents=True)
    fact = {
        "at": "2030-01-01T12:00:00.000Z",
        "id": "ann",
        "name": "Ann",
        "type": "agent.registered",
        "new": 1,
    }
    lines = [
        {**fact, "seq": 1},
        {"seq": 2, "type": "agent.danced", "more": True, "at": fact["at"], "dance": "tango"},
        {**fact, "id": "bob", "seq": 3},
    ]
    (folder / "0000000001.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    done(capsys, "store", "copy", str(tmp_path / "room"), there)
    done(capsys, "store", "copy", there, str(tmp_path / "back"))
    (segment,) = journal_files(tmp_path / "back")
    assert [json.loads(line) for line in segment.read_text().splitlines()] == lines


def write_large(folder: Path, events: int) -> None:
    """A journal of so many messages, one of whose changes is longer than a stream takes at once."""
    (folder / "journal").mkdir(parents=True)
    head = '"at":"2030-01-01T12:00:00.000Z","type":"message.sent"'
    with (folder / "journal" / "0000000001.jsonl").open("w") as file:
        for seq in range(1, events + 1):
            more = ',"more":true' if 10 < seq < 10 + 2 * MOST_LINES + 100 else ""
            file.write(
                f'{{"seq":{seq},{head}{more},"id":"m{seq:07}-0000-4000-8000-000000000000",'
                f'"from":"ann","to":["bob"],"body":"number {seq}","thread":"m0000001"}}\n'
            )


@pytest.mark.parametrize("kind", ["nats", "folder"])
def test_a_copy_that_was_killed_is_gone_on_with(
    kind: str, tmp_path: Path, there: str, capsys: pytest.CaptureFixture[str]
) -> None:
    events = 12_000 if kind == "nats" else 80_000  # More than half a second's work, after which it tells.
    write_large(tmp_path / "large", events)
    target = there if kind == "nats" else str(tmp_path / "copy")

    def here() -> int:
        if kind == "folder" and not (tmp_path / "copy" / "journal").exists():
            return 0
        found = data(capsys, "store", "info", target)["events"]
        assert isinstance(found, int)
        return found

    words = [sys.executable, "-m", "msgcode", "store", "copy", str(tmp_path / "large"), target]
    with (tmp_path / "err").open("wb") as err:
        copier = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=err, stderr=err)
    deadline = time.monotonic() + 40
    while b"events" not in (tmp_path / "err").read_bytes():
        assert time.monotonic() < deadline
        assert copier.poll() is None, (tmp_path / "err").read_text()
        time.sleep(0.005)
    copier.kill()
    copier.wait(10)
    assert f"of {events:,} events" in (tmp_path / "err").read_text()
    before = here()
    assert 0 < before < events
    assert cli.main(["store", "copy", str(tmp_path / "large"), target, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["events"], found["copied"]) == (events, events - before)
    with Store.open(target) as store:
        assert [event.fact.body for event in store.history()] == [  # type: ignore[union-attr]
            f"number {seq}" for seq in range(1, events + 1)
        ]


@pytest.mark.parametrize("kind", ["nats", "folder"])
def test_somebody_else_who_writes_to_the_target_is_noticed(
    kind: str, room: Path, there: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = there if kind == "nats" else str(tmp_path / "copy")
    done(capsys, "store", "copy", str(room), name)
    target = open_target(parse(there)) if kind == "nats" else FolderTarget(name)
    try:
        count = target.seq
        done(capsys, "register", "carol", "--store", name)
        with pytest.raises(Refused, match="somebody else has written"):
            target.append([b'{"at":"2030-01-01T12:00:00.000Z","type":"agent.danced"}'] * 2, count)
        assert target.seq == count + 1
    finally:
        target.close()


def test_what_comes_meanwhile_is_told(
    room: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from msgcode.journal import copying

    copy, count = copying.copy, len(told(room))

    def slow(*args: object) -> copying.Copied:
        with Store.open(room, sync=False) as store:
            store.register("carol")
        return copy(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(copying, "copy", slow)
    text = done(capsys, "store", "copy", str(room), str(tmp_path / "copy"))
    assert "The room is in use: 1 event that came meanwhile is not in the copy." in text
    assert len(told(tmp_path / "copy")) == count
