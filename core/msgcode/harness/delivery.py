"""Bringing an agent its messages: claim, inject, and only then confirm."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from concurrent.futures import Executor
from typing import TypeVar

from msgcode import prompt
from msgcode.checks import MAX_LINE
from msgcode.errors import MsgcodeError
from msgcode.events import HoldPlaced, HoldReleased, MessageFailed, MessagePassed, MessageSent
from msgcode.model import Message, now
from msgcode.store import Store
from msgcode.text import visible_line

LEASE = 10.0
"""Seconds for which a deliverer claims what it is about to inject; a dead one's claims lapse after it."""

BACK_OFF = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds to wait after so many failures in a row; the last goes on."""

T = TypeVar("T")


class NotInjected(Exception):
    """The harness did not take the prompt; the text says why."""


Inject = Callable[[list[Message], int], Awaitable[Collection[str]]]
"""Puts the messages into the agent's session, knowing that so many more are to come.

Returns the ids of those that the harness has taken. Raises NotInjected.
"""


def may_deliver(fact: object, agents: Collection[str]) -> Collection[str]:
    """For whom of these agents there may be something to deliver now that this has happened."""
    if isinstance(fact, MessageSent):
        return [agent for agent in fact.to if agent in agents]
    if isinstance(fact, MessageFailed | MessagePassed):
        return [fact.agent] if fact.agent in agents else []
    if isinstance(fact, HoldPlaced | HoldReleased):
        return agents  # What was stopped may have been in the way of others.
    return []


class Deliverer:
    """Brings one agent the messages that wait for it, a prompt at a time.

    by: who claims, for the record. ready: whether the session may be given anything now; whoever changes
    the answer calls `wake`. The store's verbs run on `executor`, one after the other: what has been given
    to it is done even if the deliverer is cancelled.
    """

    def __init__(
        self,
        store: Store,
        agent: str,
        by: str,
        inject: Inject,
        ready: Callable[[], bool],
        executor: Executor,
    ) -> None:
        self._store = store
        self._agent = agent
        self._by = by
        self._inject = inject
        self._ready = ready
        self._executor = executor
        self._claimed: list[Message] = []
        """What it holds; only the executor's thread knows at any moment."""
        self._woken = asyncio.Event()
        self._failures = 0
        self._not_before = 0.0

    def wake(self) -> None:
        """Something has changed: a message has come, or the session may be given something now."""
        self._woken.set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        try:
            while True:
                self._woken.clear()
                pause = await self._deliver() if self._ready() else None
                try:
                    # Not wait_for: before Python 3.12 it may swallow a cancellation.
                    async with asyncio.timeout(pause):
                        await self._woken.wait()
                except TimeoutError:
                    pass
        finally:
            # The harness is going. Nobody has to wait for the lease to run out, not even of a claim that
            # is being made at this moment.
            self._executor.submit(self._fail, "the harness ended before it had taken the message")

    async def _deliver(self) -> float | None:
        """Deliver one prompt's worth. Returns after how many seconds to try again, if nobody wakes it."""
        clock = asyncio.get_running_loop().time
        if clock() < self._not_before:
            return self._not_before - clock()
        try:
            claimed, more = await self._in_store(self._claim)
            if not claimed:
                return await self._in_store(self._until_next_offer)
        except MsgcodeError:
            return self._back_off()  # The store cannot be written, so the reason cannot be recorded either.
        try:
            taken = await self._inject(claimed, more)
        except NotInjected as error:
            self._executor.submit(self._fail, str(error))
            return self._back_off()
        self._failures = 0
        self._executor.submit(self._confirm, taken)
        return 0

    def _claim(self) -> tuple[list[Message], int]:
        waiting = self._store.undelivered(self._agent)
        count = prompt.portion(waiting)
        if not count:
            return [], 0
        self._claimed = self._store.claim(self._agent, self._by, limit=count, lease=LEASE)
        return self._claimed, max(0, len(waiting) - len(self._claimed))

    def _until_next_offer(self) -> float | None:
        next_offer = self._store.next_offer(self._agent)
        return max(0.01, (next_offer - now()).total_seconds()) if next_offer else None

    def _confirm(self, taken: Collection[str]) -> None:
        self._claimed = []
        for id in taken:
            try:
                self._store.confirm(self._agent, id, self._by)
            except MsgcodeError:
                pass  # Forgotten meanwhile, or the store is gone: then it is offered again, and found.

    def _fail(self, reason: str) -> None:
        claimed, self._claimed = self._claimed, []
        for message in claimed:
            try:
                self._store.fail(self._agent, message.id, self._by, visible_line(reason)[:MAX_LINE])
            except MsgcodeError:
                pass  # Somebody else has it by now, or will when the lease runs out.

    def _back_off(self) -> float:
        pause = BACK_OFF[min(self._failures, len(BACK_OFF) - 1)]
        self._failures += 1
        self._not_before = asyncio.get_running_loop().time() + pause
        return pause

    async def _in_store(self, verb: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, verb)
