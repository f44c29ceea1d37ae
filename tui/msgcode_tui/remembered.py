"""What the app remembers of a room between runs: a file for each store, in the user's state folder.

Two TUIs on one store share the file: each save reads it again and changes in it only what has changed here.
Of two that changed the same thing (a draft of the same room, the same pane's width), the last one wins.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field, fields
from fcntl import LOCK_EX, flock
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import platformdirs

from msgcode.journal.folder import replace_file
from msgcode_tui.drafts import Options
from msgcode_tui.rooms import Room, RoomKind

HISTORY = 200
"""How many lines of the composer are remembered."""


@dataclass
class Remembered:
    """What is remembered. The app's own copy may be changed freely; `Memory.save` stores it.

    Rooms are named by `room_key`.
    """

    widths: dict[str, int] = field(default_factory=dict)
    """How many cells wide the user has made a pane, by its name."""
    hidden: set[str] = field(default_factory=set)
    """The panes that the user has hidden."""
    pinned: set[str] = field(default_factory=set)
    """The rooms that stay on top."""
    muted: set[str] = field(default_factory=set)
    """The rooms of which nobody is told."""
    collapsed: set[str] = field(default_factory=set)
    """The groups of rooms that the user has closed, by their headings."""
    drafts: dict[str, str] = field(default_factory=dict)
    """What was being written in a room."""
    options: dict[str, Options] = field(default_factory=dict)
    """What had been said beside that, where it was anything."""
    read: dict[str, int] = field(default_factory=dict)
    """Up to which message (its `seq`) the user has seen a room."""
    history: list[str] = field(default_factory=list)
    """What the user has sent, the newest last."""


def room_key(room: Room) -> str:
    """The room's name in the file. `room_of` turns it back."""
    return "/".join((room.kind, *room.names))


def room_of(key: str) -> Room | None:
    """The room of a `room_key`; None if there cannot be such a room."""
    kind, *names = key.split("/")
    try:
        room = Room(RoomKind(kind), tuple(names))
    except ValueError:
        return None
    right = {RoomKind.EVERYTHING: 0, RoomKind.CHANNEL: 1, RoomKind.PAIR: 2}
    return room if len(names) == right[room.kind] else None


def default_path(store: str) -> Path:
    """The file for the store of this name (`Store.name`)."""
    name = f"{Path(store).name.lstrip('.') or 'room'}-{sha256(os.fsencode(store)).hexdigest()[:12]}.json"
    return platformdirs.user_state_path("msgcode") / name


class Memory:
    """`now` is what is remembered: change it, and `save`.

    path: the file; None to remember nothing beyond this run.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self.now = (path and _load(path)) or Remembered()
        self._saved = deepcopy(self.now)

    async def save(self) -> None:
        """Store what has changed since it was last saved, beside what other TUIs have stored meanwhile.

        Raises OSError if it cannot be stored; it can be tried again.
        """
        if self._path is None or self.now == self._saved:
            return
        now = deepcopy(self.now)  # The app goes on changing it meanwhile.
        await asyncio.to_thread(_store, self._path, self._saved, now)
        self._saved = now


def _store(path: Path, before: Remembered, after: Remembered) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(path.with_suffix(".lock"), "a") as lock:
        flock(lock, LOCK_EX)
        merged = merge(_load(path) or Remembered(), before, after)
        replace_file(str(path), msgspec.json.encode(merged, order="sorted"))


def merge(stored: Remembered, before: Remembered, after: Remembered) -> Remembered:
    """What is stored, with what has changed from `before` to `after`. Pure."""
    merged = deepcopy(stored)
    for each in fields(Remembered):
        ours, was, now = (getattr(one, each.name) for one in (merged, before, after))
        if isinstance(now, set):
            ours |= now - was
            ours -= was - now
        elif isinstance(now, dict):
            _merge_keys(ours, was, now)
    merged.history = _joined(stored.history, before.history, after.history)
    return merged


def _merge_keys(ours: dict[str, Any], was: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    for key in was.keys() - now.keys():
        ours.pop(key, None)
    ours.update({key: value for key, value in now.items() if key not in was or was[key] != value})


def _joined(stored: list[str], before: list[str], after: list[str]) -> list[str]:
    """The history with what was sent since; a line that was sent before moves to the end."""
    added = [line for line in after if line not in before]
    if after and after[-1] not in (*before[-1:], *added):
        added.append(after[-1])
    return [*(line for line in stored if line not in added), *added][-HISTORY:]


def _load(path: Path) -> Remembered | None:
    """What the file holds; None if there is none. One that makes no sense is set aside, as `.broken`."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Remembered)
    except FileNotFoundError:
        return None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        try:
            path.replace(path.with_suffix(".broken"))
        except OSError:
            pass  # It is of no use where it is, and will be written over.
        return None
    except OSError:
        return None
