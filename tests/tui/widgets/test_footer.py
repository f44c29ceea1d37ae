"""The footer says which keys do something here, and is not made anew for nothing."""

from __future__ import annotations

from pathlib import Path

from textual.widgets._footer import FooterKey

from msgcode import Store
from msgcode_tui.widgets.footer import Footer
from tests.tui.support import Driver, running


def keys(app: Driver) -> list[FooterKey]:
    return list(app.app.screen.query_one(Footer).query(FooterKey))


async def test_it_is_made_anew_when_its_keys_are_others_only(store: Store, folder: Path) -> None:
    async with running(folder) as app:

        def tells_the_truth() -> bool:
            active = app.app.screen.active_bindings.values()
            wanted = {each.binding.description for each in active if each.binding.show}
            return {key.description for key in keys(app)} - {"palette"} == wanted

        app.rooms.focus()
        await app.pilot.pause()
        await app.until(tells_the_truth)
        of_rooms = keys(app)
        app.app.screen.refresh_bindings()
        await app.pilot.pause()
        assert keys(app) == of_rooms
        app.thread.focus()
        await app.until(lambda: keys(app) and keys(app) != of_rooms and tells_the_truth())
        app.rooms.focus()
        await app.until(lambda: [key.description for key in keys(app)] == [k.description for k in of_rooms])


async def test_no_key_is_cut_off(store: Store, folder: Path) -> None:
    async with running(folder, size=(140, 40)) as app:
        app.rooms.focus()
        await app.until(lambda: len(keys(app)) == 11)
        for width, last in ((80, "Write"), (50, "Search"), (140, "Quit")):
            await app.pilot.resize_terminal(width, 30)

            def is_last(word: str = last) -> bool:
                return [key.description for key in keys(app)][-2:-1] == [word]

            await app.until(is_last)
            await app.shows(f" {last} ")
