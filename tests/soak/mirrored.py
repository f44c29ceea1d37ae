"""Whether oh-my-msgcode's files say what the fold says. Pure, and a reckoning of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from msgcode.debugger.holds import held_by
from msgcode.mirror.entries import entry_id
from msgcode.model import Delivery, Message, Status
from msgcode.state import State

_TELLS = ("from", "to", "body", "priority", "status")


def mirrored(state: State, files: Mapping[str, bytes], now: datetime) -> Iterator[str]:
    """What the files say of agents, channels, and all messages that have not ended.

    files: the three, by name. What has ended may be listed or not (oh-my-msgcode clears it away), but not
    as anything else.
    """
    try:
        agents, channels, messages = (
            {item["id"]: item for item in json.loads(files[name])}
            for name in ("agents.json", "channels.json", "messages.json")
        )
    except (KeyError, ValueError, TypeError) as error:
        yield f"a file of oh-my-msgcode is missing or is not whole: {error!r}"
        return
    if agents.keys() != state.agents.keys():
        yield f"agents.json differs in {sorted(agents.keys() ^ state.agents.keys())}"
    members = {channel.id: set(channel.members) for channel in state.channels.values()}
    listed = {id: set(item["members"]) for id, item in channels.items()}
    if listed != members:
        yield f"channels.json has {listed}, the room {members}"
    yield from _messages(state, messages, now)


def _messages(state: State, listed: dict[str, dict[str, Any]], now: datetime) -> Iterator[str]:
    known = set()
    for message in state.messages.values():
        for agent, delivery in message.deliveries.items():
            id = entry_id(message, agent)
            known.add(id)
            item = listed.get(id)
            status = _status(state, message, agent, delivery, now)
            if item is None:
                if status in (Status.QUEUED, Status.DELIVERED):
                    yield f"messages.json lacks {id} to {agent}, which is {status}"
            elif status is None:
                yield f"messages.json offers {id} to {agent} as {item['status']}, which is not to be taken"
            else:
                right = (message.sender, agent, message.body, message.priority, status)
                wrong = [key for key, is_so in zip(_TELLS, right, strict=True) if item[key] != is_so]
                if wrong:
                    tells = {key: str(item[key])[:40] for key in wrong}
                    yield f"messages.json has {tells} of {id} to {agent}, which is {status}"
    for id in listed.keys() - known:
        yield f"messages.json has {id}, which is not in the room"


def _status(state: State, message: Message, agent: str, delivery: Delivery, now: datetime) -> Status | None:
    """What oh-my-msgcode must see of it; None if it may not."""
    if delivery.status is Status.DISCARDED or held_by(state, message, agent):
        return None
    if delivery.to_come:
        if delivery.lease_until and delivery.lease_until > now:
            return None
        due = message.expires_at and message.expires_at <= now and delivery.passed_at is None
        return Status.EXPIRED if due else Status.QUEUED
    return delivery.status
