"""Going through the room's past: event by event, at a speed, and back to the present by one key."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from textual import on, work
from textual.app import SystemCommand
from textual.binding import Binding, BindingType

from msgcode_tui.screens.debugging import DebuggingScreen
from msgcode_tui.travel import Move, Place
from msgcode_tui.widgets.thread import Thread
from msgcode_tui.widgets.travel_bar import TravelBar

FAR = 100
"""Events of a large step."""

_KEYS = (
    (("travel-back", "travel-on"), "event"),
    (("travel-far-back", "travel-far-on"), f"{FAR} events"),
    (("travel-play",), "play"),
    (("travel",), "present"),
)
"""What the bar says of the keys."""


class TravellingScreen(DebuggingScreen):
    """A screen with a Thread and a TravelBar from which one goes through the past."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(key, action, description, id=f"room.{id}", show=False, tooltip=tooltip)
            for key, action, description, id, tooltip in (
                ("T", "travel", "Time travel", "travel",
                 "Go through the room's past; from there, come back to the present"),
                ("comma", f"travel_by({-1})", "Event back", "travel-back", "Go one event back in the past"),
                ("full_stop", f"travel_by({1})", "Event on", "travel-on", "Go one event on in the past"),
                ("less_than_sign", f"travel_by({-FAR})", "Far back", "travel-far-back",
                 f"Go {FAR} events back in the past"),
                ("greater_than_sign", f"travel_by({FAR})", "Far on", "travel-far-on",
                 f"Go {FAR} events on in the past"),
                ("P", "play", "Play", "travel-play",
                 "Play the past: 1, 4 or 16 events a second, then pause"),
            )
        ),
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._drawn: Place | None = None
        """Where the user was when it was last drawn."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("travel_by", "play"):
            return self._app.travel.is_on
        if action == "end_travel":
            return self._app.travel.is_on and isinstance(self.focused, Thread) and not self.is_finding
        return super().check_action(action, parameters)

    def commands(self) -> Iterator[SystemCommand]:
        yield from super().commands()
        if not self._app.travel.is_on:
            yield SystemCommand(
                "Time travel", "Go through the room's past, event by event", self.action_travel
            )
            return
        yield SystemCommand("Time travel: present", "Come back to the present", self.action_travel)
        yield SystemCommand("Time travel: play", "Play the past; faster; pause", self.action_play)
        for events in (-FAR, -1, 1, FAR):
            way = (
                f"{abs(events)} {'event' if abs(events) == 1 else 'events'} {'on' if events > 0 else 'back'}"
            )
            yield SystemCommand(
                f"Time travel: {way}", "Go through the past", partial(self.action_travel_by, events)
            )
        yield SystemCommand(
            "Time travel: beginning", "Go to the first event", partial(self._travel_share, 0.0)
        )

    # Going about

    @property
    def is_finding(self) -> bool:
        """Whether there is a search to go on with."""
        raise NotImplementedError

    def travel_to(self, id: str) -> None:
        """Go to when this message was sent, in the room where it was."""
        if message := self._app.live.state.messages.get(id):
            self.visit(id)
            self._travel(lambda timeline: timeline.go(message.seq))

    def _travel(self, *moves: Move) -> None:
        self.run_worker(self._app.travel.go(*moves))

    def action_travel(self) -> None:
        """Go into the past, or come back from there."""
        if self._app.travel.is_on:
            self._app.travel.end()
        else:
            self._travel()

    def action_end_travel(self) -> None:
        """Come back to the present."""
        self._app.travel.end()

    def action_travel_by(self, events: int) -> None:
        """Go so many events on, or back."""
        self._travel(lambda timeline: timeline.step(events))

    @on(TravelBar.Wanted)
    def _wanted_share(self, event: TravelBar.Wanted) -> None:
        self._travel_share(event.share)

    def _travel_share(self, share: float) -> None:
        self._travel(lambda timeline: timeline.go_share(share))

    def action_play(self) -> None:
        """Play the past; if it plays, faster; after the fastest, pause."""
        self._app.travel.next_pace()
        self._play()

    @work(exclusive=True, group="play")
    async def _play(self) -> None:
        travel = self._app.travel
        self.draw_travel()
        while travel.pace:
            await asyncio.sleep(1 / travel.pace)
            if travel.pace and travel.place and travel.place.share < 1:
                await travel.go(lambda timeline: timeline.step(1))
            else:
                travel.pace = 0
        self.draw_travel()

    # Drawing

    def draw_travel(self) -> None:
        """Say where the user is, and show the message that the event is about, if it is in this room."""
        travel, bar = self._app.travel, self.query_one(TravelBar)
        place = travel.place
        if bar.has_class("-shown") != travel.is_on:
            bar.set_class(travel.is_on, "-shown")
            self.refresh_bindings()
        if travel.is_on:
            words = place.words(self._app.present_clock()) if place else "Reading what has happened …"
            playing = f"▶ {travel.pace}/s · " if travel.pace else ""
            bar.tell(place.share if place else 1.0, f"{playing}{words}", self._bar_keys())
        if place is self._drawn:
            return
        self._drawn, thread = place, self.query_one(Thread)
        shown = place is not None and place.message is not None and thread.go_to(place.message)
        if not shown:
            thread.action_newest()

    def _bar_keys(self) -> list[list[tuple[str, str]]]:
        """What the bar says of the keys, in ever fewer words."""
        display = {
            each.binding.id: self.app.get_key_display(each.binding)
            for each in reversed(self.active_bindings.values())
        }
        keys = [("".join(display.get(f"room.{id}", "") for id in ids), does) for ids, does in _KEYS]
        keys = [(key, does) for key, does in keys if key]
        return [keys, [*keys[:1], *keys[-1:]], keys[-1:]]
