"""Opening a room that is on NATS."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import platformdirs

from msgcode.journal.jetstream import JetStreamJournal
from msgcode.journal.stream_target import StreamTarget
from msgcode.nats.address import Address
from msgcode.nats.presence import NatsPresence


def open_room(address: Address, clock: Callable[[], datetime]) -> tuple[JetStreamJournal, NatsPresence]:
    """The room's journal, with its copy in the user's cache folder, and who is there.

    If no server can be reached, it is the room as that copy has it. Raises BadInput if we are not let in,
    Unavailable if there is no such room, or neither a server nor a copy.
    """
    journal = JetStreamJournal(address, _cache(), clock=clock, needs_server=False)
    try:
        return journal, NatsPresence(journal.link)
    except BaseException:
        journal.close()
        raise


def open_target(address: Address) -> StreamTarget:
    """The room's journal alone, to be copied, or to copy to.

    Raises as `open_room` does, and Unavailable if there is no server.
    """
    return StreamTarget(address, _cache())


def _cache() -> str:
    cache = platformdirs.user_cache_path("msgcode") / "rooms"
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    return str(cache)
