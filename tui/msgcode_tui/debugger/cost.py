"""How much text each thread has put into each agent's context. Pure."""

from __future__ import annotations

from itertools import islice
from typing import NamedTuple

from msgcode.debugger.cost import Cost, cost
from msgcode_tui.debugger.rows import Reading, Row, Scene, about, first, heading, whom
from msgcode_tui.items import Item, count

_LISTED = 100


class Spender(NamedTuple):
    """What text was put in by, or into: one of the two is given."""

    thread: str | None = None
    agent: str | None = None
    cost: Cost = Cost()
    shares: tuple[tuple[str, Cost], ...] = ()
    """Of a thread by agent, of an agent by thread; what cost most first."""


def read(scene: Scene) -> Reading:
    """The threads and the agents, what cost most first."""
    found = cost(scene.state, scene.now)
    if not found.total.messages:
        return Reading([], "Nothing has been put into any agent yet.")
    by_thread: dict[str, list[tuple[str, Cost]]] = {id: [] for id in islice(found.threads, _LISTED)}
    by_agent: dict[str, list[tuple[str, Cost]]] = {id: [] for id in islice(found.agents, _LISTED)}
    for (thread, agent), share in found.shares.items():
        if thread in by_thread:
            by_thread[thread].append((agent, share))
        if agent in by_agent:
            by_agent[agent].append((thread, share))
    threads = [
        Row(
            f"thread {id}",
            _items(Item(title(id, scene), "under-way", target=id), each),
            Spender(thread=id, cost=each, shares=tuple(by_thread[id])),
            id,
        )
        for id, each in islice(found.threads.items(), _LISTED)
    ]
    agents = [
        Row(
            f"agent {id}",
            _items(Item(id, "under-way"), each),
            Spender(agent=id, cost=each, shares=tuple(by_agent[id])),
            None,
            id,
        )
        for id, each in islice(found.agents.items(), _LISTED)
    ]
    rows = [
        heading("By thread"),
        *first(threads, len(found.threads) - _LISTED, "threads"),
        heading("Into each agent"),
        *first(agents, len(found.agents) - _LISTED, "agents"),
    ]
    return Reading(rows, f"In all {_amount(found.total)}. Tokens are estimated.")


def title(thread: str, scene: Scene) -> str:
    """The thread, by its first message."""
    message = scene.state.messages.get(thread)
    return f"{message.sender} → {whom(message)}: {about(message)}" if message else f"thread {thread[:8]}"


def _items(name: Item, each: Cost) -> tuple[Item, ...]:
    rate = f"{each.per_hour:,} characters in the last hour" if each.per_hour else "nothing in the last hour"
    put = f"{each.characters:,} characters in {count(each.messages, 'message')}, {rate}"
    return name._replace(aside=f"≈ {each.tokens:,} tokens"), Item(put, "muted")


def _amount(each: Cost) -> str:
    return f"{each.characters:,} characters, ≈ {each.tokens:,} tokens, in {count(each.messages, 'message')}"


def detail(row: Row, scene: Scene) -> list[Row]:
    """The shares of a thread by agent, or of an agent by thread."""
    of = row.of
    if not isinstance(of, Spender):
        return []
    if of.thread is not None:
        rows = [
            Row(f"share {id}", (Item(id, aside=_short(each)),), None, of.thread)
            for id, each in of.shares[:_LISTED]
        ]
    else:
        rows = [
            Row(f"share {id}", (Item(title(id, scene), "", "", _short(each), id),), None, id)
            for id, each in of.shares[:_LISTED]
        ]
    above = heading("Into each agent" if of.thread is not None else "By thread")
    return [above, *first(rows, len(of.shares) - _LISTED, "of these")]


def _short(each: Cost) -> str:
    return f"≈ {each.tokens:,} tokens, {each.characters:,} characters"
