"""What the tests of the TUI share: UTC, and what their many apps read once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet

from msgcode import Store
from msgcode.model import now
from msgcode_tui import times


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Local time is UTC, by a clock of 24 hours, and there is colour."""
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.delenv("NO_COLOR", raising=False)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
    times.read_by("24h")


@pytest.fixture(scope="session", autouse=True)
def styles_read_once() -> Iterator[None]:
    """Each app would parse the same style sheets anew, some 50 ms of its start."""
    parse, known = Stylesheet._parse_rules, dict[object, list[RuleSet]]()

    def parse_once(self: Stylesheet, *args: Any, **options: Any) -> list[RuleSet]:
        key = (args, *sorted(options.items()), *sorted(self._variables.items()))
        if key not in known:
            known[key] = parse(self, *args, **options)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stylesheet, "_parse_rules", parse_once)
        # Each widget looks up all rules, 60,000 times in an app's start; the hash is the identity anyway.
        patch.setattr(RuleSet, "__hash__", object.__hash__)
        yield


@pytest.fixture(scope="session", autouse=True)
def frequent_looks() -> Iterator[None]:
    """Tests wait for an app's looks at who is there, and who goes round, which are a second apart."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("msgcode_tui.app.PRESENCE_EVERY", 0.1)
        patch.setattr("msgcode_tui.app.ROUNDS_EVERY", 0.1)
        yield


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the room is that the app shows."""
    return tmp_path / "room"


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    """The room as another process has it open, with alice, bob and the channel dev of both.

    Its clock shows a later time at each look, so that no two events are of the same time.
    """
    last = now()

    def clock() -> datetime:
        nonlocal last
        last = max(now(), last + timedelta(milliseconds=1))
        return last

    with Store.open(folder, sync=False, clock=clock) as store:
        store.register("alice")
        store.register("bob")
        store.create_channel("dev", "alice")
        store.join("dev", "bob")
        yield store
