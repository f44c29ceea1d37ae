"""Screens that answer the one below them and close."""

from __future__ import annotations

from typing import TypeVar

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen, Screen

Result = TypeVar("Result")


class ClosingScreen(Screen[Result]):
    """A screen that closes once, and then does nothing more. Of two keys pressed faster than the screen
    follows, the second one would close what is below it, or look for what is no longer there."""

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Close it, unless another one is in front of it, or it has closed already."""
        return super().dismiss(result) if self.is_active else AwaitComplete()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self in self.app.screen_stack and super().check_action(action, parameters)


class Dialog(ModalScreen[Result], ClosingScreen[Result]):
    """A screen in front of another one, which shows around it."""
