"""How the screens look, at a fixed moment of the demo's script."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from msgcode_tui.app import MsgcodeApp
from msgcode_tui.demo import Stage
from msgcode_tui.rooms import EVERYTHING, Room, channel_room, pair_room
from tests.tui.support import Driver

Compare = Callable[..., bool]
REVIEW = pair_room("coder", "reviewer")


def prepared(
    stage: Stage, room: Room, theme: str, *keys: str, shows: str = ""
) -> Callable[[Pilot[None]], Awaitable[None]]:
    """What to do before the picture is taken: go to the room, let more happen, press keys in the thread, and
    wait until this is on the screen."""

    async def prepare(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, MsgcodeApp)
        driver = Driver(app, pilot)
        app.theme = theme
        await pilot.press("f12")  # Somebody is there to read.
        await driver.select(room)
        for moment in (20, 33):
            stage.play_until(moment)
            await driver.until(lambda: stage.is_shown(app.live))
        if keys:
            driver.thread.focus()
        await pilot.pause()
        await pilot.press(*keys)
        await driver.shows(shows)
        await pilot.pause(0.2)

    return prepare


@pytest.fixture(autouse=True)
def steady_cursors(monkeypatch: pytest.MonkeyPatch) -> None:
    """No cursor blinks, in whatever field, and whenever that comes."""
    for reactive in (Input.cursor_blink, TextArea.cursor_blink):
        monkeypatch.setattr(reactive, "_default", False)


SIZES = pytest.mark.parametrize("size", [(140, 40), (80, 24), (50, 20)], ids=["140x40", "80x24", "50x20"])


@SIZES
@pytest.mark.parametrize(
    "room", [EVERYTHING, REVIEW, channel_room("api-changes")], ids=["all", "pair", "channel"]
)
def test_rooms(
    snap_compare: Compare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: Room, size: tuple[int, int]
) -> None:
    picture(snap_compare, tmp_path, monkeypatch, room, size)


def test_light(snap_compare: Compare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture(snap_compare, tmp_path, monkeypatch, REVIEW, (140, 40), "textual-light")


def test_selected_message(snap_compare: Compare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture(snap_compare, tmp_path, monkeypatch, EVERYTHING, (140, 40), "textual-dark", "k", "k", "k")


def test_list_of_rooms_in_a_narrow_terminal(
    snap_compare: Compare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture(snap_compare, tmp_path, monkeypatch, EVERYTHING, (50, 20), "textual-dark", "ctrl+r", "down")


@SIZES
@pytest.mark.parametrize(
    ("keys", "shows"),
    [("a", "Copy the id"), ("f", "Forward to whom?"), ("e", "enter saves"), ("d", "Discard 1 message?")],
    ids=["menu", "ask", "edit", "confirm"],
)
def test_acting_on_a_message(
    snap_compare: Compare,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    size: tuple[int, int],
    keys: str,
    shows: str,
) -> None:
    picture(snap_compare, tmp_path, monkeypatch, EVERYTHING, size, "textual-dark", "k", keys, shows=shows)


SEARCH = ("ctrl+f", *"chunk")
PALETTE = ("ctrl+p", *"next")
FOUND, OFFERED = "4 messages, 1 selected", "Go to the next unread message"


@SIZES
def test_search(
    snap_compare: Compare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    picture(snap_compare, tmp_path, monkeypatch, EVERYTHING, size, "textual-dark", *SEARCH, shows=FOUND)


def test_search_in_light(snap_compare: Compare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture(snap_compare, tmp_path, monkeypatch, EVERYTHING, (140, 40), "textual-light", *SEARCH, shows=FOUND)


def test_filtered_room(snap_compare: Compare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = (*SEARCH, "ctrl+f")
    picture(
        snap_compare,
        tmp_path,
        monkeypatch,
        EVERYTHING,
        (140, 40),
        "textual-dark",
        *keys,
        shows="esc shows all",
    )


@SIZES
def test_palette(
    snap_compare: Compare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    picture(snap_compare, tmp_path, monkeypatch, EVERYTHING, size, "textual-dark", *PALETTE, shows=OFFERED)


def test_export(snap_compare: Compare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture(snap_compare, tmp_path, monkeypatch, EVERYTHING, (80, 24), "textual-dark", "ctrl+s")


@SIZES
@pytest.mark.parametrize(
    "room", [pair_room("docs", "human"), channel_room("api-changes")], ids=["agent", "channel"]
)
def test_inspector(
    snap_compare: Compare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: Room, size: tuple[int, int]
) -> None:
    picture(snap_compare, tmp_path, monkeypatch, room, size, "textual-dark", "ctrl+o")


def picture(
    snap_compare: Compare,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    room: Room,
    size: tuple[int, int],
    theme: str = "textual-dark",
    *keys: str,
    shows: str = "",
) -> None:
    """Compare a picture of the room with the one that was accepted."""
    monkeypatch.setenv("HOME", str(home))
    with Stage(home / ".oh-my-msgcode") as stage:
        app = MsgcodeApp(stage.store, "human", clock=stage.clock)
        assert snap_compare(
            app, terminal_size=size, run_before=prepared(stage, room, theme, *keys, shows=shows)
        )
