"""What has become of a message: the events of its life as lines with times, and where it stands now. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from msgcode import Activity, Delivery, Message, Status
from msgcode.debugger import holds
from msgcode.debugger.why import happened
from msgcode.events import Event, HoldPlaced, MessageSent
from msgcode_tui import times
from msgcode_tui.items import Item
from msgcode_tui.live import Live

_TONES = {
    "acknowledged": "done",
    "delivered": "under-way",
    "failed": "failed",
    "expired": "failed",
    "discarded": "failed",
}


def life(message: Message, events: Sequence[Event]) -> Iterator[Item]:
    """A line for each event, with how long after the one before it was, at the same recipient.

    events: what has happened to it, oldest first. Where they are not known, what the message itself says.
    """
    if not events:
        yield from _remembered(message)
        return
    alone = len(message.deliveries) == 1
    before: dict[str, datetime] = {}
    for event in events:
        agent = getattr(event.fact, "agent", "")
        since = before.get(agent, message.sent_at)
        before[agent] = event.at
        if isinstance(event.fact, MessageSent):
            yield _step(event.at, _sent(message))
        else:
            verb = happened(event)
            words = [] if alone or not agent else [f"{agent}:"]
            words.append(verb)
            by = getattr(event.fact, "by", None)
            words += [f"by {by}"] if by and by != agent else []
            hold = event.fact.hold if isinstance(event.fact, HoldPlaced) else event.fact
            reason = getattr(hold, "reason", None)
            text = " ".join(words) + (f": {reason}" if reason else "")
            yield _step(event.at, text, _TONES.get(verb, ""), f"+{times.duration(event.at - since)}")


def _sent(message: Message) -> str:
    return f"sent by {message.by}, as {message.sender}" if message.by else f"sent by {message.sender}"


def _remembered(message: Message) -> Iterator[Item]:
    yield _step(message.sent_at, _sent(message))
    for agent, delivery in message.deliveries.items():
        if delivery.at != message.sent_at:
            name = "" if len(message.deliveries) == 1 else f"{agent}: "
            yield _step(delivery.at, f"{name}{delivery.status}", _TONES.get(delivery.status, ""))


def _step(at: datetime, text: str, tone: str = "", aside: str = "") -> Item:
    return Item(text, tone, lead=f"{times.of_day(at, seconds=True)} ", aside=aside)


def standing(message: Message, live: Live, now: datetime) -> Iterator[Item]:
    """Who has the message now, at each recipient, and why it has come no further."""
    if not message.deliveries:
        yield Item("Nobody was there to get it.", "warning")
    for agent, delivery in message.deliveries.items():
        hold = holds.held_by(live.state, message, agent)
        text, tone = _stands(agent, delivery, live, now)
        if hold:
            text, tone = f"kept from {agent} by {holds.words(hold)}", "warning"
        waits = "" if delivery.status.ended else times.duration(now - delivery.at)
        yield Item(text, tone, aside=waits)
        yield from _failures(delivery.failures)


def _failures(failures: Iterable[str]) -> Iterator[Item]:
    found = list(failures)
    if found:
        yield Item(f"failed {len(found)} times: {found[-1]}", "failed")


def _stands(agent: str, delivery: Delivery, live: Live, now: datetime) -> tuple[str, str]:
    """One sentence on the message at a recipient, and its tone."""
    by = f" by {delivery.by}" if delivery.by and delivery.by != agent else ""
    if delivery.status is Status.QUEUED:
        return f"waits for {agent}, {_whereabouts(agent, live)}", "warning"
    if delivery.status is Status.CLAIMED:
        lease = delivery.lease_until
        ends = f", whose lease ends in {times.duration(lease - now)}" if lease and lease > now else ""
        return f"being given to {agent}{by}{ends}", "under-way"
    if delivery.status is Status.DELIVERED:
        return f"{agent} has it, and has not acknowledged it", "under-way"
    if delivery.status is Status.ACKNOWLEDGED:
        return f"{agent} is done with it" + (f", said{by}" if by else ""), "done"
    return f"{delivery.status} for {agent}{by}", "failed"


def _whereabouts(agent: str, live: Live) -> str:
    if agent not in live.state.agents:
        return "whom nobody has registered"
    activity, last_seen, reason, _ = live.presence(agent)
    if activity is Activity.OFFLINE:
        return f"who is offline since {times.of_day(last_seen)}" if last_seen else "who was never there"
    return f"who is {activity}: {reason}" if reason else f"who is {activity}"
