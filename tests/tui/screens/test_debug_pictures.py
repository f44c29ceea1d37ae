"""How the debugger looks, on recorded rooms."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from msgcode import Store
from msgcode_tui.app import MsgcodeApp
from tests.troubles import TROUBLES
from tests.tui.debugging import Debugger

Compare = Callable[..., bool]

ROOMS = {
    "held": "storm",
    "breakpoints": "storm",
    "loops": "ping-pong thanks",
    "waits": "deadlock of three",
    "stuck": "lost recipient",
    "cost": "storm",
}
"""Which trouble each tab is shown with."""

SIZES = pytest.mark.parametrize("size", [(140, 40), (80, 24), (50, 20)], ids=["140x40", "80x24", "50x20"])


def prepared(tab: str, theme: str, *keys: str, shows: str = "") -> Callable[[Pilot[None]], Awaitable[None]]:
    """What to do before the picture is taken: go to the tab, and press keys there."""

    async def prepare(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, MsgcodeApp)
        driver = Debugger(app, pilot)
        app.theme = theme
        await driver.until(lambda: app.live.presences and "human" in app.live.state.agents)
        await driver.open(tab)
        await driver.until(lambda: driver.is_read(tab))
        await driver.until(lambda: all(driver.is_read(each) for each in ROOMS))
        app.clear_notifications()
        await pilot.pause()
        await pilot.press(*keys)
        await driver.shows(shows)
        for field in app.screen.query(Input):
            field.cursor_blink = False
        app.clear_notifications()
        await pilot.pause(0.2)

    return prepare


def stop(store: Store) -> None:
    """Hold, break and edit some of it."""
    store.register("human", human=True)
    store.hold("human", channel="dev", reason="everybody answers everybody")
    store.hold("human", agent="lead", peer="api")
    store.add_breakpoint("human", sender="docs", text="pull requests?", once=True)
    store.add_breakpoint("human", loops=True)
    rule = store.add_breakpoint("human", to="web", budget=20_000)
    store.switch_breakpoint(rule.number, False, "human")
    store.broadcast("docs", "dev", "My pull request waits until v2.0 is tagged.")
    store.send("lead", "api", "Is the hot fix of api out?", priority="urgent")
    second = store.send("lead", "api", "Then tag v2.0, please, and tell everybody.")
    store.edit(second.id, "Then tag v2.0, please.", by="human")


def picture(
    snap_compare: Compare,
    home: Path,
    tab: str,
    size: tuple[int, int],
    theme: str = "textual-dark",
    *keys: str,
    shows: str = "",
) -> None:
    """Compare a picture of the tab with the one that was accepted."""
    recorded = TROUBLES[ROOMS[tab]](home / "room")
    with recorded.open() as store:
        if tab in ("held", "breakpoints"):
            stop(store)
        app = MsgcodeApp(store, "human", clock=store._clock)
        assert snap_compare(app, terminal_size=size, run_before=prepared(tab, theme, *keys, shows=shows))


@SIZES
@pytest.mark.parametrize("tab", ROOMS)
def test_tab(snap_compare: Compare, tmp_path: Path, tab: str, size: tuple[int, int]) -> None:
    picture(snap_compare, tmp_path, tab, size)


def test_light(snap_compare: Compare, tmp_path: Path) -> None:
    picture(snap_compare, tmp_path, "loops", (140, 40), "textual-light")


@SIZES
def test_why(snap_compare: Compare, tmp_path: Path, size: tuple[int, int]) -> None:
    picture(snap_compare, tmp_path, "stuck", size, "textual-dark", "w", shows="What can be done")


def test_why_in_light(snap_compare: Compare, tmp_path: Path) -> None:
    picture(snap_compare, tmp_path, "stuck", (80, 24), "textual-light", "w", shows="What can be done")


@SIZES
def test_breakpoint(snap_compare: Compare, tmp_path: Path, size: tuple[int, int]) -> None:
    picture(snap_compare, tmp_path, "breakpoints", size, "textual-dark", "a", shows="Stop each message")
