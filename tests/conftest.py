"""What all tests share: no test may touch the room, or the settings, of whoever runs it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says what else the machine has to do.
settings.register_profile("msgcode", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("deep", settings.get_profile("msgcode"), max_examples=5000)
settings.load_profile("msgcode")

# Of the hundreds of processes that the tests start, each would compile all of msgcode for itself.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# A shell that has the tests run in the background has them ignore SIGINT, and so all that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)

pytest.register_assert_rewrite("tests.core.journal.contract")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest tests come first: one process has begun them, while others do the rest."""
    items.sort(key=lambda item: {"e2e", "release"}.isdisjoint(item.path.parts))


@pytest.fixture(autouse=True)
def no_room_of_mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment names no agent, and a store, settings and a memory that are not in the home folder."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("MSGCODE_CONFIG", raising=False)
    monkeypatch.setenv("MSGCODE_STORE", str(tmp_path / "default-room"))
    monkeypatch.delenv("MSGCODE_AGENT", raising=False)
    monkeypatch.delenv("MSGCODE_SYNC", raising=False)
