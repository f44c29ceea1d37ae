"""Which rooms there are, which messages each holds, and which of these have not been read. Pure.

A room is what can be selected: everything, a channel, or the conversation of two.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from msgcode import Message


class RoomKind(StrEnum):
    """What a room holds."""

    EVERYTHING = "everything"
    CHANNEL = "channel"
    PAIR = "pair"


class Room(NamedTuple):
    """A room by its name: none for everything, a channel's id, or the ids of two agents, sorted."""

    kind: RoomKind
    names: tuple[str, ...] = ()

    def partner(self, me: str) -> str | None:
        """Whom `me` talks with in this room, if it is a conversation of theirs."""
        if self.kind is not RoomKind.PAIR or me not in self.names:
            return None
        return self.names[1] if self.names[0] == me else self.names[0]


EVERYTHING = Room(RoomKind.EVERYTHING)


def channel_room(channel: str) -> Room:
    """The room of a channel."""
    return Room(RoomKind.CHANNEL, (channel,))


def pair_room(one: str, other: str) -> Room:
    """The room of two agents' conversation."""
    return Room(RoomKind.PAIR, (one, other) if one <= other else (other, one))


def rooms_of(message: Message) -> list[Room]:
    """The rooms that a message belongs to beside everything: its channel's, or those of its pairs."""
    if message.channel is not None:
        return [channel_room(message.channel)]
    return [pair_room(message.sender, recipient) for recipient in message.deliveries]


def home_of(message: Message, me: str) -> Room:
    """The room where the message was said, as the user `me` sees it: of its pairs, rather theirs."""
    if message.channel is not None:
        return channel_room(message.channel)
    return pair_room(message.sender, me if me in message.deliveries else message.recipients[0])


class RoomIndex:
    """The messages of each room, oldest first, and the unread ones, kept up as messages come and go."""

    def __init__(self) -> None:
        self._messages: dict[Room, list[str]] = {EVERYTHING: []}
        self._unread: dict[Room, dict[str, None]] = {}
        self._threads: dict[str, list[str]] = {}
        """The answers in each thread that has any."""

    def add(self, message: Message, *, unread: bool) -> None:
        """Take in a message that is newer than all others."""
        for room in (EVERYTHING, *rooms_of(message)):
            self._messages.setdefault(room, []).append(message.id)
            if unread:
                self._unread.setdefault(room, {})[message.id] = None
        if message.reply_to:
            self._threads.setdefault(message.thread, []).append(message.id)

    def keep(self, messages: Mapping[str, Message]) -> None:
        """Forget all messages but these."""
        for room, ids in self._messages.items():
            self._messages[room] = [id for id in ids if id in messages]
        kept = ((thread, [id for id in ids if id in messages]) for thread, ids in self._threads.items())
        self._threads = {thread: ids for thread, ids in kept if ids}
        for unread in self._unread.values():
            for id in [id for id in unread if id not in messages]:
                del unread[id]

    def read(self, message: Message) -> None:
        """The message has been read, so it is unread in no room."""
        for room in (EVERYTHING, *rooms_of(message)):
            self._unread.get(room, {}).pop(message.id, None)

    def messages(self, room: Room) -> list[str]:
        """Ids of the room's messages, oldest first: a list that grows at its end as messages come.

        When messages go, another list takes its place.
        """
        return self._messages.setdefault(room, [])

    def thread(self, first: str) -> list[str]:
        """Ids of the thread that begins with the message `first`, known or not; oldest first."""
        return [first, *self._threads.get(first, ())]

    def unread(self, room: Room) -> tuple[str, ...]:
        """Ids of the room's unread messages, oldest first."""
        return tuple(self._unread.get(room, ()))

    def unread_count(self, room: Room) -> int:
        """How many of the room's messages are unread."""
        return len(self._unread.get(room, ()))

    def pairs(self) -> list[Room]:
        """The conversations that have messages, in the order of their first."""
        return [room for room, ids in self._messages.items() if room.kind is RoomKind.PAIR and ids]

    def channels(self) -> list[str]:
        """Ids of the channels that have messages, whether they were ever created or not."""
        rooms = (room for room, ids in self._messages.items() if ids)
        return [room.names[0] for room in rooms if room.kind is RoomKind.CHANNEL]
