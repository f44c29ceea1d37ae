"""The journal on JetStream does what every journal must, against a real server."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from msgcode.journal.jetstream import JetStreamJournal
from msgcode.nats.address import parse
from tests.core.journal.contract import Join, JournalContract
from tests.core.nats.server import NatsServer

_NUMBERS = itertools.count(1)


class TestJetStreamJournal(JournalContract):
    @pytest.fixture(params=["a machine each", "one machine"])
    def join(self, nats_server: NatsServer, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Join]:
        room = f"room-{next(_NUMBERS)}"
        nats_server.make_room(room)
        opened: list[JetStreamJournal] = []

        def join() -> JetStreamJournal:
            cache = tmp_path / (str(len(opened)) if request.param == "a machine each" else "cache")
            opened.append(JetStreamJournal(parse(f"{nats_server.url}/{room}"), str(cache)))
            return opened[-1]

        yield join
        for journal in opened:
            journal.close()
