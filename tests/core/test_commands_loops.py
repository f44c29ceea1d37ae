"""Listing loops, and trying out a guard, in words and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from msgcode import Store, cli
from msgcode.calls import Answer
from msgcode.codec import encode_facts, encode_line
from msgcode.commands import run_line
from msgcode.events import MessageSent
from tests.core.test_text import obeyed
from tests.troubles import TROUBLES


def say(room: Path, line: str) -> Answer:
    with Store.open(room, sync=False) as store:
        return run_line(store, line, None)


def test_a_room_with_no_loops(tmp_path: Path) -> None:
    assert say(tmp_path / "room", "/msg loops") == Answer("No loops were found.", [])
    answer = say(tmp_path / "room", "/msg backtest loops")
    assert answer.text == "A guard would have fired never, and held 0 of 0 messages."
    assert answer.data == {"messages": 0, "held": (), "firings": []}


def test_a_loop_in_one_thread(tmp_path: Path) -> None:
    recorded = TROUBLES["ping-pong thanks"](tmp_path / "room")
    answer = say(recorded.folder, "/msg loops")
    lines = [line.strip() for line in answer.text.split("\n")]
    assert lines[0].startswith("thanks going on  2030-01-01 ")
    assert lines[1] == "alice, bob only thank each other or acknowledge, in 40 messages one after the other."
    assert lines[2] == "cost: 40 messages, 1320 characters into agents' contexts, about 330 tokens"
    assert lines[3].startswith("shown by: m0003-00 m0004-00 ")
    assert lines[3].endswith(" and 30 more")
    assert lines[4] == "hold it: msgcode hold --thread m0002-00"
    assert lines[5] == "or say something: msgcode --as human send alice ..."
    (found,) = answer.data
    assert found["messages"] == recorded.messages
    assert (found["kind"], found["agents"]) == ("thanks", ("alice", "bob"))
    assert found["cost"] == {"messages": 40, "characters": 1320, "tokens": 330}
    assert "ended" not in found


@pytest.mark.parametrize(
    ("name", "hold"),
    [
        ("ping-pong thanks", "--thread m0002-00"),
        ("polite waiting", "--agent left --agent right"),
        ("triangle", "--agent api"),
    ],
)
def test_the_hold_that_it_offers_holds_it(name: str, hold: str, tmp_path: Path) -> None:
    recorded = TROUBLES[name](tmp_path / "room")
    assert f"hold it: msgcode hold {hold}\n" in say(recorded.folder, "/msg loops").text
    with recorded.open() as store:
        store.register("human", human=True)
        assert run_line(store, f"/msg hold {hold}", "human").ok
        sender, to = recorded.agents[-1], recorded.agents[0]
        store.send(sender, to, "Once more.", reply_to=recorded.messages[-1])
        assert store.claim(to, "opencode") == []


def test_what_ended_offers_nothing(tmp_path: Path) -> None:
    recorded = TROUBLES["triangle"](tmp_path / "room")
    with recorded.open() as store:
        store.register("human", human=True)
        store.send("human", "api", "Infra looks at it tomorrow. Stop here.")
    answer = say(recorded.folder, "/msg loops")
    assert answer.text.startswith("repeat ended by a human")
    assert "hold it" not in answer.text
    assert answer.data[0]["ended"] == "human"


def test_a_back_test(tmp_path: Path) -> None:
    recorded = TROUBLES["triangle"](tmp_path / "room")
    answer = say(recorded.folder, "/msg backtest loops")
    head, line = answer.text.split("\n")
    held = answer.data["held"]
    assert head == f"A guard would have fired once, and held {len(held)} of 18 messages."
    assert line.startswith("2030-01-01 ")
    assert f"repeat, api, billing, infra: would have held {len(held)}, {held[0][:8]} " in line
    assert answer.data["firings"][0]["finding"]["kind"] == "repeat"


@pytest.mark.parametrize("command", ["loops", "backtest loops"])
def test_limits(command: str, tmp_path: Path) -> None:
    recorded = TROUBLES["ping-pong thanks"](tmp_path / "room")
    off = "--thanks 99 --repeats 99 --rounds 99"
    assert "thanks" not in say(recorded.folder, f"/msg {command} {off}").text
    assert "hops" in say(recorded.folder, f"/msg {command} {off} --hops 20").text
    assert "thanks" not in say(recorded.folder, f"/msg {command} --quiet 1").text, "each thinks for longer"
    refused = say(recorded.folder, f"/msg {command} --hops 0")
    assert not refused.ok
    assert "is not a number above 0" in refused.text


@pytest.mark.parametrize("words", [["loops"], ["backtest", "loops"]])
def test_as_json_in_a_shell(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorded = TROUBLES["storm"](tmp_path / "room")
    assert cli.main(["--store", str(recorded.folder), *words, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    finding = data[0] if words == ["loops"] else data["firings"][0]["finding"]
    assert finding["kind"] == "burst"
    assert finding["messages"] == list(recorded.messages)


def test_ids_are_made_visible(tmp_path: Path) -> None:
    """oh-my-msgcode lets an agent have any id."""
    folder = tmp_path / "room" / "journal"
    folder.mkdir(parents=True)
    evil = ("a\x1b[2J", "b\u202e")
    lines = []
    recorded = TROUBLES["polite waiting"](tmp_path / "other")
    with recorded.open() as store:
        sent = [event for event in store.history() if isinstance(event.fact, MessageSent)]
    for seq, event in enumerate(sent, 1):
        assert isinstance(event.fact, MessageSent)
        names = dict(zip(("left", "right", "docs"), (*evil, "docs"), strict=True))
        fact = event.fact._replace(
            id=f"\x1b]0;{event.fact.id}",
            cause=event.fact.cause and f"\x1b]0;{event.fact.cause}",
            sender=names[event.fact.sender],
            to=tuple(names[agent] for agent in event.fact.to),
        )
        (body,) = encode_facts([fact])
        lines.append(encode_line(seq, event.at, body))
    (folder / "0000000001.jsonl").write_bytes(b"".join(lines))
    for command in ("loops", "backtest loops"):
        text = say(tmp_path / "room", f"/msg {command}").text
        assert "repeat" in text
        assert not obeyed(text)
