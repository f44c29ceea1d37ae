"""Who is there, in a room on NATS: a key-value bucket whose entries go by themselves.

An entry is what the file of a folder's presence is: what an agent is doing, since when, and when it was last
seen. It is put again at each sign of life; nobody is told of a folder's presence file when it grows old, and
neither here.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import nats.errors
import nats.js.errors

from msgcode.errors import BadInput, Unavailable
from msgcode.model import Activity, Presence
from msgcode.nats.link import Denied, Link, LinkDown
from msgcode.presence import ONLINE_FOR, SEEN_AGAIN
from msgcode.text import visible_line

AGAIN = 1.0
"""Seconds until it is tried again to learn who is there."""

KEPT = 24 * 3600.0
"""Seconds after which the bucket forgets an agent that was not seen."""


class NatsPresence:
    """The presence of all agents of the room behind `link`. What is known is kept fresh by the servers."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._known: dict[str, dict[str, Any]] = {}
        self._seen: dict[str, datetime] = {}
        self._watcher: Any = None
        self._task: asyncio.Task[None] | None = None
        bucket = link.address.bucket
        self._subjects = f"$KV.{bucket}"
        if link.is_awaited:
            link.on_loop(self._watch_later)
            return
        try:
            link.call(link.unless_denied(f".KV_{bucket}", self._watch()))
        except Denied:
            pass  # Then nobody's presence is known; the room can be read all the same.
        except nats.js.errors.NotFoundError:
            raise Unavailable(
                f"room {link.address.room!r} has no bucket {bucket} for the presence of its agents: make it "
                f"with `msgcode store init {link.address}`."
            ) from None
        except (LinkDown, nats.errors.Error):
            link.on_loop(self._watch_later)  # Who is there is worth another try, and no room less without it.

    def _watch_later(self) -> None:
        self._task = asyncio.ensure_future(self._try_to_watch())

    async def _try_to_watch(self) -> None:
        while True:
            await asyncio.sleep(AGAIN)
            if self._link.is_awaited:
                continue
            with suppress(Unavailable, Denied, nats.errors.Error):
                return await self._watch()

    async def _watch(self) -> None:
        """Take in what is there, and go on to take in what changes."""
        stream = self._link.client.jetstream()
        bucket = await stream.key_value(self._link.address.bucket)
        self._watcher = await bucket.watchall()
        while (entry := await self._watcher.updates(timeout=4)) is not None:
            self._take(entry)
        self._task = asyncio.create_task(self._follow())

    async def _follow(self) -> None:
        while True:
            try:
                entry = await self._watcher.updates(timeout=60)
            except nats.errors.TimeoutError:
                continue
            if entry is not None:
                self._take(entry)

    def _take(self, entry: Any) -> None:
        agent = _agent(entry.key)
        if entry.operation in ("DEL", "PURGE") or not entry.value:
            self._known.pop(agent, None)
            return
        try:
            found = json.loads(entry.value)
        except ValueError:
            return
        if isinstance(found, dict):
            self._known[agent] = found

    def seen(self, agent: str, at: datetime) -> None:
        """The agent is there. What it was doing stays as it was, idle at first. Raises Unavailable."""
        last = self._seen.get(agent)
        if last and timedelta(0) <= at - last < SEEN_AGAIN:
            return
        known = self._known.get(agent, {})
        activity = known.get("activity", Activity.IDLE)
        if activity == Activity.OFFLINE:
            known, activity = {}, Activity.IDLE  # It left, and came back.
        self._put(agent, {"since": at.timestamp(), **known, "activity": activity, "seen": at.timestamp()})
        self._seen[agent] = at

    def set(self, agent: str, activity: Activity, at: datetime, reason: str | None = None) -> None:
        """The agent is there and doing this, with the reason in words; `offline` means that it left.

        Raises BadInput if it is blocked with no reason given, and Unavailable.
        """
        if activity is Activity.BLOCKED and not reason:
            raise BadInput("a blocked agent needs a reason: say what it is waiting for.")
        self._seen.pop(agent, None)
        was = self.get(agent, at)
        since = was.since if (was.activity, was.reason) == (activity, reason or None) else None
        content: dict[str, Any] = {
            "activity": activity, "since": (since or at).timestamp(), "seen": at.timestamp()
        }  # fmt: skip
        if reason:
            content["reason"] = reason
        self._put(agent, content)

    def forget(self, agent: str) -> None:
        """Drop what is known of the agent. Raises Unavailable."""
        self._seen.pop(agent, None)
        self._put(agent, None)

    def get(self, agent: str, now: datetime) -> Presence:
        """What is known of the agent at the time `now`."""
        content = self._known.get(agent)
        try:
            if not content:
                return Presence()
            seen = datetime.fromtimestamp(content["seen"], UTC)
            activity, reason = Activity(content["activity"]), content.get("reason")
            since = datetime.fromtimestamp(content["since"], UTC)
        except (ValueError, KeyError, TypeError, OverflowError):
            return Presence()
        if now - seen >= ONLINE_FOR or activity is Activity.OFFLINE:
            return Presence(Activity.OFFLINE, seen)
        return Presence(activity, seen, reason if isinstance(reason, str) else None, since)

    def _put(self, agent: str, content: dict[str, Any] | None) -> None:
        """Tell what the agent is doing; None to tell nothing of it any more."""
        subject = f"{self._subjects}.{_key(agent)}"
        headers = {"KV-Operation": "DEL"} if content is None else None
        body = json.dumps(content).encode() if content else b""
        try:
            answer = json.loads(self._link.call(self._link.request(subject, body, headers)))
        except nats.errors.Error as error:
            raise LinkDown(f"presence cannot be told: {visible_line(str(error)) or 'no answer'}.") from error
        if "error" in answer:
            raise Unavailable(f"presence cannot be told: {answer['error'].get('description')}.")
        if content is None:
            self._known.pop(agent, None)
        else:
            self._known[agent] = content


def _key(agent: str) -> str:
    """The agent's key: keys may have no dot at an end, and two ids never share one."""
    return "a" + "".join(c if c.isalnum() or c in "-_" else f"={ord(c):02x}" for c in agent)


def _agent(key: str) -> str:
    head, *rest = key[1:].split("=")
    return head + "".join(chr(int(part[:2], 16)) + part[2:] for part in rest)
