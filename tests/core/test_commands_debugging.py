"""The commands that say why agents are stuck, as lines of a chat and in a shell."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from msgcode import Store, cli
from tests.core.support import START, Clock
from tests.core.test_commands import refused, say


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    with Store.open(tmp_path / "room", sync=False, clock=clock) as store:
        store.register("alice")
        store.register("bob")
        yield store


def test_why_at_each_recipient_or_at_one(store: Store, clock: Clock) -> None:
    sent = store.send("alice", ["bob", "reveiwer"], "hi")
    clock.advance(12)
    store.claim("bob", "host\x1b[2J")
    store.fail("bob", sent.id, "host\x1b[2J", "it is \x1b[31mgone")
    found = say(store, f"/msg why {sent.id[:8]}")
    assert "\x1b" not in found.text
    assert "bob: failed - bob is idle; delivery failed once, the last: it is ␛[31mgone." in found.text
    assert "+12 s  claimed by host␛[2J" in found.text
    assert "reveiwer: unknown - reveiwer is not registered." in found.text
    assert f"→ give up on it: msgcode discard {sent.id[:8]} --agent reveiwer" in found.text
    bob, other = found.data
    assert (bob["message"], bob["agent"], bob["stands"], other["stands"]) == (
        sent.id,
        "bob",
        "failed",
        "unknown",
    )
    assert [(hop["what"], hop["took"]) for hop in bob["hops"]] == [
        ("sent", 0),
        ("claimed", 12),
        ("failed", 0),
    ]
    assert other["advice"][0] == {
        "what": "bring reveiwer into the room, which then gets it", "command": "register reveiwer"
    }  # fmt: skip
    assert [each["agent"] for each in say(store, f"/msg why {sent.id} @bob").data] == ["bob"]
    assert "not addressed to agent 'alice'" in refused(store, f"/msg why {sent.id} alice")


def test_what_is_held_is_explained_and_not_stuck(store: Store, clock: Clock) -> None:
    store.register("eve", human=True)
    sent = store.send("alice", "bob", "hi")
    clock.advance(1000)
    assert len(say(store, "/msg stuck").data) == 1
    store.hold("eve", agent="bob")
    assert say(store, "/msg stuck").data == []
    found = say(store, f"/msg why {sent.id}")
    assert found.data[0]["stands"] == "held"
    assert "held by hold 1 on bob, placed by eve" in found.text
    assert f"→ let it through: msgcode step --message {sent.id[:8]}" in found.text


def test_why_knows_who_was_unregistered(store: Store) -> None:
    sent = store.send("alice", "bob", "hi")
    store.unregister("bob")
    assert say(store, f"/msg why {sent.id}").data[0]["stands"] == "gone"


def test_why_nobody_got_it(store: Store) -> None:
    store.create_channel("dev", "alice")
    sent = store.broadcast("alice", "dev", "anybody?")
    assert "nobody got it" in say(store, f"/msg why {sent.id}").text


def test_waits(store: Store, clock: Clock) -> None:
    assert say(store, "/msg waits").text == "Nobody waits for an answer."
    first = store.send("alice", "bob", "Can you?")
    store.send("bob", "alice", "Can you first?")
    store.send("alice", "nobody", "Can you?")
    clock.advance(90)
    found = say(store, "/msg waits")
    assert found.text.startswith("Deadlock: alice → bob → alice\n")
    (ring,) = found.data["deadlocks"]
    assert (ring[0]["waiter"], ring[0]["on"], ring[0]["message"]) == ("alice", "bob", first.id)
    assert [(wait["on"], wait["deadEnd"]) for wait in found.data["waits"]] == [("nobody", True)]


def test_stuck_with_other_thresholds(store: Store, clock: Clock) -> None:
    assert say(store, "/msg stuck").text == "Nothing is stuck."
    ids = [store.send("alice", "bob", "hi").id for _ in range(7)]
    clock.advance(200)
    assert say(store, "/msg stuck").data == []
    found = say(store, "/msg stuck --undelivered 100")
    assert found.text.startswith("bob: offline for 3 min 20 s - bob is offline since ")
    assert "and 2 more; 7 waiting in all" in found.text
    assert (found.data[0]["kind"], found.data[0]["messages"]) == ("offline", ids)
    assert "'x' is not a number of seconds" in refused(store, "/msg stuck --silent x")
    assert "not a number of seconds" in refused(store, "/msg stuck --silent nan")


def test_cost(store: Store) -> None:
    assert say(store, "/msg cost").text == "Nothing has been put into any agent yet."
    sent = store.send("alice", "bob", "x" * 4000)
    store.send("alice", "bob", "y" * 40)
    store.check("bob")
    found = say(store, "/msg cost --minutes 30 --limit 1")
    assert "4,040" in found.text
    assert "1,010" in found.text
    assert "and 1 more; --limit N shows more" in found.text
    whole = {"characters": 4040, "tokens": 1010, "messages": 2, "charactersPerHour": 8080}
    assert found.data["total"] == whole
    assert found.data["pairs"] == [{"from": "alice", "to": "bob", **whole}]
    assert found.data["threads"][0]["thread"] == found.data["shares"][0]["thread"] == sent.id


@pytest.mark.parametrize("word", ["waits", "stuck", "cost"])
def test_in_a_shell_as_json(store: Store, word: str, capsys: pytest.CaptureFixture[str]) -> None:
    store.send("alice", "bob", "Can you?")
    before = list(store.history())
    assert cli.main(["--store", store.name, word, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) is not None
    assert list(store.history()) == before
    assert before[0].at == START
