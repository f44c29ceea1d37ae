"""The command palette, for keys that are pressed faster than it follows."""

from __future__ import annotations

from contextlib import suppress
from inspect import unwrap

from textual import on, work
from textual.command import CommandPalette
from textual.css.query import NoMatches
from textual.message import Message
from textual.widgets import Input, OptionList

from msgcode_tui.screens.dialog import ClosingScreen

_find = unwrap(CommandPalette._gather_commands)


class Palette(CommandPalette, ClosingScreen[None]):
    """Textual's. In that, a second enter runs the command again; and the app ends when what was typed is
    looked for after it was closed, and at a page down before the list has been laid out."""

    @on(Input.Changed)
    @on(Input.Submitted)
    @on(OptionList.OptionSelected)
    def _too_late(self, message: Message) -> None:
        if not self.is_active:
            message.stop()
            message.prevent_default()

    @work(exclusive=True, group=CommandPalette._GATHER_COMMANDS_GROUP)
    async def _gather_commands(self, search_value: str) -> None:
        with suppress(NoMatches):  # It was closed meanwhile.
            await _find(self, search_value)

    def _action_command_list(self, action: str) -> None:
        with suppress(KeyError):  # Of an option without a line yet.
            super()._action_command_list(action)
