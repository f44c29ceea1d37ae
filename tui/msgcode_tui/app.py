"""The app: it holds the one fold of the journal, runs the verbs, and tells the screens what has changed."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterable, Mapping
from contextlib import aclosing, suppress
from datetime import datetime
from importlib import import_module
from pathlib import Path
from time import monotonic
from typing import Any, ClassVar, TypeVar, cast

from textual import events
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.signal import Signal
from textual.theme import ThemeProvider

from msgcode import Message, MsgcodeError, Presence, Store, answers, calls, commands
from msgcode.debugger.stuck import Kind, Stuck
from msgcode.events import Event, JournalReset, RoomPurged
from msgcode.journal.reader import Position
from msgcode.journal.recent import Recent
from msgcode.model import now
from msgcode_tui import deeds, desktop, garbage, past, safe, screens, times
from msgcode_tui.addressing import Address
from msgcode_tui.debugger.rounds import Rounds
from msgcode_tui.debugger.rows import Scene, scene_of
from msgcode_tui.debugger.stuck import stuck_in
from msgcode_tui.drafts import PLAIN, Draft, Drafts, History, draft_of
from msgcode_tui.hands import Hands
from msgcode_tui.live import Live
from msgcode_tui.notices import Happening, Notice, Notices, of_event, of_stuck
from msgcode_tui.outside import OutsideApp
from msgcode_tui.pauses import go_on_after_any
from msgcode_tui.recorder import Recorder
from msgcode_tui.remembered import Memory, room_key, room_of
from msgcode_tui.rooms import Room
from msgcode_tui.roster import Arrangement, Section
from msgcode_tui.screens.commands import RoomCommands
from msgcode_tui.screens.main import MainScreen
from msgcode_tui.settings import DEFAULTS, Settings
from msgcode_tui.steps import Steps
from msgcode_tui.themes import THEMES
from msgcode_tui.travel import Travel
from msgcode_tui.type_ahead import TypeAhead

FRAME = 0.05
"""Seconds between two redraws while much is happening. What comes alone is drawn at once."""

PROGRESS_EVERY = 0.4
"""Seconds between two reports of how much of the past has been read."""

SLICE = 100
"""Events that are taken in between two turns of the event loop: about a millisecond."""

BREATH = 0.001
"""Seconds between two pieces of the past, each of which takes as long. A key takes dozens of turns."""

RECENT_BYTES = 128 * 1024
"""How much of the journal's end is read before the first picture: about 250 messages, in 10 ms."""

RETRY = 1.0
"""Seconds until a store that could not be read is tried again."""

PRESENCE_EVERY = 1.0
"""Seconds between two looks at who is there."""

ROUNDS_EVERY = 1.0
"""Seconds between two looks at whether agents go round or wait for each other, at least."""

ROUNDS_SHARE = 0.05
"""The part of the time that these looks may take."""

LEAVE_WITHIN = 5
"""Seconds that leaving a closed terminal may take."""

LOOKS_FOR = 60.0
"""Seconds after a key or the mouse for which the user is taken to look at the app. Not all terminals say."""

SAVE_EVERY = 2.0
"""Seconds between two looks at whether there is something new to remember."""

HEARTBEAT_EVERY = 10.0
"""Seconds between two signs of life of the user."""

DEFAULTS_EVERY = 2.0
"""Seconds between two looks at whether a question's deadline has come."""

MAX_WARNINGS = 3
"""So many warnings are shown one by one."""

T = TypeVar("T")


class MsgcodeApp(OutsideApp, TypeAhead):
    """The room in `store` as the human `me` sees it. The store stays open when the app ends.

    memory: what is remembered of the room; nothing beyond this run if None. clock: the time in UTC.
    """

    TITLE = "msgcode"
    # The styles of the first screen are the app's, as Textual reads all of its own anew for each screen's.
    CSS_PATH: ClassVar = [Path(screens.__file__).parent / path for path in MainScreen.CSS_PATH]
    COMMANDS = App.COMMANDS | {RoomCommands}
    BINDING_GROUP_TITLE = "Everywhere"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "quit", "Quit", id="app.quit", priority=True, tooltip="Leave the room"),
        Binding(
            "f1,question_mark",
            "help",
            "Help",
            id="app.help",
            show=False,
            tooltip="Show what the keys do here",
        ),
    ]

    def __init__(
        self,
        store: Store,
        me: str,
        *,
        settings: Settings = DEFAULTS,
        memory: Memory | None = None,
        clock: Callable[[], datetime] = now,
    ) -> None:
        # NO_COLOR asks for none at all: without this, Textual would draw in shades of grey.
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = settings.theme
        self.set_keymap(settings.keys)
        self.settings = settings
        times.read_by(settings.clock)
        self.memory = memory or Memory()
        """What is remembered of the room, in `memory.now`; what changes there is saved by and by."""
        self.store = store
        self.present_clock = clock
        self.thresholds = settings.stuck.thresholds
        self._stuck: list[Stuck] = []
        kept = self.memory.now
        self.present = Live(me, clock(), dict(_by_room(kept.read)))
        """The room as it is, wherever the user is."""
        self.travel = Travel(store, me, self._redraw, lambda why: self.say(why, "warning"))
        options = dict(_by_room(kept.options))
        begun = {**dict.fromkeys(options, ""), **dict(_by_room(kept.drafts))}
        self.drafts = Drafts({room: draft_of(text, options.get(room, PLAIN)) for room, text in begun.items()})
        self.history = History(kept.history)
        self.arrangement = Arrangement(
            tuple(room for key in sorted(kept.pinned) if (room := room_of(key))),
            frozenset(room for key in kept.muted if (room := room_of(key))),
            frozenset(section for section in Section if section in kept.collapsed),
        )
        """How the list of rooms was arranged when it was last used."""
        self.changed: Signal[Live] = Signal(self, "changed")
        """Published when `live` or `trouble` has changed."""
        self._unreadable = ""
        self._unwritable = ""
        self._one_at_a_time = asyncio.Lock()
        self.hands = Hands(self._run, self.say, self.refusal)
        """What the user does, and can undo, goes through these."""
        self.steps = Steps()
        self._confirmed: set[str] = set()
        self._agents_changed = asyncio.Event()
        self._notices = Notices(settings.notify)
        self._told_stuck: set[tuple[str, Kind]] = set()
        self._touched_at = 0.0
        self._place: Position | None = None
        """Where what is shown ends, before it is followed."""
        self._drawn_at = 0.0
        self._draw_is_due = False

    @property
    def live(self) -> Live:
        """What the screens draw: the present, or the past in which the user is."""
        return self.travel.place.live if self.travel.place else self.present

    def clock(self) -> datetime:
        """The time of what the screens draw, in UTC."""
        place = self.travel.place
        return place.at if place and place.at else self.present_clock()

    @property
    def trouble(self) -> str:
        """What is wrong with the store, in a sentence or two; "" if nothing is."""
        since = self.store.behind_since
        return self._unreadable or (answers.behind_words(since) if since else self._unwritable)

    def get_default_screen(self) -> MainScreen:
        """The room."""
        return MainScreen()

    def on_load(self) -> None:
        # The newest messages are in the very first picture. If they cannot be read, `_follow` says so.
        with suppress(MsgcodeError):
            self._place = self._begin_with(self._recent())

    def watch_app_focus(self, focus: bool) -> None:
        """A browser's page may not have had the focus yet when the screen came up, and so nothing in it."""
        if focus and self.is_running and isinstance(self.screen, MainScreen):
            self.screen.have_focus()

    def on_mount(self) -> None:
        for number in (signal.SIGHUP, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self._leave)
        if self._driver:
            go_on_after_any(self._driver)
        self.call_after_refresh(self._begin)

    def _leave(self) -> None:
        """A closed terminal is a way to leave too: everything is put away as after any other."""
        signal.alarm(LEAVE_WITHIN)  # The system ends us if drawing on what is gone keeps us from it.
        self.exit()

    def _begin(self) -> None:
        garbage.begin()
        self.run_worker(self._follow())
        self.run_worker(self._follow_presence())
        self.run_worker(self._look_for_rounds())
        self.run_worker(self._stay_online())
        self.run_worker(self._give_defaults())
        self.run_worker(self._remember())
        # The first selected message waits for it else, and the first picture for all that came with it.
        self.run_worker(asyncio.to_thread(import_module, "msgcode_tui.widgets.markdown_lines"))

    def post_display_hook(self) -> None:
        """A picture has been drawn, and nobody waits for another one, unless they have already asked."""
        asyncio.get_running_loop().call_soon(garbage.clear_away)

    # What has happened

    async def _follow(self) -> None:
        while True:
            try:
                place = self._place or self._begin_with(await self._run(self._recent))
                self._place = None
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._read_past(place))
                    tasks.create_task(self._read_on(place))
            except* (OSError, RuntimeError, MsgcodeError) as errors:  # watchfiles raises RuntimeError.
                self._unreadable = f"The store cannot be read, trying again: {errors.exceptions[0]}"
                self._redraw()
                await asyncio.sleep(RETRY)

    def _recent(self) -> Recent:
        return self.store.recent(RECENT_BYTES)

    def _begin_with(self, recent: Recent) -> Position:
        self.present.begin(recent)
        self._unreadable = ""
        self._redraw()
        return recent.position

    async def _read_on(self, place: Position) -> None:
        # The import alone would hold up a key for a tenth of a second.
        await asyncio.to_thread(import_module, "msgcode.watch")
        async for news in self.store.watch(place):
            for start in range(0, len(news), SLICE):
                self.present.advance(news[start : start + SLICE])
                self._tell_of(news[start : start + SLICE])
                await asyncio.sleep(0)
            self._redraw()

    async def _read_past(self, until: Position) -> None:
        if self.present.past is None:
            return
        told = monotonic()
        async with aclosing(past.pieces(self.store.target, until)) as pieces:
            async for piece in pieces:
                self.present.recall(piece)
                if monotonic() > told + PROGRESS_EVERY:
                    told = monotonic()
                    garbage.keep()
                    self._redraw()
                await asyncio.sleep(BREATH)
        garbage.keep()
        self._redraw()

    def _redraw(self) -> None:
        """Have the screens drawn: at once, or a frame after they last were."""
        if self._draw_is_due:
            return
        wait = self._drawn_at + FRAME - monotonic()
        if wait <= 0:
            self._draw()
        else:
            self._draw_is_due = True
            self.set_timer(wait, self._draw)

    def _draw(self) -> None:
        if self.present.state.agents.keys() != self.present.presences.keys():
            self._agents_changed.set()
        self._draw_is_due = False
        self._drawn_at = monotonic()
        self.changed.publish(self.live)

    # Who is there

    async def _follow_presence(self) -> None:
        trouble = self.trouble
        while True:
            self._agents_changed.clear()
            presences = await asyncio.to_thread(self._presences_of, tuple(self.present.state.agents))
            changed = presences != self.present.presences
            self.present.presences = presences
            before, found = self._stuck, await asyncio.to_thread(stuck_in, self._what_waits())
            # The user is being registered, as a human, and these are never stuck.
            self._stuck = [one for one in found if one.agent != self.present.me]
            changed = changed or trouble != self.trouble
            trouble = self.trouble
            if changed or [one.messages for one in before] != [one.messages for one in self._stuck]:
                self._redraw()
            self._tell_of_stuck()
            with suppress(TimeoutError):
                async with asyncio.timeout(PRESENCE_EVERY):
                    await self._agents_changed.wait()

    def scene(self) -> Scene:
        """The room as it is at this moment, for the debugger to read in a thread."""
        unanswered = None if self.travel.place else self.present.unanswered  # Of the past, it is not kept up.
        return scene_of(self.live, self.clock(), self.thresholds, unanswered)

    def _what_waits(self) -> Scene:
        """The present for what is looked at again and again: without what has ended."""
        live, now = self.present, self.present_clock()
        return scene_of(live, now, self.thresholds, live.unanswered, keep_ended=False)

    async def _look_for_rounds(self) -> None:
        """Look for loops and deadlocks again and again, and tell of the new ones."""
        rounds = Rounds(self.present.me)
        while True:
            began = monotonic()
            if self.present.past is None:
                for happening in await asyncio.to_thread(rounds.new, self._what_waits()):
                    self._decide(happening)
                    if happening.what in self.settings.notify.what and isinstance(self.screen, MainScreen):
                        self.screen.offer_debugger(happening)
            await asyncio.sleep(max(ROUNDS_EVERY, (monotonic() - began) / ROUNDS_SHARE))

    @property
    def stuck(self) -> list[Stuck]:
        """What was stuck when last looked for, which is done about once a second. Of the past nobody knows,
        as it takes who was there."""
        return [] if self.travel.place else self._stuck

    def _presences_of(self, agents: tuple[str, ...]) -> dict[str, Presence]:
        return {agent: self.store.presence(agent) for agent in agents}

    async def _stay_online(self) -> None:
        """Register the user, and go on saying that they are there. Where that cannot be written, say so."""
        signs_of_life = self._be_registered
        while True:
            try:
                await self._run(signs_of_life)
                signs_of_life = self._be_seen
                self._unwritable = ""
            except MsgcodeError as error:
                self._unwritable = f"Read-only: {error}"
            self._redraw()
            await asyncio.sleep(HEARTBEAT_EVERY)

    def _be_registered(self) -> None:
        self.store.register(self.present.me, human=True)

    def _be_seen(self) -> None:
        if self.present.me in self.present.state.agents:  # Else the room was deleted, and that is not undone.
            self.store.seen(self.present.me)

    async def _give_defaults(self) -> None:
        """Give the user's questions whose deadline has come their defaults, and say so."""
        while True:
            now = self.present_clock()
            if any(each.default and each.is_past(now) for each in self.present.questions(now)):
                with suppress(MsgcodeError):  # The banner says that the store cannot be written.
                    for answer in await self._run(lambda: self.store.answer_due(self.present.me)):
                        self.say(
                            f"{', '.join(answer.recipients)} was answered {answer.body!r} for you: "
                            "the deadline had come.",
                            "warning",
                        )
            await asyncio.sleep(DEFAULTS_EVERY)

    # What is remembered

    def arranged(self, arrangement: Arrangement) -> None:
        """Remember how the user has arranged the list of rooms."""
        now = self.memory.now
        now.pinned = set(map(room_key, arrangement.pinned))
        now.muted = set(map(room_key, arrangement.muted))
        now.collapsed = set(map(str, arrangement.collapsed))

    def _remember_use(self) -> None:
        now = self.memory.now
        now.read = {room_key(room): seq for room, seq in self.present.marks.items()}
        drafts = {room_key(room): draft for room, draft in self.drafts.kept.items()}
        now.drafts = {room: draft.whole for room, draft in drafts.items() if draft.text}
        now.options = {room: draft.options for room, draft in drafts.items() if draft.options != PLAIN}
        now.history = list(self.history.lines)

    async def _remember(self) -> None:
        try:
            while True:
                await asyncio.sleep(SAVE_EVERY)
                self._remember_use()
                await self.memory.save()
        except OSError as error:
            self.say(f"What you set up in this room cannot be remembered: {error}", "warning")

    async def on_unmount(self) -> None:
        self._remember_use()
        with suppress(OSError):  # The worker has said so.
            await self.memory.save()

    # What the user is told of while they look elsewhere

    def _tell_of(self, events: list[Event]) -> None:
        for sentence in self.steps.news(events):
            self.say(sentence)
        for event in events:
            live = self.present
            if event.at >= live.since and (happening := of_event(event, live.state, live.me)):
                self._decide(happening)
            elif isinstance(event.fact, RoomPurged | JournalReset) and self.travel.is_on:
                self.travel.lose("the room was deleted, or some of it was.")

    def _tell_of_stuck(self) -> None:
        for one in self._stuck:
            if (one.agent, one.kind) not in self._told_stuck:
                self._decide(of_stuck(one, self.present.me))
        self._told_stuck = {(one.agent, one.kind) for one in self._stuck}
        if notice := self._notices.overdue(self.present_clock().astimezone()):
            self.tell(notice)

    def _decide(self, happening: Happening) -> None:
        muted = {room_of(key) for key in self.memory.now.muted} - {None}
        looks = self.app_focus and monotonic() - self._touched_at < LOOKS_FOR
        focused = self.screen.room if looks and isinstance(self.screen, MainScreen) else None
        now = self.present_clock().astimezone()
        if notice := self._notices.decide(happening, now, muted=muted, focused=focused):  # type: ignore[arg-type]
            self.tell(notice)

    def tell(self, notice: Notice) -> None:
        """Ring and show a desktop notification, as far as the settings want it and the terminal can."""
        if self.is_headless or self._driver is None:
            return
        if self.settings.notify.bell:
            self.bell()
        if self.settings.notify.desktop:
            self.run_worker(self._show_on_desktop(notice), group="desktop")

    async def _show_on_desktop(self, notice: Notice) -> None:
        sequence = await asyncio.to_thread(desktop.escape, notice, os.environ)
        if sequence and self._driver:
            self._driver.write(sequence)
        elif words := desktop.command(notice, os.environ):
            await asyncio.to_thread(desktop.run, words)

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.InputEvent):
            self._touched_at = monotonic()
        await super().on_event(event)

    @property
    def is_attended(self) -> bool:
        """Whether there has been somebody here since it was started."""
        return self._touched_at > 0

    # What the user does

    def refusal(self) -> str | None:
        """Why the user can do nothing now; None if they can. The past is only looked at."""
        if self.travel.place is None:
            return None
        key = self.settings.keys.get("room.travel", "T").partition(",")[0]
        key = self.get_key_display(Binding(key, ""))
        return f"This is the room as it was: press {key} to be back in the present."

    async def send(self, address: Address, draft: Draft) -> bool:
        """Send what was written; returns whether that was done, having said why not."""
        if refusal := self.refusal():
            self.say(refusal, "warning")
            return False
        text, options = draft.whole[address.skip :], draft.options
        more: dict[str, Any] = {
            "subject": options.subject or None,
            "priority": options.priority,
            "ttl": options.ttl,
            "reply_to": options.reply_to,
            "by": address.by,
        }

        def verb() -> tuple[Message, list[str]]:
            self._be_registered()
            if address.channel is None:
                message = self.store.send(address.speaker, address.to, text, **more)
            else:
                message = self.store.broadcast(address.speaker, address.channel, text, **more)
            return message, self.store.warnings(message)

        try:
            message, warnings = await self._run(verb)
        except MsgcodeError as error:
            self.say(str(error), "error")
            return False
        self.hands.remember(deeds.sent(self.store, self.live.me, [message]))
        if len(warnings) > MAX_WARNINGS:
            warnings = [f"{len(warnings)} of them are not there: the message waits for them."]
        for warning in warnings:
            self.say(warning, "warning")
        return True

    async def run_line(self, line: str) -> calls.Answer:
        """Run a `/msg` line as the user. What it does can be undone like all that they do."""
        if refusal := self.refusal():
            return calls.Answer(refusal, ok=False)
        recorder = Recorder(self.store, self.live.me)
        answer = await self._run(lambda: commands.run_line(cast(Store, recorder), line, self.live.me))
        for deed in recorder.done:
            self.hands.remember(deed)
        return answer

    async def life(self, id: str) -> list[Event]:
        """What has happened to a message until then, read from the store. Raises MsgcodeError."""
        place = self.travel.place
        events = await asyncio.to_thread(self.store.life, id)
        return [event for event in events if event.seq <= place.seq] if place else events

    def read(self, room: Room) -> None:
        """The user has seen the room's newest messages: those to them have been delivered."""
        if self.travel.place:
            return
        unread = bool(self.live.index.unread_count(room))
        undelivered = [id for id in self.live.read(room) if id not in self._confirmed]
        if unread:
            self._redraw()
        if undelivered and not self._unwritable:
            self._confirmed.update(undelivered)
            self.run_worker(self._confirm(undelivered))

    async def _confirm(self, ids: list[str]) -> None:
        me = self.live.me
        try:
            await self._run(lambda: [self.store.confirm(me, id, me) for id in ids])
        except MsgcodeError as error:
            self.say(str(error), "error")

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """What the command palette has: Textual's own commands, and what can be done in the room now."""
        yield from super().get_system_commands(screen)
        if isinstance(screen, MainScreen):
            yield from screen.commands()

    def action_command_palette(self) -> None:
        """Show the command palette."""
        from msgcode_tui.screens.command_palette import Palette

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette())

    def search_themes(self) -> None:
        """Show the themes to choose from."""
        from msgcode_tui.screens.command_palette import Palette

        self.push_screen(Palette([ThemeProvider], placeholder="Search for themes…"))

    def action_help(self) -> None:
        """Show what the keys do, as seen from where the user is."""
        from msgcode_tui.screens.help import HelpScreen

        self.push_screen(HelpScreen(self.screen.active_bindings.values()))

    def say(self, sentence: str, severity: str = "information") -> None:
        """Tell the user something for a few seconds. severity: information, warning or error."""
        self.notify(safe.content(sentence).plain, severity=severity, markup=False)  # type: ignore[arg-type]

    async def _run(self, verb: Callable[[], T]) -> T:
        """Run a verb of the store in a thread, after those that were asked for before."""
        async with self._one_at_a_time:
            return await asyncio.to_thread(verb)


def _by_room(values: Mapping[str, T]) -> list[tuple[Room, T]]:
    """What is kept for the rooms that can be."""
    return [(room, value) for key, value in values.items() if (room := room_of(key))]
