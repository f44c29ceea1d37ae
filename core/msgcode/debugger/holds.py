"""What is held, and by what. Pure.

A hold stops deliveries and nothing else: what it covers is accepted, keeps its place in the inbox, does not
expire, and goes on when the hold is released. What is being handed over already is not called back. Humans
are never kept from what is sent to them.
"""

from __future__ import annotations

from msgcode.errors import Refused
from msgcode.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from msgcode.model import Hold, Message
    from msgcode.state import State


class Held(Record):
    """One message that is kept from some of its recipients."""

    message: Message
    agents: tuple[str, ...]
    """The recipients."""
    hold: Hold
    """What keeps it from the first of them."""


def covers(hold: Hold, message: Message, agent: str) -> bool:
    """Whether the hold is about the message on its way to `agent`."""
    ends = (message.sender, agent)
    return (
        (hold.agent is None or hold.agent in ends)
        and (hold.peer is None or hold.peer in ends)
        and (hold.thread is None or hold.thread == message.thread)
        and (hold.channel is None or hold.channel == message.channel)
        and (hold.message is None or hold.message == message.id)
    )


def held_by(state: State, message: Message, agent: str, *, without: Collection[Hold] = ()) -> Hold | None:
    """The hold that keeps the message from `agent`, its own first; None if it may go.

    without: as if these were not there.
    """
    if not state.holds and not state.stopped:
        return None
    delivery = message.deliveries[agent]
    if not delivery.to_come or _is_human(state, agent):
        return None
    passed_at = delivery.passed_at
    stop = state.stopped.get(message.id)
    for hold in (stop, *state.holds.values()) if stop else state.holds.values():
        passed = passed_at is not None and passed_at >= hold.at
        if not passed and hold not in without and covers(hold, message, agent):
            return hold
    return None


def held(state: State, *only: Hold) -> list[Held]:
    """What waits because it is held (by one of these holds, if any are given), in the order of sending."""
    found: list[Held] = []
    for message in _candidates(state, only):
        holds = {agent: held_by(state, message, agent) for agent in message.deliveries}
        kept = {
            agent: hold
            for agent, hold in holds.items()
            if hold and (not only or any(covers(one, message, agent) for one in only))
        }
        if kept:
            found.append(Held(message, tuple(kept), next(iter(kept.values()))))
    return sorted(found, key=lambda item: item.message.place)


def _candidates(state: State, only: Iterable[Hold]) -> Iterable[Message]:
    """The messages that may be held: few, if only single messages are; else those that are to come."""
    scopes = list(only) or all_holds(state)
    ids: dict[str | None, None] = {}
    if all(hold.message is not None for hold in scopes):
        ids = {hold.message: None for hold in scopes}
    else:
        for inbox in state.inboxes.values():
            for shelf in inbox.undelivered.values():
                ids.update(dict.fromkeys(shelf))
    return [state.messages[id] for id in ids if id in state.messages]


def matching(state: State, scope: Hold) -> list[Hold]:
    """The holds with exactly this scope."""
    return [hold for hold in all_holds(state) if _scope(hold) == _scope(scope)]


def is_everything(scope: Hold) -> bool:
    """Whether it covers all messages."""
    return scope.agent is scope.thread is scope.channel is scope.message is None


def by_number(state: State, number: int) -> Hold:
    """The hold of this number. Raises Refused, saying which there are, if there is none."""
    known = {hold.number: hold for hold in all_holds(state)}
    if number not in known:
        there_are = ", ".join(map(str, sorted(known)[:10]))
        raise Refused(
            f"there is no hold {number}: {f'there are {there_are}' if there_are else 'nothing is held'}."
        )
    return known[number]


def all_holds(state: State) -> list[Hold]:
    """All that there are: the wide ones, then those on single messages."""
    return [*state.holds.values(), *state.stopped.values()]


def name(hold: Hold) -> str:
    """What the hold covers, in words: `ann and bob`, `thread 12ab34cd`. Not made safe to print."""
    if hold.message is not None:
        return f"message {hold.message[:8]}"
    if hold.thread is not None:
        return f"thread {hold.thread[:8]}"
    if hold.channel is not None:
        return f"#{hold.channel}"
    if hold.peer is not None:
        return f"{hold.agent} and {hold.peer}"
    return hold.agent or "everything"


def words(hold: Hold) -> str:
    """What the hold is, in words: `hold 3 on bob, placed by human: too chatty`. Not made safe to print."""
    if hold.breakpoint is not None:
        return f"breakpoint {hold.breakpoint}, set by {hold.by}: {hold.reason}"
    reason = f": {hold.reason}" if hold.reason else ""
    return f"hold {hold.number} on {name(hold)}, placed by {hold.by}{reason}"


def _scope(hold: Hold) -> tuple[frozenset[str | None], str | None, str | None, str | None]:
    return frozenset({hold.agent, hold.peer}), hold.thread, hold.channel, hold.message


def _is_human(state: State, agent: str) -> bool:
    known = state.agents.get(agent)
    return known is not None and known.human
