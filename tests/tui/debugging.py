"""The debugger under test, on a recorded room or on one in the making."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from textual.screen import Screen

from msgcode import Store
from msgcode_tui.app import MsgcodeApp
from msgcode_tui.debugger.rows import Row
from msgcode_tui.debugger.tabs import TABS
from msgcode_tui.screens.debug import DebugScreen
from msgcode_tui.widgets.row_list import RowList
from tests.troubles import Recorded
from tests.tui.support import Driver


class Debugger(Driver):
    """The running app, driven from the room into the debugger."""

    @property
    def debug(self) -> DebugScreen:
        assert isinstance(self.app.screen, DebugScreen)
        return self.app.screen

    @property
    def list(self) -> RowList:
        return self.debug.query_one("#list", RowList)

    @property
    def keys(self) -> Sequence[str]:
        """What is listed, in order."""
        return [row.key for row in self.list.rows if row.key]

    @property
    def row(self) -> Row:
        assert self.list.current
        return self.list.current

    def is_read(self, tab: str) -> bool:
        """Whether there is something to show in the tab."""
        return tab in self.debug._readings

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def open(self, tab: str, *texts: str) -> None:
        """Go from the room to a tab, and wait until it shows these texts."""
        self.thread.focus()
        await self.press("D")
        await self.on(DebugScreen)
        await self.press(str(1 + next(place for place, kind in enumerate(TABS) if kind.id == tab)))
        await self.until(lambda: self.debug.kind.id == tab)
        await self.shows(*texts)

    async def on(self, screen: type[Screen[Any]]) -> None:
        """Wait until this screen is there, and ready for keys."""
        await self.until(lambda: isinstance(self.app.screen, screen) and self.app.screen.focused)
        await self.pilot.pause()

    async def go_to(self, key: str) -> None:
        """Select the row of this key."""
        await self.until(lambda: key in self.keys)
        await self.press("home", *["down"] * self.keys.index(key))
        await self.until(lambda: self.row.key == key)


@asynccontextmanager
async def debugging(room: Recorded | Store, *, size: tuple[int, int] = (120, 40)) -> AsyncIterator[Debugger]:
    """The app on a recorded room at its moment, or on the room that a store, which stays open, is of."""
    store = room.open() if isinstance(room, Recorded) else Store.open(room.name, sync=False)
    with store:
        app = MsgcodeApp(store, "human", clock=store._clock)
        async with app.run_test(size=size, notifications=True) as pilot:
            driver = Debugger(app, pilot)
            await driver.until(lambda: app.live.presences and "human" in app.live.state.agents)
            await pilot.press("f12")
            yield driver
