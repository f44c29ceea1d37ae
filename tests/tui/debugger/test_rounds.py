"""Which loops and deadlocks the user is told of, and how often."""

from __future__ import annotations

from pathlib import Path

import pytest

from msgcode_tui.debugger.rounds import Rounds
from msgcode_tui.debugger.rows import Scene, frozen
from tests.troubles import HEALTHY, TROUBLES, Recorded
from tests.tui.test_live import live_of


def scene(recorded: Recorded) -> Scene:
    with recorded.open() as store:
        live = live_of(store)
    return Scene(frozen(live.state), recorded.presence, recorded.now, live.findings(recorded.now))


@pytest.mark.parametrize(
    ("trouble", "what", "title"),
    [
        ("ping-pong thanks", "loops", "alice and bob are in a loop"),
        ("triangle", "loops", "api and 2 more are in a loop"),
        ("deadlock of two", "stuck", "backend and frontend are deadlocked"),
        ("deadlock of three", "stuck", "schema and 2 more are deadlocked"),
    ],
)
def test_each_is_told_of_once(tmp_path: Path, trouble: str, what: str, title: str) -> None:
    now = scene(TROUBLES[trouble](tmp_path / "room"))
    rounds = Rounds("human")
    assert [(each.what, each.title) for each in rounds.new(now)] == [(what, title)]
    assert rounds.new(now) == []


def test_one_that_comes_again_is_told_of_again(tmp_path: Path) -> None:
    now = scene(TROUBLES["deadlock of two"](tmp_path / "room"))
    rounds = Rounds("human")
    assert rounds.new(now)
    assert rounds.new(now._replace(state=type(now.state)(keep_ended=True))) == []
    assert rounds.new(now)


@pytest.mark.parametrize("room", HEALTHY)
def test_nothing_is_told_of_a_healthy_room(tmp_path: Path, room: str) -> None:
    assert Rounds("human").new(scene(HEALTHY[room](tmp_path / "room"))) == []


def test_a_frozen_room_stays_as_it_was(tmp_path: Path) -> None:
    recorded = TROUBLES["deadlock of two"](tmp_path / "room")
    with recorded.open() as store:
        live = live_of(store)
        before = frozen(live.state)
        store.acknowledge("frontend", recorded.messages[0])
        live.advance(list(store.history())[before.seq :])
    assert recorded.messages[0] in list(before.inbox("frontend"))
    assert recorded.messages[0] not in list(live.state.inbox("frontend"))
    assert before.messages[recorded.messages[0]] != live.state.messages[recorded.messages[0]]
