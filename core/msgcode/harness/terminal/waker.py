"""Wakes an agent that lives in a terminal, by typing, and tells the room what it is doing."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from msgcode.checks import MAX_LINE
from msgcode.errors import BadInput, MsgcodeError
from msgcode.harness.terminal import wake
from msgcode.harness.terminal.pacing import Pacing
from msgcode.harness.terminal.wake import Prompt, Screen, View
from msgcode.model import Activity, Message, Session
from msgcode.presence import HEARTBEAT
from msgcode.store import Store
from msgcode.text import visible_line

HARNESS = "terminal"

SHELLS = ("bash", "dash", "fish", "ksh", "sh", "zsh")
"""Programs that are woken by a command."""

RECOUNT = 5.0
"""Seconds after which it looks for mail without being told: a lease may have run out."""

BUSY_QUIET = 10.0
"""Seconds for which the terminal of an agent that its companion calls busy or blocked has to be quiet."""

ECHO = 2.0
"""Seconds within which the prompt has to hold what was typed."""

SETTLED = 0.2
"""Seconds for which it has to go on holding it."""

WOKEN = "woken, and has not looked at its mail yet"
GARBLED = "not woken, as its terminal did not show just what was typed, which was taken out again"

ENTER, BACKSPACE = "\r", "\x7f"


class Terminal(Protocol):
    """A terminal that can be looked at and typed into."""

    tick: float
    """Seconds between two looks at it."""

    async def view(self) -> View:
        """What it shows, and when it moved."""

    async def type(self, text: str) -> None:
        """Press these keys."""

    def hold_keys(self, held: bool) -> None:
        """Keep back what the user types, or let it follow."""

    def asks(self, asks: bool) -> None:
        """Whether the program asks its user for something now: what is typed is the answer."""


def session(program: str, directory: str) -> Session:
    """A session unlike any other for a program in a terminal."""
    id = f"{program}-{secrets.token_hex(4)}"
    return Session(id, HARNESS, f"{socket.gethostname()}:{id}", directory)


def wake_up(agent: str, program: str, text: str | None) -> str:
    """What is typed to wake the agent, such as `text`: where its mail is, and never what is in it.

    Raises BadInput if the text is no line of text.
    """
    if text is None:
        check = f"msgcode check --as {agent}"
        return check if program in SHELLS else f"msgcode: mail for {agent} ({check})"
    if not text.strip() or not text.isprintable():
        raise BadInput("a wake-up must be a single line of text.")
    return text


class Waker:
    """Watches over an agent of the room `store`, which lives in `session`, in the terminal `terminal`.

    text: what is typed to wake it. When it has moved into a session of the program in the terminal, its
    companion tells what it is doing; then only the reason is added why it was not woken.
    """

    def __init__(self, store: Store, agent: str, session: Session, terminal: Terminal, text: str) -> None:
        self._store = store
        self._agent = agent
        self._session = session
        self._terminal = terminal
        self._text = text
        self._companion = False
        self._pacing = Pacing()
        self._usual: Prompt | None = None
        self._waiting: frozenset[str] = frozenset()
        self._told: tuple[Activity, str | None] | None = None
        self._outcome: str | None = None
        # One thread, so that what is told to the store is told in order.
        self._executor = ThreadPoolExecutor(1)

    async def run(self) -> None:
        """Go on until cancelled; then the agent is offline, unless a companion says otherwise."""
        work = [asyncio.create_task(part()) for part in (self._look, self._follow, self._recount, self._beat)]
        try:
            await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)
            self._terminal.hold_keys(False)
            if not self._companion:
                self._executor.submit(self._try, self._store.set_presence, self._agent, Activity.OFFLINE)
            self._executor.shutdown()
        for task in work:
            if not task.cancelled():
                task.result()

    # The terminal

    async def _look(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            view = await self._terminal.view()
            if self._usual is None and wake.may_learn(view):
                self._usual = wake.prompt(view.screen)
            reason = wake.why_not(view, self._usual)
            due = self._pacing.due(self._waiting, clock())
            if due and reason is None and self._companion:
                reason = self._why_not_by_companion(view)
            if due and reason is None:
                waiting = self._waiting
                self._outcome = WOKEN if await self._wake(view.screen) else GARBLED
                self._pacing.tried(waiting, clock())
            asked = wake.question(view)
            self._terminal.asks(asked is not None)
            self._tell(view, asked, reason)
            await asyncio.sleep(self._terminal.tick)

    def _why_not_by_companion(self, view: View) -> str | None:
        # A turn that its user broke off ends without a word, and so does one after a no to Gemini CLI. What
        # has shown its empty prompt for long is neither busy nor blocked.
        if view.quiet >= BUSY_QUIET:
            return None
        known = self._store.presence(self._agent)
        if known.activity is Activity.BLOCKED:
            return known.reason or "it waits for its user"
        return "it is busy" if known.activity is Activity.BUSY else None

    async def _wake(self, before: Screen) -> bool:
        """Type the wake-up, and send it if the prompt holds exactly that. Returns whether it was sent."""
        self._terminal.hold_keys(True)
        try:
            await self._terminal.type(self._text)
            sent = await self._held(before)
            await self._terminal.type(ENTER if sent else BACKSPACE * len(self._text))
            return sent
        finally:
            self._terminal.hold_keys(False)

    async def _held(self, before: Screen) -> bool:
        """Wait until the prompt holds the wake-up, and goes on to."""
        clock = asyncio.get_running_loop().time
        until, since = clock() + ECHO, None
        while clock() < until:
            view = await self._terminal.view()
            holds = wake.holds(before, view.screen, self._text)
            if not (holds and view.foreground) or view.closed or wake.question(view):
                since = None
            elif since is None:
                since = clock()
            elif clock() - since >= SETTLED:
                return True
            await asyncio.sleep(0.05)
        return False

    # The room

    def _tell(self, view: View, asked: str | None, reason: str | None) -> None:
        """Tell the room what the agent is doing, and why it was not woken if mail waits."""
        words = asked
        if asked:
            activity = Activity.BLOCKED
        elif view.quiet < wake.QUIET:
            activity = Activity.BUSY
        else:
            activity = Activity.IDLE if view.foreground else Activity.BUSY
            if self._waiting:
                words = f"not woken, as {reason}" if reason else self._outcome
        told = activity, visible_line(words)[:MAX_LINE] if words else None
        if told == self._told:
            return
        self._told = told
        if self._companion:
            self._executor.submit(self._try, self._add_reason, told[1])
        else:
            self._executor.submit(self._try, self._store.set_presence, self._agent, *told)

    def _add_reason(self, reason: str | None) -> None:
        known = self._store.presence(self._agent)
        if known.activity is Activity.IDLE and known.reason != reason:
            self._store.set_presence(self._agent, known.activity, reason)

    async def _follow(self) -> None:
        async for _ in self._store.watch():
            await self._count()

    async def _recount(self) -> None:
        while True:
            await self._count()
            await asyncio.sleep(RECOUNT)

    async def _count(self) -> None:
        try:
            waiting = await asyncio.get_running_loop().run_in_executor(self._executor, self._look_after)
        except MsgcodeError:
            return  # The next look comes soon.
        self._waiting = frozenset(message.id for message in waiting)

    def _look_after(self) -> list[Message]:
        """See where the agent lives, and what waits for it."""
        lives = next((agent.session for agent in self._store.agents() if agent.id == self._agent), None)
        self._companion = lives is not None and lives.host != self._session.host
        if self._companion and not self._store.presence(self._agent).online:
            self._store.register(self._agent, session=self._session)  # The program has ended in here.
            self._companion, self._told = False, None
        return self._store.undelivered(self._agent)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT)
            if not self._companion:
                self._executor.submit(self._try, self._store.seen, self._agent)

    def _try(self, hint: Callable[..., None], *of: object) -> None:
        try:
            hint(*of)
        except MsgcodeError:
            pass  # The next change or heartbeat comes soon.
