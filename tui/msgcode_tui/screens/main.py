"""The room: who is there at the left, the conversation that is selected, and where to write."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer

from msgcode import Message
from msgcode_tui import safe
from msgcode_tui.rooms import Room, RoomKind
from msgcode_tui.roster import room_about, room_title, roster
from msgcode_tui.widgets.answer import Answer
from msgcode_tui.widgets.bars import Banner, Part, RoomBar, TopBar
from msgcode_tui.widgets.composer import Composer
from msgcode_tui.widgets.room_list import RoomList
from msgcode_tui.widgets.thread import Thread

if TYPE_CHECKING:
    from msgcode_tui.app import MsgcodeApp
    from msgcode_tui.live import Live


class MainScreen(Screen[None]):
    """Draws `app.live` anew whenever the app says that it has changed."""

    CSS_PATH: ClassVar = [
        "main.tcss",
        "../widgets/answer.tcss",
        "../widgets/bars.tcss",
        "../widgets/composer.tcss",
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
            yield RoomList(id="rooms")
            with Vertical(id="conversation"):
                yield RoomBar()
                yield Thread(compact=self._app.settings.thread.compact)
                yield Answer()
                yield Composer()
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
        self._room_selected()

    # Drawing

    def draw(self, live: Live) -> None:
        """Show the room as it is now."""
        self.query_one(Banner).show(self._app.trouble)
        self.query_one(RoomList).show(roster(live))
        self.query_one(TopBar).show(self._health(live), self._identity(live))
        title = room_title(self.room, live)
        self.query_one(RoomBar).show(
            [(title, "title"), (f"  {room_about(self.room, live)}", "about")],
            [] if live.past is None else [(f"reading older ones {live.past:.0%} ", "about")],
        )
        thread = self.query_one(Thread)
        thread.empty_note = self._empty_note(live)
        thread.show(self.room, live.index.messages(self.room), live.state.messages)

    def _health(self, live: Live) -> list[Part]:
        online, waiting = len(live.online()), sum(map(len, live.state.inboxes.values()))
        parts = [(" msgcode  ", "name"), (f"● {online} online", "online" if online else "muted")]
        if waiting:
            parts.append((f"  {waiting:,} waiting", "waiting"))
        return parts

    def _identity(self, live: Live) -> list[Part]:
        wide = self.has_class("-wide")
        where = [(f"{_under_home(self._app.store.name)}  ", "muted")] if wide else []
        return [*where, ("you are ", "muted"), (f"{live.me} ", "name")]

    def _empty_note(self, live: Live) -> str:
        if live.past is not None:
            return "Older messages are being read."
        if live.recipient(self.room) is not None:
            return "No messages yet. Write the first."
        if not live.state.agents.keys() - {live.me}:
            return "Nobody is here yet. An agent joins with: msgcode register ID"
        return "No messages yet."

    def _address(self) -> None:
        live = self._app.live
        recipient = live.recipient(self.room)
        if recipient is None:
            title = Content("nobody selected")
            placeholder = "Pick somebody to write to, or type /msg"
        else:
            sign = "#" if self.room.kind is RoomKind.CHANNEL else ""
            title = Content.assemble(
                safe.content(safe.line(live.me)),
                " → ",
                safe.content(safe.line(sign + recipient), "bold $text-primary"),
            )
            placeholder = f"Message {sign}{recipient}"
        self.query_one(Composer).address(title, placeholder)

    # Going about

    @on(RoomList.Selected)
    def _room_selected(self) -> None:
        self._address()
        self.draw(self._app.live)

    @on(RoomList.Opened)
    def _room_opened(self) -> None:
        self.action_write()

    def action_write(self) -> None:
        """Write to the selected room, or read it where nobody can be written to."""
        self.remove_class("-rooms-shown")
        writes = self._app.live.recipient(self.room) is not None or self.focused is self.query_one(Thread)
        self.query_one(Composer if writes else Thread).focus()

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

    @on(Composer.Left)
    def _composer_left(self) -> None:
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

    @on(Composer.Sent)
    def _composer_sent(self, event: Composer.Sent) -> None:
        if event.text.lstrip().split(maxsplit=1)[0] == "/msg":
            self.run_worker(self._run_line(event.text.strip()))
        else:
            self.run_worker(self._send(self.room, event.text))

    async def _send(self, room: Room, text: str) -> None:
        if not await self._app.send(room, text):
            self.query_one(Composer).give_back(text)

    async def _run_line(self, line: str) -> None:
        answer = await self._app.run_line(line)
        self.query_one(Answer).show(line, answer.text, ok=answer.ok)
        if not answer.ok:
            self.query_one(Composer).give_back(line)


def _under_home(path: str) -> str:
    """The path as people write it, with ~ for their home."""
    home = os.path.expanduser("~")
    return f"~{path[len(home) :]}" if path.startswith(f"{home}{os.sep}") else path
