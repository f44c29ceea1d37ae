"""Dialogs close once, and only when they are in front."""

from __future__ import annotations

from textual.app import App

from msgcode_tui.screens.dialog import Dialog


async def test_only_what_is_in_front_closes() -> None:
    lower, upper = Dialog[str](), Dialog[str]()
    answers: list[str | None] = []
    app = App[None]()
    async with app.run_test() as pilot:
        await app.push_screen(lower, answers.append)
        await app.push_screen(upper, answers.append)
        lower.dismiss("of the lower one")
        await pilot.pause()
        assert app.screen is upper
        upper.dismiss("once")
        upper.dismiss("twice")
        await pilot.pause()
        assert app.screen is lower
        assert answers == ["once"]
        assert not upper.check_action("close", ())
        assert lower.check_action("close", ())
