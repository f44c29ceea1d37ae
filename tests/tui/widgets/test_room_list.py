"""The list of rooms, as a user goes through it and arranges it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from msgcode import Store
from msgcode.model import Session
from msgcode_tui.rooms import EVERYTHING, channel_room, pair_room
from msgcode_tui.roster import Section
from msgcode_tui.screens.main import MainScreen
from msgcode_tui.screens.questions import Questions
from tests.tui.support import Driver, running

ALICE, BOB, DEV = pair_room("alice", "human"), pair_room("bob", "human"), channel_room("dev")


def line_with(app: Driver, text: str) -> str:
    """The first line of the screen with this text."""
    return next(line for line in app.screen().splitlines()[2:] if text in line)


async def test_what_is_said_of_an_agent(store: Store, folder: Path) -> None:
    store.register("bob", session=Session("s1", "opencode", "h"))
    store.set_presence("bob", "blocked", "permission")
    for _ in range(3):
        store.send("alice", "bob", "x")
    async with running(folder) as app:
        await app.shows("permission · opencode")
        assert re.search(r"■ bob +▁+[▂-█]▁? +3·\d+s", line_with(app, "■ bob"))


async def test_pinned_rooms_come_first(store: Store, folder: Path) -> None:
    async with running(folder) as app:
        await app.shows("dev")
        await app.pilot.press("G", "p")
        await app.shows("Pinned")
        assert app.screen().index("# dev") < app.screen().index("Agents")
        assert app.rooms.arrangement.pinned == (DEV,)
        await app.pilot.press("p")
        await app.until(lambda: "Pinned" not in app.screen())


async def test_muted_rooms_are_drawn_so(store: Store, folder: Path) -> None:
    async with running(folder) as app:
        await app.shows("bob")
        await app.pilot.press("down", "m")
        await app.until(lambda: "⌀" in line_with(app, " alice  "))
        await app.pilot.press("m")
        await app.until(lambda: "⌀" not in app.screen())


async def test_the_mouse_mutes_and_collapses(store: Store, folder: Path) -> None:
    async with running(folder) as app:
        await app.shows("dev")

        async def click(text: str, button: int = 1) -> None:
            y = next(y for y, line in enumerate(app.screen().splitlines()) if text in line)
            await app.pilot.click(offset=(5, y), button=button)

        await click("bob", 2)
        await app.shows("⌀")
        await click("▾ Agents")
        await app.shows("▸ Agents")
        assert "alice" not in app.screen()
        await click("▸ Agents")
        await app.shows("▾ Agents", "alice")


async def test_collapsing_and_expanding_by_key(store: Store, folder: Path) -> None:
    async with running(folder) as app:
        await app.shows("dev")
        await app.pilot.press("j", "h")
        await app.shows("▸ Agents", "alice")
        assert "bob" not in app.screen()
        assert app.rooms.cursor == Section.AGENTS
        assert app.rooms.room == ALICE
        await app.pilot.press("G")
        await app.until(lambda: "○ alice" not in app.screen())
        await app.pilot.press("k")
        assert app.rooms.cursor == Section.AGENTS
        await app.pilot.press("l")
        await app.shows("▾ Agents", "bob")


async def test_finding_a_room_by_its_name(store: Store, folder: Path) -> None:
    store.register("carol")
    async with running(folder) as app:
        await app.shows("carol")
        await app.pilot.press("slash", *"crl")
        await app.until(lambda: "bob" not in app.screen())
        await app.pilot.press("enter")
        await app.shows("human → carol", "bob")
        assert app.composer.has_focus
        app.rooms.focus()
        await app.pilot.press("slash", "b", "escape")
        await app.shows("carol")
        assert app.rooms.has_focus
        assert app.rooms.room == pair_room("carol", "human")


async def test_rows_stay_where_they_are_while_the_list_is_used(store: Store, folder: Path) -> None:
    for name in ("carol", "dave"):
        store.register(name)
    store.send("alice", "bob", "first")
    store.send("carol", "dave", "second")
    async with running(folder) as app:
        await app.shows("carol ⇄ dave")
        first, second = pair_room("alice", "bob"), pair_room("carol", "dave")
        await app.pilot.press("G")
        assert app.rooms.room == first
        store.send("bob", "alice", "third")
        await app.until(lambda: len(app.app.live.index.messages(EVERYTHING)) == 3)
        await app.pilot.pause()
        assert app.rooms.order[-2:] == [second, first]
        app.rooms._moved_at -= 100
        store.send("bob", "alice", "fourth")
        await app.until(lambda: app.rooms._rows[-1].room == second)


@pytest.mark.parametrize("width", [120, 80, 50])
async def test_counts_stay_beside_long_names(store: Store, folder: Path, width: int) -> None:
    name = "a-very-long-name-of-an-agent-that-does-not-fit-anywhere-at-all"
    store.register(name)
    store.register("human", human=True)
    async with running(folder, size=(width, 30)) as app:
        await app.select(DEV)
        store.send(name, "human", "x")
        store.send("alice", name, "x")
        await app.until(lambda: app.app.live.waiting(name))
        if width == 50:
            await app.pilot.press("ctrl+r")
        await app.until(lambda: re.search(r"a-very-.*….*1·\d+s {1,2}1 ", app.screen()))


@pytest.mark.parametrize("way", ["key", "name", "mouse"])
async def test_the_row_of_questions_opens_their_queue(store: Store, folder: Path, way: str) -> None:
    asked = store.send("alice", "human", "May I?", metadata={"choices": "yes|no"})
    async with running(folder) as app:
        await app.shows("? Questions")
        assert line_with(app, "? Questions").split("│")[0].split() == ["?", "Questions", "1"]
        if way == "key":
            await app.pilot.press("down")
            assert app.rooms.room == EVERYTHING, "the room stays"
            await app.pilot.press("enter")
        elif way == "name":
            await app.pilot.press("slash", *"quest", "enter")
        else:
            y = next(y for y, line in enumerate(app.screen().splitlines()) if "? Questions" in line)
            await app.pilot.click(offset=(4, y))
        await app.until(lambda: isinstance(app.app.screen, Questions))
        await app.shows("1 question to you", "May I?")
        await app.pilot.press("2")
        await app.until(lambda: isinstance(app.app.screen, MainScreen))
        assert store.inbox("alice")[0].body == "no"
        assert store.message(asked.id).ended
        await app.until(lambda: "? Questions" not in app.screen())
        assert app.rooms.cursor == EVERYTHING
