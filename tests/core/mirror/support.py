"""A foreign writer, played by writing files as oh-my-msgcode does, and entries as it has them."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from msgcode import Store
from msgcode.codec import encode_time
from msgcode.events import MessageSent
from msgcode.mirror.mirror import Mirror
from msgcode.model import now
from tests.core.support import START

Entry = dict[str, Any]


def time(seconds: float = 0) -> str:
    """So many seconds after START, as the files have it."""
    return encode_time(START + timedelta(seconds=seconds))


def agent(id: str, seen: float = 0, registered: float = 0, **more: Any) -> Entry:
    return {"id": id, "name": id, "registeredAt": time(registered), "lastSeenAt": time(seen), **more}


def channel(id: str, *members: str, **more: Any) -> Entry:
    entry = {"id": id, "name": id, "createdBy": "cy", "members": list(members), "createdAt": time()}
    return {**entry, **more}


def message(id: str, to: str = "bob", sender: str = "cy", status: str = "queued", **more: Any) -> Entry:
    head = {"id": id, "from": sender, "to": to, "body": f"body of {id}", "priority": "normal"}
    return {**head, "status": status, "createdAt": time(), **more}


def text(entries: object) -> bytes:
    """The file as JavaScript writes it."""
    return json.dumps(entries, ensure_ascii=False, indent=2).encode()


def put(room: Path, name: str, content: object, at: datetime | float | None = None) -> None:
    """Write a whole file beside it and rename it, as the plugin does; bytes as they are.

    at: when it counts as written.
    """
    room.mkdir(exist_ok=True)
    temporary = room / f".tmp-{uuid.uuid4()}.json"
    temporary.write_bytes(content if isinstance(content, bytes) else text(content))
    if at is not None:
        when = at.timestamp() if isinstance(at, datetime) else at
        os.utime(temporary, (when, when))
    temporary.rename(room / name)


def listed(room: Path, name: str = "messages.json") -> dict[str, Entry]:
    """What a file says, by id."""
    return {entry["id"]: entry for entry in json.loads((room / name).read_bytes())}


def statuses(room: Path) -> dict[str, str]:
    return {id: entry["status"] for id, entry in listed(room).items()}


def sent(store: Store) -> list[str]:
    """The ids of all messages that were ever sent, once for each time."""
    return [event.fact.id for event in store.history() if isinstance(event.fact, MessageSent)]


def mirror_of(store: Store) -> Mirror:
    mirrored = store._mirrored
    assert mirrored
    mirror = mirrored._opened()
    assert mirror
    return mirror


def leftovers(room: Path) -> list[str]:
    """Files of ours that should be gone once nobody is at work."""
    return [path.name for path in room.iterdir() if path.name.startswith(".msgcode-")]


class Shifted:
    """The true time, which can be shifted."""

    def __init__(self) -> None:
        self.by = timedelta(0)

    def __call__(self) -> datetime:
        return now() + self.by

    def advance(self, seconds: float) -> None:
        self.by += timedelta(seconds=seconds)


Opener = Callable[[], Store]


def stamp(seconds: float = 0) -> str:
    moment = datetime.now(UTC) + timedelta(seconds=seconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def fresh(id: str, to: str = "bob", **more: str) -> dict[str, object]:
    """A message that was sent just now."""
    return message(id, to) | {"createdAt": stamp()} | more


def peer(room: Path, *ids: str) -> None:
    """A plugin with these agents is there."""
    put(room, "agents.json", [agent(id) | {"registeredAt": stamp(-9), "lastSeenAt": stamp()} for id in ids])


def settle(store: Store, clock: Shifted) -> None:
    """Let the files be brought up to date."""
    clock.advance(0.3)
    store.agents()
    mirror_of(store).publish(at_once=True)


def bodies(store: Store, agent: str = "bob") -> list[str]:
    return [message.body for message in store.inbox(agent)]


def files_of(room: Path) -> tuple[str, ...]:
    return "agents.json", "channels.json", "messages.json"
