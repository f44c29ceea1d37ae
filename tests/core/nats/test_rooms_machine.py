"""The machine that drives two stores at random, in rooms on NATS: each store has a copy of its own."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import HealthCheck, Phase, settings

from msgcode import Store
from msgcode.journal.jetstream import JetStreamJournal
from msgcode.nats.address import parse
from msgcode.nats.presence import NatsPresence
from tests.core.nats.server import NatsServer
from tests.core.test_store_machine import Rooms

_NUMBERS = itertools.count(1)

_server: list[NatsServer] = []


class NatsRooms(Rooms):
    def __init__(self) -> None:
        self.name = f"machine-{next(_NUMBERS)}"
        _server[0].make_room(self.name)
        self.copies = itertools.count(1)
        super().__init__()

    def open(self) -> Store:
        address = parse(f"{_server[0].url}/{self.name}")
        cache = self.folder / f"copy-{next(self.copies)}"
        cache.mkdir()
        journal = JetStreamJournal(address, str(cache), clock=self.clock)
        presence = NatsPresence(journal.link)
        return Store(str(address), journal, presence, clock=self.clock, new_id=self.ids)

    delete_everything = None  # type: ignore[assignment]  # There is no folder to delete.


@pytest.fixture(autouse=True)
def rooms_server(nats_server: NatsServer) -> None:
    _server[:] = [nats_server]


TestNatsRooms = pytest.mark.timeout(400)(NatsRooms.TestCase)
TestNatsRooms.settings = settings(
    max_examples=15,
    stateful_step_count=30,
    deadline=None,
    phases=(Phase.generate,),  # What fails is made small against a folder, which is faster.
    suppress_health_check=list(HealthCheck),
)
