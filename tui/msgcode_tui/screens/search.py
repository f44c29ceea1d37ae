"""The search: a query, and what it finds while it is typed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from time import monotonic
from typing import ClassVar, NamedTuple

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.signal import Signal
from textual.widgets import Input

from msgcode.errors import BadInput
from msgcode.search import parse_query
from msgcode_tui.finding import Search, finish, first
from msgcode_tui.items import count
from msgcode_tui.live import Live
from msgcode_tui.screens.dialog import Dialog
from msgcode_tui.widgets.bars import Bar
from msgcode_tui.widgets.footer import Footer
from msgcode_tui.widgets.hits import Hits
from msgcode_tui.widgets.line_input import LineInput

REST = 0.1
"""Seconds without a key before one begins to look."""

TELL_AFTER = 0.5
"""Seconds after which one says how far one has come."""

NOTE = """
Words and "phrases": all of them must be there, in any case.
-word            not with this one
from:ann to:bob  sender, recipient
in:api           channel
status:queued    priority:urgent
subject:review   id:3f2a
has:question     has:file  has:reply
after:09:30      before:2h"""
"""What is said as long as nothing is looked for."""


class Found(NamedTuple):
    """What the user wants with what was found."""

    search: Search
    message: str | None
    """The id of the message to go to; None to show only what the query matches in the room."""


class HitsBar(Bar):
    """How many there are."""

    PREFIX = "hits-bar"
    COMPONENT_CLASSES: ClassVar = {"hits-bar--failed", "hits-bar--count"}


class QueryInput(LineInput):
    """Where the query is typed."""

    BINDING_GROUP_TITLE = "Search"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Go to it", id="search.go", tooltip="Go to the message in its room"),
        Binding(
            "ctrl+f",
            "screen.filter",
            "Filter the room",
            id="search.filter",
            tooltip="Show only what matches in the room that is selected",
        ),
        *(
            Binding(key, f"screen.move({step})", description, id=f"search.{id}", show=False, tooltip=tooltip)
            for key, step, description, id, tooltip in (
                ("up", "-1", "Up", "up", "Go to the hit above"),
                ("down", "1", "Down", "down", "Go to the hit below"),
                ("pageup", "-1, True", "Page up", "page-up", "Go up a page"),
                ("pagedown", "1, True", "Page down", "page-down", "Go down a page"),
            )
        ),
    ]


class SearchScreen(Dialog[Found | None]):
    """Returns what the user has chosen; None if they went back.

    live: what is searched. changed: says when that has changed. clock: the time in UTC. text: a query to
    begin with.
    """

    CSS_PATH: ClassVar = ["search.tcss", "../widgets/hits.tcss"]
    AUTO_FOCUS = "QueryInput"

    def __init__(self, live: Live, changed: Signal[Live], clock: Callable[[], datetime], text: str) -> None:
        super().__init__()
        self._live, self._changed, self._clock, self._text = live, changed, clock, text
        self._search: Search | None = None
        self._problem = ""
        self._began_at = 0.0

    def compose(self) -> ComposeResult:
        with Vertical():
            yield QueryInput("look for", id="query")
            yield HitsBar()
            yield Hits()
        yield Footer()

    def on_mount(self) -> None:
        self._changed.subscribe(self, self._more)
        field = self.query_one(QueryInput)
        self.query_one(Hits).note = NOTE.removeprefix("\n")
        if self._text:
            field.value = self._text
            field.action_select_all()
        self._draw()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._look(event.value)

    @work(exclusive=True)
    async def _look(self, text: str) -> None:
        await asyncio.sleep(REST)
        self._begin(text)
        if self._search:
            await finish(self._search, self._live, self._draw)

    def _begin(self, text: str) -> None:
        """Look for this from now on. While it is ill-formed, what was found last stays."""
        try:
            query = parse_query(text, self._clock())
        except BadInput as error:
            self._problem = str(error)
        else:
            self._problem = ""
            self._began_at = monotonic()
            self._search = Search(text, query) if query else None
        self._draw()

    def _more(self, live: Live) -> None:
        """Something has happened: it may be one more."""
        self._live = live
        if self._search and self._search.found is not None:
            self._finish(self._search)

    @work(exclusive=True, group="more")
    async def _finish(self, search: Search) -> None:
        await finish(search, self._live, self._draw)

    def _draw(self) -> None:
        search, hits = self._search, next(iter(self.query(Hits)), None)
        if hits is None:  # The screen is not there yet, or is being taken away.
            return
        hits.show(search, self._live)
        left = right = ""
        if search:
            left = (
                count(search.count, "message")
                if search.count or search.found is None
                else "No message matches."
            )
            if search.count:
                left += f", {hits.place + 1:,} selected"
            if search.found is None and monotonic() - self._began_at > TELL_AFTER:
                right = f"looking {search.share:.0%}"
        if self._live.past is not None:
            right = f"older ones are being read {self._live.past:.0%}"
        said = (self._problem, "failed") if self._problem else (left, "count")
        self.query_one(HitsBar).show([said], [(right, "")])

    # Actions

    def _is_settled(self) -> bool:
        """Have what is in the field looked for, if it is not yet; returns whether it can be."""
        text = self.query_one(QueryInput).value
        if not self._search or self._search.text != text:
            self.workers.cancel_node(self)
            self._begin(text)
            if self._search:
                self._search.look(self._live)
                self._finish(self._search)
        return self._search is not None and not self._problem

    @on(Input.Submitted)
    @on(Hits.Clicked)
    async def _go(self) -> None:
        """Go to the message that is selected."""
        if self._is_settled():
            assert self._search
            await first(self._search, self._live)
            self._draw()
            if id := self.query_one(Hits).current:
                self.dismiss(Found(self._search, id))

    def action_filter(self) -> None:
        """Show only what matches in the room."""
        if self._is_settled():
            assert self._search
            self.dismiss(Found(self._search, None))

    def action_move(self, step: int, page: bool = False) -> None:
        """Go to another hit."""
        self._is_settled()
        hits = self.query_one(Hits)
        hits.move(step * hits.page if page else step)
        self._draw()

    @on(LineInput.Left)
    def _left(self) -> None:
        self.dismiss(None)
