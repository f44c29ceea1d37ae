"""How one finds a message: the search, its hits, the room with only what matches, what is stuck.

The screens that are seldom wanted are imported when they are, here and elsewhere: the room is to be there in
half a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual import work
from textual.binding import Binding, BindingType
from textual.screen import Screen

from msgcode_tui.finding import Search, finish
from msgcode_tui.items import count
from msgcode_tui.live import Live
from msgcode_tui.rooms import Room, home_of
from msgcode_tui.roster import room_title
from msgcode_tui.widgets.bars import Part
from msgcode_tui.widgets.composer import Composer
from msgcode_tui.widgets.panes import MIDDLE, Panes
from msgcode_tui.widgets.room_list import RoomList
from msgcode_tui.widgets.thread import Thread

if TYPE_CHECKING:
    from msgcode_tui.app import MsgcodeApp

_LONGEST = 30
"""Characters of a query that the room's bar says."""


class FindingScreen(Screen[None]):
    """A screen with a Thread and a RoomList."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+f", "search", "Search", id="room.search", priority=True, tooltip="Search all messages"),
        Binding(
            "escape",
            "end_search",
            "End search",
            id="room.end-search",
            priority=True,
            tooltip="End the search, and show all of the room",
        ),
        Binding(  # Here, as the binding of a key in another class would replace the one above.
            "escape",
            "end_travel",
            "Present",
            id="room.travel-end",
            priority=True,
            tooltip="Come back to the present from the past",
        ),
        *(
            Binding(keys, action, description, id=f"room.{id}", show=False, tooltip=tooltip)
            for keys, action, description, id, tooltip in (
                ("/", "search", "Search here", "search-key", "Search all messages (when not writing)"),
                ("n", "hit(1)", "Older hit", "next-hit", "Go to the next older message that was found"),
                ("N", "hit(-1)", "Newer hit", "previous-hit", "Go to the next newer one that was found"),
                (
                    "ctrl+s",
                    "export",
                    "Export",
                    "export",
                    "Write the room, a thread or what is marked to a file",
                ),
                ("exclamation_mark", "stuck", "Next stuck", "next-stuck", "Go to the next stuck message"),
            )
        ),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.search: Search | None = None
        """What was found last, from message to message."""
        self.filter: Search | None = None
        """What the room is narrowed to."""

    @property
    def room(self) -> Room:
        """The room that is selected."""
        return self.query_one(RoomList).room

    @property
    def _app(self) -> MsgcodeApp:
        return cast("MsgcodeApp", self.app)

    @property
    def is_finding(self) -> bool:
        """Whether there is a search to go on with."""
        return self.search is not None or self.filter is not None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "end_search":
            return self.is_finding and isinstance(self.focused, Thread)
        return super().check_action(action, parameters)

    def draw(self, live: Live) -> None:
        """Show the room as it is now."""
        raise NotImplementedError

    def shown_messages(self, live: Live) -> list[str]:
        """Ids of the room's messages; if it is narrowed to what matches, of these."""
        if self.filter and self.filter.room != self.room:
            self.filter = None
        if self.filter and not self.filter.look(live):
            self._look(self.filter)
        self.set_class(self.is_finding, "-finding")
        self.refresh_bindings()
        found = self.filter.found if self.filter else None
        return live.index.messages(self.room) if found is None else found

    def search_parts(self, live: Live) -> list[Part]:
        """What the room's bar says of the search."""
        if self.filter:
            number = "" if self.filter.found is None else f"{count(self.filter.count, 'message')} with "
            return [(f"{number}{_short(self.filter)} · esc shows all ", "found")]
        if self.search is None:
            return []
        if self.search.found is None:
            return [(f"{_short(self.search)} looking {self.search.share:.0%} ", "found")]
        message = self.query_one(Thread).message
        place = self.search.place(message) if message else None
        at = "" if place is None else f"{place + 1:,} of "
        return [(f"{_short(self.search)} {at}{self.search.count:,} · n N · esc ends ", "found")]

    @work(exclusive=True, group="look")
    async def _look(self, search: Search) -> None:
        await finish(search, self._app.live)
        self.draw(self._app.live)

    # Actions

    @work(exclusive=True, group="search")
    async def action_search(self) -> None:
        """Search all messages."""
        from msgcode_tui.screens.search import SearchScreen

        app, before = self._app, self.filter or self.search
        text = before.text if before else ""
        found = await app.push_screen_wait(SearchScreen(app.live, app.changed, app.clock, text))
        if found is None:
            return
        self.query_one(Thread).highlight = found.search.query.spans
        if found.message is None:
            self.search, self.filter = None, Search(found.search.text, found.search.query, self.room)
            self.query_one(Thread).focus()
            self.draw(app.live)
        else:
            self.search, self.filter = found.search, None
            self.visit(found.message)

    @work(exclusive=True, group="search")
    async def action_hit(self, step: int) -> None:
        """Go to the next older message that was found (1), or to the next newer one (-1)."""
        search = self.filter or self.search
        if search is None:
            self._app.say("Nothing has been searched for: / does.")
            return
        live, message = self._app.live, self.query_one(Thread).message
        await finish(search, live)
        if id := search.beside(message, step):
            self.visit(id)

    def action_stuck(self) -> None:
        """Go to the next message that waits for too long; after the newest of them, to the oldest."""
        live, selected = self._app.live, self.query_one(Thread).message
        ids = (id for one in self._app.stuck for id in one.messages)
        found = {live.state.messages[id].seq: id for id in ids if id in live.state.messages}
        if not found:
            self._app.say("Nothing is stuck.")
            return
        after = [seq for seq in found if selected and seq > selected.seq]
        self.visit(found[min(after or found)])

    @work(exclusive=True, group="export")
    async def action_export(self) -> None:
        """Write what is marked, the room, or the thread of the selected message to a file."""
        from msgcode_tui import exporting
        from msgcode_tui.screens.export import ExportScreen

        app, thread = self._app, self.query_one(Thread)
        live, search = app.live, self.filter or self.search
        whole = list(live.index.messages(self.room))
        parts = [exporting.room_part(self.room, room_title(self.room, live), whole)]
        if message := thread.message:
            kept = [id for id in live.index.thread(message.thread) if id in live.state.messages]
            parts.append(exporting.thread_part(message.thread, kept))
        if search and search.found is not None:
            parts.insert(0, exporting.found_part(search.text, list(search.found)))
        if thread.marked:
            parts.insert(0, exporting.marked_part(thread.marked))
        screen = ExportScreen(parts, live.state.messages, lambda: app.clock().astimezone())
        if path := await app.push_screen_wait(screen):
            app.say(f"Wrote {path}")

    def enter(self, room: Room) -> None:
        """Go to a room, and to where one writes in it."""
        self.query_one(RoomList).select(room)
        self.query_one(Panes).bring(MIDDLE)
        self.query_one(Composer).focus()

    def visit(self, id: str) -> None:
        """Select a message where it is on the screen already, else in the room where it was said."""
        live = self._app.live
        message = live.state.messages.get(id)
        if message is None:
            self._app.say("That message is no longer kept.", "warning")
            return
        self.query_one(Panes).bring(MIDDLE)
        thread = self.query_one(Thread)
        if not thread.go_to(id):
            self.filter = None
            self.query_one(RoomList).select(home_of(message, live.me))
            self.draw(live)
            thread.go_to(id)
        thread.focus()
        self.draw(live)

    def action_end_search(self) -> None:
        """Show all of the room again, and nothing of the search."""
        self.search = self.filter = None
        self.query_one(Thread).highlight = None
        self.draw(self._app.live)


def _short(search: Search) -> str:
    text = search.text.strip()
    return f"“{text if len(text) <= _LONGEST else f'{text[:_LONGEST]}…'}”"
