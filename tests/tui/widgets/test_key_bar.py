"""The keys along the bottom."""

from __future__ import annotations

from pathlib import Path

from msgcode import Store
from msgcode_tui.widgets.key_bar import KeyBar
from tests.tui.support import running


async def test_it_is_made_anew_only_when_it_would_say_something_else(store: Store, folder: Path) -> None:
    async with running(folder) as app:
        bar = app.app.screen.query_one(KeyBar)
        await app.until(lambda: bar.children)
        before = list(bar.children)
        store.send("alice", "bob", "hello")
        await app.shows("hello")
        await app.pilot.pause()
        assert list(bar.children) == before
        await app.pilot.press("i")
        await app.until(lambda: bar.children and list(bar.children) != before)
