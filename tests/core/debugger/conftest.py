"""A small room whose clock stands still until it is told to go on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from msgcode import Store
from msgcode.model import Presence
from msgcode.state import State
from msgcode.verbs import fold_anew
from tests.core.support import Clock, Ids


class Room:
    """A store with its clock, and what the readings take of it."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.store = Store.open(folder, sync=False, clock=self.clock, new_id=Ids())

    def state(self) -> State:
        return fold_anew([], self.store.history())

    def presences(self) -> dict[str, Presence]:
        return {agent.id: self.store.presence(agent.id) for agent in self.store.agents()}


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    room = Room(tmp_path / "room")
    with room.store:
        for agent in ("ann", "bob", "cy"):
            room.store.register(agent)
        yield room
