"""A room, and stores that are opened there as often as need be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from msgcode import Store
from tests.core.mirror.support import (
    Opener,
    Shifted,
)


@pytest.fixture
def room(tmp_path: Path) -> Path:
    return tmp_path / "room"


@pytest.fixture
def clock() -> Shifted:
    return Shifted()


@pytest.fixture
def open_store(room: Path, clock: Shifted) -> Iterator[Opener]:
    opened: list[Store] = []

    def open_one() -> Store:
        opened.append(Store.open(room, sync=False, clock=clock))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Opener) -> Store:
    return open_store()
