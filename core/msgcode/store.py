"""The verbs of a room. Each takes plain arguments, decides on the newest state while nobody else can
write (`decisions.py`), appends the facts to the journal, and returns model objects. Those about messages
are in `sending.py`, `receiving.py`, `steering.py` and `holding.py`.

    with Store.open() as store:
        store.register("alice")
        store.send("alice", "bob", "The build is green again.", subject="CI", priority="high")
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta

from msgcode import decisions
from msgcode.checks import check_id, check_line, check_prefix
from msgcode.errors import BadInput, Refused, Unavailable
from msgcode.events import (
    TYPES,
    AgentRegistered,
    AgentUnregistered,
    ChannelCreated,
    ChannelJoined,
    ChannelLeft,
    Event,
    Fact,
    HoldPlaced,
    HoldReleased,
    MessageSent,
    RoomPurged,
)
from msgcode.holding import Holding
from msgcode.journal.file import FileJournal
from msgcode.mirror.journal import MirroredJournal
from msgcode.model import (
    HUMAN,
    Activity,
    Agent,
    Channel,
    Message,
    Presence,
    Session,
    now,
)
from msgcode.presence import ONLINE_FOR, PresenceBoard
from msgcode.receiving import Receiving
from msgcode.state import State
from msgcode.steering import Steering
from msgcode.verbs import Moment, fold_anew, milliseconds, new_message_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from msgcode.journal.reader import Position
    from msgcode.journal.recent import Recent
    from msgcode.journal.timeline import Timeline
    from msgcode.mirror.mirror import Peers

DEFAULT_FOLDER = "~/.oh-my-msgcode"
"""Where the room is when nothing else is said: the folder of oh-my-msgcode."""


class Store(Steering, Receiving, Holding):
    """A room, opened. Use `Store.open`. Safe to share between threads; a context manager.

    Every verb may raise BadInput (a malformed argument), Refused (the room does not allow it, the text
    says why and what to do) or Unavailable (the store cannot be read or written). Whichever it
    raises, nothing was changed.
    """

    @classmethod
    def open(
        cls,
        target: str | os.PathLike[str] | None = None,
        *,
        sync: bool | None = None,
        clock: Callable[[], datetime] = now,
        new_id: Callable[[], str] = new_message_id,
    ) -> Store:
        """Open the room in a folder, which is created at the first change.

        target: the folder, or nats://HOST:4222/ROOM for a room on NATS (`nats/address.py`); else the
            environment variable MSGCODE_STORE, else DEFAULT_FOLDER.
        sync: write each change through to the disk before a verb returns, so that it survives a power
            cut; else yes unless MSGCODE_SYNC is 0. A killed process loses nothing either way.
        Where oh-my-msgcode shares the folder, its files are kept like the room (MSGCODE_MIRROR=on: always).
        clock: the time in UTC, in whole milliseconds. new_id: a fresh message id at each call.
        """
        name = os.fspath(target) if target is not None else default_target()
        if "://" in name:
            from msgcode.nats.address import is_nats

            if is_nats(name):
                return cls._open_nats(name, clock, new_id)
        folder = folder_of(name)
        if sync is None:
            sync = os.environ.get("MSGCODE_SYNC") != "0"
        always = _mirrors_always()
        presence = PresenceBoard(folder)
        journal = FileJournal(folder, sync=sync, clock=clock)
        mirrored = MirroredJournal(folder, journal, presence, clock, always=always)
        return cls(folder, mirrored, presence, clock=clock, new_id=new_id)

    @classmethod
    def _open_nats(cls, name: str, clock: Callable[[], datetime], new_id: Callable[[], str]) -> Store:
        from msgcode.nats.address import check_installed, parse

        address = parse(name)
        check_installed()
        from msgcode.nats.room import open_room

        journal, presence = open_room(address, clock)
        return cls(str(address), journal, presence, clock=clock, new_id=new_id, target=name)

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the store's files."""
        self._journal.close()

    # Agents and channels

    def register(
        self,
        id: str,
        name: str | None = None,
        description: str | None = None,
        *,
        human: bool = False,
        session: Session | None = None,
        takeover: bool = False,
        by: str | None = None,
    ) -> Agent:
        """Register an agent, or change its name or description; what is not given stays as it was.

        name: what people read, the id at first. human: it is a person, who may act for other agents; so is
        whoever has the id HUMAN, and an agent cannot become one. session: where the agent lives from now
        on. takeover: even if another session, in which it lives now, is alive. by: the human who registers
        it, so that it does not count as seen.
        """
        check_id("agent", id)
        check_line("a name", name)
        check_line("a description", description)
        human = human or id == HUMAN
        registered: list[Agent] = []

        def decide(state: State, moment: datetime) -> list[Fact]:
            decisions.check_speaker(state, by)
            known = state.agents.get(id)
            if human and known and not known.human:
                raise Refused(f"{id!r} is registered as an agent, so it cannot be a human: use another id.")
            was = known or Agent(id, id, moment)
            agent = was._replace(
                name=name or was.name, description=description or was.description, human=human or was.human
            )
            facts: list[Fact] = []
            if agent != known:
                facts.append(AgentRegistered(id, agent.name, agent.description, agent.human))
            if session and agent.session != session:
                alive = decisions.is_alive(agent, self._presence.get(id, moment), moment, ONLINE_FOR)
                facts.append(decisions.bind(agent, session, alive, takeover))
                agent = agent._replace(session=session, bound_at=moment)
            registered[:] = [agent]
            return facts

        self._journal.commit(decide)
        self._seen(by or id)
        return registered[0]

    def unregister(self, id: str) -> Agent:
        """Take an agent out of the room and its channels. What waits for it goes on waiting."""
        gone: list[Agent] = []

        def decide(state: State, moment: datetime) -> list[Fact]:
            gone[:] = [decisions.known_agent(state, id)]
            return [AgentUnregistered(id)]

        self._journal.commit(decide)
        try:
            self._presence.forget(id)
        except Unavailable:
            pass  # The agent is gone all the same.
        return gone[0]

    def create_channel(
        self, id: str, by: str, name: str | None = None, description: str | None = None
    ) -> Channel:
        """Open a channel; the agent `by` is its first member."""
        check_id("channel", id)
        check_line("a name", name)
        check_line("a description", description)
        created: list[Channel] = []

        def decide(state: State, moment: datetime) -> list[Fact]:
            decisions.known_agent(state, by)
            if id in state.channels:
                raise Refused(f"channel {id!r} exists already: join it.")
            created[:] = [Channel(id, name or id, by, moment, (by,), description)]
            return [ChannelCreated(id, name or id, by, description), ChannelJoined(id, by)]

        self._journal.commit(decide)
        self._seen(by)
        return created[0]

    def join(self, channel: str, agent: str, *, by: str | None = None) -> Channel:
        """Make the agent a member of the channel. Joining twice is no error.

        by: the human who lets it join.
        """
        joined: list[Channel] = []

        def decide(state: State, moment: datetime) -> list[Fact]:
            decisions.check_speaker(state, by)
            decisions.known_agent(state, agent)
            known = decisions.known_channel(state, channel)
            joined[:] = [known]
            if agent in known.members:
                return []
            joined[:] = [known._replace(members=(*known.members, agent))]
            return [ChannelJoined(channel, agent)]

        self._journal.commit(decide)
        self._seen(by or agent)
        return joined[0]

    def leave(self, channel: str, agent: str, *, by: str | None = None) -> Channel:
        """Take the agent out of the channel. Leaving twice is no error.

        by: the human who takes it out.
        """
        left: list[Channel] = []

        def decide(state: State, moment: datetime) -> list[Fact]:
            decisions.check_speaker(state, by)
            known = decisions.known_channel(state, channel)
            left[:] = [known._replace(members=tuple(member for member in known.members if member != agent))]
            return [ChannelLeft(channel, agent)] if agent in known.members else []

        self._journal.commit(decide)
        self._seen(by or agent)
        return left[0]

    # Cleaning up

    def purge(self, *, older_than: float = 0, waiting: bool = False, by: str | None = None) -> int:
        """Forget the messages that ended more than `older_than` seconds ago, and free their space.

        waiting: discard everything that still waits, too. by: who wants it, for the record.
        Returns how many waiting messages were discarded. Damaged lines are kept.
        """
        check_line("who wants it", by)
        if not 0 <= older_than < 1e9:
            raise BadInput("an age must be 0 seconds or more, and less than 30 years.")
        # One millisecond later, the step of the clock, so that what has just ended goes too.
        cutoff = milliseconds(self._clock() - timedelta(seconds=older_than, milliseconds=-1))
        keep = set(self._fresh().messages)
        keep.update(getattr(event.fact, "id", "") for event in self.history() if event.at >= cutoff)
        discarded: set[str] = set()

        def restate(state: State, moment: datetime) -> list[Fact]:
            ending = decisions.discard_waiting(state, by) if waiting else []
            discarded.update(fact.id for fact in ending)
            keep.update(state.messages)
            keep.difference_update(discarded)
            return [*ending, RoomPurged(cutoff, by), *decisions.restate(state)]

        self._journal.compact(restate, lambda event: decisions.disposable(event, cutoff, keep))
        return len(discarded)

    # Presence

    def set_presence(self, agent: str, activity: str, reason: str | None = None) -> None:
        """The agent is there and idle, busy or blocked (with a reason), or it left: offline."""
        check_line("a reason", reason)
        choices = [choice for choice in Activity if choice is not Activity.UNKNOWN]
        if activity not in choices:
            raise BadInput(f"{activity!r} is no activity: choose {', '.join(choices)}.")
        self._presence.set(agent, Activity(activity), self._clock(), reason)

    def presence(self, agent: str) -> Presence:
        """Whether the agent is there, and what it is doing."""
        return self._presence.get(agent, self._clock())

    # Looking

    def agents(self) -> list[Agent]:
        """All registered agents, by id."""
        return sorted(self._fresh().agents.values())

    def agents_in(self, harness: str, session: str) -> list[str]:
        """The ids of the agents that live in a session: `session` is its id, `harness` whose it is."""
        return [
            agent.id
            for agent in self.agents()
            if agent.session and (agent.session.harness, agent.session.id) == (harness, session)
        ]

    def channels(self) -> list[Channel]:
        """All channels, by id."""
        return sorted(self._fresh().channels.values())

    def waiting(self, agent: str) -> int:
        """How many messages the agent has not dealt with yet."""
        return len(self._fresh().inbox(agent))

    def messages(self, *, ended: bool = False) -> list[Message]:
        """All messages that have not ended at every recipient, oldest first.

        ended: the others too, as far as they are kept; the whole journal is read for that.
        """
        state = fold_anew([], self.history()) if ended else self._fresh()
        return sorted(state.messages.values(), key=lambda message: message.seq)

    def life(self, id: str) -> list[Event]:
        """What has happened to the message with this id, oldest first; nothing if there is none."""
        check_prefix(id)
        return [event for event in self._journal.mentioning(f'"{id}"') if _is_about(event, id)]

    def resolve(self, prefix: str) -> str:
        """The id of the one message whose id begins so; what waits is preferred to what has ended.

        Raises Refused if there is none, or more than one, and BadInput if no id can begin so.
        """
        check_prefix(prefix)
        live = self._fresh().messages
        if prefix in live:
            return prefix
        found = {id for id in list(live) if id.startswith(prefix)}
        if not found:
            sent = (event.fact for event in self._journal.mentioning(f'"id":"{prefix}'))
            found = {fact.id for fact in sent if isinstance(fact, MessageSent) and fact.id.startswith(prefix)}
        if prefix in found:
            return prefix
        if len(found) > 1:
            some = ", ".join(sorted(found)[:3])
            raise Refused(f"{len(found)} messages begin with {prefix!r} ({some}): give more of the id.")
        if not found:
            raise Refused(f"there is no message {prefix!r}.")
        return found.pop()

    def peers(self) -> Peers | None:
        """What is known of processes of oh-my-msgcode that share the folder; None if none was ever here."""
        return self._mirrored.peers() if self._mirrored else None

    @property
    def behind_since(self) -> datetime | None:
        """Since when the room's servers cannot be reached, so that what is read is the room as it was then;
        None while they can, and for a folder."""
        return self._journal.behind_since

    def damage(self) -> list[str]:
        """The journal's lines that could not be read, as `file:line: reason`, oldest first."""
        return [f"{item.file}:{item.line}: {item.reason}" for item in self._fresh().damage]

    def at(self, moment: int | datetime) -> Store:
        """The room as it was: after the event of this number, or at this time (in UTC).

        Every reading verb answers as of then. Its clock stands still, nobody's presence is known, and verbs
        that change anything are Refused. It needs no closing of its own, and is of no use after this one's.
        Raises Refused for what has not happened yet, or is not kept any more.
        """
        from msgcode.journal.past import NoPresence, PastJournal

        self._journal.refresh()
        if isinstance(moment, int):
            newest = self._journal.state.seq
            if moment > newest:
                raise Refused(f"there is no event {moment} yet: the newest is {newest}.")
            index = self._journal.index(moment)
            count = index.count(moment)
        elif moment > self._clock():
            raise Refused(f"{moment.astimezone():%Y-%m-%d %H:%M:%S} has not come yet.")
        else:
            index = self._journal.index()
            count = index.count_until(moment)
        if not count:
            first = self._journal.index().first
            if first > 1:
                raise Refused(f"what happened before event {first} was purged.")
            raise Refused("nothing had happened in the room yet.")
        asked = index.at(count - 1) if isinstance(moment, int) else moment
        journal = PastJournal(self._journal, index, count)
        seq = journal.state.seq
        point = Moment(seq, asked, index.first, index.is_whole(count))
        return Store(self.name, journal, NoPresence(seq), clock=lambda: asked, moment=point)

    def timeline(self) -> Timeline:
        """The room's past up to now, to go through it event by event. Takes 3 s for a million events."""
        from msgcode.journal.timeline import Timeline

        return Timeline(self._journal.index())

    def recent(self, size: int) -> Recent:
        """The room as it is now, for somebody who cannot wait until all of its history has been read.

        It is without the messages that ended before the newest `size` bytes of the history, unless that is
        no longer. All that happened is then `history(recent.position)` and `watch(recent.position)`.
        """
        return self._journal.recent(size)

    def history(self, until: Position | None = None) -> Iterator[Event]:
        """Every event that is still kept, oldest first; only those before the place `until`, if given."""
        for batch in self._journal.events(until):
            yield from batch

    def watch(self, after: Position | None = None) -> AsyncIterator[list[Event]]:
        """New events, from any process, in batches as they are appended.

        after: with those that there are already behind this place first; all, behind `Position()`.
        Wakes a few milliseconds after an append. Includes reports of damaged lines and of deleted segments
        (`events.LineDamaged`, `events.JournalReset`).
        """
        return self._journal.follow(after)


def default_target() -> str:
    """The room when nothing else is said."""
    return os.environ.get("MSGCODE_STORE") or DEFAULT_FOLDER


def folder_of(name: str) -> str:
    """The absolute path of the folder that a store's name means. Raises BadInput if it means none."""
    if not name or "://" in name:
        raise BadInput(f"{name[:80]!r} is not a store: give the path of a folder, or nats://HOST:4222/ROOM.")
    return os.path.abspath(os.path.expanduser(name))


def _is_about(event: Event, message: str) -> bool:
    fact = event.fact
    if isinstance(fact, HoldPlaced):
        return fact.hold.message == message
    if isinstance(fact, HoldReleased):
        return fact.message == message
    return getattr(fact, "id", None) == message and TYPES[type(fact)].startswith("message.")


def _mirrors_always() -> bool:
    wish = os.environ.get("MSGCODE_MIRROR") or "auto"
    if wish not in ("auto", "on"):
        raise BadInput(f"MSGCODE_MIRROR is {wish[:80]!r}: it must be auto or on.")
    return wish == "on"
