"""The room as it was: every reading verb answers as of then, and none that changes does anything."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from msgcode import Activity, Refused, Status, Store
from msgcode.cli import main
from msgcode.commands import COMMANDS, run_line
from msgcode.journal.reader import Position
from tests.core.support import START, Clock, Ids, forget_snapshot, journal_files, picture


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    """At 12:00 ann and bob registered (1, 2); ann asked (3) and bob read it (4) and was done (5), a minute
    after each other; at 12:04 ann sent another (6), and bob's next name is 7."""
    with Store.open(tmp_path / "room", sync=False, clock=clock, new_id=Ids()) as store:
        store.register("ann")
        store.register("bob")
        clock.advance(60)
        first = store.send("ann", "bob", "Is it green?")
        clock.advance(60)
        store.check("bob")
        clock.advance(60)
        store.acknowledge("bob", first.id)
        clock.advance(60)
        store.send("ann", "bob", "Then go on.", reply_to=first.id)
        store.register("bob", "Bobby")
        yield store


FIRST, SECOND = (f"m000{number}-0000-4000-8000-000000000000" for number in (1, 2))


@pytest.mark.parametrize(
    ("seq", "status", "waiting"),
    [
        (3, Status.QUEUED, 1),
        (4, Status.DELIVERED, 1),
        (5, Status.ACKNOWLEDGED, 0),
        (6, Status.ACKNOWLEDGED, 1),
    ],
)
def test_a_message_as_it_was(store: Store, seq: int, status: Status, waiting: int) -> None:
    past = store.at(seq)
    assert past.message(FIRST).deliveries["bob"].status is status
    assert past.waiting("bob") == waiting
    assert len(past.inbox("bob")) == waiting
    assert [event.seq for event in past.life(FIRST)] == list(range(3, min(seq, 5) + 1))
    assert [event.seq for event in past.history()] == list(range(1, seq + 1))
    assert past.message(past.resolve("m0001")).id == FIRST
    assert [agent.name for agent in past.agents()] == ["ann", "bob"]
    ended = [message.id for message in past.messages(ended=True)]
    assert ended == [FIRST, SECOND][: 2 if seq == 6 else 1]


def test_what_had_not_been_sent_is_not_there(store: Store) -> None:
    with pytest.raises(Refused, match="there is no message"):
        store.at(5).message(SECOND)
    with pytest.raises(Refused, match="there is no message"):
        store.at(5).resolve("m0002")


def test_by_time(store: Store, clock: Clock) -> None:
    past = store.at(START + timedelta(minutes=2, seconds=30))
    assert past.moment
    assert past.moment.seq == 4
    assert past.now() == START + timedelta(minutes=2, seconds=30)
    clock.advance(60)
    assert past.now() == past.moment.at
    assert store.at(clock.now).waiting("bob") == 1
    assert store.moment is None
    by_number = store.at(4)
    assert by_number.now() == START + timedelta(minutes=2)


def test_nobodys_presence_is_known(store: Store) -> None:
    store.set_presence("bob", "busy")
    presence = store.at(7).presence("bob")
    assert presence.activity is Activity.UNKNOWN
    assert not presence.online
    with pytest.raises(Exception, match="no activity: choose idle, busy, blocked, offline"):
        store.set_presence("bob", "unknown")


@pytest.mark.parametrize(
    "verb",
    [
        lambda past: past.register("cy"),
        lambda past: past.send("ann", "bob", "hi"),
        lambda past: past.check("bob"),
        lambda past: past.claim("bob", "host"),
        lambda past: past.acknowledge("bob", SECOND),
        lambda past: past.hold("human"),
        lambda past: past.purge(),
        lambda past: past.seen("bob"),
        lambda past: past.set_presence("bob", "busy"),
    ],
)
def test_the_past_cannot_be_changed(store: Store, verb: Callable[[Store], object]) -> None:
    before = [event.seq for event in store.history()]
    with pytest.raises(Refused, match="the room as it was after event 6, and the past cannot be changed"):
        verb(store.at(6))
    assert [event.seq for event in store.history()] == before


def test_what_is_not_there(store: Store, tmp_path: Path) -> None:
    for moment, sentence in (
        (8, "no event 8 yet: the newest is 7"),
        (START + timedelta(hours=1), "has not come yet"),
        (0, "nothing had happened"),
        (START - timedelta(seconds=1), "nothing had happened"),
    ):
        with pytest.raises(Refused, match=sentence):
            store.at(moment)
    with Store.open(tmp_path / "empty") as empty, pytest.raises(Refused, match="no event 1 yet"):
        empty.at(1)


def test_what_was_purged(store: Store, clock: Clock, tmp_path: Path) -> None:
    clock.advance(60)
    store.acknowledge("bob", SECOND)  # 8
    clock.advance(60)
    store.purge()
    newest = store.send("ann", "bob", "New")
    first = next(store.history()).seq
    assert first > 1
    for moment in (3, START + timedelta(minutes=1)):
        with pytest.raises(Refused, match=f"what happened before event {first} was purged"):
            store.at(moment)
    point = store.at(newest.seq).moment
    assert point
    assert point.whole
    assert point.first == first
    assert [agent.id for agent in store.at(newest.seq).agents()] == ["ann", "bob"]


def test_a_clean_up_that_left_a_part(store: Store, tmp_path: Path, clock: Clock) -> None:
    """Older segments are gone, and it is not yet said again who was there: that is told."""
    lines = journal_files(tmp_path / "room")[0].read_bytes().splitlines(keepends=True)
    journal = tmp_path / "part" / "journal"
    journal.mkdir(parents=True)
    (journal / "0000000002.jsonl").write_bytes(b"".join(lines[2:]))
    with Store.open(tmp_path / "part", clock=clock) as part:
        point = part.at(4).moment
        assert point
        assert not point.whole
        assert point.first == 3
        text = run_line(part, "/msg agents --at 4", None).text
        assert "Who was registered and what was held before event 3 was purged." in text


def test_recent_and_the_way_on_from_there(store: Store, tmp_path: Path) -> None:
    past = store.at(4)
    recent = past.recent(10**6)
    assert recent.whole
    assert recent.state.seq == 4
    assert picture(recent.state) == picture(past.recent(10**6).state)
    short = past.recent(1)
    assert not short.whole
    assert list(short.state.messages) == [FIRST]
    assert recent.position == short.position != Position()
    assert [event.seq for event in store.history(recent.position)] == [1, 2, 3, 4]


def test_without_a_snapshot_and_from_another_process(store: Store, tmp_path: Path, clock: Clock) -> None:
    forget_snapshot(tmp_path / "room")
    with Store.open(tmp_path / "room", clock=clock) as other:
        store.send("ann", "bob", "newer")
        assert other.at(8).waiting("bob") == 2


# The words


def heading(seq: int) -> str:
    return f"after event {seq}; presence unknown then."


@pytest.mark.parametrize("word", [name for name, command in COMMANDS.items() if command.reads])
def test_every_reading_word(store: Store, word: str) -> None:
    ids = {
        "check": "bob",
        "show": "m0001",
        "why": "m0001",
        "search": "green",
        "questions": "bob",
        "break test": "--to bob",
    }
    line = f"/msg {word} --at 4 {ids.get(word, '')}"
    answer = run_line(store, line, None)
    assert answer.ok, answer.text
    if word != "export":
        assert heading(4) in answer.text.splitlines()[0]
    assert "Then go on" not in answer.text
    assert "Bobby" not in answer.text
    assert len(list(store.history())) == 7


@pytest.mark.parametrize("word", [name for name, command in COMMANDS.items() if not command.reads])
def test_every_other_word_refuses(store: Store, word: str) -> None:
    ids = {
        "register": "cy", "unregister": "bob", "send": "bob hi", "broadcast": "api hi", "ack": "m0002",
        "edit": "m0002 hi", "discard": "m0002", "expire": "m0002", "priority": "m0002 high",
        "forward": "m0002 ann", "resend": "m0002", "answer": "m0002 yes", "move": "m0002 --before m0001",
        "break enable": "1", "break disable": "1", "break remove": "1", "channel create": "api",
        "channel join": "api", "channel leave": "api", "probe": "bob", "undo": "",
    }  # fmt: skip
    answer = run_line(store, f"/msg {word} --at 4 {ids.get(word, '')}", "ann")
    assert not answer.ok
    assert answer.text.startswith("the past cannot be changed: --at is for what only reads"), answer.text
    assert len(list(store.history())) == 7


def test_what_the_readings_say(store: Store) -> None:
    def said(line: str) -> str:
        answer = run_line(store, f"/msg {line}", None)
        assert answer.ok, answer.text
        return answer.text

    assert said("check bob --at 3").count("Is it green?") == 1
    assert "You only looked" in said("check --as bob --at 3")
    assert "bob: unclaimed - bob is of unknown presence" in said("why m0001 --at 3")
    assert "→" not in said("why m0001 --at 3").partition("unclaimed")[2]
    assert "bob: acknowledged" in said("why m0001 --at 5")
    assert "ann ─▶ bob" in said("waits --at 4")
    assert "Nobody waits" in said("waits --at 5")
    assert "○ bob  unknown  1 waiting" in said("agents --at 3")
    assert "online" not in said("status --at 3")
    assert said("search --at 4 status:delivered").count("Is it green?") == 1
    assert "No message matches" in said("search --at 3 status:delivered")
    assert said("log --at 2").count("registered") == 2
    assert said("export --at 3").count("status: queued") == 1
    assert "Nothing has been put into any agent" in said("cost --at 3")


@pytest.mark.parametrize("at", ["4", "3m", "2030-01-01T12:02:10Z"])
def test_numbers_ages_and_times(store: Store, clock: Clock, at: str) -> None:
    clock.advance(70)  # 12:05:10
    answer = run_line(store, f"/msg agents --at {at}", None)
    assert heading(4) in answer.text


def test_in_a_shell(store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    room = ["--store", str(tmp_path / "room")]
    assert main(["agents", "--at", "2", "--json", *room]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [(agent["id"], agent["presence"], agent["waiting"]) for agent in told] == [
        ("ann", {"activity": "unknown"}, 0),
        ("bob", {"activity": "unknown"}, 0),
    ]
    assert main(["send", "--at", "2", "bob", "hi", "--as", "ann", *room]) == 2
    assert "the past cannot be changed" in capsys.readouterr().err
    assert main(["install", "opencode", "--at", "2", *room]) == 2
    assert main(["agents", "--at", "whenever", *room]) == 2
    assert "is no time: write 09:30" in capsys.readouterr().err
    assert main(["agents", "--at", "99", *room]) == 1
    assert capsys.readouterr().err == "msgcode: there is no event 99 yet: the newest is 7.\n"
