"""The help shows the keys as they are bound where the user is."""

from __future__ import annotations

from pathlib import Path

import pytest

from msgcode import Store
from msgcode_tui.screens.help import HelpScreen
from msgcode_tui.settings import Settings
from tests.tui.support import running


@pytest.mark.parametrize("key", ["f1", "question_mark"])
@pytest.mark.parametrize("size", [(120, 40), (50, 20)])
async def test_it_shows_the_keys_of_where_the_user_is(
    store: Store, folder: Path, key: str, size: tuple[int, int]
) -> None:
    async with running(folder, size=size) as app:
        app.rooms.display = True
        app.rooms.focus()
        await app.pilot.pause()
        await app.pilot.press(key)
        await app.shows("Room list", "↑ k", "Select the room above")
        await app.pilot.press("end")
        await app.shows("Everywhere", "f1 ?", "Show what the keys do here", "^q", "Leave the room")
        await app.pilot.press("escape")
        await app.until(lambda: not isinstance(app.app.screen, HelpScreen))


async def test_in_the_composer_a_question_mark_is_one(store: Store, folder: Path) -> None:
    async with running(folder) as app:
        app.composer.focus()
        await app.pilot.press("question_mark")
        assert app.composer.text == "?"
        await app.pilot.press("f1")
        await app.shows("Composer", "Send what you wrote")
        await app.pilot.press("end")
        await app.shows("Select the room above")
        assert "Follow the newest message" not in app.screen()


async def test_other_keys_are_shown_and_work(store: Store, folder: Path) -> None:
    settings = Settings(keys={"rooms.down": "n,ctrl+n", "app.help": "f2"})
    async with running(folder, settings=settings) as app:
        await app.shows("bob")
        await app.pilot.press("down", "j", "f1", "question_mark")
        assert app.rooms.room.names == ()
        await app.pilot.press("n")
        await app.shows("human → alice")
        await app.pilot.press("ctrl+n")
        await app.shows("human → bob")
        await app.pilot.press("f2")
        await app.shows("n ^n", "Select the room below", "f2", "Show what the keys do here")
