"""Makes the screenshots in this folder anew, the same each time: `python screenshots/make.py`."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from pathlib import Path

from msgcode_tui.app import MsgcodeApp
from msgcode_tui.demo import staged
from msgcode_tui.rooms import EVERYTHING, Room, channel_room, pair_room
from msgcode_tui.widgets.room_list import RoomList

SECONDS = 33.0
"""The moment of the demo's script that is shown."""

REVIEW = pair_room("coder", "reviewer")
SHOTS: list[tuple[str, tuple[int, int], str, Room]] = [
    ("main", (140, 40), "textual-dark", EVERYTHING),
    ("light", (140, 40), "textual-light", REVIEW),
    ("80x24", (80, 24), "textual-dark", REVIEW),
    ("50x20", (50, 20), "textual-dark", channel_room("api-changes")),
]


async def shoot(name: str, size: tuple[int, int], theme: str, room: Room, home: Path) -> None:
    """Write `name`.svg: the room in a terminal of this size, in this theme."""
    with staged(home / name / ".oh-my-msgcode", SECONDS) as store:
        os.environ["HOME"] = str(home / name)
        app = MsgcodeApp(store, "human")
        async with app.run_test(size=size) as pilot:
            app.theme = theme
            while not app.live.state.messages or not app.live.presences:
                await pilot.pause(0.01)
            app.screen.query_one(RoomList).select(room)
            await pilot.pause(0.2)
            svg = app.export_screenshot(title="msgcode-tui --demo")
    (Path(__file__).parent / f"{name}.svg").write_text(svg)


def main() -> None:
    """Make all of them."""
    os.environ["TZ"] = "UTC"
    time.tzset()
    with tempfile.TemporaryDirectory() as home:
        for name, size, theme, room in SHOTS:
            asyncio.run(shoot(name, size, theme, room, Path(home)))


if __name__ == "__main__":
    main()
