"""Why a message has come no further: every hop on its way to one recipient, and what can be done. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from msgcode.debugger import holds
from msgcode.debugger.words import clock, duration, whereabouts
from msgcode.decisions import closest, delivery_to, is_due, is_leased
from msgcode.events import (
    TYPES,
    HoldPlaced,
    MessageClaimed,
    MessageDelivered,
    MessageEdited,
    MessageFailed,
    MessagePrioritized,
    MessageSent,
)
from msgcode.model import PEER, Activity, Delivery, Status
from msgcode.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from msgcode.events import Event
    from msgcode.model import Agent, Message, Presence

SHORT = 8
"""Characters of a message's id in an advised command; any verb takes so many for the whole."""


class Standing(StrEnum):
    """Where a message stands on its way to one recipient."""

    HELD = "held"
    """Somebody or something holds it."""
    UNKNOWN = "unknown"
    """It is queued, and nobody was ever registered as its recipient."""
    GONE = "gone"
    """It is queued, and its recipient has been unregistered since."""
    OFFLINE = "offline"
    """It is queued, and its recipient is not there."""
    BLOCKED = "blocked"
    """It is queued, and its recipient waits for a human."""
    BUSY = "busy"
    """It is queued, and its recipient works on something else."""
    UNCLAIMED = "unclaimed"
    """It is queued, its recipient is there and idle, and no deliverer has taken it."""
    FAILED = "failed"
    """It is queued again, its recipient is there, and the last attempt to deliver it failed."""
    CLAIMED = "claimed"
    """A deliverer is injecting it."""
    LAPSED = "lapsed"
    """A deliverer took it, and the lease ran out without a word of it."""
    OVERDUE = "overdue"
    """It waited beyond its time to live, and ends at the next look at the inbox."""
    DELIVERED = "delivered"
    """Its recipient has it, and has not acknowledged it."""
    FOREIGN = "foreign"
    """oh-my-msgcode has taken it for its recipient, and says nothing more of it."""
    ACKNOWLEDGED = "acknowledged"
    EXPIRED = "expired"
    DISCARDED = "discarded"


class Hop(Record):
    """One thing that happened to the message on its way to the recipient."""

    at: datetime
    took: timedelta
    """Since the hop before; nothing for the first."""
    what: str
    """sent, edited, prioritized, moved, held, released, let through, claimed, lapsed, failed, delivered,
    acknowledged, expired or discarded."""
    by: str | None = None
    """Who did it: the sender, the deliverer, or who acted for the recipient."""
    detail: str = ""
    """Why it failed, or its new priority."""


class Advice(Record):
    """One thing that can be done about it."""

    what: str
    """What it is good for, in words."""
    command: str = ""
    """The `msgcode` command that does it, without that word; none where only hands can."""


class Explanation(Record):
    """Why the message stands where it does, on its way to one recipient."""

    message: str
    agent: str
    stands: Standing
    since: datetime
    """When it came there."""
    reason: str
    """One sentence, with times and without its full stop. It quotes others: not made safe to print."""
    hops: tuple[Hop, ...]
    """Oldest first; the message stands at the last."""
    advice: tuple[Advice, ...] = ()


def why(
    message: Message,
    agent: str,
    life: Sequence[Event],
    agents: Mapping[str, Agent],
    presence: Presence,
    now: datetime,
    *,
    hold: str | None = None,
    gone: datetime | None = None,
) -> Explanation:
    """Explain where the message stands on its way to the recipient `agent`.

    life: what has happened to it, oldest first (`Store.life`); where nothing is known, its delivery has to
    do. agents: those that are registered. presence: the recipient's. hold: what holds it, in words
    (`holds.words`). gone: when the recipient was unregistered, if it was. Raises Refused if the message is
    not to `agent`.
    """
    delivery = delivery_to(message, agent)
    case = _Case(message, agent, delivery, agents, presence, now, hold, gone)
    hops = tuple(_hops(message, agent, delivery, life, now))
    stands = _standing(case)
    return Explanation(
        message.id, agent, stands, hops[-1].at, _reason(case, stands), hops, tuple(_advice(case, stands))
    )


class _Case(Record):
    message: Message
    agent: str
    delivery: Delivery
    agents: Mapping[str, Agent]
    presence: Presence
    now: datetime
    hold: str | None
    gone: datetime | None

    @property
    def place(self) -> str:
        """The session that the recipient lives in, in words; nothing if it lives in none."""
        known = self.agents.get(self.agent)
        return known.session.place if known and known.session else ""

    @property
    def whereabouts(self) -> str:
        return whereabouts(self.agent, self.agents, self.presence, self.now, self.gone)


# The hops


def _hops(
    message: Message, agent: str, delivery: Delivery, life: Iterable[Event], now: datetime
) -> Iterator[Hop]:
    steps = list(_steps(agent, life, now)) or list(_remembered(message, delivery))
    before = steps[0].at
    for step in steps:
        yield step._replace(took=max(step.at - before, timedelta(0)))
        before = step.at


def _steps(agent: str, life: Iterable[Event], now: datetime) -> Iterator[Hop]:
    lease: MessageClaimed | None = None
    for event in life:
        fact = event.fact
        if getattr(fact, "agent", agent) != agent:
            continue
        at = getattr(fact, "since", None) or event.at
        if lease and not isinstance(fact, MessageEdited | MessagePrioritized):
            if lease.until <= at:
                yield Hop(lease.until, timedelta(0), "lapsed", lease.by)
            lease = None
        if isinstance(fact, MessageClaimed):
            lease = fact
        yield _hop(at, event)
    if lease and lease.until <= now:
        yield Hop(lease.until, timedelta(0), "lapsed", lease.by)


_WORDS = {
    "hold.placed": "held",
    "hold.released": "released",
    "message.passed": "let through",
    "message.ranked": "moved",
}


def happened(event: Event) -> str:
    """What has happened to a message, in a word or two, by an event of its life."""
    kind = TYPES[type(event.fact)]
    return _WORDS.get(kind) or kind.removeprefix("message.")


def _hop(at: datetime, event: Event) -> Hop:
    fact = event.fact
    what = happened(event)
    if isinstance(fact, HoldPlaced):
        return Hop(at, timedelta(0), what, None, holds.words(fact.hold))
    if isinstance(fact, MessageSent):
        return Hop(at, timedelta(0), what, fact.by or fact.sender)
    detail = ""
    if isinstance(fact, MessageFailed):
        detail = fact.reason
    elif isinstance(fact, MessagePrioritized):
        detail = fact.priority
    elif isinstance(fact, MessageDelivered) and fact.by == PEER:
        detail = "taken by a foreign plugin"
    return Hop(at, timedelta(0), what, getattr(fact, "by", None), detail)


def _remembered(message: Message, delivery: Delivery) -> Iterator[Hop]:
    yield Hop(message.sent_at, timedelta(0), "sent", message.by or message.sender)
    if delivery.delivered_at and delivery.status is not Status.DELIVERED:
        yield Hop(delivery.delivered_at, timedelta(0), "delivered")
    if delivery.status is not Status.QUEUED:
        yield Hop(delivery.at, timedelta(0), str(delivery.status), delivery.by)


# Where it stands


def _standing(case: _Case) -> Standing:
    delivery = case.delivery
    if delivery.status.ended:
        return Standing(delivery.status)
    if delivery.status is Status.DELIVERED:
        return Standing.FOREIGN if delivery.by == PEER else Standing.DELIVERED
    if is_due(case.message, delivery, case.now):
        return Standing.OVERDUE
    if is_leased(delivery, case.now):
        return Standing.CLAIMED
    if case.hold:
        return Standing.HELD
    if case.agent not in case.agents:
        return Standing.GONE if case.gone else Standing.UNKNOWN
    if case.presence.activity is Activity.OFFLINE:
        return Standing.OFFLINE
    if case.presence.activity is Activity.BLOCKED:
        return Standing.BLOCKED
    if delivery.status is Status.CLAIMED:
        return Standing.LAPSED
    if delivery.failures:
        return Standing.FAILED
    return Standing.BUSY if case.presence.activity is Activity.BUSY else Standing.UNCLAIMED


def _reason(case: _Case, stands: Standing) -> str:
    clauses = [_cause(case, stands)]
    delivery = case.delivery
    if delivery.status is Status.CLAIMED and stands not in (Standing.CLAIMED, Standing.LAPSED):
        clauses.append(f"before that it was {_lapsed(case)}")
    if delivery.failures and not delivery.status.ended:
        times = f"{len(delivery.failures)} times" if len(delivery.failures) > 1 else "once"
        clauses.append(f"delivery failed {times}, the last: {delivery.failures[-1]}")
    return "; ".join(clauses)


def _cause(case: _Case, stands: Standing) -> str:
    delivery, now, agent = case.delivery, case.now, case.agent
    by = f" by {delivery.by}" if delivery.by and delivery.by != agent else ""
    if stands is Standing.HELD:
        return f"held by {case.hold}"
    if stands is Standing.OVERDUE:
        assert case.message.expires_at
        return f"its time to live ran out at {clock(case.message.expires_at, now)}, and {case.whereabouts}"
    if stands is Standing.UNCLAIMED:
        return f"{case.whereabouts}, and {_nobody_delivers(case)}"
    if stands is Standing.CLAIMED:
        assert delivery.lease_until
        ends = duration(delivery.lease_until - now)
        return f"claimed {duration(now - delivery.at)} ago{_by_deliverer(case)}, lease ends in {ends}"
    if stands is Standing.LAPSED:
        return f"{_lapsed(case)}, and nobody has claimed it since; {case.whereabouts}"
    if stands is Standing.DELIVERED:
        read = f"{agent} has had it since {clock(delivery.at, now)} ({duration(now - delivery.at)})"
        return f"{read} and has not acknowledged it; {case.whereabouts}"
    if stands is Standing.FOREIGN:
        return (
            f"taken by {PEER} at {clock(delivery.at, now)}, which does not say whether {agent} was shown it; "
            "it has not been acknowledged"
        )
    if stands in (Standing.ACKNOWLEDGED, Standing.EXPIRED, Standing.DISCARDED):
        whom = f"{agent} acknowledged it" if stands is Standing.ACKNOWLEDGED and not by else f"{stands}{by}"
        late = "" if delivery.delivered_at or stands is not Standing.EXPIRED else ", before it was delivered"
        return f"{whom} at {clock(delivery.at, now)}{late}"
    return case.whereabouts


def _by_deliverer(case: _Case) -> str:
    """The deliverer, and the session to which it delivers where that is known."""
    agent, by = case.agents.get(case.agent), case.delivery.by
    if agent and agent.session and agent.session.host == by:
        return f" by {agent.session.place}"
    return f" by {by}" if by else ""


def _lapsed(case: _Case) -> str:
    delivery = case.delivery
    assert delivery.lease_until
    claimed = f"claimed at {clock(delivery.at, case.now)}{_by_deliverer(case)}"
    return f"{claimed}, whose lease ran out at {clock(delivery.lease_until, case.now)}"


def _nobody_delivers(case: _Case) -> str:
    waited = duration(case.now - case.delivery.at)
    if case.agents[case.agent].human:
        return f"has not read it for {waited}"
    if not case.place:
        return f"lives in no session: it must read its inbox itself, and has not for {waited}"
    return f"the deliverer of {case.place} has not claimed it for {waited}"


# What can be done


def _advice(case: _Case, stands: Standing) -> Iterator[Advice]:
    id, agent = case.message.id[:SHORT], case.agent
    if stands in (Standing.DELIVERED, Standing.FOREIGN):
        yield Advice("send it again, as a new message", f"resend {id}")
        yield Advice("say that it is done with", f"--as {agent} ack {id}")
    elif stands in (Standing.EXPIRED, Standing.DISCARDED):
        yield Advice("send it again", f"resend {id}")
    elif stands is not Standing.ACKNOWLEDGED:
        yield from _set_going(case, stands)
        if stands is not Standing.CLAIMED:
            yield Advice("change it before anybody has it", f"edit {id} TEXT")
        yield Advice("give up on it", f"discard {id} --agent {agent}")


def _set_going(case: _Case, stands: Standing) -> Iterator[Advice]:
    """What may bring a message forward that waits to be delivered."""
    id, agent = case.message.id[:SHORT], case.agent
    where = f" in {case.place}" if case.place else ""
    if stands is Standing.HELD:
        yield Advice("let it through", f"step --message {id}")
        yield Advice("see what is held, and by what", "held")
    elif stands in (Standing.UNKNOWN, Standing.GONE):
        yield Advice(f"bring {agent} into the room, which then gets it", f"register {agent}")
    elif stands is Standing.OFFLINE:
        yield Advice(f"start {agent} again{where}")
    elif stands is Standing.BLOCKED:
        yield Advice(f"answer what {agent} asks{where}")
    elif stands is Standing.BUSY:
        yield Advice("have it read before the others", f"priority {id} urgent")
    elif stands in (Standing.UNCLAIMED, Standing.FAILED, Standing.LAPSED):
        if case.place:
            yield Advice(f"look whether {agent} is alive{where}, and restart it if not")
        else:
            yield Advice("read its inbox", f"--as {agent} check")
    if stands not in (Standing.CLAIMED, Standing.HELD):
        meant = closest(agent, case.agents) if stands is Standing.UNKNOWN else None
        yield Advice("have somebody else do it", f"forward {id} {meant or 'TO'}")
