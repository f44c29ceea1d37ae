"""How the screens look, at a fixed moment of the demo's script."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

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
        if room == EVERYTHING:
            await driver.until(lambda: not any(app.live.state.inbox("human").undelivered.values()))
        if keys:
            driver.thread.focus()
        await pilot.pause()
        await pilot.press(*keys)
        await driver.shows(shows)
        await driver.rests()

    return prepare


@pytest.fixture(autouse=True)
def steady_cursors(monkeypatch: pytest.MonkeyPatch) -> None:
    """No cursor blinks, in whatever field, and whenever that comes."""
    for reactive in (Input.cursor_blink, TextArea.cursor_blink):
        monkeypatch.setattr(reactive, "_default", False)


class Shape(NamedTuple):
    """A terminal."""

    size: tuple[int, int]
    theme: str = "textual-dark"


SHAPES = pytest.mark.parametrize(
    "shape",
    [Shape((140, 40)), Shape((80, 24)), Shape((50, 20)), Shape((140, 40), "textual-light")],
    ids=["140x40", "80x24", "50x20", "light"],
)
CHANNEL = channel_room("api-changes")


@SHAPES
@pytest.mark.parametrize("room", [EVERYTHING, REVIEW, CHANNEL], ids=["all", "pair", "channel"])
def test_rooms(
    snap_compare: Compare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: Room, shape: Shape
) -> None:
    picture(snap_compare, tmp_path, monkeypatch, room, shape)


@SHAPES
@pytest.mark.parametrize(
    "room", [pair_room("docs", "human"), CHANNEL, EVERYTHING], ids=["agent", "channel", "everything"]
)
def test_inspector(
    snap_compare: Compare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: Room, shape: Shape
) -> None:
    picture(snap_compare, tmp_path, monkeypatch, room, shape, "ctrl+o")


@SHAPES
@pytest.mark.parametrize(
    ("keys", "shows"),
    [("a", "Copy the id"), ("f", "Forward to whom?"), ("e", "enter saves"), ("d", "Discard 1 message?")],
    ids=["menu", "ask", "edit", "confirm"],
)
def test_acting_on_a_message(
    snap_compare: Compare,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    keys: str,
    shows: str,
    shape: Shape,
) -> None:
    picture(snap_compare, tmp_path, monkeypatch, EVERYTHING, shape, "k", keys, shows=shows)


SEARCH = ("ctrl+f", *"chunk")
WRITING = (*"i@docs Please wait for ", "alt+p", "alt+s", *"Not yet", "enter")

SCREENS = {
    "selected": (("k", "k", "k"), ""),
    "inspected": (("k", "k", "k", "ctrl+o"), "Life"),
    "marked": (("k", "space", "k", "space"), "◆"),
    "rooms": (("ctrl+r", "down"), "Questions"),
    "room-menu": (("ctrl+r", "down", "down", "a"), "Create a channel"),
    "writing": (WRITING, "Not yet"),
    "completing": ((*"i@",), "@backend"),
    "options": (("i", "ctrl+t"), "speak as"),
    "search": (SEARCH, "4 messages, 1 selected"),
    "filtered": ((*SEARCH, "ctrl+f"), "esc shows all"),
    "palette": (("ctrl+p", *"next"), "Go to the next unread message"),
    "export": (("ctrl+s",), "Markdown"),
    "questions": (("Q",), "1 question to you"),
    "frozen": (("F", "k"), "‖ Held: everything"),
    "answer": (("i", *"/msg agents", "enter"), "esc closes"),
    "help": (("question_mark",), "Keys"),
}
"""What to press, and what is on the screen then."""


@SHAPES
@pytest.mark.parametrize("name", SCREENS)
def test_screens(
    snap_compare: Compare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, shape: Shape
) -> None:
    keys, shows = SCREENS[name]
    picture(snap_compare, tmp_path, monkeypatch, EVERYTHING, shape, *keys, shows=shows)


def picture(
    snap_compare: Compare,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    room: Room,
    shape: Shape,
    *keys: str,
    shows: str = "",
) -> None:
    """Compare a picture of the room with the one that was accepted."""
    monkeypatch.setenv("HOME", str(home))
    with Stage(home / ".oh-my-msgcode") as stage:
        app = MsgcodeApp(stage.store, "human", clock=stage.clock)
        assert snap_compare(
            app, terminal_size=shape.size, run_before=prepared(stage, room, shape.theme, *keys, shows=shows)
        )
