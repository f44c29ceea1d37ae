"""A form for a breakpoint: what a message must be to be stopped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Checkbox, Label, Static

from msgcode import Store
from msgcode.calls import agent_id, channel_id
from msgcode.errors import BadInput
from msgcode_tui import safe
from msgcode_tui.debugger import deeds
from msgcode_tui.deeds import Deed
from msgcode_tui.screens.dialog import Dialog
from msgcode_tui.widgets.footer import Footer
from msgcode_tui.widgets.line_input import LineInput

if TYPE_CHECKING:
    from msgcode_tui.app import MsgcodeApp

_FIELDS = {
    "sender": ("from", "an agent"),
    "to": ("to", "an agent"),
    "channel": ("channel", "its id"),
    "thread": ("thread", "the id of a message in it"),
    "text": ("text", "a regular expression"),
    "priority": ("priority", "low, normal, high or urgent"),
    "hops": ("hops", "so many, or more"),
    "budget": ("budget", "characters into contexts"),
}
"""What each field is called, and what is said in it while it is empty."""

_FLAGS = {"loops": "goes round and round", "once": "only once"}


class BreakpointForm(Dialog[None]):
    """Adds a breakpoint.

    given: what is in the fields at first, by the names that `Store.add_breakpoint` has for them. ask: the
    field in which one begins to write.
    """

    CSS_PATH: ClassVar = ["breakpoint.tcss"]
    AUTO_FOCUS = ""
    BINDING_GROUP_TITLE = "Breakpoint"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "add", "Add", id="breakpoint.add", priority=True, tooltip="Add the breakpoint"),
        Binding("down", "app.focus_next", "Down", id="breakpoint.down", show=False, tooltip="The next field"),
        Binding("up", "app.focus_previous", "Up", id="breakpoint.up", show=False, tooltip="The field before"),
        Binding("escape", "dismiss", "Close", id="breakpoint.close", tooltip="Add nothing"),
    ]

    def __init__(self, given: Mapping[str, str] | None = None, ask: str = "sender") -> None:
        super().__init__()
        self._given, self._ask = given or {}, ask

    @property
    def _app(self) -> MsgcodeApp:
        return cast("MsgcodeApp", self.app)

    def compose(self) -> ComposeResult:
        with Vertical() as frame:
            frame.border_title = "Stop each message that is all of this"
            with VerticalScroll(can_focus=False):
                for name, (label, hint) in _FIELDS.items():
                    with Horizontal():
                        yield Label(label, markup=False)
                        yield LineInput(hint, id=name)
                with Horizontal(id="flags"):
                    for name, label in _FLAGS.items():
                        yield Checkbox(label, id=name, compact=True)
            yield Static(id="problem", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        for name, value in self._given.items():
            self.query_one(f"#{name}", LineInput).value = value
        self.query_one(f"#{self._ask}").focus()

    @on(LineInput.Left)
    def _left(self) -> None:
        self.dismiss()

    def action_add(self) -> None:
        """Add the breakpoint; or say what is wrong with it."""
        fields = {name: self.query_one(f"#{name}", LineInput).value.strip() for name in _FIELDS}
        flags = {name: self.query_one(f"#{name}", Checkbox).value for name in _FLAGS}
        self.run_worker(
            self._add({name: text for name, text in fields.items() if text}, flags), exclusive=True
        )

    async def _add(self, fields: dict[str, str], flags: dict[str, bool]) -> None:
        deed = partial(added, self._app.store, self._app.live.me, fields, flags)
        problem = await self._app.hands.attempt(deed)
        if problem is None:
            self.dismiss()
        else:
            self.query_one("#problem", Static).update(safe.content(problem))


def added(store: Store, me: str, fields: Mapping[str, str], flags: Mapping[str, bool]) -> Deed:
    """Add the breakpoint that the fields and flags, by name, say. Raises BadInput if they say none."""
    return deeds.add_breakpoint(store, me, {**dict(_rule(store, fields)), **flags})


def _rule(store: Store, fields: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    for name, text in fields.items():
        if name in ("hops", "budget"):
            yield name, _number(name, text)
        elif name in ("sender", "to"):
            yield name, agent_id(text)
        elif name == "channel":
            yield name, channel_id(text)
        elif name == "thread":
            yield name, store.message(store.resolve(text)).thread
        else:
            yield name, text


def _number(name: str, text: str) -> int:
    digits = text.replace(",", "").replace("_", "")
    if not digits.isdecimal() or len(digits) > 12:
        raise BadInput(f"{text!r} is no number of {'hops' if name == 'hops' else 'characters'}.")
    return int(digits)
