"""Why a message has come no further: every hop on its way, where it stands, and what can be done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from msgcode import Message, MsgcodeError, Priority
from msgcode.events import AgentUnregistered, Event
from msgcode_tui import deeds as room_deeds
from msgcode_tui import safe
from msgcode_tui.completion import agents
from msgcode_tui.debugger import deeds
from msgcode_tui.debugger.rows import Row, Scene, about, whom
from msgcode_tui.debugger.tabs import TABS, Kind
from msgcode_tui.debugger.why import KEYS, Doable, doable, explain, rows
from msgcode_tui.deeds import Deed
from msgcode_tui.items import Item
from msgcode_tui.screens.ask import Ask
from msgcode_tui.screens.confirm import Confirm
from msgcode_tui.screens.dialog import Dialog
from msgcode_tui.screens.holding import stepped
from msgcode_tui.screens.rewrite import Rewrite
from msgcode_tui.widgets.footer import Footer
from msgcode_tui.widgets.row_list import RowList

if TYPE_CHECKING:
    from msgcode_tui.app import MsgcodeApp
    from msgcode_tui.live import Live

AGES_EVERY = 1.0
"""Seconds between two looks at how long ago things were."""

_VERBS = {
    "step": ("Let through", "Let it through, and nothing else"),
    "resend": ("Send again", "Send it again, as a new message"),
    "ack": ("Acknowledge", "Say that its recipient is done with it"),
    "discard": ("Discard", "Give up on it"),
    "forward": ("Forward", "Have somebody else do it"),
    "priority": ("Urgent", "Have it read before the others"),
    "edit": ("Edit", "Change it before anybody has it"),
    "register": ("Register", "Bring its recipient into the room"),
    "held": ("Held", "See what is held, and by what"),
}


class AdviceList(RowList):
    """What is said of the message, and what can be done."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Do it", id="why.do", tooltip="Do what the line says"),
    ]


class WhyScreen(Dialog[str | Kind | None]):
    """Returns the id of the message if the user wants to see it in its room, or the tab of the debugger
    that they want to see.

    message: its id. agent: the recipient with whom one begins; else the first that has not ended it.
    """

    CSS_PATH: ClassVar = ["why.tcss", "../widgets/row_list.tcss"]
    AUTO_FOCUS = "AdviceList"
    BINDING_GROUP_TITLE = "Why"
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(KEYS[verb], f"advice('{verb}')", title, id=f"why.{verb}", tooltip=tooltip)
            for verb, (title, tooltip) in _VERBS.items()
        ),
        Binding("right,l", "recipient(1)", "Next recipient", id="why.next", tooltip="The next recipient"),
        Binding(
            "left,shift+tab", "recipient(-1)", "Previous", id="why.previous", show=False,
            tooltip="The recipient before",
        ),
        Binding("o", "see", "Open", id="why.open", tooltip="See the message in its room"),
        Binding("u", "undo", "Undo", id="why.undo", show=False, tooltip="Undo what you did last"),
        Binding("escape,w", "close", "Close", id="why.close", tooltip="Go back"),
    ]  # fmt: skip

    def __init__(self, message: str, agent: str | None = None) -> None:
        super().__init__()
        self._message_id, self._agent = message, agent
        self._message: Message | None = None
        """As it was when its life was read."""
        self._life: list[Event] = []
        self._gone: dict[str, datetime | None] = {}
        """When those who are not registered left, as far as one has looked."""
        self._doable: dict[str, Doable] = {}

    @property
    def _app(self) -> MsgcodeApp:
        return cast("MsgcodeApp", self.app)

    def compose(self) -> ComposeResult:
        with Vertical():
            yield AdviceList()
        yield Footer()

    def on_mount(self) -> None:
        self._app.changed.subscribe(self, self._draw)
        self.set_interval(AGES_EVERY, lambda: self._draw(self._app.live))
        self._draw(self._app.live)

    # Drawing

    def _draw(self, live: Live) -> None:
        if self not in self.app.screen_stack:  # What was read has come too late.
            return
        message = live.state.messages.get(self._message_id)
        if message is None:
            self.dismiss(None)
            return
        if message is not self._message:
            self._message = message
            self.run_worker(self._read(message), exclusive=True, group="life")
        frame = self.query_one(Vertical)
        frame.border_title = safe.content(safe.fit(f"Why: {message.sender} → {whom(message)}", 60))
        frame.border_subtitle = safe.content(message.id[:8])
        listed = [Row("", (Item(about(message), "muted", target=message.id),))]
        agent = self._recipient(message)
        self._doable = {}
        if agent is None:
            listed.append(Row("", (Item("Nobody was there to get it, so nobody got it.", "warning"),)))
        else:
            scene = Scene(live.state, live.presences, self._app.clock())
            found = explain(scene, message, agent, self._life, self._gone.get(agent))
            for advice in found.advice:
                if able := doable(advice):
                    self._doable[able.verb] = able
            places = list(message.deliveries)
            if len(places) > 1:
                place = f"recipient {places.index(agent) + 1:,} of {len(places):,}, ← → for the others"
                listed.append(Row("", (Item(place, "muted"),)))
            listed += rows(found)
            if agent not in live.state.agents and agent not in self._gone:
                self._gone[agent] = None
                self.run_worker(self._look_for(agent), group="gone")
        self.query_one(RowList).show(listed)
        self.refresh_bindings()

    def _recipient(self, message: Message) -> str | None:
        if self._agent is None or self._agent not in message.deliveries:
            waits = (agent for agent, each in message.deliveries.items() if not each.status.ended)
            self._agent = next(waits, next(iter(message.deliveries), None))
        return self._agent

    async def _read(self, message: Message) -> None:
        try:
            self._life = await self._app.life(message.id)
        except MsgcodeError:
            return  # The banner says what is wrong with the store; what the message itself says stays.
        self._draw(self._app.live)

    async def _look_for(self, agent: str) -> None:
        """When the agent was unregistered, if it was. That takes as long as reading all there is."""

        def left() -> datetime | None:
            fact = AgentUnregistered(agent)
            return max((event.at for event in self._app.store.history() if event.fact == fact), default=None)

        try:
            self._gone[agent] = await asyncio.to_thread(left)
        except MsgcodeError:
            return
        self._draw(self._app.live)

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if not super().check_action(action, parameters):
            return False
        if action == "advice":
            return parameters[0] in self._doable
        if action == "recipient":
            return self._message is not None and len(self._message.deliveries) > 1
        return True

    @on(RowList.Opened)
    def _opened(self, event: RowList.Opened) -> None:
        if able := doable(event.row.of):
            self.action_advice(able.verb)

    def action_recipient(self, step: int) -> None:
        """Go to the next recipient in one direction."""
        if self._message and self._agent:
            places = list(self._message.deliveries)
            self._agent = places[(places.index(self._agent) + step) % len(places)]
            self._draw(self._app.live)

    def action_see(self) -> None:
        """See the message in its room."""
        self.dismiss(self._message_id)

    def action_close(self) -> None:
        """Go back."""
        self.dismiss(None)

    def action_undo(self) -> None:
        """Undo what the user did last."""
        self.run_worker(self._app.hands.undo())

    def action_advice(self, verb: str) -> None:
        """Do what is advised."""
        if (able := self._doable.get(verb)) and self._message and self._agent:
            self.run_worker(self._follow(able, self._message, self._agent))

    def _do(self, deed: Callable[..., Deed], *arguments: Any) -> Callable[[], Deed]:
        return partial(deed, self._app.store, self._app.live.me, *arguments)

    async def _follow(self, able: Doable, message: Message, agent: str) -> None:
        if able.verb == "held":
            self.dismiss(next(kind for kind in TABS if kind.id == "held"))
        elif deed := await self._deed(able, message, agent):
            await self._app.hands.do(deed)

    async def _deed(self, able: Doable, message: Message, agent: str) -> Callable[[], Deed] | None:
        """What to do, having asked for what it takes; None if the user wants out."""
        ask = self._app.push_screen_wait
        if able.verb == "step":
            return partial(stepped, self._app, message=message.id)
        if able.verb == "resend":
            return self._do(room_deeds.resend, [message])
        if able.verb == "ack":
            return self._do(room_deeds.acknowledge, [(message, agent)])
        if able.verb == "priority":
            return self._do(room_deeds.prioritize, [message], Priority(able.about))
        if able.verb == "register":
            return self._do(room_deeds.register, agent, None)
        if able.verb == "discard":
            line = f"{message.sender} → {agent}: {about(message)}"
            sure = await ask(Confirm(f"Discard it for {agent}?", [line], "Discard"))
            return self._do(deeds.discard, message, agent) if sure else None
        if able.verb == "edit":
            new = await ask(Rewrite(message))
            return self._do(room_deeds.edit, message, new.body, new.subject) if new else None
        live = self._app.live
        others = [choice for choice in agents(live) if choice.text not in (live.me, agent)]
        others.sort(key=lambda choice: choice.text != able.about)  # The one that is advised comes first.
        to = await ask(Ask("Forward to whom?", "an agent", others))
        return self._do(room_deeds.forward, [message], to, None) if to else None
