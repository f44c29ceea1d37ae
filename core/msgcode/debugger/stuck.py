"""What does not move on, and why: the only rule for what counts as stuck. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from msgcode.debugger.holds import held_by
from msgcode.debugger.unanswered import Unanswered
from msgcode.debugger.words import NOWHERE, whereabouts
from msgcode.decisions import is_due, is_leased
from msgcode.model import Activity, Presence, Status
from msgcode.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from msgcode.model import Agent, Delivery, Message
    from msgcode.state import State


class Thresholds(Record):
    """From when on something counts as stuck."""

    unknown: float = 60.0
    """Seconds for which a message has waited for somebody who is not registered."""
    undelivered: float = 300.0
    """Seconds for which a message has waited for an agent that is offline, busy or blocked, or that must
    read its inbox itself."""
    silent: float = 60.0
    """Seconds for which nobody has claimed a message for an agent that is idle in its session, or has
    claimed it again after a lease ran out."""
    unacknowledged: float = 900.0
    """Seconds since a message was delivered that its recipient has neither acknowledged nor taken up."""
    blocked: float = 120.0
    """Seconds for which an agent has waited for a human, such as at a permission prompt."""
    failures: int = 3
    """Attempts to deliver a message that have failed."""
    lapses: int = 3
    """Claims of a message that ran out without a word."""


DEFAULTS = Thresholds()


class Kind(StrEnum):
    """In which way something is stuck."""

    BLOCKED = "blocked"
    """The agent waits for a human, and what is sent to it waits with it. What it has had counts as behind."""
    UNKNOWN = "unknown"
    """Messages wait for somebody who is not registered."""
    FAILING = "failing"
    """Messages cannot be injected, again and again."""
    LAPSING = "lapsing"
    """Deliverers take messages, and are not heard of again."""
    OFFLINE = "offline"
    """Messages wait for an agent that is not there."""
    SILENT = "silent"
    """Messages wait for an agent that is there, and nobody claims them."""
    UNACKNOWLEDGED = "unacknowledged"
    """Messages to the agent itself, not to a channel, were delivered, and nothing has come of them."""


class Stuck(Record):
    """One agent that is stuck in one way, with the messages that are."""

    agent: str
    kind: Kind
    since: datetime
    """Since when the agent is, or the oldest of the messages."""
    reason: str
    """One sentence without its full stop. It quotes others: not made safe to print."""
    messages: tuple[str, ...] = ()
    """Their ids, oldest first. A message to several agents may be stuck at each."""
    behind: int = 0
    """How many messages wait for the agent in all."""

    def weight(self, now: datetime) -> float:
        """What the list is ranked by: its age in seconds, times how many messages wait behind it."""
        return (now - self.since).total_seconds() * max(self.behind, 1)


def stuck(
    state: State,
    presences: Mapping[str, Presence],
    now: datetime,
    thresholds: Thresholds = DEFAULTS,
    unanswered: Unanswered | None = None,
) -> list[Stuck]:
    """Who and what is stuck, that which weighs most first.

    A message that led its recipient to send one, or was answered by it, has been taken up and is not
    stuck, nor is one that is held. Humans never are: they may take their time. Costs a few microseconds
    for each message that waits.

    unanswered: that of the state. Without it the state must keep what has ended, and all of it is looked
    through when some wait to be acknowledged for long.
    """
    found: list[Stuck] = []
    for agent in {**state.agents, **state.inboxes}:
        known = state.agents.get(agent)
        if known and known.human:
            continue
        presence = presences.get(agent, NOWHERE)
        kinds: dict[Kind, list[Message]] = {}
        look = _Look(agent, known, presence, thresholds, now)
        for id in state.inbox(agent):
            message = state.messages[id]
            kind = look.at(message, message.deliveries[agent])
            if kind is Kind.UNACKNOWLEDGED:
                unanswered = unanswered or Unanswered.of(state)
                if unanswered.is_taken_up(id, agent):
                    continue
            elif kind and held_by(state, message, agent):
                continue
            if kind:
                kinds.setdefault(kind, []).append(message)
        since = _blocked_since(presence)
        if known and since and (now - since).total_seconds() >= thresholds.blocked:
            kinds.setdefault(Kind.BLOCKED, [])
        for kind, messages in kinds.items():
            messages.sort(key=lambda message: message.seq)
            found.append(_group(state, look, kind, messages))
    return sorted(found, key=lambda one: (-one.weight(now), one.agent, one.kind))


def _blocked_since(presence: Presence) -> datetime | None:
    return presence.since or presence.last_seen if presence.activity is Activity.BLOCKED else None


class _Look:
    """One agent's messages, looked at with thresholds as moments: there may be very many."""

    def __init__(
        self, agent: str, known: Agent | None, presence: Presence, thresholds: Thresholds, now: datetime
    ) -> None:
        self.agent = agent
        self.known = known
        self.presence = presence
        self.now = now
        self._limits = thresholds
        self._undelivered = self._before(thresholds.undelivered)
        self._unacknowledged = self._before(thresholds.unacknowledged)
        self._silent = self._before(thresholds.silent)
        self._unknown = self._before(thresholds.unknown)
        self._latest = max(self._undelivered, self._silent, self._unknown)
        self._delivered_to = bool(known and known.session) and presence.activity is Activity.IDLE
        bound_at = known.bound_at if known else None
        self._there_since = max((at for at in (presence.since, bound_at) if at), default=None)

    def _before(self, seconds: float) -> datetime:
        return self.now - timedelta(seconds=seconds)

    def at(self, message: Message, delivery: Delivery) -> Kind | None:
        """In which way the message is stuck at the agent, if it is. Whether it was taken up is not asked."""
        if delivery.status is Status.DELIVERED:
            if delivery.at > self._unacknowledged or self.presence.activity is Activity.BLOCKED:
                return None
            news = message.channel and len(message.deliveries) > 1
            return None if news else Kind.UNACKNOWLEDGED
        if delivery.claims and (kind := self._after_attempts(delivery)):
            return kind
        if message.sent_at > self._latest:
            return None
        if is_leased(delivery, self.now) or is_due(message, delivery, self.now):
            return None
        if not self.known:
            return Kind.UNKNOWN if message.sent_at <= self._unknown else None
        if self.presence.activity is Activity.OFFLINE:
            return Kind.OFFLINE if message.sent_at <= self._undelivered else None
        if self.presence.activity is Activity.BLOCKED:
            return Kind.BLOCKED if message.sent_at <= self._undelivered else None
        waits_since = max(delivery.at, self._there_since or delivery.at)
        limit = self._silent if self._delivered_to else self._undelivered
        return Kind.SILENT if waits_since <= limit else None

    def _after_attempts(self, delivery: Delivery) -> Kind | None:
        failures = len(delivery.failures)
        if failures >= self._limits.failures:
            return Kind.FAILING
        until = delivery.lease_until
        lapsed = delivery.claims - failures - is_leased(delivery, self.now)
        return Kind.LAPSING if lapsed >= self._limits.lapses or (until and until <= self._silent) else None


def _group(state: State, look: _Look, kind: Kind, messages: list[Message]) -> Stuck:
    agent, now = look.agent, look.now
    oldest = messages[0] if messages else None
    delivery = oldest.deliveries[agent] if oldest else None
    since = oldest.sent_at if oldest else now
    if kind is Kind.BLOCKED:
        since = min(since, _blocked_since(look.presence) or now)
    elif kind is Kind.UNACKNOWLEDGED and delivery:
        since = delivery.at
    where = whereabouts(agent, state.agents, look.presence, now)
    if kind is Kind.FAILING and delivery:
        where = f"{where}; failed {len(delivery.failures)} times, the last: {delivery.failures[-1]}"
    elif kind is Kind.LAPSING and delivery:
        times = delivery.claims - len(delivery.failures) - is_leased(delivery, now)
        claimed = f"claimed by {delivery.by}" if delivery.by else "claimed"
        where = f"{where}; {claimed}, and its lease ran out" + (f", {times} times" if times > 1 else "")
    elif kind is Kind.SILENT:
        own = look.known and not look.known.session
        where += ", and has not read its inbox" if own else ", and nobody claims what waits for it"
    elif kind is Kind.UNACKNOWLEDGED:
        where = f"{where}, and has neither acknowledged nor answered what it has had"
    ids = tuple(message.id for message in messages)
    return Stuck(agent, kind, since, where, ids, len(state.inbox(agent)))
