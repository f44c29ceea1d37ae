"""The room: who is there at the left, the conversation that is selected, and where to write."""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.geometry import Size
from textual.widget import Widget

from msgcode import Message, first_steps
from msgcode_tui import holding
from msgcode_tui.drafts import Draft
from msgcode_tui.health import health
from msgcode_tui.rooms import EVERYTHING, Room, RoomKind
from msgcode_tui.roster import room_about, room_title, roster
from msgcode_tui.screens.confirm import Confirm
from msgcode_tui.screens.finding import FindingScreen
from msgcode_tui.screens.fitting import FittingScreen
from msgcode_tui.screens.holding import HoldingScreen
from msgcode_tui.screens.travelling import TravellingScreen
from msgcode_tui.widgets.answer import Answer
from msgcode_tui.widgets.bars import Banner, RoomBar, TopBar
from msgcode_tui.widgets.composer import Composer
from msgcode_tui.widgets.desk import Desk
from msgcode_tui.widgets.footer import Footer
from msgcode_tui.widgets.inspector import Inspector
from msgcode_tui.widgets.panes import INSPECTOR, MIDDLE, ROOMS, TWO_FROM, Panes, PaneTabs, Splitter
from msgcode_tui.widgets.room_list import RoomList, Rooms
from msgcode_tui.widgets.thread import Thread
from msgcode_tui.widgets.travel_bar import TravelBar

if TYPE_CHECKING:
    from msgcode_tui.live import Live


_HEARTS: dict[str, type[Widget]] = {ROOMS: RoomList, MIDDLE: Thread, INSPECTOR: Inspector}
"""What has the focus in each pane."""

_TALL_FROM = 30
"""Terminals of so many rows have room for empty lines."""

INSPECT_EVERY = 1.0
"""Seconds between two looks at how long ago things were."""

AGES_EVERY = 5.0
"""Seconds between two looks at what has grown old."""


class MainScreen(FittingScreen, HoldingScreen, FindingScreen, TravellingScreen):
    """Draws `app.live` anew whenever the app says that it has changed."""

    CSS_PATH: ClassVar = [
        "main.tcss",
        "../widgets/answer.tcss",
        "../widgets/bars.tcss",
        "../widgets/choices.tcss",
        "../widgets/composer.tcss",
        "../widgets/desk.tcss",
        "../widgets/envelope.tcss",
        "../widgets/inspector.tcss",
        "../widgets/panes.tcss",
        "../widgets/room_list.tcss",
        "../widgets/thread.tcss",
        "../widgets/travel_bar.tcss",
    ]
    AUTO_FOCUS = "RoomList, Thread"
    BINDING_GROUP_TITLE = "The room"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("i", "write", "Write", id="room.write", tooltip="Write to the selected room"),
        Binding(
            "ctrl+r", "pane('rooms')", "Rooms", id="room.rooms", tooltip="Go to the list of rooms, or back"
        ),
        Binding(
            "ctrl+o",
            "pane('inspector')",
            "Inspect",
            id="room.inspector",
            tooltip="Go to the inspector, or back",
        ),
        *(
            Binding(keys, action, description, id=f"room.{id}", show=False, tooltip=tooltip)
            for keys, action, description, id, tooltip in (
                (
                    "f2",
                    "toggle_pane('rooms')",
                    "Show rooms",
                    "toggle-rooms",
                    "Show or hide the list of rooms",
                ),
                (
                    "f3",
                    "toggle_pane('inspector')",
                    "Show inspector",
                    "toggle-inspector",
                    "Show or hide the inspector",
                ),
                ("alt+left", "widen('rooms', -2)", "Narrow rooms", "narrow-rooms", "Make the rooms narrower"),
                ("alt+right", "widen('rooms', 2)", "Widen rooms", "widen-rooms", "Make the rooms wider"),
                (
                    "alt+shift+left",
                    "widen('inspector', 2)",
                    "Widen inspector",
                    "widen-inspector",
                    "Make the inspector wider",
                ),
                (
                    "alt+shift+right",
                    "widen('inspector', -2)",
                    "Narrow inspector",
                    "narrow-inspector",
                    "Make the inspector narrower",
                ),
                (
                    "right_square_bracket",
                    "unread(1)",
                    "Next unread",
                    "next-unread",
                    "Go to the next unread message",
                ),
                (
                    "left_square_bracket",
                    "unread(-1)",
                    "Previous unread",
                    "previous-unread",
                    "Go to the unread message above",
                ),
                (
                    "right_curly_bracket",
                    "mention(1)",
                    "Next mention",
                    "next-mention",
                    "Go to the next message that is to you or names you",
                ),
                (
                    "left_curly_bracket",
                    "mention(-1)",
                    "Previous mention",
                    "previous-mention",
                    "Go to the message above that is to you or names you",
                ),
            )
        ),
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
        Binding("q", "app.quit", "Quit", id="app.quit-key", show=False, tooltip="Leave (when not writing)"),
        Binding(
            "ctrl+c",
            "copy_or_quit",
            "Copy or quit",
            id="room.copy-or-quit",
            show=False,
            tooltip="Copy the text that is selected with the mouse; where none is, leave",
        ),
    ]

    def compose(self) -> ComposeResult:
        yield TopBar()
        yield Banner(id="trouble")
        yield Banner(id="held")
        yield PaneTabs()
        with Panes(self._app.memory.now.widths, self._app.memory.now.hidden):
            yield Rooms(self.action_write, id=ROOMS)
            yield Splitter(ROOMS)
            with Vertical(id=MIDDLE):
                yield RoomBar()
                yield Thread(compact=self._app.settings.thread.compact)
                yield Answer()
                yield Desk(self._app.present, self._app.drafts, self._app.history)
            yield Splitter(INSPECTOR)
            yield Inspector(self._app.life, id=INSPECTOR)
        yield TravelBar()
        yield Footer()

    def __init__(self) -> None:
        super().__init__()
        self._shown: Room | None = None
        """The room that was drawn last."""
        self._trail: list[tuple[Room, str]] = []
        """The messages from which the user followed a link, and the rooms that they were in."""

    def on_mount(self) -> None:
        self._app.changed.subscribe(self, self.draw)
        self.set_interval(INSPECT_EVERY, self._inspect)
        self.set_interval(AGES_EVERY, lambda: self._draw_ages(self._app.live))
        self.query_one(RoomList).arrangement = self._app.arrangement
        self.query_one(Desk).enter(self.room)
        self.draw(self._app.live)

    def fit(self, size: Size) -> None:
        """Have all that looks otherwise on a small terminal look so. Were the screen itself to have these
        classes, every widget would be styled anew."""
        for kind in (PaneTabs, RoomBar, Inspector, Footer):
            self.query_one(kind).update_classes(
                {"-narrow": size.width < TWO_FROM, "-short": size.height < _TALL_FROM}
            )
        panes = self.query_one(Panes)
        panes.lay_out()
        self._keep_focus(panes)  # Before the layout: Textual gives it to the first widget that there is.

    # Drawing

    def draw(self, live: Live) -> None:
        """Show the room as it is now."""
        self.query_one("#trouble", Banner).show(self._app.trouble)
        self.query_one("#held", Banner).show(holding.banner(live))
        self._draw_ages(live)
        self.query_one(Desk).look()
        thread = self.query_one(Thread)
        shown = self.shown_messages(live)
        thread.empty_note = self._empty_note(live)
        thread.show(
            self.room,
            shown,
            live.state.messages,
            tagged=self.room.kind is not RoomKind.CHANNEL,
            unread=live.index.unread(self.room),
            held={held.message.id: held.agents for held in live.held},
        )
        self._shown = self.room
        self.draw_travel()
        self._draw_bar(live)
        self._inspect()
        self._draw_tabs()

    def _draw_bar(self, live: Live) -> None:
        past = [] if live.past is None else [(f"reading older ones {live.past:.0%} ", "about")]
        title = room_title(self.room, live)
        self.query_one(RoomBar).show(
            [(title, "title"), (f"  {room_about(self.room, live)}", "about")],
            [*past, *self.search_parts(live)],
        )

    def _inspect(self) -> None:
        """Show what the inspector says now, which changes as time goes by, too."""
        if self.query_one(Inspector).display:
            message = self.query_one(Thread).message
            self.query_one(Inspector).show(self._app.live, self.room, message, self._app.clock())

    def _draw_tabs(self) -> None:
        live, panes = self._app.live, self.query_one(Panes)
        unread = live.index.unread_count(EVERYTHING)
        titles = {
            ROOMS: f"Rooms {unread}" if unread else "Rooms",
            MIDDLE: room_title(self.room, live),
            INSPECTOR: "Details",
        }
        self.query_one(PaneTabs).show(titles, panes.front)

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
        self.query_one(TopBar).tell(health(live, now, self._app.stuck), live.me, where)

    def _empty_note(self, live: Live) -> str:
        if live.past is not None:
            return "Older messages are being read."
        if self.filter:
            return "No message matches."
        if live.recipient(self.room) is not None:
            return "No messages yet. Write the first."
        if not live.state.agents.keys() - {live.me}:
            return first_steps.empty_room(self._programs)
        return "No messages yet."

    @cached_property
    def _programs(self) -> list[first_steps.Program]:
        """The agent programs of this machine, as they were when the room was first seen to be empty."""
        return first_steps.programs()

    # Going about

    @on(RoomList.Selected)
    def _room_selected(self) -> None:
        self.query_one(Desk).enter(self.room)
        self.draw(self._app.live)

    @on(RoomList.Rearranged)
    def _rearranged(self, event: RoomList.Rearranged) -> None:
        self._app.arranged(event.arrangement)
        self._draw_rooms()

    @on(RoomList.QueueWanted)
    def _queue_wanted(self) -> None:
        self.action_questions()

    @on(Rooms.Filtered)
    def _draw_rooms(self) -> None:
        self._draw_ages(self._app.live)
        self.query_one(RoomList).point_at_first()

    def action_write(self) -> None:
        """Write to the selected room."""
        self.query_one(Panes).bring(MIDDLE)
        # At once, as letters may be on their way already: they are for this room.
        self.query_one(Desk).enter(self.room)
        self.set_focus(self.query_one(Composer))

    def action_pane(self, pane: str) -> None:
        """Go to a pane at the side; from there, back to the messages."""
        if self.query_one(_HEARTS[pane]).has_focus:
            pane = MIDDLE
        self._go_to_pane(pane)

    def _go_to_pane(self, pane: str) -> None:
        self.query_one(Panes).bring(pane)
        self.query_one(_HEARTS[pane]).focus()

    def action_toggle_pane(self, pane: str) -> None:
        """Show or hide a pane at the side."""
        if self.query_one(_HEARTS[pane]).has_focus:
            self.query_one(Thread).focus()
        self.query_one(Panes).toggle(pane)

    def action_widen(self, pane: str, columns: int) -> None:
        """Make a pane at the side wider, or narrower."""
        self.query_one(Panes).widen(pane, columns)

    @on(Panes.Changed)
    def _panes_changed(self, event: Panes.Changed) -> None:
        self.query_one(Thread).detailed = INSPECTOR not in event.panes.visible_panes
        self._keep_focus(event.panes)
        self._inspect()
        self._draw_tabs()

    def have_focus(self) -> None:
        """Where nothing has the focus, give it to what has it at first."""
        if self.focused is None:
            visible = self.query_one(Panes).visible_panes
            self.set_focus(self.query_one(_HEARTS[ROOMS if ROOMS in visible else MIDDLE]))

    def _keep_focus(self, panes: Panes) -> None:
        """Take the focus from what is no longer shown."""
        visible = panes.visible_panes
        if any(self.query_one(heart).has_focus for pane, heart in _HEARTS.items() if pane not in visible):
            self.set_focus(self.query_one(_HEARTS[MIDDLE if MIDDLE in visible else panes.front]))

    @on(PaneTabs.Chosen)
    def _tab_chosen(self, event: PaneTabs.Chosen) -> None:
        self._go_to_pane(event.pane)

    # From message to message

    def open_message(self, id: str) -> bool:
        """Select a message, in this room or else among everything; returns whether it is known."""
        thread, live = self.query_one(Thread), self._app.live
        if thread.go_to(id):
            return True
        if id not in live.state.messages:
            return False
        self.query_one(RoomList).select(EVERYTHING)
        self.draw(live)
        return thread.go_to(id)

    @on(Thread.OriginWanted)
    def _origin_wanted(self, event: Thread.OriginWanted) -> None:
        room, origin = self.room, event.message.reply_to
        if origin is None:
            self._app.say("This message answers no other.")
        elif self.open_message(origin):
            self._trail.append((room, event.message.id))
        else:
            self._app.say("The message that it answers is no longer kept.", "warning")

    @on(Thread.BackWanted)
    def _back_wanted(self) -> None:
        if self._trail:
            room, id = self._trail.pop()
            self.query_one(RoomList).select(room)
            self.draw(self._app.live)
            self.open_message(id)

    @on(Inspector.Followed)
    def _link_followed(self, event: Inspector.Followed) -> None:
        selected = self.query_one(Thread).selected
        if isinstance(event.target, Room):
            self.query_one(RoomList).select(event.target)
        elif selected != event.target:
            if selected:
                self._trail.append((self.room, selected))
            self.open_message(event.target)

    @on(Thread.Chosen)
    def _message_chosen(self) -> None:
        self._inspect()
        self._draw_bar(self._app.live)

    def action_unread(self, step: int) -> None:
        """Go to the next unread message in one direction; if there is none, to the next room with some."""
        live = self._app.live
        unread = set(live.index.unread(self.room))
        if self.query_one(Thread).next_where(lambda message: message.id in unread, step):
            return
        rooms = [room for room in self.query_one(RoomList).rooms if live.index.unread_count(room)]
        rooms = [room for room in rooms if room not in (EVERYTHING, self.room)]
        if rooms:
            self.query_one(RoomList).select(rooms[0 if step > 0 else -1])
        else:
            self._app.say("Nothing is unread.")

    def action_mention(self, step: int) -> None:
        """Go to the next message in one direction that is to the user or names them."""
        if not self.query_one(Thread).next_where(self._app.live.concerns_me, step):
            self._app.say("No message to you or with your name that way.")

    def action_step(self, step: int) -> None:
        """Select the next room in one direction, wherever the focus is."""
        self.query_one(RoomList).action_step(step)

    def action_open_file(self) -> None:
        """Open the file that the selected message names in the user's editor."""
        if message := self._selected():
            self._app.open_in_editor(message)

    def action_copy_or_quit(self) -> None:
        """Copy the text that is selected with the mouse; where none is, leave."""
        if text := self.get_selected_text():
            self._app.copy_to_clipboard(text)
            self.clear_selection()
        else:
            self._app.exit()

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
        # Another room may have been selected since, which is not on the screen yet.
        # What was narrowed down has not been seen as a whole, nor what nobody looks at.
        seen = self.filter is None and self._app.is_attended
        if self._shown and seen and MIDDLE in self.query_one(Panes).visible_panes:
            self._app.read(self._shown)

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
