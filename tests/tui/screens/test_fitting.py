"""What is drawn first, and first at a new size, is right."""

from __future__ import annotations

import pytest

from msgcode import Store
from msgcode_tui.app import MsgcodeApp
from tests.tui.support import Driver

SENTENCE = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"


@pytest.fixture
def pictures(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was on the screen each time that it had been drawn, as text."""
    seen: list[str] = []

    def after_drawing(app: MsgcodeApp) -> None:
        seen.append(Driver(app, None).screen())  # type: ignore[arg-type]

    monkeypatch.setattr(MsgcodeApp, "post_display_hook", after_drawing)
    return seen


async def test_the_first_picture_has_the_newest_message(store: Store, pictures: list[str]) -> None:
    store.send("alice", "bob", SENTENCE)
    async with MsgcodeApp(store, "human").run_test(size=(140, 40), notifications=True) as pilot:
        await pilot.pause()
        first = next(picture for picture in pictures if "Everything" in picture)
        assert "sixteen" in first
        assert "1 waiting" in first


async def test_the_first_picture_at_a_new_size_is_the_one_that_stays(
    store: Store, pictures: list[str]
) -> None:
    store.send("alice", "bob", SENTENCE)
    async with MsgcodeApp(store, "human").run_test(size=(140, 40), notifications=True) as pilot:
        await pilot.pause()
        pictures.clear()
        await pilot.resize_terminal(80, 40)
        await pilot.pause()
        assert [word for word in SENTENCE.split() if word not in pictures[0]] == []
