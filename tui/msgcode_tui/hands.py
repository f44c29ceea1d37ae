"""What the user does: one deed after another, off the event loop, each with a word on what came of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol, TypeVar

from msgcode.errors import MsgcodeError
from msgcode_tui.deeds import Deed

REMEMBERED = 100
"""How many deeds can be taken back, one after another."""

T = TypeVar("T")


class Run(Protocol):
    """Runs what takes time, off the event loop."""

    async def __call__(self, verb: Callable[[], T]) -> T: ...


class Say(Protocol):
    """Tells the user something."""

    def __call__(self, sentence: str, severity: str = "information") -> None: ...


class Hands:
    """Does things in the store, and takes them back."""

    def __init__(self, run: Run, say: Say, refusal: Callable[[], str | None]) -> None:
        """refusal: why nothing can be done now; None if it can."""
        self._run = run
        self._refusal = refusal
        self._say = say
        self._done: deque[Deed] = deque(maxlen=REMEMBERED)

    async def do(self, deed: Callable[[], Deed]) -> bool:
        """Do it, and say what was done or why not; returns whether it was done."""
        if problem := await self.attempt(deed):
            self._say(problem, "error")
        return problem is None

    async def attempt(self, deed: Callable[[], Deed]) -> str | None:
        """Do it, and say what was done; returns why that failed, None if it did not."""
        if refusal := self._refusal():
            return refusal
        try:
            done = await self._run(deed)
        except MsgcodeError as error:
            return str(error)
        self.remember(done)
        if done.said:
            self._say(done.said)
        return None

    def remember(self, done: Deed) -> None:
        """This was done, and is what `undo` takes back first."""
        self._done.append(done)

    async def undo(self) -> None:
        """Take back what was done last, and say what was undone, or why that cannot be."""
        if refusal := self._refusal():
            self._say(refusal, "warning")
            return
        if not self._done:
            self._say("There is nothing to undo.")
            return
        back = self._done.pop().back
        if isinstance(back, str):
            self._say(back, "warning")
            return
        try:
            undone = await self._run(back)
        except MsgcodeError as error:
            self._say(str(error), "warning")
        else:
            self._say(undone)
