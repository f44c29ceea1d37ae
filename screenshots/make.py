"""Makes the screenshots in this folder anew, the same each time: `python screenshots/make.py`."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from pathlib import Path

from msgcode_tui.app import MsgcodeApp
from msgcode_tui.demo import Stage
from msgcode_tui.rooms import EVERYTHING, Room, channel_room, pair_room
from msgcode_tui.widgets.room_list import RoomList

COMES_AT, IS_TAKEN_AT = 20.0, 33.0
"""The moments of the demo's script when the user comes and when the picture is taken, in seconds."""

REVIEW = pair_room("coder", "reviewer")
SHOTS: list[tuple[str, tuple[int, int], str, Room]] = [
    ("main", (140, 40), "textual-dark", REVIEW),
    ("light", (140, 40), "textual-light", EVERYTHING),
    ("80x24", (80, 24), "textual-dark", REVIEW),
    ("50x20", (50, 20), "textual-dark", channel_room("api-changes")),
]


async def shoot(name: str, size: tuple[int, int], theme: str, room: Room, home: Path) -> None:
    """Write `name`.svg: the room in a terminal of this size, in this theme."""
    os.environ["HOME"] = str(home)
    with Stage(home / ".oh-my-msgcode") as stage:
        stage.play_until(COMES_AT)
        app = MsgcodeApp(stage.store, "human", clock=stage.clock)
        async with app.run_test(size=size) as pilot:
            app.theme = theme
            app.screen.query_one(RoomList).select(room)
            for moment in (COMES_AT, IS_TAKEN_AT):
                stage.play_until(moment)
                while not stage.is_shown(app.live):
                    await pilot.pause(0.01)
            await pilot.pause(0.2)
            svg = app.export_screenshot(title="msgcode-tui --demo")
    (Path(__file__).parent / f"{name}.svg").write_text(svg)


def main() -> None:
    """Make all of them."""
    os.environ["TZ"] = "UTC"
    time.tzset()
    for name, size, theme, room in SHOTS:
        with tempfile.TemporaryDirectory() as home:
            asyncio.run(shoot(name, size, theme, room, Path(home)))


if __name__ == "__main__":
    main()
