"""The app under test, driven as a user does, and the screen as a user reads it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic

from textual import events
from textual.pilot import Pilot

from msgcode import Store
from msgcode_tui.app import MsgcodeApp
from msgcode_tui.remembered import Memory
from msgcode_tui.rooms import Room
from msgcode_tui.settings import DEFAULTS, Settings
from msgcode_tui.widgets.composer import Composer
from msgcode_tui.widgets.inspector import Inspector
from msgcode_tui.widgets.panes import Panes
from msgcode_tui.widgets.room_list import RoomList
from msgcode_tui.widgets.thread import Thread

WAIT = 30.0
"""Seconds within which whatever a test waits for has to happen."""


Fact = dict[str, object]
"""A fact as JSON has it: `type`, and its fields."""


def write_journal(folder: Path, facts: Iterable[Fact]) -> int:
    """Write these facts, as JSON has them, past all checks of the store; returns how many there are."""
    (folder / "journal").mkdir(parents=True)
    count = 0
    with open(folder / "journal" / "0000000001.jsonl", "w", encoding="utf-8") as segment:
        for count, fact in enumerate(facts, 1):
            event = {"seq": count, "at": "2026-03-02T09:30:00.000Z", **fact}
            segment.write(json.dumps(event, ensure_ascii=False) + "\n")
    return count


class Driver:
    """The running app and its pilot."""

    def __init__(self, app: MsgcodeApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def rooms(self) -> RoomList:
        return self.app.screen.query_one(RoomList)

    @property
    def thread(self) -> Thread:
        return self.app.screen.query_one(Thread)

    @property
    def inspector(self) -> Inspector:
        return self.app.screen.query_one(Inspector)

    @property
    def panes(self) -> Panes:
        return self.app.screen.query_one(Panes)

    @property
    def composer(self) -> Composer:
        return self.app.screen.query_one(Composer)

    def screen(self) -> str:
        """All that is on the screen, as text."""
        lines = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in line) for line in lines)

    async def rests(self) -> None:
        """Wait until the screen stays as it is."""
        before = ""
        while before != (before := self.screen()):
            await self.pilot.pause(0.2)

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until the condition holds."""
        deadline = monotonic() + WAIT
        while not condition():
            assert monotonic() < deadline, f"this never came true, on:\n{self.screen()}"
            await asyncio.sleep(0.01)

    async def shows(self, *texts: str) -> None:
        """Wait until all these texts are on the screen."""
        await self.until(lambda: all(text in self.screen() for text in texts))

    def hurry(self, *keys: str) -> None:
        """Press these keys faster than the screen follows: all of them at once."""
        for key in keys:
            self.app.post_message(events.Key(key, key if len(key) == 1 else None))

    async def select(self, room: Room) -> None:
        """Go to a room."""
        self.rooms.select(room)
        await self.pilot.pause()

    async def write(self, text: str) -> None:
        """Write the text in the composer and press enter."""
        self.composer.focus()
        await self.pilot.pause()
        self.composer.insert(text)
        await self.pilot.press("enter")


@asynccontextmanager
async def running(
    folder: Path | str,
    *,
    me: str = "human",
    size: tuple[int, int] = (120, 40),
    settings: Settings = DEFAULTS,
    memory: Memory | None = None,
    attended: bool = True,
) -> AsyncIterator[Driver]:
    """The app on the room in `folder` (or at that address), once it has read it.

    attended: somebody has touched a key.
    """
    with Store.open(folder, sync=False) as store:
        app = MsgcodeApp(store, me, settings=settings, memory=memory)
        async with app.run_test(size=size, notifications=True) as pilot:
            driver = Driver(app, pilot)
            await driver.until(lambda: app.live.presences or app.trouble)
            if attended:
                await pilot.press("f12")
            yield driver
