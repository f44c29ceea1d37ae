"""The app: it holds the one fold of the journal, runs the verbs, and tells the screens what has changed."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Callable
from contextlib import aclosing, suppress
from datetime import datetime
from time import monotonic
from typing import ClassVar, TypeVar

from textual.app import App
from textual.binding import Binding, BindingType
from textual.signal import Signal

from msgcode import MsgcodeError, Presence, Store, calls, commands
from msgcode.journal.reader import Position
from msgcode.journal.recent import Recent
from msgcode.model import now
from msgcode_tui import past, safe
from msgcode_tui.live import Live
from msgcode_tui.rooms import Room, RoomKind
from msgcode_tui.screens.main import MainScreen

FRAME = 0.05
"""Seconds between two redraws while much is happening. What comes alone is drawn at once."""

PROGRESS_EVERY = 0.4
"""Seconds between two reports of how much of the past has been read."""

SLICE = 100
"""Events that are taken in between two turns of the event loop: about a millisecond."""

BREATH = 0.001
"""Seconds between two pieces of the past, each of which takes as long. A key takes dozens of turns."""

RECENT_BYTES = 256 * 1024
"""How much of the journal's end is read before the first picture: about 500 messages, in 20 ms."""

RETRY = 1.0
"""Seconds until a store that could not be read is tried again."""

PRESENCE_EVERY = 1.0
"""Seconds between two looks at who is there."""

LEAVE_WITHIN = 5
"""Seconds that leaving a closed terminal may take."""

HEARTBEAT_EVERY = 10.0
"""Seconds between two signs of life of the user."""

T = TypeVar("T")


class MsgcodeApp(App[None]):
    """The room in `store` as the human `me` sees it. The store stays open when the app ends.

    clock: the time in UTC.
    """

    TITLE = "msgcode"
    MODES: ClassVar = {"room": MainScreen}
    DEFAULT_MODE = "room"
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012
        (0, "-narrow"),
        (72, "-normal"),
        (110, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "quit", "Quit", id="app.quit", priority=True, tooltip="Leave the room"),
    ]

    def __init__(self, store: Store, me: str, *, clock: Callable[[], datetime] = now) -> None:
        super().__init__()
        self.store = store
        self.live = Live(me, clock())
        self.changed: Signal[Live] = Signal(self, "changed")
        """Published when `live` or `trouble` has changed."""
        self._unreadable = ""
        self._unwritable = ""
        self._one_at_a_time = asyncio.Lock()
        self._confirmed: set[str] = set()
        self._agents_changed = asyncio.Event()
        self._place: Position | None = None
        """Where what is shown ends, before it is followed."""
        self._drawn_at = 0.0
        self._draw_is_due = False

    @property
    def trouble(self) -> str:
        """What is wrong with the store, in a sentence or two; "" if nothing is."""
        return self._unreadable or self._unwritable

    def on_load(self) -> None:
        # The newest messages are in the very first picture. If they cannot be read, `_follow` says so.
        with suppress(MsgcodeError):
            self._place = self._begin_with(self._recent())

    def on_mount(self) -> None:
        for number in (signal.SIGHUP, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self._leave)
        self.call_after_refresh(self._begin)

    def _leave(self) -> None:
        """A closed terminal is a way to leave too: everything is put away as after any other."""
        signal.alarm(LEAVE_WITHIN)  # The system ends us if drawing on what is gone keeps us from it.
        self.exit()

    def _begin(self) -> None:
        gc.freeze()
        gc.enable()
        self.run_worker(self._follow())
        self.run_worker(self._follow_presence())
        self.run_worker(self._stay_online())

    # What has happened

    async def _follow(self) -> None:
        while True:
            try:
                place = self._place or self._begin_with(await self._run(self._recent))
                self._place = None
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._read_past(place))
                    tasks.create_task(self._read_on(place))
            except* (OSError, RuntimeError, MsgcodeError) as errors:  # watchfiles raises RuntimeError.
                self._unreadable = f"The store cannot be read, trying again: {errors.exceptions[0]}"
                self._redraw()
                await asyncio.sleep(RETRY)

    def _recent(self) -> Recent:
        return self.store.recent(RECENT_BYTES)

    def _begin_with(self, recent: Recent) -> Position:
        self.live.begin(recent)
        self._unreadable = ""
        self._redraw()
        return recent.position

    async def _read_on(self, place: Position) -> None:
        async for events in self.store.watch(place):
            for start in range(0, len(events), SLICE):
                self.live.advance(events[start : start + SLICE])
                await asyncio.sleep(0)
            self._redraw()

    async def _read_past(self, until: Position) -> None:
        if self.live.past is None:
            return
        told = monotonic()
        async with aclosing(past.pieces(self.store.name, until)) as pieces:
            async for piece in pieces:
                self.live.recall(piece)
                if monotonic() > told + PROGRESS_EVERY:
                    told = monotonic()
                    _keep()
                    self._redraw()
                await asyncio.sleep(BREATH)
        _keep()
        self._redraw()

    def _redraw(self) -> None:
        """Have the screens drawn: at once, or a frame after they last were."""
        if self._draw_is_due:
            return
        wait = self._drawn_at + FRAME - monotonic()
        if wait <= 0:
            self._draw()
        else:
            self._draw_is_due = True
            self.set_timer(wait, self._draw)

    def _draw(self) -> None:
        if self.live.state.agents.keys() != self.live.presences.keys():
            self._agents_changed.set()
        self._draw_is_due = False
        self._drawn_at = monotonic()
        self.changed.publish(self.live)

    # Who is there

    async def _follow_presence(self) -> None:
        while True:
            self._agents_changed.clear()
            presences = await asyncio.to_thread(self._presences_of, tuple(self.live.state.agents))
            if presences != self.live.presences:
                self.live.presences = presences
                self._redraw()
            with suppress(TimeoutError):
                async with asyncio.timeout(PRESENCE_EVERY):
                    await self._agents_changed.wait()

    def _presences_of(self, agents: tuple[str, ...]) -> dict[str, Presence]:
        return {agent: self.store.presence(agent) for agent in agents}

    async def _stay_online(self) -> None:
        """Register the user, and go on saying that they are there. Where that cannot be written, say so."""
        signs_of_life = self._be_registered
        while True:
            try:
                await self._run(signs_of_life)
                signs_of_life = self._be_seen
                self._unwritable = ""
            except MsgcodeError as error:
                self._unwritable = f"Read-only: {error}"
            self._redraw()
            await asyncio.sleep(HEARTBEAT_EVERY)

    def _be_registered(self) -> None:
        self.store.register(self.live.me, human=True)

    def _be_seen(self) -> None:
        if self.live.me in self.live.state.agents:  # Else the room was deleted, and that is not undone.
            self.store.seen(self.live.me)

    # What the user does

    async def send(self, room: Room, text: str) -> bool:
        """Send the text to whoever is in the room; returns whether that was done, having said why not."""
        me, to = self.live.me, self.live.recipient(room)
        if to is None:
            self.say("Nobody is selected: select an agent or a channel to write to.", "warning")
            return False

        def verb() -> list[str]:
            self._be_registered()
            verb = self.store.broadcast if room.kind is RoomKind.CHANNEL else self.store.send
            return self.store.warnings(verb(me, to, text))

        try:
            warnings = await self._run(verb)
        except MsgcodeError as error:
            self.say(str(error), "error")
            return False
        for warning in warnings:
            self.say(warning, "warning")
        return True

    async def run_line(self, line: str) -> calls.Answer:
        """Run a `/msg` line as the user."""
        return await self._run(lambda: commands.run_line(self.store, line, self.live.me))

    def read(self, room: Room) -> None:
        """The user has seen the room's newest messages: those to them have been delivered."""
        unread = bool(self.live.index.unread_count(room))
        undelivered = [id for id in self.live.read(room) if id not in self._confirmed]
        if unread:
            self._redraw()
        if undelivered and not self._unwritable:
            self._confirmed.update(undelivered)
            self.run_worker(self._confirm(undelivered))

    async def _confirm(self, ids: list[str]) -> None:
        me = self.live.me
        try:
            await self._run(lambda: [self.store.confirm(me, id, me) for id in ids])
        except MsgcodeError as error:
            self.say(str(error), "error")

    def say(self, sentence: str, severity: str = "information") -> None:
        """Tell the user something for a few seconds. severity: information, warning or error."""
        self.notify(safe.content(sentence).plain, severity=severity, markup=False)  # type: ignore[arg-type]

    async def _run(self, verb: Callable[[], T]) -> T:
        """Run a verb of the store in a thread, after those that were asked for before."""
        async with self._one_at_a_time:
            return await asyncio.to_thread(verb)


def _keep() -> None:
    """What is there stays. Looking through it for garbage, again and again as it grows, would take as long
    as reading it."""
    gc.collect()
    gc.freeze()
