"""What the user does in the debugger, and how each of it is taken back. As in `deeds.py`, each function
calls verbs of the store and raises what they raise; `me` is the user."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from msgcode import Message, Store
from msgcode.debugger import holds
from msgcode.debugger.findings import Finding
from msgcode.model import Breakpoint
from msgcode_tui.actions import named
from msgcode_tui.deeds import Deed, broken, sent


def move(store: Store, me: str, id: str, before: str) -> Deed:
    """Put a held message right before another."""
    store.move(id, before, me)
    return Deed("", "Move it back with the other key.")


def discard(store: Store, me: str, message: Message, agent: str) -> Deed:
    """Clear the message away at one recipient."""
    store.discard(message.id, agent=agent, by=me)
    return Deed(f"Discarded for {agent}.", "What was discarded cannot be undone: send it again.")


def hold_loop(store: Store, me: str, found: Finding) -> Deed:
    """Hold the thread in which it goes round, else what is between its two agents, else each agent."""
    before = {hold.number for hold in store.holds()}
    placed = [store.hold(me, **scope, reason=f"loop of {found.kind}") for scope in _scopes(found)]
    new = [hold for hold in placed if hold.number not in before]

    def back() -> str:
        for hold in new:
            store.release(me, hold.number)
        return f"Undone: {named([holds.name(hold) for hold in new])} released."

    return Deed(f"Holding {named([holds.name(hold) for hold in placed])}.", back if new else "It was held.")


def _scopes(found: Finding) -> Iterator[dict[str, Any]]:
    if found.thread is not None:
        yield {"thread": found.thread}
    elif len(found.agents) == 2:
        yield {"agent": found.agents[0], "peer": found.agents[1]}
    else:
        for agent in found.agents:
            yield {"agent": agent}


def nudge(store: Store, me: str, agents: Sequence[str], text: str) -> Deed:
    """Say something to agents that go round, past whatever holds them."""
    said = []
    for agent in agents:
        message = store.send(me, agent, text, priority="high")
        if store.held_by(message, agent):
            store.step(me, message=message.id)
        said.append(message)
    return sent(store, me, said, f"Told {named(agents)}.")


def break_on(found: Finding) -> dict[str, Any]:
    """What a breakpoint names that stops the loop: its thread, or what its first agent tells its second."""
    if found.thread is not None:
        return {"thread": found.thread}
    return {"sender": found.agents[0], "to": found.agents[1]}


def add_breakpoint(store: Store, me: str, rule: dict[str, Any]) -> Deed:
    """Add a breakpoint. rule: what `Store.add_breakpoint` takes."""
    return broken(store, me, store.add_breakpoint(me, **rule))


def switch_breakpoint(store: Store, me: str, rule: Breakpoint) -> Deed:
    """Disable the breakpoint if it is enabled, else enable it."""
    enabled = not rule.enabled
    store.switch_breakpoint(rule.number, enabled, me)

    def back() -> str:
        store.switch_breakpoint(rule.number, rule.enabled, me)
        return f"Undone: breakpoint {rule.number} is {'enabled' if rule.enabled else 'disabled'} again."

    return Deed(f"Breakpoint {rule.number} is {'enabled' if enabled else 'disabled'}.", back)


def remove_breakpoint(store: Store, me: str, rule: Breakpoint) -> Deed:
    """Forget the breakpoint."""
    store.remove_breakpoint(rule.number, me)
    parts = ("sender", "to", "channel", "thread", "text", "priority", "hops", "loops", "budget", "once")
    same = {part: getattr(rule, part) for part in parts}

    def back() -> str:
        again = store.add_breakpoint(me, **same)
        return f"Undone: it is breakpoint {again.number} now."

    return Deed(f"Removed breakpoint {rule.number}. What it stopped still waits.", back)
