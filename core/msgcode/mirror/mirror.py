"""The room and oh-my-msgcode's files kept alike: `absorb` takes in what they say, `publish` writes them."""

from __future__ import annotations

import os
import time
from _thread import RLock
from datetime import UTC, datetime
from itertools import chain

from msgcode import decisions
from msgcode.codec import encode_json
from msgcode.errors import MsgcodeError, Unavailable
from msgcode.events import MessageSent
from msgcode.journal.folder import unavailable
from msgcode.journal.lock import Lock
from msgcode.mirror import files, listing, memory, merge
from msgcode.mirror.entries import (
    Content,
    Unreadable,
    entry_id,
    parse,
    render,
    shared_id,
)
from msgcode.mirror.listing import SEEN_EVERY
from msgcode.mirror.versions import AGENTS, CHANNELS, FILES, MEMORY, MESSAGES, signature
from msgcode.model import Status
from msgcode.record import Record
from msgcode.state import State, fold

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from msgcode.events import Fact
    from msgcode.journal.protocol import Journal
    from msgcode.mirror.entries import MessageEntry
    from msgcode.mirror.files import Version
    from msgcode.mirror.merge import Said
    from msgcode.model import Message
    from msgcode.presence import PresenceBoard

ACTIVE_FOR = 60.0
"""Seconds for which a foreign process counts as there after it wrote. With an agent, it does every 5."""

PUBLISH_EVERY = 0.25
"""Seconds between two writings, of all our processes together."""

HALF_WRITTEN_FOR = 1.0
"""Seconds for which a file that is not whole may still be in the making."""

SETTLE = 0.2
"""Seconds within which a foreign process has written what it read before."""

TRIES = 10
"""How often a message is taken from the files, if stale writers put it back, before it is left to them."""

_SWAPS = 5
"""How often a file is written again at once, if a foreign version came in between."""

DELETED = "the deletion of messages.json"
"""Who discarded, where the user has deleted that file."""


class Peers(Record):
    """What is known of foreign processes that share the folder."""

    active: bool
    """They have written lately."""
    wrote: datetime | None = None
    """When they last did, if ever."""
    problems: tuple[str, ...] = ()
    """What could not be understood in their files, a sentence each, with where a copy is."""


class Mirror:
    """The files in `folder`, kept like the room in `journal`, which must not itself call us.

    always: write the files even if no foreign process has been there. clock: the time in UTC.
    Safe to share between threads.
    """

    def __init__(
        self,
        folder: str,
        journal: Journal,
        presence: PresenceBoard,
        clock: Callable[[], datetime],
        *,
        always: bool,
    ) -> None:
        self._folder = folder
        self._journal = journal
        self._presence = presence
        self._clock = clock
        self._always = always
        self._mutex = RLock()
        self._lock = Lock(folder, "mirror.lock")
        self._memory = memory.load(folder)
        self._memory_version = signature(self._path(MEMORY))
        self._contents: dict[str, tuple[files.Version | None, Content]] = {}
        self._messages = listing.Messages(self._lookup)
        self._known_ids: Callable[[str], bool] | None = None
        self._changed = False
        self.due = always
        """Whether the files may lack something."""
        self._published_seq = -1
        self._has_looked = False
        self.trouble: str | None = None
        """Why the files could not be read or written the last time, in a sentence."""

    def _path(self, name: str) -> str:
        return os.path.join(self._folder, name)

    # Reading

    def look(self, caught: Sequence[Version] = ()) -> None:
        """Absorb, if there is anything new."""
        found = [signature(self._path(name)) for name in FILES]
        is_new = caught or found != [self._memory.signatures.get(name) for name in FILES]
        # Those of ours at work have leftovers for a moment, those that died until somebody takes them in.
        if is_new or (not self._has_looked and files.has_leftovers(self._folder, FILES)):
            self.absorb(caught)
        self._has_looked = True

    def absorb(self, versions: Sequence[Version] = ()) -> None:
        """Take in what the files say that is new.

        versions: older ones that have been caught, oldest first. Never raises what a disk or a lock may
        cause: a room can be read without.
        """
        try:
            with self._mutex, self._lock:
                self._recall()
                self._absorb(versions)
                if self._changed:
                    self._save()
            self.trouble = None
        except (MsgcodeError, OSError) as error:
            self._contents.clear()  # What it said may not have reached the room.
            self.trouble = _sentence(error, f"cannot read the files of oh-my-msgcode in {self._folder}")

    def _recall(self) -> None:
        """Know what other processes of ours have seen since."""
        version = signature(self._path(MEMORY))
        if version != self._memory_version:
            self._memory, self._memory_version = memory.load(self._folder), version

    def _save(self) -> None:
        self._memory.forget(self._now())
        self._memory.save(self._folder)
        self._changed = False
        self._memory_version = signature(self._path(MEMORY))

    def _now(self) -> float:
        return self._clock().timestamp()

    def _absorb(self, versions: Iterable[Version] = ()) -> None:
        for version in chain(files.leftovers(self._folder, FILES), versions):
            known = self._memory.signatures.get(version.name)
            if version.signature == known:
                continue  # That is ours, or known.
            if known and version.written < known[1] / 1e9:
                self._take_in_late(version)
            else:
                self._take_in(version)
        for name in FILES:
            self._absorb_current(name)
        self._known_ids = None

    def _absorb_current(self, name: str) -> bool:
        """Take in what the file says now; returns whether all of it is known, so that it may be replaced."""
        known = self._memory.signatures.get(name)
        if signature(self._path(name)) == known:
            return True
        version = files.read(self._folder, name)
        if version:
            if self._take_in(version):
                self._memory.signatures[name] = version.signature
                return True
            self._memory.signatures.pop(name, None)
            if self._is_settled(version):
                self._take_away(version)
            return not os.path.exists(self._path(name))
        self._changed = True
        self._memory.signatures.pop(name, None)
        if name == MESSAGES and known:
            self._journal.commit(lambda state, _: [*decisions.discard_waiting(state, DELETED)])
            self._memory.saw_messages(set(), self._now())
        return True

    def _take_in(self, version: Version, *, displaced: bool = False, late: bool = False) -> bool:
        """Add to the room what this version says; returns whether it could be understood.

        displaced: it is in no place where it could still be completed. late: see `_take_in_late`.
        """
        name, now = version.name, self._now()
        self.due = self._changed = True
        self._memory.wrote = max(self._memory.wrote or 0, min(version.written, now))
        try:
            content = self._parsed(version)
        except Unreadable as error:
            if displaced or self._is_settled(version):
                # It is taken away, so of each there is a copy.
                self._set_aside(version, [f"{name} {error}."], version.data)
            return False
        if content.problems:
            self._set_aside(version, content.problems, "\n".join(content.problems).encode())
        if name == AGENTS:
            self._commit(lambda state: merge.agents_said(state, self._memory, content, now))
            if not late:
                self._see(content)
            self._memory.agents = content.raw
        elif name == CHANNELS:
            self._commit(lambda state: merge.channels_said(state, self._memory, content, now))
            self._memory.channels = content.raw
        else:
            self._commit(lambda state: merge.messages_said(state, content, self._is_known))
            self._memory.saw_messages(set(content.entries), now)
        return True

    def _take_in_late(self, version: Version) -> None:
        """Take in a version older than the one that was last seen: what it lacks came after it."""
        seen = self._memory
        agents, channels = seen.agents, seen.channels
        messages, was_message, cleared = seen.messages, dict(seen.was_message), dict(seen.cleared)
        seen.agents, seen.channels = {}, {}
        try:
            self._take_in(version, displaced=True, late=True)
        finally:
            seen.agents, seen.channels = agents, channels
            seen.messages, seen.was_message, seen.cleared = messages, was_message, cleared
            if version.name == MESSAGES:  # It is known what the room has been told here.
                for id in self._entries(version.name) - messages - was_message.keys():
                    was_message[id] = self._now()

    def _entries(self, name: str) -> set[str]:
        _, content = self._contents.get(name, (None, None))
        return set(content.entries) if content else set()

    def _commit(self, said: Callable[[State], Said]) -> None:
        last: list[Said] = []

        def decide(state: State, moment: datetime) -> list[Fact]:
            last[:] = [said(state)]
            return decisions.stopped(state, moment, last[0].facts)

        self._journal.commit(decide)
        self._memory.gone.update(last[0].gone)

    def _is_known(self, entry: MessageEntry) -> bool:
        """Whether the room has had a message that does not wait in it. It costs a look through the journal
        where what was last seen in the file does not tell."""
        if entry.id in self._memory.messages or entry.id in self._memory.was_message:
            return True
        if entry.created_at.timestamp() > self._memory.since:
            # One that has ended may still have been taken in by a process that died before it saved that.
            return entry.ended and self._lookup(entry.id) is not None
        if self._known_ids is None:
            events = (event for batch in self._journal.events() for event in batch)
            self._known_ids = merge.known_ids(
                event.fact.id for event in events if isinstance(event.fact, MessageSent)
            )
        return self._known_ids(entry.id)

    def _see(self, content: Content) -> None:
        """Agents were seen when the file says so, if that is news."""
        now = self._clock()
        for id, entry in content.entries.items():
            before = self._memory.agents.get(id, {}).get("lastSeenAt")
            if isinstance(before, str) and str(content.raw[id]["lastSeenAt"]) <= before:
                continue
            seen = min(entry.last_seen_at, now)
            self._memory.touched[id] = seen.timestamp()
            known = self._presence.get(id, now).last_seen
            if known is None or seen > known:
                try:
                    self._presence.seen(id, seen)
                except Unavailable:
                    pass  # It is worth a try, and no reason to read no further.

    def _parsed(self, version: Version) -> Content:
        """What it says; the entries that are as before need not be checked again. Raises Unreadable."""
        found, content = self._contents.get(version.name, (None, None))
        if not (found and content and found.signature == version.signature):
            content = parse(version.name, version.data, content)
            self._contents[version.name] = version, content
        return content

    def _is_settled(self, version: Version) -> bool:
        """Whether nobody is writing it any more. A time in the future is no reason to wait for it."""
        return abs(self._now() - version.written) >= HALF_WRITTEN_FOR

    def _take_away(self, version: Version) -> None:
        """Take what is no whole file from its place. What it should say is known, and it was set aside."""
        self._save()  # If we die after this, nobody takes its absence for a deletion.
        taken = files.take(self._folder, version.name, version.signature)
        if taken:
            self._take_in(taken, displaced=True)  # A better one had come in its place.

    def _set_aside(self, version: Version, problems: list[str], trouble: bytes) -> None:
        kept = files.set_aside(self._folder, version.name, version.data, trouble)
        self._memory.problems[kept] = problems

    # Writing

    @property
    def active(self) -> bool:
        """Whether the files are written: a foreign process has written lately, or the user wants it so."""
        return self._always or self.peers_are_active

    @property
    def peers_are_active(self) -> bool:
        """Whether a foreign process has written lately."""
        return self.quiet_for < ACTIVE_FOR

    def publish(self, *, at_once: bool = False) -> None:
        """Write what the files lack, if anybody is there to read it: not more often than every PUBLISH_EVERY
        seconds, unless at_once. Never raises what a disk or a lock may cause."""
        self.due = True
        if not self.active or not (at_once or self._may_publish()):
            return
        try:
            with self._mutex, self._lock:
                self._recall()
                if at_once or self._may_publish():
                    self._absorb()
                    self._publish()
            self.trouble = None
        except (MsgcodeError, OSError) as error:
            self._contents.clear()
            self.trouble = _sentence(error, f"cannot write the files of oh-my-msgcode in {self._folder}")

    def seen(self, agent: str) -> None:
        """An agent of ours was seen now, which is to be written if the file says otherwise."""
        listed = self._memory.agents.get(agent)
        if listed and self._clock() - datetime.fromisoformat(str(listed["lastSeenAt"])) >= SEEN_EVERY:
            self.due = True

    def tend(self) -> None:
        """Publish if there is anything to say by now, also of what other processes have done."""
        if not self.active or not self._may_publish():
            return
        try:
            self._journal.refresh()
        except Unavailable:
            return  # Whoever reads the room will say so.
        changed = self.due or self._journal.state.seq != self._published_seq
        if changed or self._now() - self._memory.published > SEEN_EVERY.total_seconds() / 2:
            self.publish()

    def _may_publish(self) -> bool:
        return not 0 <= self._now() - self._memory.published < PUBLISH_EVERY

    def _publish(self) -> None:
        self._journal.refresh()
        written = [any(self._write(name) for _ in range(_SWAPS)) for name in FILES]
        self._memory.published = self._now()
        self._published_seq = self._journal.state.seq
        self.due = not all(written)
        self._save()

    def _write(self, name: str) -> bool:
        """Bring one file up to date; returns False if a foreign version came in between."""
        if not self._absorb_current(name):
            return True  # Somebody may still be writing it.
        known = self._memory.signatures.get(name)
        current = self._current(name)
        data = render(self._listed(name, current))
        if known and data == current.data:
            return True
        prepared, version = files.prepare(self._folder, name, data)
        self._remember(version)
        # Before it is in place: if we die in between, nobody takes it for foreign.
        self._save()
        displaced = files.swap(prepared, self._folder, name)
        is_foreign = displaced is not None and displaced.signature != known
        if displaced and is_foreign:
            self._take_in(displaced, displaced=True)
            self._remember(version)
        files.drop(prepared)  # Not before what was displaced is in the journal.
        return not is_foreign

    def _remember(self, version: Version) -> None:
        """This version, which we write, is what the file says."""
        content = self._parsed(version)
        self._memory.signatures[version.name] = version.signature
        self._memory.gone.update(dict.fromkeys(merge.gone(self._journal.state, self._memory), self._now()))
        if version.name == AGENTS:
            self._memory.agents = content.raw
        elif version.name == CHANNELS:
            self._memory.channels = content.raw
        else:
            self._memory.saw_messages(set(content.entries), self._now(), ours=True)

    def _current(self, name: str) -> Content:
        """What the file says, which has been absorbed."""
        version = files.read(self._folder, name) if name in self._memory.signatures else None
        if version:
            try:
                return self._parsed(version)
            except Unreadable:
                pass
        return Content(name)

    def _listed(self, name: str, current: Content) -> list[str]:
        state, now = self._journal.state, self._clock()
        if name == AGENTS:
            return listing.agents_listed(state, current, lambda id: self._presence.get(id, now).last_seen)
        if name == CHANNELS:
            return listing.channels_listed(state, current)
        return self._messages.listed(state, self._memory, current, now)

    def _lookup(self, id: str) -> Message | None:
        """A message that has ended, by the id of one of its entries in the file."""
        state = State(keep_ended=True)
        for event in self._journal.mentioning('"id":' + encode_json(shared_id(id))[:-1]):
            fold(state, event)
        return next(
            (
                message
                for message in state.messages.values()
                if any(entry_id(message, agent) == id for agent in message.deliveries)
            ),
            None,
        )

    # Who injects

    def withdraw(self, agent: str, messages: Iterable[Message]) -> set[str]:
        """See that no foreign process takes these messages, which one of ours has claimed for the agent.

        What one has taken already is delivered by then, and claimed no longer. If the agent lives in a
        foreign process too, this waits until none can still take what it read before.
        Returns the ids of the messages that one may take all the same.
        """
        ids = {
            entry_id(message, agent): message.id
            for message in messages
            if message.deliveries[agent].status is Status.CLAIMED
        }
        if not ids or not self.active:
            return set()
        at_risk: set[str] = set()
        for _ in range(TRIES):
            self.publish(at_once=True)
            if self._now() - self._memory.touched.get(agent, 0) > ACTIVE_FOR:
                return set()
            time.sleep(SETTLE)
            self.absorb()
            live = self._journal.state.messages
            at_risk = {
                message
                for id, message in ids.items()
                if id in self._memory.messages
                and message in live
                and live[message].deliveries[agent].status is Status.CLAIMED
            }
            if not at_risk:
                return set()
        return at_risk

    @property
    def quiet_for(self) -> float:
        """Seconds since a foreign process last wrote, as far as any process of ours has seen."""
        with self._mutex:
            self._recall()
        return self._now() - self._memory.wrote if self._memory.wrote is not None else float("inf")

    def peers(self) -> Peers:
        """What is known of foreign processes. What was set aside is told until its copy is deleted."""
        problems = [
            f"{problem} A copy is in {kept}."
            for kept, found in self._memory.problems.items()
            if os.path.exists(self._path(kept))
            for problem in found
        ]
        wrote = self._memory.wrote
        return Peers(
            self.peers_are_active,
            datetime.fromtimestamp(wrote, UTC) if wrote is not None else None,
            (*problems, *([self.trouble] if self.trouble else [])),
        )

    def close(self) -> None:
        """Write what was put off, and let go of the lock's file."""
        if self.due:
            self.publish(at_once=True)
        with self._mutex:
            self._lock.close()


def _sentence(error: Exception, what: str) -> str:
    return str(unavailable(error, what)) if isinstance(error, OSError) else str(error)
