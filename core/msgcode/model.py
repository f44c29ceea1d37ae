"""What is in a room: agents, channels, messages, and how far each message has come."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum

from msgcode.record import Record


class Priority(StrEnum):
    """How urgent a message is. Inboxes are read urgent first."""

    __hash__ = str.__hash__  # An enum's own is written in Python, and inboxes are indexed by this.

    URGENT = "urgent"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


class Status(StrEnum):
    """How far one message has come on its way to one recipient.

    queued -> claimed -> delivered -> acknowledged, or ended early as expired or discarded.
    """

    QUEUED = "queued"
    """Stored; nobody has it."""
    CLAIMED = "claimed"
    """One deliverer holds a lease and is injecting it."""
    DELIVERED = "delivered"
    """The recipient's harness took it."""
    ACKNOWLEDGED = "acknowledged"
    """The recipient said that it is done."""
    EXPIRED = "expired"
    """Its time to live ran out before it was delivered, or somebody expired it."""
    DISCARDED = "discarded"
    """Somebody cleared it away before it was acknowledged."""

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to the message at this recipient."""
        return self in _ENDED


_ENDED = (Status.ACKNOWLEDGED, Status.EXPIRED, Status.DISCARDED)  # Named once: each name is looked up slowly.

HUMAN = "human"
"""The id of the person who uses the room, unless they choose another."""

PEER = "oh-my-msgcode"
"""Who delivered, where one of its processes did."""


FORWARDED = "forwarded"
"""The metadata of a forwarded message that has the id of the one that it passes on."""

PROBE = "probe"
"""The metadata that marks a message as a probe of the way to its recipient (`debugger/probe.py`)."""

RESENT = "resent"
"""The metadata of a message sent again that has the id of the first."""


class Session(Record):
    """One conversation of a harness, in which an agent lives: the terminal it is in, as people see it."""

    id: str
    """The harness's own id of the conversation. It is the same after a restart of the harness."""
    harness: str
    """The program, such as opencode."""
    host: str
    """The process that delivers to it. Only the host that was bound last does."""
    directory: str | None = None

    @property
    def place(self) -> str:
        """Its harness, id and folder, as people tell terminals apart. Not made safe to print."""
        return f"{self.harness} {self.id}" + (f" in {self.directory}" if self.directory else "")


class Agent(Record):
    """Somebody who can send and receive: a coding agent, or a human when `human` is set.

    `session` is where it lives, if it registered in one, and `bound_at` since when.
    """

    id: str
    name: str
    registered_at: datetime
    description: str | None = None
    human: bool = False
    session: Session | None = None
    bound_at: datetime | None = None


class Channel(Record):
    """A named group of agents; a broadcast reaches every member but its sender."""

    id: str
    name: str
    created_by: str
    created_at: datetime
    members: tuple[str, ...] = ()
    description: str | None = None


class Delivery(Record):
    """How far a message has come at one recipient, and how it got there."""

    status: Status
    at: datetime
    """When it reached this status."""
    by: str | None = None
    """Who moved it there: the deliverer, or the human who acted for the recipient."""
    lease_until: datetime | None = None
    """While claimed: when the claim lapses and the message is offered again."""
    delivered_at: datetime | None = None
    failures: tuple[str, ...] = ()
    """Why earlier attempts to deliver it failed, oldest first."""
    claims: int = 0
    """How often it has been claimed. One that was claimed before may be in the session already."""
    passed_at: datetime | None = None
    """When a human let it through: no hold that was placed before stops it any more."""

    @property
    def to_come(self) -> bool:
        """Whether it has still to be delivered."""
        return self.status is Status.QUEUED or self.status is Status.CLAIMED


class Activity(StrEnum):
    """What an agent is doing while it is there."""

    IDLE = "idle"
    BUSY = "busy"
    BLOCKED = "blocked"
    OFFLINE = "offline"
    UNKNOWN = "unknown"
    """At a moment of the past: who was there then is not known any more."""


class Presence(Record):
    """What is known of one agent at the moment of asking."""

    activity: Activity = Activity.OFFLINE
    last_seen: datetime | None = None
    """None if it was never seen."""
    reason: str | None = None
    """Why it is busy or blocked, in words."""
    since: datetime | None = None
    """Since when it has been doing this, while it is there, as far as that is known."""

    @property
    def online(self) -> bool:
        """Whether it was seen lately (`presence.ONLINE_FOR`)."""
        return self.activity not in (Activity.OFFLINE, Activity.UNKNOWN)


class Edited(Record):
    """That a message was changed before anybody had it: who did so last, and what was first written."""

    at: datetime
    by: str
    body: str
    """The body as it was sent."""
    subject: str | None = None
    """The subject as it was sent."""


class Hold(Record):
    """A stop: the messages that it covers wait, until it is released.

    It covers everything, or what is sent to and by `agent` (or between it and `peer`), a `thread`, a
    `channel`, or one `message`.
    """

    number: int
    at: datetime
    by: str
    """The human who placed it, or whose breakpoint did."""
    agent: str | None = None
    peer: str | None = None
    thread: str | None = None
    channel: str | None = None
    message: str | None = None
    reason: str | None = None
    """Why, in words."""
    breakpoint: int | None = None
    """The number of the breakpoint that was hit."""


class Breakpoint(Record):
    """A rule that stops the messages which it matches, each with a hold of its own.

    A message matches if it is all that is given here; see `debugger/breakpoints.py`.
    """

    number: int
    at: datetime
    by: str
    sender: str | None = None
    to: str | None = None
    channel: str | None = None
    thread: str | None = None
    text: str | None = None
    """A regular expression (RE2) that is found in its body or subject."""
    priority: Priority | None = None
    hops: int | None = None
    """So many hops, or more."""
    loops: bool = False
    """It belongs to an exchange that goes round and round (`debugger/loops.py`): the automatic guard."""
    budget: int | None = None
    """With it, more than so many characters would have reached agents in messages that match otherwise."""
    spent: int = 0
    """The characters that have reached them so far, while it was enabled, if it has a budget."""
    once: bool = False
    """It is disabled by its first hit."""
    enabled: bool = True
    hits: int = 0


class Message(Record):
    """One message with one recipient, or with several when it was broadcast.

    `seq` is the sequence number of the event that sent it, so it orders messages.
    `thread` is the id of the first message of the chain of replies; `cause` is the message that led
    to this one and `hops` the length of that chain of causes, 0 where a human started it.
    """

    id: str
    seq: int
    sender: str
    body: str
    sent_at: datetime
    deliveries: dict[str, Delivery]
    priority: Priority = Priority.NORMAL
    thread: str = ""
    channel: str | None = None
    subject: str | None = None
    expires_at: datetime | None = None
    reply_to: str | None = None
    cause: str | None = None
    hops: int = 0
    metadata: dict[str, str] = {}
    human: bool = False
    """A human wrote it."""
    by: str | None = None
    """The human who spoke, when they spoke as another agent."""
    edited: Edited | None = None
    """Set once `body` or `subject` has been changed."""
    rank: float | None = None
    """Its place among the messages of its priority in an inbox, once a human has moved it; else `seq`."""

    released_at: datetime | None = None
    """When a human let it go on after a breakpoint had stopped it: none stops it again."""

    @property
    def place(self) -> float:
        """What inboxes are ordered by, within a priority."""
        return self.seq if self.rank is None else self.rank

    @property
    def ended(self) -> bool:
        """Whether it has ended at every recipient."""
        return all(delivery.status.ended for delivery in self.deliveries.values())

    @property
    def recipients(self) -> tuple[str, ...]:
        """The agents it was sent to, in the order in which the sender's channel listed them."""
        return tuple(self.deliveries)


def now() -> datetime:
    """The time in UTC, cut to milliseconds, which is what the journal stores."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
