"""The readings over the recorded rooms: each trouble is found, and no healthy room is flagged."""

from __future__ import annotations

from pathlib import Path

import pytest

from msgcode.debugger.stuck import Kind, Stuck, stuck
from msgcode.debugger.waits import Waits, waits
from msgcode.state import State
from msgcode.verbs import fold_anew
from tests.troubles import HEALTHY, TROUBLES, Recorded

STANDSTILLS = {
    "deadlock of two": None,
    "deadlock of three": None,
    "lost recipient": Kind.UNKNOWN,
    "dead host": Kind.LAPSING,
    "permission block": Kind.BLOCKED,
}


def room(recorded: Recorded) -> State:
    with recorded.open() as store:
        return fold_anew([], store.history())


def stuck_in(recorded: Recorded) -> list[Stuck]:
    return stuck(room(recorded), recorded.presence, recorded.now)


def waits_in(recorded: Recorded) -> Waits:
    return waits(room(recorded), recorded.presence, recorded.now)


@pytest.mark.parametrize("name", ["deadlock of two", "deadlock of three"])
def test_a_deadlock_is_found(name: str, tmp_path: Path) -> None:
    recorded = TROUBLES[name](tmp_path / "room")
    (ring,) = waits_in(recorded).deadlocks
    assert tuple(wait.waiter for wait in ring) == recorded.agents
    assert tuple(wait.message.id for wait in ring) == recorded.messages
    assert all(wait.alive for wait in ring)


@pytest.mark.parametrize("name", sorted(TROUBLES.keys() - {"deadlock of two", "deadlock of three"}))
def test_what_is_no_deadlock_is_called_none(name: str, tmp_path: Path) -> None:
    assert waits_in(TROUBLES[name](tmp_path / "room")).deadlocks == ()


@pytest.mark.parametrize(("name", "kind"), [(name, kind) for name, kind in STANDSTILLS.items() if kind])
def test_what_is_stuck_is_found_first(name: str, kind: Kind, tmp_path: Path) -> None:
    recorded = TROUBLES[name](tmp_path / "room")
    first = stuck_in(recorded)[0]
    assert (first.kind, (first.agent,), first.messages) == (kind, recorded.agents, recorded.messages)
    ends = [wait for wait in waits_in(recorded).others if wait.dead_end]
    assert {wait.message.id for wait in ends} >= {*recorded.messages}
    assert {wait.on for wait in ends} == {*recorded.agents}


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_room_is_not_flagged(name: str, tmp_path: Path) -> None:
    recorded = HEALTHY[name](tmp_path / "room")
    assert stuck_in(recorded) == []
    assert waits_in(recorded) == Waits()
