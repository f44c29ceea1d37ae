"""The room: who is there at the left, the conversation that is selected, and where to write."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Footer

from msgcode import Message
from msgcode_tui.drafts import Draft
from msgcode_tui.health import health
from msgcode_tui.rooms import Room
from msgcode_tui.roster import room_about, room_title, roster
from msgcode_tui.screens.confirm import Confirm
from msgcode_tui.widgets.answer import Answer
from msgcode_tui.widgets.bars import Banner, RoomBar, TopBar
from msgcode_tui.widgets.composer import Composer
from msgcode_tui.widgets.desk import Desk
from msgcode_tui.widgets.room_list import RoomList, Rooms
from msgcode_tui.widgets.thread import Thread

if TYPE_CHECKING:
    from msgcode_tui.app import MsgcodeApp
    from msgcode_tui.live import Live


AGES_EVERY = 5.0
"""Seconds between two looks at what has grown old."""


class MainScreen(Screen[None]):
    """Draws `app.live` anew whenever the app says that it has changed."""

    CSS_PATH: ClassVar = [
        "main.tcss",
        "../widgets/answer.tcss",
        "../widgets/bars.tcss",
        "../widgets/choices.tcss",
        "../widgets/composer.tcss",
        "../widgets/desk.tcss",
        "../widgets/envelope.tcss",
        "../widgets/room_list.tcss",
        "../widgets/thread.tcss",
    ]
    AUTO_FOCUS = "RoomList, Thread"
    BINDING_GROUP_TITLE = "The room"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("i", "write", "Write", id="room.write", tooltip="Write to the selected room"),
        Binding("ctrl+r", "rooms", "Rooms", id="room.rooms", tooltip="Go to the list of rooms, or back"),
        Binding(
            "alt+up",
            "step(-1)",
            "Previous room",
            id="room.previous",
            show=False,
            tooltip="Select the room above",
        ),
        Binding(
            "alt+down", "step(1)", "Next room", id="room.next", show=False, tooltip="Select the room below"
        ),
        Binding(
            "o",
            "open_file",
            "Open file",
            id="room.open-file",
            show=False,
            tooltip="Open the file that the selected message names in your editor",
        ),
        Binding(
            "y",
            "copy('text')",
            "Copy",
            id="room.copy",
            show=False,
            tooltip="Copy the selected message's text",
        ),
        Binding(
            "Y",
            "copy('id')",
            "Copy id",
            id="room.copy-id",
            show=False,
            tooltip="Copy the selected message's id",
        ),
        Binding(
            "q,ctrl+c", "app.quit", "Quit", id="app.quit-key", show=False, tooltip="Leave (when not writing)"
        ),
    ]

    def compose(self) -> ComposeResult:
        yield TopBar()
        yield Banner()
        with Horizontal(id="body"):
            yield Rooms(id="rooms")
            with Vertical(id="conversation"):
                yield RoomBar()
                yield Thread(compact=self._app.settings.thread.compact)
                yield Answer()
                yield Desk(self._app.live, self._app.drafts, self._app.history)
        yield Footer()

    @property
    def room(self) -> Room:
        """The room that is selected."""
        return self.query_one(RoomList).room

    @property
    def _app(self) -> MsgcodeApp:
        return cast("MsgcodeApp", self.app)

    def on_mount(self) -> None:
        self._app.changed.subscribe(self, self.draw)
        self.set_interval(AGES_EVERY, lambda: self._draw_ages(self._app.live))
        self.query_one(RoomList).arrangement = self._app.arrangement
        self.query_one(Desk).enter(self.room)
        self.draw(self._app.live)

    # Drawing

    def draw(self, live: Live) -> None:
        """Show the room as it is now."""
        self.query_one(Banner).show(self._app.trouble)
        self._draw_ages(live)
        self.query_one(Desk).look()
        title = room_title(self.room, live)
        self.query_one(RoomBar).show([(title, "title"), (f"  {room_about(self.room, live)}", "about")])
        thread = self.query_one(Thread)
        thread.empty_note = self._empty_note(live)
        thread.show(live.index.messages(self.room), live.state.messages)

    def _draw_ages(self, live: Live) -> None:
        """Show what changes as time goes by, too."""
        now = self._app.clock()
        rooms, filter = self.query_one(RoomList), self.query_one(Rooms).filter
        rows = roster(
            live,
            now,
            rooms.arrangement,
            selected=self.room,
            drafts=self._app.drafts.kept.keys() - {self.room},
            filter=filter,
            order=rooms.order,
        )
        rooms.show(rows, is_all=not filter)
        where = _under_home(self._app.store.name)
        self.query_one(TopBar).tell(health(live, now, self._app.stuck_after), live.me, where)

    def _empty_note(self, live: Live) -> str:
        if live.recipient(self.room) is not None:
            return "No messages yet. Write the first."
        if not live.state.agents.keys() - {live.me}:
            return "Nobody is here yet. An agent joins with: msgcode register ID"
        return "No messages yet."

    # Going about

    @on(RoomList.Selected)
    def _room_selected(self) -> None:
        self.query_one(Desk).enter(self.room)
        self.draw(self._app.live)

    @on(RoomList.Rearranged)
    def _rearranged(self, event: RoomList.Rearranged) -> None:
        self._app.arranged(event.arrangement)
        self._draw_rooms()

    @on(Rooms.Filtered)
    def _draw_rooms(self) -> None:
        self._draw_ages(self._app.live)
        self.query_one(RoomList).point_at_first()

    @on(RoomList.Opened)
    def _room_opened(self) -> None:
        self.action_write()

    def action_write(self) -> None:
        """Write to the selected room."""
        self.remove_class("-rooms-shown")
        self.query_one(Composer).focus()

    def action_rooms(self) -> None:
        """Go to the list of rooms; from there, back to the messages."""
        rooms = self.query_one(RoomList)
        if rooms.has_focus:
            self.remove_class("-rooms-shown")
            self.query_one(Thread).focus()
        else:
            self.add_class("-rooms-shown")
            rooms.focus()

    def action_step(self, step: int) -> None:
        """Select the next room in one direction, wherever the focus is."""
        self.query_one(RoomList).action_step(step)

    def action_open_file(self) -> None:
        """Open the file that the selected message names in the user's editor."""
        if message := self._selected():
            self._app.open_in_editor(message)

    def action_copy(self, what: str) -> None:
        """Copy the `text` or the `id` of the selected message."""
        if message := self._selected():
            self._app.copy_to_clipboard(message.id if what == "id" else message.body)

    def _selected(self) -> Message | None:
        message = self._app.live.state.messages.get(self.query_one(Thread).selected or "")
        if message is None:
            self._app.say("No message is selected: select one with the arrow keys.", "warning")
        return message

    @on(Desk.Left)
    def _desk_left(self) -> None:
        answer = self.query_one(Answer)
        if answer.shown:
            answer.action_close()
        else:
            self.query_one(Thread).focus()

    @on(Thread.Followed)
    def _thread_followed(self) -> None:
        if self.query_one("#conversation").display:
            self._app.read(self.room)

    # Writing

    @on(Rooms.Hidden)
    def _rooms_hidden(self) -> None:
        if self.focused is None or self.focused is self.query_one(RoomList):
            self.query_one(Thread).focus()

    def reply_to(self, message: str) -> None:
        """Answer the message with this id."""
        self.remove_class("-rooms-shown")
        self.query_one(Desk).reply_to(message)

    @on(Desk.Refused)
    def _refused(self, event: Desk.Refused) -> None:
        self._app.say(event.sentence, "warning")

    @on(Desk.Sent)
    def _sent(self, event: Desk.Sent) -> None:
        self.run_worker(self._send(event))

    async def _send(self, event: Desk.Sent) -> None:
        address = event.address
        if address.to_all:
            question = f"Broadcast as {address.who} to {address.whom}?"
            confirmed = await self._app.push_screen_wait(Confirm(question, address.to, "Broadcast"))
        else:
            confirmed = True
        if not (confirmed and await self._app.send(address, event.draft)):
            self._give_back(event.room, event.draft)

    @on(Desk.LineEntered)
    def _line_entered(self, event: Desk.LineEntered) -> None:
        self.run_worker(self._run_line(event))

    async def _run_line(self, event: Desk.LineEntered) -> None:
        line = event.draft.whole.strip()
        answer = await self._app.run_line(line)
        self.query_one(Answer).show(line, answer.text, ok=answer.ok)
        if not answer.ok:
            self._give_back(event.room, event.draft)

    def _give_back(self, room: Room, draft: Draft) -> None:
        """Bring back what could not be sent: to where it is written, or else to the room's drafts."""
        if not self.query_one(Desk).give_back(room, draft) and room != self.room:
            self._app.drafts.keep(room, draft)
            self._draw_ages(self._app.live)


def _under_home(path: str) -> str:
    """The path as people write it, with ~ for their home."""
    home = os.path.expanduser("~")
    return f"~{path[len(home) :]}" if path.startswith(f"{home}{os.sep}") else path
