"""The help: every key that does something where the user is, as it is bound right now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import ClassVar, NamedTuple

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from msgcode_tui.screens.dialog import Dialog
from msgcode_tui.widgets.footer import Footer


class Group(NamedTuple):
    """What can be done in one place: the keys, parted by spaces, and what they do."""

    title: str
    entries: list[tuple[str, str]]


WRITING = Group(
    "At the beginning of what you write",
    [
        ("@bob #dev", "To whom it goes, whatever the room"),
        ('@"Code Fixer"', "A name with blanks, in quotes"),
        ("/msg", "Run a command; /msg alone lists them"),
    ],
)


class HelpScreen(Dialog[None]):
    """Shows these bindings, which are those of the screen below (`Screen.active_bindings`)."""

    CSS_PATH: ClassVar = "help.tcss"
    AUTO_FOCUS = "VerticalScroll"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,f1,question_mark", "dismiss", "Close", id="help.close", tooltip="Close the help"),
        Binding("down,j", "scroll(1)", "Down", id="help.down", show=False, tooltip="Scroll down"),
        Binding("up,k", "scroll(-1)", "Up", id="help.up", show=False, tooltip="Scroll up"),
    ]

    def __init__(self, bindings: Iterable[ActiveBinding]) -> None:
        super().__init__()
        bindings = list(bindings)
        self._places = list(dict.fromkeys(active.node for active in bindings))
        # Those without an id are Textual's own, such as forty for moving through a text: after the app's.
        self._active = sorted(bindings, key=lambda active: active.binding.id is None)

    def compose(self) -> ComposeResult:
        with VerticalScroll() as scroll:
            scroll.border_title = "Keys"
            yield KeyTable(self._groups())
        yield Footer()

    def _groups(self) -> list[Group]:
        groups = []
        for node in self._places:
            keys: dict[str, list[str]] = {}
            for active in self._active:
                text = active.tooltip or active.binding.description
                if active.node is node and active.enabled and text and not active.binding.system:
                    key = self.app.get_key_display(replace(active.binding, key_display=None))
                    keys.setdefault(text, []).append(key)
            if keys:
                title = node.BINDING_GROUP_TITLE or _words(type(node).__name__)
                entries = [(" ".join(dict.fromkeys(names)), text) for text, names in keys.items()]
                groups.append(Group(title, entries))
        return [*groups, WRITING]

    def action_scroll(self, lines: int) -> None:
        """Scroll by so many lines."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)


class KeyTable(Static):
    """The keys at the left, what they do at the right."""

    COMPONENT_CLASSES: ClassVar = {"key-table--title", "key-table--keys"}

    def __init__(self, groups: Sequence[Group]) -> None:
        super().__init__()
        self._groups = groups

    def render(self) -> Table:
        table = Table.grid(padding=(0, 2, 0, 0))
        # Many keys for one thing go on several lines, so that what they do has its place.
        table.add_column(style=self.get_component_rich_style("key-table--keys", partial=True), max_width=14)
        table.add_column(ratio=1)
        title_style = self.get_component_rich_style("key-table--title", partial=True)
        for number, group in enumerate(self._groups):
            if number:
                table.add_row()
            table.add_row(Text(group.title, title_style, no_wrap=True))
            for keys, text in group.entries:
                table.add_row(Text(keys), Text(text))
        return table


def _words(name: str) -> str:
    """The name of a class as words: that of RoomList is "Room list"."""
    return "".join(f" {each.lower()}" if each.isupper() else each for each in name).strip().capitalize()
