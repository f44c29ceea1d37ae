"""The word that probes an agent, in a shell and as a line of a chat."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from msgcode import Store
from msgcode.cli import main
from msgcode.commands import run_line
from msgcode.model import PROBE
from tests.core.support import Ids


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "room", sync=False) as store:
        for agent in ("ann", "bob"):
            store.register(agent)
        yield store


@contextmanager
def answering(store: Store, most: int = 1000) -> Iterator[None]:
    """A deliverer gives bob what comes, and bob is done with the first `most` at once."""
    over = threading.Event()

    def deliver() -> None:
        left = most
        while not over.wait(0.002):
            for message in store.claim("bob", "host"):
                store.confirm("bob", message.id, "host")
                if left > 0:
                    store.acknowledge("bob", message.id)
                    left -= 1

    deliverer = threading.Thread(target=deliver)
    deliverer.start()
    try:
        yield
    finally:
        over.set()
        deliverer.join()


def probed(store: Store, *words: str) -> int:
    return main(["probe", "@bob", "--store", store.name, *words])


def test_a_probe_that_is_answered(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    with answering(store):
        assert probed(store) == 0
    text = capsys.readouterr().out
    (sent,) = store.messages(ended=True)
    assert (sent.sender, sent.human, sent.metadata) == ("human", True, {PROBE: "1"})
    first, *hops, last = text.splitlines()
    assert first == f"Probe of bob: {sent.id[:8]}"
    assert [hop.partition("ms")[2].strip() for hop in hops] == [
        "stored", "claimed  host", "delivered", "answered  acknowledged",
    ]  # fmt: skip
    assert last.startswith("Answered after ")


def test_several(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    with answering(store):
        assert probed(store, "--count", "3", "--json") == 0
        data = json.loads(capsys.readouterr().out)
        assert probed(store, "--count", "3") == 0
    assert (data["agent"], data["answered"], len(data["probes"])) == ("bob", 3, 3)
    assert list(data["spreads"]) == ["stored", "claimed", "delivered", "answered", "total"]
    for spread in data["spreads"].values():
        assert 0 <= spread["p50"] <= spread["p99"]
        assert spread["probes"] == 3
    assert [hop["what"] for hop in data["probes"][0]["hops"]][-1] == "answered"
    text = capsys.readouterr().out
    assert text.startswith("3 of 3 probes of bob were answered.\n")
    assert [line.split()[0] for line in text.splitlines()[2:]] == list(data["spreads"])


def test_where_it_stopped(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    store.set_presence("bob", "offline")
    assert probed(store, "--wait", "0.1", "--count", "5", "--json") == 0
    data = json.loads(capsys.readouterr().out)
    (probe,) = data["probes"]
    assert (probe["answered"], probe["stands"], data["answered"]) == (False, "offline", 0)
    assert probe["reason"].startswith("bob is offline since ")
    (waiting,) = store.messages()
    assert waiting.expires_at is not None
    assert (waiting.expires_at - waiting.sent_at).total_seconds() == 60
    store.hold("human")
    assert probed(store, "--wait", "0.1") == 0
    assert "Stopped: held - held by hold 1 on everything, placed by human.\n" in capsys.readouterr().out


def test_it_was_delivered_and_that_was_all(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    with answering(store, most=2):
        assert probed(store, "--count", "9", "--wait", "0.5") == 0
    text = capsys.readouterr().out
    assert text.startswith("2 of 9 probes of bob were answered.\n")
    assert "Stopped: delivered - bob has had it since" in text
    assert len(store.messages(ended=True)) == 3


def test_it_lives_as_long_as_one_waits(store: Store) -> None:
    with answering(store):
        assert probed(store, "--wait", "300") == 0
    (sent,) = store.messages(ended=True)
    assert sent.expires_at is not None
    assert (sent.expires_at - sent.sent_at).total_seconds() == 300


def test_from_whom(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Probes are of humans, whoever is asked for: an agent could be taken to wait for the answer."""
    store.register("eve", human=True)
    for actor, sender in (("eve", "eve"), ("ann", "human"), (None, "human")):
        answer = run_line(store, "/msg probe bob", actor)
        assert store.message(answer.data["message"]).sender == sender


def test_as_a_line_it_only_sends(tmp_path: Path) -> None:
    with Store.open(tmp_path / "room", sync=False, new_id=Ids()) as store:
        store.register("bob")
        answer = run_line(store, "/msg probe bob", None)
        assert answer.text == "Sent a probe to bob. To see how far it has come: msgcode why m0001-00"
        assert answer.data["hops"][0]["what"] == "stored"
        assert not run_line(store, "/msg probe bob --wait 3", None).ok
        assert run_line(store, "/msg why m0001-00", None).ok


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["probe", "bo"], 1, "agent 'bo' is not registered (did you mean 'bob'?)"),
        (["probe", "bob", "--count", "0"], 2, "'0' is not a number above 0"),
        (["probe", "bob", "--wait", "0"], 2, "'0' is not a number of seconds above 0"),
        (["probe", "bob", "--wait", "x"], 2, "'x' is not a number of seconds above 0"),
        (["probe"], 2, "required: AGENT"),
    ],
)
def test_bad_input(
    store: Store, words: list[str], code: int, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--store", store.name]) == code
    assert sentence in capsys.readouterr().err
    assert store.messages() == []
