"""Who is there: when each agent was last seen, and whether it is idle, busy or blocked.

Presence is not history, so it is not in the journal. Each agent has one small file, whose time of change
is when it was last seen: a heartbeat is one system call and no write.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta

from msgcode.errors import BadInput
from msgcode.journal.folder import PRIVATE_FILE, replace_file, unavailable, write_all
from msgcode.model import Activity, Presence

ONLINE_FOR = timedelta(seconds=30)
"""An agent that was seen within this time is online, as in oh-my-msgcode."""

HEARTBEAT = 10.0
"""Seconds between two signs of life of an agent whose session is open."""

SEEN_AGAIN = timedelta(seconds=1)
"""An agent that was seen this short a time ago need not be seen again: a busy one acts more often."""


class PresenceBoard:
    """The presence of all agents of the store in `folder`."""

    def __init__(self, folder: str) -> None:
        self._folder = os.path.join(folder, "presence")
        self._paths: dict[str, str] = {}
        self._seen: dict[str, datetime] = {}

    def seen(self, agent: str, at: datetime) -> None:
        """The agent is there. What it was doing stays as it was, idle at first.

        Raises Unavailable if that cannot be stored.
        """
        last = self._seen.get(agent)
        if last and timedelta(0) <= at - last < SEEN_AGAIN:
            return
        path = self._path(agent)
        try:
            try:
                os.utime(path, (at.timestamp(), at.timestamp()))
            except FileNotFoundError:
                self._write_first(path, at)
        except OSError as error:
            raise unavailable(error, f"cannot write to {self._folder}") from error
        self._seen[agent] = at

    def set(self, agent: str, activity: Activity, at: datetime, reason: str | None = None) -> None:
        """The agent is there and doing this, with the reason in words. `offline` means that it left.

        Raises BadInput if it is blocked with no reason given, Unavailable if that cannot be stored.
        """
        if activity is Activity.BLOCKED and not reason:
            raise BadInput("a blocked agent needs a reason: say what it is waiting for.")
        self._seen.pop(agent, None)
        was = self.get(agent, at)
        since = was.since if (was.activity, was.reason) == (activity, reason or None) else None
        try:
            self._write(self._path(agent), activity, reason, at, since)
        except OSError as error:
            raise unavailable(error, f"cannot write to {self._folder}") from error

    def forget(self, agent: str) -> None:
        """Drop what is known of the agent."""
        self._seen.pop(agent, None)
        try:
            os.unlink(self._path(agent))
        except FileNotFoundError:
            pass
        except OSError as error:
            raise unavailable(error, f"cannot write to {self._folder}") from error

    def get(self, agent: str, now: datetime) -> Presence:
        """What is known of the agent at the time `now`. An unreadable file counts as one never written."""
        try:
            with open(self._path(agent), "rb") as file:
                seen = datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)
                content = json.loads(file.read())
            activity, reason = Activity(content["activity"]), content.get("reason")
            left = content.get("left", seen.timestamp())
            since = datetime.fromtimestamp(content["since"], UTC) if "since" in content else None
        except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            return Presence()
        if activity is Activity.OFFLINE and seen.timestamp() > left:
            activity, since = Activity.IDLE, None  # It left, and came back.
        if now - seen >= ONLINE_FOR or activity is Activity.OFFLINE:
            return Presence(Activity.OFFLINE, seen)
        return Presence(activity, seen, reason if isinstance(reason, str) else None, since)

    def _write_first(self, path: str, at: datetime) -> None:
        """Note that the agent is there, unless somebody has told of it meanwhile, who knows more."""
        os.makedirs(self._folder, 0o700, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
        except FileExistsError:
            return
        try:
            write_all(descriptor, _content(Activity.IDLE, None, at, at))
            os.utime(descriptor, (at.timestamp(), at.timestamp()))
        finally:
            os.close(descriptor)

    def _write(
        self, path: str, activity: Activity, reason: str | None, at: datetime, since: datetime | None = None
    ) -> None:
        os.makedirs(self._folder, 0o700, exist_ok=True)
        replace_file(path, _content(activity, reason, at, since or at))
        os.utime(path, (at.timestamp(), at.timestamp()))

    def _path(self, agent: str) -> str:
        path = self._paths.get(agent)
        if path is None:
            # Escaped, so that "Bob" and "bob" are two files on a disk that ignores case too.
            safe = "".join(c if c.islower() or c.isdigit() or c == "-" else f"%{ord(c):02x}" for c in agent)
            path = self._paths[agent] = os.path.join(self._folder, f"{safe}.json")
        return path


def _content(activity: Activity, reason: str | None, at: datetime, since: datetime) -> bytes:
    content: dict[str, object] = {"activity": activity, "since": since.timestamp()}
    if reason:
        content["reason"] = reason
    if activity is Activity.OFFLINE:
        content["left"] = at.timestamp()
    return json.dumps(content).encode()
