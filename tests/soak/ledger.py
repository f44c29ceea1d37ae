"""What each process of the soak knows it has done, kept outside the room, where no fault reaches it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import NamedTuple

SENT, REFUSED, INJECTED, CONFIRMED, ACKNOWLEDGED = "sent", "refused", "injected", "confirmed", "acknowledged"
FAILED, CUT, BROKEN = "failed", "cut", "broken"
THEIRS = "sent by theirs"


class Entry(NamedTuple):
    """One line of a ledger."""

    did: str
    """SENT: a verb that sends returned. REFUSED: it raised, and said that nothing was changed. INJECTED: a
    deliverer put a message before the agent. CONFIRMED, ACKNOWLEDGED: these verbs returned. FAILED: any verb
    raised one of msgcode's own errors. CUT: the fault took this event from the journal. BROKEN: something
    that may never happen. THEIRS: oh-my-msgcode says that it sent."""
    id: str = ""
    """The message."""
    agent: str = ""
    """Its recipient; where it was sent to several, their names with spaces between."""
    by: str = ""
    """The deliverer."""
    text: str = ""
    """The reason in words; for CUT, the type of the event."""


class Ledger:
    """One process's own. Every line is on the disk before it goes on."""

    def __init__(self, folder: Path, name: str) -> None:
        path = folder / f"{name}.jsonl"
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, did: str, id: str = "", agent: str = "", by: str = "", text: str = "") -> None:
        """Add an entry."""
        # A line that a kill has cut stays alone, and is not read.
        line = "\n" + json.dumps(Entry(did, id, agent, by, text)) + "\n"
        os.write(self._descriptor, line.encode())
        os.fsync(self._descriptor)


def read(folder: Path) -> list[Entry]:
    """All entries of all ledgers in the folder; each ledger's own in order."""
    return [
        Entry(*json.loads(line))
        for path in sorted(folder.glob("*.jsonl"))
        for line in path.read_text().split("\n")
        if line.startswith("[") and line.endswith("]")
    ]
