"""A store that remembers how to take back what is done through it, whoever does it: here, a `/msg` line."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from msgcode import Agent, Channel, Message, Priority, Store
from msgcode.model import Breakpoint, Hold
from msgcode_tui import deeds
from msgcode_tui.deeds import Deed


class Recorder:
    """Every verb is that of the store; for those that change something there is one more entry in `done`.

    me: who would take it back. What changed nothing, or only marks messages as delivered, is no deed.
    """

    def __init__(self, store: Store, me: str) -> None:
        self._store = store
        self._me = me
        self.done: list[Deed] = []

    def __getattr__(self, name: str) -> Any:
        verb = getattr(self._store, name)
        if name in _FINAL:
            return partial(self._finally, verb, _FINAL[name])
        return partial(self._sent, verb) if name in _SENDING else verb

    def _finally(self, verb: Callable[..., Any], why: str, *args: Any, **more: Any) -> Any:
        result = verb(*args, **more)
        self.done.append(Deed("", why))
        return result

    def _sent(self, verb: Callable[..., Message | list[Message]], *args: Any, **more: Any) -> Any:
        result = verb(*args, **more)
        messages = [result] if isinstance(result, Message) else result
        self.done.append(deeds.sent(self._store, self._me, messages))
        return result

    def edit(self, id: str, body: str, **more: Any) -> Message:
        """As `Store.edit`."""
        before = self._store.message(id)
        after = self._store.edit(id, body, **more)
        self.done.append(deeds.edited(self._store, self._me, before, after))
        return after

    def prioritize(self, *ids: str, priority: str, by: str) -> list[Message]:
        """As `Store.prioritize`."""
        before = [self._store.message(id) for id in ids]
        after = self._store.prioritize(*ids, priority=priority, by=by)
        self.done.append(deeds.prioritized(self._store, self._me, before, Priority(priority)))
        return after

    def register(self, id: str, *args: Any, **more: Any) -> Agent:
        """As `Store.register`."""
        known = next((agent for agent in self._store.agents() if agent.id == id), None)
        agent = self._store.register(id, *args, **more)
        if known is None:
            self.done.append(deeds.registered(self._store, id))
        elif agent != known:
            self.done.append(Deed("", f"{id} was there before: register it again with its old name."))
        return agent

    def unregister(self, id: str) -> Agent:
        """As `Store.unregister`."""
        channels = deeds.channels_of(self._store, id)
        was = self._store.unregister(id)
        self.done.append(deeds.unregistered(self._store, self._me, was, channels))
        return was

    def create_channel(self, id: str, *args: Any, **more: Any) -> Channel:
        """As `Store.create_channel`."""
        channel = self._store.create_channel(id, *args, **more)
        self.done.append(deeds.created(id))
        return channel

    def join(self, channel: str, agent: str, **more: Any) -> Channel:
        """As `Store.join`."""
        was_in = channel in deeds.channels_of(self._store, agent)
        result = self._store.join(channel, agent, **more)
        if not was_in:
            self.done.append(deeds.joined(self._store, self._me, channel, agent))
        return result

    def leave(self, channel: str, agent: str, **more: Any) -> Channel:
        """As `Store.leave`."""
        was_in = channel in deeds.channels_of(self._store, agent)
        result = self._store.leave(channel, agent, **more)
        if was_in:
            self.done.append(deeds.left(self._store, self._me, channel, agent))
        return result

    def hold(self, *args: Any, **more: Any) -> Hold:
        """As `Store.hold`."""
        before = self._store.holds()
        hold = self._store.hold(*args, **more)
        if hold not in before:
            self.done.append(deeds.held(self._store, self._me, hold))
        return hold

    def release(self, *args: Any, **more: Any) -> list[Hold]:
        """As `Store.release`."""
        gone = self._store.release(*args, **more)
        if gone:
            self.done.append(deeds.released(self._store, self._me, gone))
        return gone

    def add_breakpoint(self, *args: Any, **more: Any) -> Breakpoint:
        """As `Store.add_breakpoint`."""
        rule = self._store.add_breakpoint(*args, **more)
        self.done.append(deeds.broken(self._store, self._me, rule))
        return rule


_SENDING = {"send", "broadcast", "forward", "resend", "answer"}
"""What returns what it sent."""

_FINAL = {
    "acknowledge": deeds.ACKNOWLEDGED,
    "discard": deeds.DISCARDED,
    "expire": deeds.EXPIRED,
    "step": deeds.STEPPED,
    "move": "A message that was moved stays there: move it back.",
    "switch_breakpoint": "Switch the breakpoint back: what it has stopped meanwhile still waits.",
    "remove_breakpoint": "A breakpoint that was removed cannot be brought back: add it again.",
    "purge": "What was forgotten cannot be brought back.",
}
"""What cannot be taken back, and what is said then."""
