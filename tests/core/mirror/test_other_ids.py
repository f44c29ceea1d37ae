"""Agents and channels of oh-my-msgcode whose ids could not be given here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from msgcode import BadInput, Store


def test_they_can_be_written_to(tmp_path: Path) -> None:
    at = "2026-03-02T09:30:00.000Z"
    agent = {"id": "Code Fixer", "name": "fixer", "registeredAt": at, "lastSeenAt": at}
    channel = {"id": "api changes", "name": "x", "createdBy": "Code Fixer", "members": [], "createdAt": at}
    (tmp_path / "agents.json").write_text(json.dumps([agent]))
    (tmp_path / "channels.json").write_text(json.dumps([channel]))
    with Store.open(tmp_path, sync=False) as store:
        store.register("scanner")
        sent = store.send("scanner", "Code Fixer", "There is a key.", channel="api changes")
        assert [message.id for message in store.check("Code Fixer")] == [sent.id]
        with pytest.raises(BadInput, match="cannot be an agent id"):
            store.send("scanner", "Code Fixxer", "There is a key.")
        with pytest.raises(BadInput, match="cannot be a channel id"):
            store.send("scanner", "Code Fixer", "There is a key.", channel="api  changes")
