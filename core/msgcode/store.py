"""The verbs of a room. Each takes plain arguments, decides on the newest state while nobody else can
write (`decisions.py`), appends the facts to the journal, and returns model objects.

    with Store.open() as store:
        store.register("alice")
        store.send("alice", "bob", "The build is green again.", subject="CI", priority="high")
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta

from msgcode import decisions
from msgcode.checks import check_body, check_id, check_line, check_prefix, check_priority
from msgcode.errors import BadInput, MsgcodeError, Refused, Unavailable
from msgcode.events import (
    AgentRegistered,
    AgentUnregistered,
    ChannelCreated,
    ChannelJoined,
    ChannelLeft,
    Event,
    Fact,
    MessageSent,
    RoomPurged,
)
from msgcode.journal.file import FileJournal
from msgcode.model import (
    HUMAN,
    Activity,
    Agent,
    Channel,
    Message,
    Presence,
    Priority,
    Session,
    new_message_id,
    now,
)
from msgcode.presence import ONLINE_FOR, PresenceBoard
from msgcode.state import State, fold, new_message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping

    from msgcode.journal.protocol import Journal
    from msgcode.journal.reader import Position
    from msgcode.journal.recent import Recent

DEFAULT_FOLDER = "~/.oh-my-msgcode"
"""Where the room is when nothing else is said: the folder of oh-my-msgcode."""

LEASE = 30.0
"""Seconds for which a claim holds."""


class Store:
    """A room, opened. Use `Store.open`. Safe to share between threads; a context manager.

    Every verb may raise BadInput (a malformed argument), Refused (the room does not allow it, the text
    says why and what to do) or Unavailable (the store cannot be read or written). Whichever it
    raises, nothing was changed.
    """

    def __init__(
        self,
        name: str,
        journal: Journal,
        presence: PresenceBoard,
        *,
        clock: Callable[[], datetime] = now,
        new_id: Callable[[], str] = new_message_id,
    ) -> None:
        self.name = name
        """Where the room is: the absolute path of its folder."""
        self._journal = journal
        self._presence = presence
        self._clock = clock
        self._new_id = new_id

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

        target: the folder; else the environment variable MSGCODE_STORE, else DEFAULT_FOLDER.
        sync: write each change through to the disk before a verb returns, so that it survives a power
            cut; else yes unless MSGCODE_SYNC is 0. A killed process loses nothing either way.
        clock: the time in UTC, in whole milliseconds. new_id: a fresh message id at each call.
        """
        name = os.fspath(target if target is not None else os.environ.get("MSGCODE_STORE") or DEFAULT_FOLDER)
        if not name or "://" in name:
            raise BadInput(f"{name!r} is not a store: give the path of a folder.")
        folder = os.path.abspath(os.path.expanduser(name))
        if sync is None:
            sync = os.environ.get("MSGCODE_SYNC") != "0"
        journal = FileJournal(folder, sync=sync, clock=clock)
        return cls(folder, journal, PresenceBoard(folder), clock=clock, new_id=new_id)

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
    ) -> Agent:
        """Register an agent, or change its name or description; what is not given stays as it was.

        name: what people read, the id at first. human: it is a person, who may act for other agents; so is
        whoever has the id HUMAN, and an agent cannot become one. session: where the agent lives from now
        on. takeover: even if another session, in which it lives now, is alive.
        """
        check_id("agent", id)
        check_line("a name", name)
        check_line("a description", description)
        human = human or id == HUMAN
        registered: list[Agent] = []

        def decide(state: State, moment: datetime) -> list[Fact]:
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
        self._seen(id)
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

    def join(self, channel: str, agent: str) -> Channel:
        """Make the agent a member of the channel. Joining twice is no error."""
        joined: list[Channel] = []

        def decide(state: State, moment: datetime) -> list[Fact]:
            decisions.known_agent(state, agent)
            known = decisions.known_channel(state, channel)
            joined[:] = [known]
            if agent in known.members:
                return []
            joined[:] = [known._replace(members=(*known.members, agent))]
            return [ChannelJoined(channel, agent)]

        self._journal.commit(decide)
        self._seen(agent)
        return joined[0]

    def leave(self, channel: str, agent: str) -> Channel:
        """Take the agent out of the channel. Leaving twice is no error."""
        left: list[Channel] = []

        def decide(state: State, moment: datetime) -> list[Fact]:
            known = decisions.known_channel(state, channel)
            left[:] = [known._replace(members=tuple(member for member in known.members if member != agent))]
            return [ChannelLeft(channel, agent)] if agent in known.members else []

        self._journal.commit(decide)
        self._seen(agent)
        return left[0]

    # Sending

    def send(
        self,
        sender: str,
        to: str,
        body: str,
        *,
        subject: str | None = None,
        channel: str | None = None,
        priority: str = Priority.NORMAL,
        ttl: float | None = None,
        metadata: Mapping[str, str] | None = None,
        reply_to: str | None = None,
        by: str | None = None,
    ) -> Message:
        """Send a message to one agent. It is stored even if nobody of that name is there (`warnings`).

        body: at most 1 MiB of UTF-8. channel: a topic that it belongs to. priority: low, normal, high
        or urgent. ttl: seconds after which it expires if it has not been delivered. metadata: texts by
        name, such as a file and line. reply_to: the id of the message that it answers.
        by: the human who speaks as `sender`.
        """
        check_id("agent", to)
        draft = self._draft(sender, (to,), body, subject, channel, priority, metadata, by)
        return self._send(draft, ttl, reply_to)

    def broadcast(
        self,
        sender: str,
        channel: str,
        body: str,
        *,
        subject: str | None = None,
        priority: str = Priority.NORMAL,
        ttl: float | None = None,
        metadata: Mapping[str, str] | None = None,
        reply_to: str | None = None,
        by: str | None = None,
    ) -> Message:
        """Send one message to all members of a channel but the sender, each with a delivery of its own.

        The arguments are those of `send`.
        """
        draft = self._draft(sender, (), body, subject, channel, priority, metadata, by)
        return self._send(draft, ttl, reply_to, to_members_of=channel)

    def _draft(
        self,
        sender: str,
        to: tuple[str, ...],
        body: str,
        subject: str | None,
        channel: str | None,
        priority: str,
        metadata: Mapping[str, str] | None,
        by: str | None,
    ) -> MessageSent:
        """The message before it is known what led to it, and who hears it if it is a broadcast."""
        if not body.strip():
            raise BadInput("the message is empty: give it a text.")
        check_body(body)
        check_line("a subject", subject)
        if channel is not None:
            check_id("channel", channel)
        if metadata:
            for key, value in metadata.items():
                check_line("metadata", key)
                check_body(value)
        id, urgency, notes = self._new_id(), check_priority(priority), dict(metadata or {})
        # In the order of the fields, since a record takes twice as long to make with names.
        return MessageSent(
            id, sender, to, body, id, urgency, channel, subject or None, None, None, None, 0, notes, False,
            by if by != sender else None,
        )  # fmt: skip

    def _send(
        self, draft: MessageSent, ttl: float | None, reply_to: str | None, to_members_of: str | None = None
    ) -> Message:
        if ttl is not None and not 0 < ttl <= 366 * 24 * 3600:
            raise BadInput("a time to live must be more than 0 and at most a year.")
        origin = self.message(reply_to) if reply_to is not None else None

        def decide(state: State, moment: datetime) -> list[Fact]:
            message = draft
            if to_members_of is not None:
                message = draft._replace(to=decisions.audience(state, draft, to_members_of))
            if ttl:
                message = message._replace(expires_at=_milliseconds(moment + timedelta(seconds=ttl)))
            return [decisions.send(state, message, origin)]

        (event,) = self._journal.commit(decide, blind=ttl is None)
        self._seen(draft.by or draft.sender)
        assert isinstance(event.fact, MessageSent)
        return new_message(event.seq, event.at, event.fact)

    def warnings(self, message: Message) -> list[str]:
        """What its sender should know about its recipients: a sentence for each that is not there."""
        moment = self._clock()
        if not message.deliveries:
            return [f"nobody else is in channel {message.channel!r}, so nobody will read this."]
        found = []
        for agent in message.deliveries:
            if agent not in self._journal.state.agents:
                near = decisions.nearest(agent, self._journal.state.agents)
                found.append(f"nobody is registered as {agent!r}{near}: the message waits until somebody is.")
            elif not self._presence.get(agent, moment).online:
                found.append(f"{agent!r} is offline: the message waits until it is back.")
        return found

    # Receiving

    def inbox(
        self,
        agent: str,
        *,
        channel: str | None = None,
        sender: str | None = None,
        priority: str | None = None,
        limit: int | None = None,
    ) -> list[Message]:
        """What waits for the agent, urgent first, then oldest first, without marking anything.

        channel, sender, priority: only such messages. limit: at most so many.
        """
        self._journal.refresh()
        return decisions.inbox(
            self._journal.state,
            agent,
            self._clock(),
            channel=channel,
            sender=sender,
            priority=check_priority(priority) if priority else None,
            limit=limit,
        )

    def check(
        self,
        agent: str,
        *,
        channel: str | None = None,
        sender: str | None = None,
        priority: str | None = None,
        limit: int | None = 50,
    ) -> list[Message]:
        """The agent reads its inbox: what is returned counts as delivered to it. Arguments as for `inbox`."""
        wanted = check_priority(priority) if priority else None
        before: list[Message] = []

        def decide(state: State, moment: datetime) -> list[Fact]:
            decisions.known_agent(state, agent)
            before[:] = decisions.inbox(
                state, agent, moment, channel=channel, sender=sender, priority=wanted, limit=limit
            )
            read = [fact for message in before for fact in decisions.confirm(message, agent, agent)]
            return [*decisions.expire_due(state, moment, agent), *read]

        events = self._journal.commit(decide)
        self._seen(agent)
        return _after(before, events)

    def claim(self, agent: str, by: str, *, limit: int | None = None, lease: float = LEASE) -> list[Message]:
        """Lease the agent's undelivered messages to the deliverer `by`, which is about to inject them.

        limit: at most so many. lease: seconds until they are offered again. Returns them in the order
        of the inbox. Nobody else is given them until then.
        """
        check_line("a deliverer", by)
        if not 0 < lease <= 24 * 3600:
            raise BadInput("a lease must be more than 0 seconds and at most a day.")
        before: list[Message] = []

        def decide(state: State, moment: datetime) -> list[Fact]:
            before[:] = decisions.offered(state, agent, moment, limit)
            until = _milliseconds(timedelta(seconds=lease) + moment)
            return decisions.claim(state, moment, agent, by, before, until)

        return _after(before, self._journal.commit(decide))

    def undelivered(self, agent: str) -> list[Message]:
        """What a deliverer may claim for the agent, in the order of its inbox."""
        self._journal.refresh()
        return decisions.offered(self._journal.state, agent, self._clock(), None)

    def next_offer(self, agent: str) -> datetime | None:
        """When the first lease on a message for the agent runs out, which is then offered again, if any."""
        self._journal.refresh()
        return decisions.next_offer(self._journal.state, agent, self._clock())

    def confirm(self, agent: str, message: str, by: str) -> Message:
        """The agent's harness accepted the message from the deliverer `by`. Saying so twice is no error."""
        check_line("a deliverer", by)
        return self._move([message], lambda found: decisions.confirm(found, agent, by))[0]

    def fail(self, agent: str, message: str, by: str, reason: str) -> Message:
        """The deliverer `by` could not inject the message it had claimed: it waits again.

        reason: why, in words.
        """
        check_line("a reason", reason)
        return self._move([message], lambda found: decisions.fail(found, agent, by, reason))[0]

    def acknowledge(self, agent: str, *messages: str, by: str | None = None) -> list[Message]:
        """The agent is done with these messages, all or none. Saying so twice is no error.

        by: the human who says so for it.
        """
        for_other = by if by != agent else None
        moved = self._move(messages, lambda found: decisions.acknowledge(found, agent, for_other), for_other)
        self._seen(for_other or agent)
        return moved

    def expire(self, *messages: str, by: str | None = None) -> list[Message]:
        """End these messages wherever they have not been delivered; with none given, all that are due.

        by: who wants it, where it is not time that ends them.
        """
        check_line("who wants it", by)
        if messages:
            return self._move(messages, lambda found: decisions.expire(found, by))
        before: dict[str, Message] = {}

        def decide(state: State, moment: datetime) -> list[Fact]:
            facts = decisions.expire_due(state, moment)
            before.update({fact.id: state.messages[fact.id] for fact in facts})
            return [*facts]

        events = self._journal.commit(decide)
        return _after(list(before.values()), events)

    def _move(
        self,
        ids: tuple[str, ...] | list[str],
        decide_one: Callable[[Message], list[Fact]],
        by: str | None = None,
    ) -> list[Message]:
        """Decide on each message as it stands, append all the facts as one change."""
        elsewhere = [self.message(id) for id in ids if id not in self._journal.state.messages]
        ended = {message.id: message for message in elsewhere if message.ended}
        before: list[Message] = []

        def decide(state: State, moment: datetime) -> list[Fact]:
            decisions.check_speaker(state, by)
            before[:] = [
                state.messages.get(id) or ended.get(id) or self.message(id) for id in dict.fromkeys(ids)
            ]
            return [fact for message in before for fact in decide_one(message)]

        return _after(before, self._journal.commit(decide))

    def purge(self, *, older_than: float = 0, waiting: bool = False, by: str | None = None) -> int:
        """Forget the messages that ended more than `older_than` seconds ago, and free their space.

        waiting: discard everything that still waits, too. by: who wants it, for the record.
        Returns how many waiting messages were discarded. Damaged lines are kept.
        """
        check_line("who wants it", by)
        if not 0 <= older_than < 1e9:
            raise BadInput("an age must be 0 seconds or more, and less than 30 years.")
        # One millisecond later, the step of the clock, so that what has just ended goes too.
        cutoff = _milliseconds(self._clock() - timedelta(seconds=older_than, milliseconds=-1))
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

    def seen(self, agent: str) -> None:
        """The agent is there: call it at least every 15 s to keep the agent online."""
        self._presence.seen(agent, self._clock())

    def set_presence(self, agent: str, activity: str, reason: str | None = None) -> None:
        """The agent is there and idle, busy or blocked (with a reason), or it left: offline."""
        check_line("a reason", reason)
        if activity not in list(Activity):
            raise BadInput(f"{activity!r} is no activity: choose {', '.join(Activity)}.")
        self._presence.set(agent, Activity(activity), self._clock(), reason)

    def presence(self, agent: str) -> Presence:
        """Whether the agent is there, and what it is doing."""
        return self._presence.get(agent, self._clock())

    def _seen(self, agent: str) -> None:
        # The verb is done by now; that its actor was seen is worth a try and no error.
        try:
            self.seen(agent)
        except MsgcodeError:
            pass

    # Looking

    def agents(self) -> list[Agent]:
        """All registered agents, by id."""
        return sorted(self._fresh().agents.values())

    def channels(self) -> list[Channel]:
        """All channels, by id."""
        return sorted(self._fresh().channels.values())

    def waiting(self, agent: str) -> int:
        """How many messages the agent has not dealt with yet."""
        return len(self._fresh().inbox(agent))

    def messages(self) -> list[Message]:
        """All messages that have not ended at every recipient, oldest first."""
        return sorted(self._fresh().messages.values(), key=lambda message: message.seq)

    def message(self, id: str) -> Message:
        """The message with this id, whether it waits or has ended. Raises Refused if there is none."""
        found = self._fresh().messages.get(id)
        if not found:
            check_prefix(id)
            found = _fold_anew([], self._journal.mentioning(f'"{id}"')).messages.get(id)
        if not found:
            raise Refused(f"there is no message {id!r}.")
        return found

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

    def damage(self) -> list[str]:
        """The journal's lines that could not be read, as `file:line: reason`, oldest first."""
        return [f"{item.file}:{item.line}: {item.reason}" for item in self._fresh().damage]

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

    def _fresh(self) -> State:
        self._journal.refresh()
        return self._journal.state


def _milliseconds(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _fold_anew(messages: list[Message], events: Iterator[Event] | list[Event]) -> State:
    """A state that has just these messages, ended or not, after these events."""
    state = State(keep_ended=True)
    for message in messages:
        state.add(message)
    for event in events:
        fold(state, event)
    return state


def _after(before: list[Message], events: list[Event]) -> list[Message]:
    """The messages as the events have left them."""
    state = _fold_anew(before, events)
    return [state.messages[message.id] for message in before]
