"""What the tests of the core share: a real nats-server, once a process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.core.nats.server import NatsServer


@pytest.fixture(scope="session")
def nats_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    server = NatsServer(tmp_path_factory.mktemp("nats"))
    yield server
    server.stop()
