"""A copy of the folded state, so that a fresh process need not read the journal from its start.

Only a cache: the journal is the truth. A snapshot that is missing, damaged, of another version or
of another journal is ignored, and the journal is read instead. It is sealed: one changed digit in it could
have the next writer number its events wrongly, which no reader would accept.
"""

from __future__ import annotations

import json
import os

from msgcode.codec import encode_json, from_json, to_json
from msgcode.events import LineDamaged
from msgcode.journal.folder import replace_file
from msgcode.journal.reader import Position, segment_path
from msgcode.journal.seal import is_whole, sealed
from msgcode.model import Agent, Breakpoint, Channel, Hold, Message
from msgcode.record import Record
from msgcode.state import Heard, State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    R = TypeVar("R", bound=tuple[Any, ...])

NAME = "snapshot.json"
VERSION = 5
"""Raise it when the state or its meaning changes: older snapshots are then ignored."""

_MARK = 120
"""Bytes of the last line before the snapshot that must still be there: its number, time and ids."""


class Signature(Record):
    """One snapshot file, told from those before and after it."""

    inode: int
    changed: int
    """Nanoseconds since the epoch."""
    size: int
    """Bytes."""


class Frozen:
    """The parts of a state at one position, held still while they are written.

    Taking one copies references only: about a millisecond for 100,000 waiting messages.
    """

    def __init__(self, state: State, position: Position, last_line: bytes) -> None:
        self.position = position
        self._mark_offset = position.offset - len(last_line) - 1
        self._mark = last_line[:_MARK].decode("latin-1")  # It may end within a character.
        self._agents = list(state.agents.values())
        self._channels = list(state.channels.values())
        self._messages = list(state.messages.values())
        self._heard = list(state.heard.items())
        self._holds = [*state.holds.values(), *state.stopped.values()]
        self._breakpoints = list(state.breakpoints.values())
        self._damage = list(state.damage)

    def write(self, folder: str) -> None:
        """Put the snapshot into `folder`. Raises OSError; then the one before it is still there."""
        content = {
            "version": VERSION,
            "position": to_json(self.position),
            "markOffset": self._mark_offset,
            "mark": self._mark,
            "agents": [to_json(agent) for agent in self._agents],
            "channels": [to_json(channel) for channel in self._channels],
            "heard": {agent: to_json(heard) for agent, heard in self._heard},
            "holds": [to_json(hold) for hold in self._holds],
            "breakpoints": [to_json(breakpoint) for breakpoint in self._breakpoints],
            "damage": [to_json(damage) for damage in self._damage],
        }
        # Message by message, so that other threads of this process get their turns.
        messages = ",\n".join([encode_json(to_json(message)) for message in self._messages])
        text = f'{encode_json(content)[:-1]},"messages":[\n{messages}\n]}}\n'
        replace_file(os.path.join(folder, NAME), sealed(text.encode()))


def load(folder: str) -> tuple[State, Position] | None:
    """The state and position of the folder's snapshot, or None if there is none that fits the journal."""
    try:
        with open(os.path.join(folder, NAME), "rb") as file:
            data = file.read()
        if not is_whole(data):
            return None
        content = json.loads(data)
        position = from_json(Position, content["position"])
        if content["version"] != VERSION or not _fits(folder, position, content):
            return None
        state = State()
        state.seq = position.seq
        state.agents = {agent.id: agent for agent in _records(Agent, content["agents"])}
        state.channels = {channel.id: channel for channel in _records(Channel, content["channels"])}
        state.heard = {agent: from_json(Heard, heard) for agent, heard in content["heard"].items()}
        state.damage = _records(LineDamaged, content["damage"])
        for message in _records(Message, content["messages"]):
            state.add(message)
        for hold in _records(Hold, content["holds"]):
            state.place(hold)
        state.breakpoints = {rule.number: rule for rule in _records(Breakpoint, content["breakpoints"])}
        return state, position
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def signature(folder: str) -> Signature:
    """What tells the folder's snapshot from another; all zeros if there is none."""
    try:
        status = os.stat(os.path.join(folder, NAME))
    except OSError:
        return Signature(0, 0, 0)
    return Signature(status.st_ino, status.st_mtime_ns, status.st_size)


def _fits(folder: str, position: Position, content: dict[str, Any]) -> bool:
    """Whether the journal still has, right before the snapshot's position, the line that it had then."""
    mark, offset = content["mark"].encode("latin-1"), content["markOffset"]
    if not mark or not 0 <= offset < position.offset:
        return False
    with open(segment_path(folder, position.segment), "rb") as segment:
        segment.seek(offset)
        found: bool = segment.read(len(mark)) == mark
        return found


def _records(record: type[R], items: list[dict[str, Any]]) -> list[R]:
    return [from_json(record, item) for item in items]
