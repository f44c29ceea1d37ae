"""A menu: what can be done here, each by a key of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from msgcode_tui import safe
from msgcode_tui.actions import Action
from msgcode_tui.screens.dialog import Dialog

_TITLE = 40
"""Cells that a title may have."""

_KEY = 4
"""Cells that its key has."""

_SOME = 24
"""Beside the titles so many cells are worth writing something into."""


class Menu(Dialog[str | None]):
    """Returns the id of the action that the user chose; None if they chose none.

    What is not possible is there all the same, and says why. What there is no room for beside the titles is
    said of the highlighted action, below. title: what the menu is about.
    """

    CSS_PATH: ClassVar = ["menu.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Close", id="menu.close", tooltip="Do nothing"),
        Binding("j", "move(1)", "Down", id="menu.down", show=False, tooltip="Go down in the menu"),
        Binding("k", "move(-1)", "Up", id="menu.up", show=False, tooltip="Go up in the menu"),
    ]

    def __init__(self, title: str, actions: Sequence[Action]) -> None:
        super().__init__()
        self._title, self._actions = title, actions

    def compose(self) -> ComposeResult:
        menu = OptionList(*(Option("") for _ in self._actions), markup=False, compact=True)
        menu.border_title = safe.content(safe.line(self._title))
        yield menu

    def on_resize(self) -> None:
        menu = self.query_one(OptionList)
        for index, action in enumerate(self._actions):
            menu.replace_option_prompt_at_index(index, self._prompt(action))
        self._tell_more()

    def _prompt(self, action: Action) -> Content:
        title = safe.fit(action.title, _TITLE)
        gap = " " * (self._widest - cell_len(title) + 2)
        about = safe.fit(action.about, self._room) if self._room >= _SOME else ""
        if not action.possible:
            return Content.styled(f" {action.key}  {title}{gap}{about}", "dim")
        key = Content.styled(f" {action.key}  ", "bold $text-accent")
        return Content.assemble(key, title, gap, Content.styled(about, "dim"))

    @property
    def _widest(self) -> int:
        return max(cell_len(safe.fit(action.title, _TITLE)) for action in self._actions)

    @property
    def _room(self) -> int:
        """Cells beside the titles."""
        return self.query_one(OptionList).scrollable_content_region.width - self._widest - _KEY - 2

    @on(OptionList.OptionHighlighted)
    def _tell_more(self) -> None:
        menu = self.query_one(OptionList)
        about = safe.line(self._actions[menu.highlighted or 0].about)
        is_cut = cell_len(about) > self._room or self._room < _SOME
        menu.border_subtitle = safe.content(about if is_cut else "")

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self._choose(self._actions[event.option_index])

    def on_key(self, event: events.Key) -> None:
        action = next((each for each in self._actions if each.key == event.character), None)
        if action and self.is_active:  # Else it was pressed after that which closed this.
            event.stop()
            self._choose(action)

    def _choose(self, action: Action) -> None:
        if action.possible:
            self.dismiss(action.id)
        else:
            self.notify(safe.content(action.about).plain, severity="warning", markup=False)

    def on_click(self, event: events.Click) -> None:
        if self.get_widget_at(event.screen_x, event.screen_y)[0] is self:
            self.dismiss(None)

    def action_move(self, step: int) -> None:
        """Go to the next action in one direction."""
        menu = self.query_one(OptionList)
        if step > 0:
            menu.action_cursor_down()
        else:
            menu.action_cursor_up()
