"""The bar on top, in as many words as there is room for."""

from __future__ import annotations

from pathlib import Path

import pytest

from msgcode import Store
from msgcode.debugger.stuck import Thresholds
from tests.tui.support import running


@pytest.mark.parametrize(
    ("width", "bar"),
    [
        (140, " msgcode  ● 3 online  2 waiting  2 stuck  1 failed "),
        (80, " msgcode  ● 3 online  2 waiting  2 stuck  1 failed "),
        (50, " ● 3 online  2 waiting  2 stuck  1 failed "),
        (36, " ● 3  2 waiting  2 stuck  1 failed"),
    ],
)
async def test_how_the_room_is(store: Store, folder: Path, width: int, bar: str) -> None:
    store.send("alice", "bob", "old")
    failing = store.send("bob", "alice", "x")
    store.claim("alice", "host")
    store.fail("alice", failing.id, "host", "gone")
    async with running(folder, size=(width, 24)) as app:
        app.app.thresholds = Thresholds(0, 0, 0, 0, 0)
        store.seen("alice")
        await app.until(lambda: app.screen().startswith(bar))
        top = app.screen().splitlines()[0]
        assert top.rstrip().endswith("human") == (width > 36)


async def test_nothing_is_said_of_what_is_not(store: Store, folder: Path) -> None:
    async with running(folder) as app:
        await app.shows("● 3 online", "you are human")
        assert not {"waiting", "stuck", "failed"} & set(app.screen().splitlines()[0].split())
