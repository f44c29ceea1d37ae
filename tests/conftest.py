"""What all tests share: no test may touch the room, or the settings, of whoever runs it."""

from __future__ import annotations

import gc
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

# A shell that has the tests run in the background has them ignore SIGINT, and nohup SIGHUP; and so all that
# they start.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

pytest.register_assert_rewrite("tests.core.journal.contract")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest tests come first: one process has begun them, while others do the rest."""
    items.sort(key=lambda item: {"e2e", "release"}.isdisjoint(item.path.parts))


GARBAGE = 300_000
"""How many more objects there may be before they are looked through for garbage."""


def pytest_collection_finish() -> None:
    """What was imported and collected stays, and need not be looked through for garbage.

    Garbage is what a test leaves, and so it is collected when the test has ended; while it runs, most of what
    it made is in use, and looking it through is in vain. An app keeps what is there when it begins: here that
    would be every app before it, for ever.
    """
    gc.collect()
    gc.freeze()
    gc.freeze = lambda: None
    gc.set_threshold(0)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    if gc.get_count()[0] > GARBAGE:
        gc.collect()


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
