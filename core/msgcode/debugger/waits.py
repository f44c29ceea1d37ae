"""Who waits on whom: the graph of unanswered requests, with its deadlocks and dead ends. Pure.

A request is a message to one or more agents that asks for something:

- a structured question (`questions.py`), or
- one whose subject or body has a question mark at the end of a word, outside code, or
- one of an agent whose words ask or say that it waits: please, can you, let me know, I need, waiting for.

A broadcast asks those whom it names as `@id`; one that names nobody asks nobody in particular, and is not
waited for. Asking oneself is not waiting either.

A request is unanswered at a recipient that has not acknowledged it, at which it has not ended otherwise,
and that has not sent its sender anything since that answers it: a message with the request as `reply_to`,
a later one in its thread, or one that it caused which asks nothing itself. (A counter-question in the
thread hands the turn back, so the wait turns round.) Nor does it wait any longer when its sender has said
something newer in the same thread to the same recipient: then that is what is waited for, if it asks.

The wait is less sure if the sender has since sent something else that asks for nothing: it may have gone on.

A deadlock is a ring of waits that are all older than PATIENCE. A dead end is a wait on somebody who cannot
answer: not registered, or offline or blocked for longer than that.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

from msgcode.debugger.unanswered import Unanswered
from msgcode.debugger.words import NOWHERE, duration, whereabouts
from msgcode.decisions import is_due
from msgcode.model import Activity
from msgcode.record import Record
from msgcode.text import visible_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from msgcode.model import Message, Presence
    from msgcode.state import State

PATIENCE = timedelta(seconds=60)
"""So long a wait is part of the work: an answer takes its time to be written."""


class Wait(Record):
    """One agent waits on another for an answer."""

    waiter: str
    on: str
    message: Message
    """The request."""
    since: datetime
    """When it was sent."""
    where: str
    """What the other is doing, in words. It quotes others: not made safe to print."""
    alive: bool
    """The other is registered, there and not blocked."""
    sure: bool = True
    """The waiter has not gone on to other things."""
    dead_end: bool = False
    """The other cannot answer."""


class Waits(Record):
    """All waits of a room."""

    deadlocks: tuple[tuple[Wait, ...], ...] = ()
    """Each a ring: the first waits on the second's waiter, and the last on the first's. The oldest first."""
    others: tuple[Wait, ...] = ()
    """The other waits: dead ends first, then the oldest."""


def waits(
    state: State, presences: Mapping[str, Presence], now: datetime, unanswered: Unanswered | None = None
) -> Waits:
    """Who waits on whom at this moment.

    unanswered: that of the state. Without it the state must keep what has ended, and all of it is looked
    through.
    """
    found = list(_waits(state, presences, now, unanswered or Unanswered.of(state)))
    rings = list(_rings([wait for wait in found if now - wait.since >= PATIENCE]))
    rings.sort(key=lambda ring: max(wait.since for wait in ring))
    inside = {(wait.waiter, wait.message.id, wait.on) for ring in rings for wait in ring}
    others = [wait for wait in found if (wait.waiter, wait.message.id, wait.on) not in inside]
    others.sort(key=lambda wait: (not wait.dead_end, wait.since, wait.message.seq, wait.on))
    return Waits(tuple(rings), tuple(others))


def _waits(
    state: State, presences: Mapping[str, Presence], now: datetime, unanswered: Unanswered
) -> Iterator[Wait]:
    for id, on in unanswered.requests():
        message = state.messages[id]
        if is_due(message, message.deliveries[on], now):
            continue
        presence = presences.get(on, NOWHERE)
        alive = on in state.agents and presence.activity not in (Activity.OFFLINE, Activity.BLOCKED)
        dead_end = not alive and (
            on not in state.agents or now - _silent_since(message, presence) >= PATIENCE
        )
        where = whereabouts(on, state.agents, presence, now)
        yield Wait(
            message.sender,
            on,
            message,
            message.sent_at,
            where,
            alive,
            not unanswered.has_gone_on(message),
            dead_end,
        )


def _silent_since(message: Message, presence: Presence) -> datetime:
    """Since when the other could not have answered."""
    since = presence.since if presence.activity is Activity.BLOCKED else presence.last_seen
    return max(message.sent_at, since) if since else message.sent_at


# Rings of waits


def _rings(found: Iterable[Wait]) -> Iterator[tuple[Wait, ...]]:
    """A shortest ring through each wait that is part of one; of several between the same two, the oldest."""
    oldest: dict[str, dict[str, Wait]] = {}
    for wait in sorted(found, key=lambda wait: (wait.since, wait.message.seq)):
        oldest.setdefault(wait.waiter, {}).setdefault(wait.on, wait)
    covered: set[tuple[str, str]] = set()
    for waiter, ons in oldest.items():
        for on, wait in ons.items():
            if (waiter, on) in covered:
                continue
            way = _way(oldest, on, waiter)
            if way is not None:
                ring = (wait, *way)
                covered.update((each.waiter, each.on) for each in ring)
                yield ring


def _way(graph: dict[str, dict[str, Wait]], start: str, end: str) -> list[Wait] | None:
    """The shortest chain of waits from one agent to another, None if there is none."""
    came: dict[str, Wait | None] = {start: None}
    queue = deque([start])
    while queue:
        agent = queue.popleft()
        if agent == end:
            way: list[Wait] = []
            while step := came[agent]:
                way.insert(0, step)
                agent = step.waiter
            return way
        for on, wait in graph.get(agent, {}).items():
            if on not in came:
                came[on] = wait
                queue.append(on)
    return None


# The drawing


def draw(found: Waits, now: datetime, width: int = 80) -> list[str]:
    """The graph as lines of at most `width` characters, safe to print; one wait a line, deadlocks first.

    `a ─▶ b` is a wait, `a ┄▶ b` one of somebody who may have gone on, `a ─✗ b` a dead end.
    """
    everything = [*(wait for ring in found.deadlocks for wait in ring), *found.others]
    longest = (len(visible_line(name)) for wait in everything for name in (wait.waiter, wait.on))
    names = min(max(longest, default=0), width // 5)
    ages = max((len(duration(now - wait.since)) for wait in everything), default=0)
    lines = []
    for ring in found.deadlocks:
        members = [visible_line(wait.waiter) for wait in ring]
        lines.append(_cut(f"Deadlock: {' → '.join([*members, members[0]])}", width))
        lines += [_line(wait, now, names, ages, width) for wait in ring]
    if found.deadlocks and found.others:
        lines.append("Other waits:")
    lines += [_line(wait, now, names, ages, width) for wait in found.others]
    return lines


def _line(wait: Wait, now: datetime, names: int, ages: int, width: int) -> str:
    arrow = "─✗" if wait.dead_end else "─▶" if wait.sure else "┄▶"
    who, on = (_cut(visible_line(name), names) for name in (wait.waiter, wait.on))
    age = f"{duration(now - wait.since):>{ages}}"
    head = f"  {who:{names}} {arrow} {on:{names}}  {age}  {visible_line(wait.message.id)[:8]}  "
    about = wait.message.subject or wait.message.body[:width].partition("\n")[0]
    rest = about if wait.alive else wait.where.removeprefix(f"{wait.on} is ")
    return _cut(head + visible_line(rest), width)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"
