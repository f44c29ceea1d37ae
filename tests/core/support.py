"""Small helpers for the tests of the core."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from msgcode import MsgcodeError, Store
from msgcode.state import State

START = datetime(2030, 1, 1, 12, 0, 0, tzinfo=UTC)


class Clock:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(milliseconds=round(seconds * 1000))


class Ids:
    """Message ids that are told apart at a glance: m001-, m002-, ..."""

    def __init__(self) -> None:
        self._count = itertools.count(1)

    def __call__(self) -> str:
        return f"m{next(self._count):04}-0000-4000-8000-000000000000"


def unchanged(store: Store, verb: Callable[[], object], kind: type[MsgcodeError], sentence: str) -> None:
    """The verb raises this, in one line, and leaves no trace."""
    before = len(list(store.history()))
    with pytest.raises(kind, match=sentence) as error:
        verb()
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 400
    assert len(list(store.history())) == before


def join_snapshots() -> None:
    """Wait until no snapshot is being written."""
    for thread in threading.enumerate():
        if thread.name == "snapshot":
            thread.join()


def picture(state: State) -> dict[str, object]:
    """All that a state says of its room, to be compared with another's."""
    return {
        "seq": state.seq,
        "agents": state.agents,
        "channels": state.channels,
        "messages": state.messages,
        "expiring": sorted(state.expiring),
        "heard": state.heard,
        "holds": state.holds,
        "stopped": state.stopped,
        "breakpoints": state.breakpoints,
        "inboxes": {agent: sorted(inbox) for agent, inbox in state.inboxes.items()},
    }


def journal_files(room: Path) -> list[Path]:
    """The room's segments, oldest first."""
    return sorted((room / "journal").glob("*.jsonl"))


def forget_snapshot(room: Path) -> None:
    """Delete the room's snapshot, so that whoever opens it must read its journal."""
    join_snapshots()
    (room / "journal" / "snapshot.json").unlink(missing_ok=True)


def mode(path: Path) -> int:
    """The path's permissions."""
    return os.stat(path).st_mode & 0o777
