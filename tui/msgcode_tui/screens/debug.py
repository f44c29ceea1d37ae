"""The debugger: what is held, goes round, waits or is stuck, and what can be done about it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container

from msgcode.debugger import holds
from msgcode.debugger.findings import Finding
from msgcode.debugger.holds import Held
from msgcode.model import Breakpoint
from msgcode_tui import actions
from msgcode_tui import deeds as room_deeds
from msgcode_tui.debugger import deeds
from msgcode_tui.debugger.cost import Spender
from msgcode_tui.debugger.held import Kept, neighbour
from msgcode_tui.debugger.rows import Reading, Row, Scene, about
from msgcode_tui.debugger.tabs import TABS, Kind
from msgcode_tui.deeds import Deed
from msgcode_tui.holding import all_holds
from msgcode_tui.items import count
from msgcode_tui.rooms import Room, pair_room
from msgcode_tui.screens.ask import Ask
from msgcode_tui.screens.breakpoint import BreakpointForm
from msgcode_tui.screens.confirm import Confirm
from msgcode_tui.screens.dialog import ClosingScreen
from msgcode_tui.screens.holding import stepped
from msgcode_tui.screens.rewrite import Rewrite, Rewritten
from msgcode_tui.screens.why import WhyScreen
from msgcode_tui.travel import Moment
from msgcode_tui.widgets.bars import Bar
from msgcode_tui.widgets.footer import Footer
from msgcode_tui.widgets.row_list import RowList
from msgcode_tui.widgets.tabs import Tab, TabBar

if TYPE_CHECKING:
    from msgcode_tui.app import MsgcodeApp

AGES_EVERY = 1.0
"""Seconds between two looks at how long ago things were."""

APART = 0.1
"""Seconds between two readings, at least."""

SHARE = 0.1
"""The part of the time that readings may take."""

TELL_AFTER = 0.5
"""Seconds after which one says that a reading takes long."""

CHEAP = 0.01
"""Seconds that a reading may take for the other tabs to be read too, for what their names say."""


class ReadingBar(Bar):
    """What is to be said of all that a tab lists."""

    PREFIX = "reading-bar"
    COMPONENT_CLASSES: ClassVar = {"reading-bar--about"}


def _binding(
    key: str, action: str, title: str, id: str, tooltip: str, *, show: bool = True
) -> tuple[Binding, ...]:
    return (Binding(key, action, title, id=f"debug.{id}", show=show, tooltip=tooltip),)


_ONLY: dict[str, set[str]] = {
    "step": {"held"}, "release": {"held"}, "release_all": {"held"}, "edit": {"held"}, "move": {"held"},
    "discard": {"held"}, "add": {"breakpoints"}, "switch": {"breakpoints"}, "remove": {"breakpoints"},
    "hold": {"loops"}, "nudge": {"loops"}, "travel": {"loops"}, "break": {"loops", "cost"},
}  # fmt: skip
"""The tabs in which an action makes sense; the others do in all."""


class DebugScreen(ClosingScreen[str | Room | Moment | None]):
    """Returns the id of the message, the room, or the moment that the user wants to see; None if none.

    tab: the id of the tab that is shown first.
    """

    CSS_PATH: ClassVar = ["debug.tcss", "../widgets/row_list.tcss", "../widgets/tabs.tcss"]
    AUTO_FOCUS = "#list"
    BINDING_GROUP_TITLE = "Debugger"
    BINDINGS: ClassVar[list[BindingType]] = [
        *_binding("s", "step", "Step", "step", "Let this message through, or the next behind this hold"),
        *_binding("r", "release", "Release", "release", "Release the hold, or what holds the message"),
        *_binding("R", "release_all", "Release all", "release-all", "Release everything that is held"),
        *_binding("e", "edit", "Edit", "edit", "Change the message before it is released"),
        *_binding("K,shift+up", "move(-1)", "Sooner", "sooner", "Let it go before the one above"),
        *_binding("J,shift+down", "move(1)", "Later", "later", "Let it go after the one below"),
        *_binding("d", "discard", "Discard", "discard", "Give up on the message"),
        *_binding("a", "add", "Add", "add", "Add a breakpoint"),
        *_binding("space", "switch", "On/off", "switch", "Enable the breakpoint, or disable it"),
        *_binding("x,delete", "remove", "Remove", "remove", "Remove the breakpoint"),
        *_binding("h", "hold", "Hold it", "hold", "Hold the thread of the loop, or its agents"),
        *_binding("n", "nudge", "Nudge", "nudge", "Say something to the agents of the loop"),
        *_binding("b", "break", "Break here", "break", "Stop at the loop's next message, or beyond a budget"),
        *_binding("T", "travel", "Go to then", "travel", "Go back in time to the loop's first message"),
        *_binding("w", "why", "Why", "why", "Say why the message has come no further"),
        *_binding("tab", "other_list", "Details", "details", "Go to the details, or back", show=False),
        *_binding("left", "tab(-1)", "Previous tab", "previous-tab", "Go to the tab before", show=False),
        *_binding("right", "tab(1)", "Next tab", "next-tab", "Go to the next tab", show=False),
        *(
            Binding(
                str(number), f"choose({number - 1})", kind.name, id=f"debug.{kind.id}", show=False,
                tooltip=f"Go to the tab {kind.name}: {kind.about[0].lower()}{kind.about[1:]}",
            )
            for number, kind in enumerate(TABS, 1)
        ),
        *_binding("u", "undo", "Undo", "undo", "Undo what you did last", show=False),
        *_binding("escape,D", "close", "Close", "close", "Go back to the room"),
    ]  # fmt: skip

    def __init__(self, tab: str = TABS[0].id) -> None:
        super().__init__()
        self._place = next(place for place, kind in enumerate(TABS) if kind.id == tab)
        self._readings: dict[str, Reading] = {}
        self._scene: Scene | None = None
        self._detailed: tuple[str, str] | None = None
        """The tab and the row of which the details are shown."""
        self._due = asyncio.Event()
        self._at_once = asyncio.Event()

    @property
    def _app(self) -> MsgcodeApp:
        return cast("MsgcodeApp", self.app)

    @property
    def kind(self) -> Kind:
        """The tab that is shown."""
        return TABS[self._place]

    def compose(self) -> ComposeResult:
        yield TabBar()
        yield ReadingBar()
        with Container(id="lists"):
            yield RowList(id="list")
            yield RowList(id="detail")
        yield Footer()

    def on_mount(self) -> None:
        self._app.changed.subscribe(self, lambda _: self._due.set())
        self.set_interval(AGES_EVERY, self._due.set)
        self.run_worker(self._follow())
        self._draw_tabs()

    # Reading

    async def _follow(self) -> None:
        """Read what the tab shows, again and again as the room changes."""
        while True:
            self._due.clear()
            self._at_once.clear()
            began = monotonic()
            await self._read()
            rest = max(APART, (monotonic() - began) / SHARE)
            with suppress(TimeoutError):
                async with asyncio.timeout(rest):
                    await self._at_once.wait()
            if not self._at_once.is_set():
                await self._due.wait()

    async def _read(self) -> None:
        scene, kind = self._app.scene(), self.kind
        began = monotonic()
        reading = await self._read_in_thread(kind, scene)
        self._scene, self._readings[kind.id] = scene, reading
        if kind is self.kind:
            self._draw()
        if monotonic() - began < CHEAP:
            others = [other for other in TABS if other is not kind]
            read = await asyncio.to_thread(lambda: {other.id: other.read(scene) for other in others})
            self._readings.update(read)
            self._draw()

    async def _read_in_thread(self, kind: Kind, scene: Scene) -> Reading:
        task = asyncio.create_task(asyncio.to_thread(kind.read, scene))
        done, _ = await asyncio.wait({task}, timeout=TELL_AFTER)
        if not done and self._is_there:
            some = count(len(scene.state.messages), "message")
            self._tell(f"{self._about} · looking through {some} …")
        return await task

    # Drawing

    @property
    def _about(self) -> str:
        if self._app.live.past is not None:
            return f"Older messages are being read: {self._app.live.past:.0%}"
        reading = self._readings.get(self.kind.id)
        return reading.about if reading else ""

    @property
    def _is_there(self) -> bool:
        """Whether what was read can still be shown: not once the screen, or the app, is being taken down."""
        return self in self.app.screen_stack and bool(self.query(ReadingBar))

    def _tell(self, text: str) -> None:
        self.query_one(ReadingBar).show([(text, "about")])

    def _draw(self) -> None:
        if not self._is_there:
            return
        reading = self._readings.get(self.kind.id)
        self._tell(self._about)
        self.query_one("#list", RowList).show(reading.rows if reading else [])
        self._draw_detail()
        self._draw_tabs()
        self.refresh_bindings()

    def _draw_tabs(self) -> None:
        counts = {id: reading.calls for id, reading in self._readings.items()}
        tabs = [Tab(kind.name, counts.get(kind.id, 0)) for kind in TABS]
        self.query_one(TabBar).show(tabs, self._place)

    def _draw_detail(self) -> None:
        row, detail = self.row, self.query_one("#detail", RowList)
        about = (self.kind.id, row.key) if row else None
        shown = self.kind.detail(row, self._scene) if row and self._scene else []
        detail.show(shown, anew=about != self._detailed)
        self._detailed = about
        detail.display = bool(shown)
        if detail.has_focus and not shown:
            self.query_one("#list").focus()

    @on(RowList.Selected, "#list")
    def _selected(self) -> None:
        self._draw_detail()
        self.refresh_bindings()

    # Going about

    @property
    def row(self) -> Row | None:
        """The row that is selected in the tab."""
        return self.query_one("#list", RowList).current

    def _show_tab(self, place: int) -> None:
        self._place = place % len(TABS)
        self.query_one("#list").focus()
        reading = self._readings.get(self.kind.id)
        self.query_one("#list", RowList).show(reading.rows if reading else [], anew=True)
        self._draw()
        self._at_once.set()

    @on(TabBar.Chosen)
    def _tab_chosen(self, event: TabBar.Chosen) -> None:
        self._show_tab(event.place)

    def action_choose(self, place: int) -> None:
        """Go to the tab at this place."""
        self._show_tab(place)

    def action_tab(self, step: int) -> None:
        """Go to the next tab in one direction."""
        self._show_tab(self._place + step)

    def action_other_list(self) -> None:
        """Go to the details, or back to the list."""
        other = "#list" if self.query_one("#detail").has_focus else "#detail"
        if self.query_one(other).display:
            self.query_one(other).focus()

    @on(RowList.Opened)
    def _opened(self, event: RowList.Opened) -> None:
        row = event.row
        if row.message is not None:
            self._go(row.message)
        elif isinstance(row.of, Spender) and row.of.agent is not None:
            self.dismiss(pair_room(self._app.live.me, row.of.agent))
        else:
            self.action_other_list()

    def _go(self, message: str) -> None:
        if message in self._app.live.state.messages:
            self.dismiss(message)
        else:
            self._app.say("That message is no longer kept.", "warning")

    def action_close(self) -> None:
        """Go back to the room."""
        self.dismiss(None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in _ONLY and self.kind.id not in _ONLY[action]:
            return False
        if not super().check_action(action, parameters):
            return False
        if not self.query("#list"):  # It is not there yet.
            return True
        row = self.row
        if action in ("edit", "move", "discard"):
            return row is not None and isinstance(row.of, Held)
        if action == "release":
            return row is not None and isinstance(row.of, Held | Kept)
        if action == "why":
            return self._meant() is not None
        if action == "release_all":
            return bool(self._app.live.state.holds or self._app.live.state.stopped)
        return row is not None or action not in (
            "step",
            "switch",
            "remove",
            "hold",
            "nudge",
            "break",
            "travel",
        )

    # What can be done

    def _do(self, deed: Callable[..., Deed], *arguments: Any) -> None:
        self.run_worker(self._app.hands.do(partial(deed, self._app.store, self._app.live.me, *arguments)))

    def action_undo(self) -> None:
        """Undo what the user did last."""
        self.run_worker(self._app.hands.undo())

    def _meant(self) -> Row | None:
        """The row with a message in the list that has the focus, or else in the other."""
        focused = self.focused if isinstance(self.focused, RowList) else self.query_one("#list", RowList)
        row = focused.current
        known = self._app.live.state.messages
        return row if row and row.message in known else None

    def action_why(self) -> None:
        """Say why the message has come no further."""
        if (row := self._meant()) and row.message:
            self.app.push_screen(WhyScreen(row.message, row.agent), self._told_why)

    def _told_why(self, target: str | Kind | None) -> None:
        if isinstance(target, str):
            self._go(target)
        elif target:
            self._show_tab(TABS.index(target))

    # Held

    def action_step(self) -> None:
        """Let this message through, or the next one behind this hold."""
        of = self.row.of if self.row else None
        if isinstance(of, Kept):
            scope = {name: getattr(of.hold, name) for name in ("agent", "peer", "thread", "channel")}
            within = {name: value for name, value in scope.items() if value is not None}
            self.run_worker(self._app.hands.do(partial(stepped, self._app, **within)))
        elif isinstance(of, Held):
            self.run_worker(self._app.hands.do(partial(stepped, self._app, message=of.message.id)))

    def action_release(self) -> None:
        """Release the hold, or what holds the message."""
        of = self.row.of if self.row else None
        if isinstance(of, Held | Kept):
            self._do(room_deeds.release, of.hold.number)

    def action_release_all(self) -> None:
        """Release everything, once the user has seen what that is."""
        there = all_holds(self._app.live)
        numbers = [hold.number for hold in there]
        question = f"Release {count(len(there), 'hold')}?"
        self._ask_first(question, map(holds.words, there), "Release", room_deeds.release, *numbers)

    def action_move(self, step: int) -> None:
        """Put the message before or after its neighbour."""
        row = self.row
        other = neighbour(self.query_one("#list", RowList).rows, row, step) if row else None
        if row is None or other is None:
            where = "above" if step < 0 else "below"
            self._app.say(f"Nothing {where} waits for the same agent.")
        elif step < 0:
            self._do(deeds.move, row.message, other.id)
        else:
            self._do(deeds.move, other.id, row.message)

    def action_edit(self) -> None:
        """Change the message before it is released."""
        if not (self.row and isinstance(self.row.of, Held)):
            return
        message, app = self.row.of.message, self._app

        def written(new: Rewritten | None) -> None:
            if new:
                self._do(room_deeds.edit, message, new.body, new.subject)

        app.push_screen(Rewrite(message), written)

    def action_discard(self) -> None:
        """Give up on the message, once the user has seen what it is."""
        if self.row and isinstance(self.row.of, Held):
            message = self.row.of.message
            line = f"{message.sender} → {actions.named(message.recipients)}: {about(message)}"
            self._ask_first("Discard this message?", [line], "Discard", room_deeds.discard, [message])

    def _ask_first(
        self, question: str, lines: Any, yes: str, deed: Callable[..., Deed], *arguments: Any
    ) -> None:
        def answered(confirmed: bool | None) -> None:
            if confirmed:
                self._do(deed, *arguments)

        self.app.push_screen(Confirm(question, list(lines)[:100], yes), answered)

    # Breakpoints

    def action_add(self) -> None:
        """Add a breakpoint."""
        self.app.push_screen(BreakpointForm())

    def action_switch(self) -> None:
        """Enable the breakpoint, or disable it."""
        if self.row and isinstance(self.row.of, Breakpoint):
            self._do(deeds.switch_breakpoint, self.row.of)

    def action_remove(self) -> None:
        """Remove the breakpoint."""
        if self.row and isinstance(self.row.of, Breakpoint):
            self._do(deeds.remove_breakpoint, self.row.of)

    # Loops and costs

    def action_hold(self) -> None:
        """Hold the thread of the loop, or its agents."""
        if self.row and isinstance(self.row.of, Finding):
            self._do(deeds.hold_loop, self.row.of)

    def action_travel(self) -> None:
        """Go back in time to the loop's first message."""
        of = self.row.of if self.row else None
        if isinstance(of, Finding):
            kept = [id for id in of.messages[:1] if id in self._app.live.state.messages]
            if kept:
                self.dismiss(Moment(kept[0]))
            else:
                self._app.say("That message is no longer kept.", "warning")

    def action_nudge(self) -> None:
        """Say something to the agents of the loop."""
        if self.row and isinstance(self.row.of, Finding):
            self.run_worker(self._nudge(self.row.of))

    async def _nudge(self, found: Finding) -> None:
        question = f"Nudge {actions.named(found.agents)}"
        if text := await self._app.push_screen_wait(Ask(question, "what they should know or do instead")):
            self._do(deeds.nudge, found.agents, text)

    def action_break(self) -> None:
        """Stop at the loop's next message; or when a thread or an agent has used up a budget."""
        of = self.row.of if self.row else None
        if isinstance(of, Finding):
            self._do(deeds.add_breakpoint, deeds.break_on(of))
        elif isinstance(of, Spender):
            scope = {"thread": of.thread} if of.thread is not None else {"to": of.agent}
            given = {key: value for key, value in scope.items() if value is not None}
            self.app.push_screen(BreakpointForm(given, ask="budget"))
