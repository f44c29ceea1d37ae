"""The panes at every width: which are shown, how wide they are, and who has the focus."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from msgcode import Store
from msgcode_tui.widgets.panes import INSPECTOR, LEAST, MIDDLE, ROOMS, PaneTabs, Splitter
from tests.tui.support import Driver, running


def shown(app: Driver) -> list[tuple[str, int]]:
    """The panes on the screen with their widths, from left to right."""
    panes = [app.app.screen.query_one(f"#{pane}") for pane in (ROOMS, MIDDLE, INSPECTOR)]
    return [(pane.id or "", pane.region.width) for pane in panes if pane.display]


@pytest.mark.parametrize(
    ("size", "panes"),
    [
        ((140, 40), [(ROOMS, 30), (MIDDLE, 68), (INSPECTOR, 40)]),
        ((126, 30), [(ROOMS, 30), (MIDDLE, 54), (INSPECTOR, 40)]),
        ((100, 30), [(ROOMS, 30), (MIDDLE, 69)]),
        ((80, 24), [(ROOMS, 30), (MIDDLE, 49)]),
        ((72, 24), [(ROOMS, 30), (MIDDLE, 41)]),
        ((60, 20), [(MIDDLE, 60)]),
        ((50, 20), [(MIDDLE, 50)]),
    ],
)
async def test_as_many_as_there_is_room_for(
    store: Store, folder: Path, size: tuple[int, int], panes: list[tuple[str, int]]
) -> None:
    async with running(folder, size=size) as app:
        await app.until(lambda: shown(app) == panes)
        assert app.app.screen.query_one(PaneTabs).display == (len(panes) == 1)


async def test_the_inspector_takes_the_place_of_the_rooms(store: Store, folder: Path) -> None:
    store.send("alice", "bob", "hello")
    async with running(folder, size=(100, 30)) as app:
        await app.shows("hello")
        app.thread.focus()
        await app.pilot.press("k")
        await app.shows("bob queued")
        await app.pilot.press("ctrl+o")
        await app.shows("waits for bob")
        assert [pane for pane, _ in shown(app)] == [MIDDLE, INSPECTOR]
        assert "bob queued" not in app.screen()
        await app.pilot.press("ctrl+o")
        assert app.thread.has_focus
        assert [pane for pane, _ in shown(app)] == [MIDDLE, INSPECTOR]
        await app.pilot.press("ctrl+r")
        assert app.rooms.has_focus
        assert [pane for pane, _ in shown(app)] == [ROOMS, MIDDLE]
        await app.pilot.press("f2")
        assert app.thread.has_focus
        assert [pane for pane, _ in shown(app)] == [MIDDLE]


async def test_tabs_where_there_is_room_for_one(store: Store, folder: Path) -> None:
    store.send("alice", "bob", "hello")
    async with running(folder, size=(50, 20)) as app:
        await app.shows("Rooms", "Everything", "Details", "hello")
        tabs = app.app.screen.query_one(PaneTabs)
        await app.pilot.click(tabs, (20, 0))
        await app.shows("Waiting")
        assert app.inspector.has_focus
        await app.pilot.click(tabs, (2, 0))
        await app.shows("# dev")
        assert app.rooms.has_focus
        await app.pilot.click(tabs, (10, 0))
        await app.shows("hello")
        assert app.thread.has_focus


async def test_hiding_panes(store: Store, folder: Path) -> None:
    async with running(folder, size=(140, 40)) as app:
        await app.pilot.press("f3")
        assert shown(app) == [(ROOMS, 30), (MIDDLE, 109)]
        assert app.app.memory.now.hidden == {INSPECTOR}
        await app.pilot.press("f2")
        assert shown(app) == [(MIDDLE, 140)]
        await app.pilot.press("ctrl+o")
        assert shown(app) == [(MIDDLE, 99), (INSPECTOR, 40)]
        await app.pilot.press("f2")
        assert app.panes.hidden == set()


async def test_widths_by_key(store: Store, folder: Path) -> None:
    async with running(folder, size=(140, 40)) as app:
        await app.pilot.press("alt+right", "alt+right", "alt+shift+left")
        assert app.app.memory.now.widths == {ROOMS: 34, INSPECTOR: 42}
        assert shown(app) == [(ROOMS, 34), (MIDDLE, 62), (INSPECTOR, 42)]
        await app.pilot.press(*["alt+right"] * 12)
        assert shown(app)[1] == (MIDDLE, 40)
        await app.pilot.press(*["alt+left"] * 20)
        assert shown(app)[0] == (ROOMS, LEAST)


async def test_widths_by_mouse(store: Store, folder: Path) -> None:
    async with running(folder, size=(140, 40)) as app:
        rooms, inspector = app.app.screen.query(Splitter)
        for splitter, column in ((rooms, 24), (inspector, 90)):
            await app.pilot.mouse_down(splitter)
            await app.pilot.hover(app.app.screen, (column, 10))
            await app.pilot.mouse_up(app.app.screen, (column, 10))
        assert app.panes.widths == {ROOMS: 24, INSPECTOR: 49}
        await app.pilot.hover(app.app.screen, (70, 10))
        assert app.panes.widths == {ROOMS: 24, INSPECTOR: 49}, "nothing is dragged any more"


async def test_a_resize_moves_the_focus_from_what_is_no_longer_shown(store: Store, folder: Path) -> None:
    async with running(folder, size=(140, 40)) as app:
        await app.pilot.press("ctrl+o")
        assert app.inspector.has_focus
        app.panes.front = MIDDLE
        await app.pilot.resize_terminal(80, 24)
        await app.until(lambda: app.thread.has_focus)


def is_filled(app: Driver, width: int) -> bool:
    """Whether the panes and the dividers between them take up the whole width."""
    return sum(columns for _, columns in shown(app)) + len(shown(app)) - 1 == width


async def test_any_change_of_size(store: Store, folder: Path) -> None:
    store.send("alice", "bob", "hello")
    async with running(folder, size=(140, 40)) as app:
        await app.shows("hello")
        for size in ((50, 20), (140, 40), (20, 6), (100, 30), (30, 10), (126, 30), (72, 24), (50, 20)):
            await app.pilot.resize_terminal(*size)
            await app.until(partial(is_filled, app, size[0]))
        await app.shows("hello")
