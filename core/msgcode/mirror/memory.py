"""What was last seen in oh-my-msgcode's files, kept in mirror.json, so that one can tell what is new there.

If it is lost or unreadable, everything in the files is looked at anew, and what the journal knows is not
imported twice.
"""

from __future__ import annotations

import json
import os

from msgcode.codec import encode_json
from msgcode.journal.folder import replace_file
from msgcode.journal.seal import is_whole, sealed
from msgcode.mirror.versions import MEMORY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from msgcode.mirror.entries import Raw
    from msgcode.mirror.versions import Signature

_VERSION = 1

FORGET_AFTER = 3600.0
"""Seconds for which it is remembered that something was in a file once. A process that was stopped for longer
between its reading and its writing may bring it back."""


class Memory:
    """What was last seen in the files of one folder. Times are seconds since the epoch."""

    def __init__(self) -> None:
        self.since = float("inf")
        """All that was in the files, and began after this, is remembered. Never goes back, whatever the clock
        does."""
        self.signatures: dict[str, Signature] = {}
        """The version of each file that was last read or written; none for a file that was not there."""
        self.agents: dict[str, Raw] = {}
        self.channels: dict[str, Raw] = {}
        """The entries of that version."""
        self.messages: set[str] = set()
        """Ids that are in messages.json."""
        self.was_message: dict[str, float] = {}
        """Ids that were in it, and when last."""
        self.cleared: dict[str, float] = {}
        """Those of them that no process of ours has taken out."""
        self.gone: dict[str, float] = {}
        """When agents (`agent`) and members (`channel/agent`) were last known to be gone."""
        self.touched: dict[str, float] = {}
        """When a foreign process last said that an agent is there."""
        self.wrote: float | None = None
        """When a foreign process last wrote."""
        self.published: float = 0
        """When a process of ours last did."""
        self.problems: dict[str, list[str]] = {}
        """What could not be understood, by the file in which a copy of it was set aside."""

    def saw_messages(self, ids: set[str], now: float, *, ours: bool = False) -> None:
        """These are in messages.json now, and no others. ours: we have written it."""
        vanished = dict.fromkeys(self.messages - ids, now)
        self.was_message.update(vanished)
        if not ours:
            self.cleared.update(vanished)
        for id in ids - self.messages:
            self.was_message.pop(id, None)
            self.cleared.pop(id, None)
        self.messages = ids

    def forget(self, now: float) -> None:
        """Drop what has been gone for long."""
        self.since = max(now - FORGET_AFTER, now if self.since == float("inf") else self.since)
        for times in (self.was_message, self.cleared, self.gone, self.touched):
            for key in [key for key, at in times.items() if at < now - FORGET_AFTER]:
                del times[key]

    def save(self, folder: str) -> None:
        """Raises OSError."""
        # The ids in one text, which is encoded in no time however many they are. None has a line end.
        content = {"version": _VERSION, **vars(self), "messages": "\n".join(self.messages)}
        replace_file(os.path.join(folder, MEMORY), sealed(encode_json(content).encode()))


def load(folder: str) -> Memory:
    """What is remembered of the files in the folder; a new memory if nothing is."""
    memory = Memory()
    try:
        with open(os.path.join(folder, MEMORY), "rb") as file:
            data = file.read()
        content: dict[str, Any] = json.loads(data)
        if content["version"] != _VERSION or not is_whole(data):
            return memory
        memory.signatures = {name: _signature(*found) for name, found in content["signatures"].items()}
        memory.agents, memory.channels = (
            {id: dict(raw) for id, raw in content[entries].items()} for entries in ("agents", "channels")
        )
        memory.messages = {id for id in content["messages"].split("\n") if id}
        memory.was_message, memory.cleared, memory.gone, memory.touched = (
            {key: float(at) for key, at in content[times].items()}
            for times in ("was_message", "cleared", "gone", "touched")
        )
        memory.problems = {name: list(problems) for name, problems in content["problems"].items()}
        wrote = content["wrote"]
        memory.wrote = None if wrote is None else float(wrote)
        memory.published, memory.since = float(content["published"]), float(content["since"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Memory()
    return memory


def _signature(inode: int, changed: int, size: int) -> Signature:
    return inode, changed, size
