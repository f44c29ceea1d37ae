"""Makes the screenshots in this folder anew, the same each time: `python screenshots/make.py`."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from msgcode_tui.app import MsgcodeApp
from msgcode_tui.demo import Stage
from msgcode_tui.rooms import EVERYTHING, Room, channel_room, pair_room
from msgcode_tui.widgets.room_list import RoomList
from msgcode_tui.widgets.thread import Thread

COMES_AT, IS_TAKEN_AT = 20.0, 33.0
"""The moments of the demo's script when the user comes and when the picture is taken, in seconds."""

WAIT = 30
"""Seconds within which what a picture is of has to be on the screen."""

REVIEW = pair_room("coder", "reviewer")
WIDE = (140, 40)


class Shot(NamedTuple):
    """A picture: the room in a terminal of this size and in this theme, after these keys in the thread."""

    name: str
    room: Room = REVIEW
    size: tuple[int, int] = WIDE
    theme: str = "textual-dark"
    keys: tuple[str, ...] = ()
    shows: str = ""
    """What is on the screen when the keys have done what they do."""


SHOTS = [
    Shot("main", keys=("up",) * 4),
    Shot("question", pair_room("coder", "human"), keys=("up",)),
    Shot("search", EVERYTHING, keys=("/", *"chunk"), shows="4 messages"),
    Shot("palette", EVERYTHING, keys=("ctrl+p", *"next"), shows="Go to the next unread message"),
    Shot("frozen", EVERYTHING, keys=("F", "k"), shows="‖ Held: everything"),
    Shot("debugger", EVERYTHING, keys=("F", "k", "D"), shows="In the order in which they would go"),
    Shot("light", EVERYTHING, theme="textual-light"),
    Shot("80x24", size=(80, 24)),
    Shot("50x20", channel_room("api-changes"), (50, 20)),
]


async def shoot(shot: Shot, home: Path) -> None:
    """Write the picture's file."""
    os.environ["HOME"] = str(home)
    with Stage(home / ".oh-my-msgcode") as stage:
        stage.play_until(COMES_AT)
        app = MsgcodeApp(stage.store, "human", clock=stage.clock)
        async with app.run_test(size=shot.size) as pilot:
            app.theme = shot.theme
            await pilot.press("f12")  # Somebody is there to read.
            app.screen.query_one(RoomList).select(shot.room)
            for moment in (COMES_AT, IS_TAKEN_AT):
                stage.play_until(moment)
                while not stage.is_shown(app.live):
                    await pilot.pause(0.01)
            if shot.keys:
                app.screen.query_one(Thread).focus()
            await pilot.pause()
            await pilot.press(*shot.keys)
            async with asyncio.timeout(WAIT):
                while shot.shows not in _text(app):
                    await pilot.pause(0.01)
            await pilot.pause(0.3)
            svg = app.export_screenshot(title="msgcode-tui --demo")
    (Path(__file__).parent / f"{shot.name}.svg").write_text(svg)


def _text(app: MsgcodeApp) -> str:
    lines = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in line) for line in lines)


def main() -> None:
    """Make all of them."""
    os.environ["TZ"] = "UTC"
    time.tzset()
    for shot in SHOTS:
        with tempfile.TemporaryDirectory() as home:
            asyncio.run(shoot(shot, Path(home)))


if __name__ == "__main__":
    main()
