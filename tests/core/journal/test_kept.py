"""Journals of every version that was released are read as they were then (`freeze.py` keeps them)."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from msgcode import Store
from msgcode.events import JournalReset, LineDamaged, Unknown
from msgcode.state import State, fold
from tests.core.journal.freeze import KEPT, plain
from tests.core.support import picture


@pytest.mark.parametrize("version", sorted(path.name for path in KEPT.iterdir()))
def test_a_journal_of_an_older_version_is_the_same_room(version: str, tmp_path: Path) -> None:
    (tmp_path / "journal").mkdir()
    for path in (KEPT / version).glob("*.jsonl"):
        shutil.copy(path, tmp_path / "journal")
    state = State(keep_ended=True)
    with Store.open(tmp_path) as store:
        for event in store.history():
            assert not isinstance(event.fact, Unknown | LineDamaged | JournalReset), event
            fold(state, event)
        assert store.damage() == []
        assert plain(picture(state)) == json.loads((KEPT / version / "room.json").read_text())
        assert [agent.id for agent in store.agents()] == list(state.agents)
        store.send("bob", "ann", "And it goes on.")
        assert store.inbox("ann")[-1].body == "And it goes on."
