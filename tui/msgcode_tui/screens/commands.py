"""What the command palette offers: whom and what to go to, and all that can be done, with its keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, cast

from rich.text import Text
from textual.binding import Binding
from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.dom import DOMNode

from msgcode import Message
from msgcode_tui import fuzzy, keys, safe, times
from msgcode_tui.rooms import EVERYTHING, channel_room, pair_room
from msgcode_tui.roster import room_about, room_title
from msgcode_tui.screens.finding import FindingScreen

if TYPE_CHECKING:
    from msgcode_tui.app import MsgcodeApp

RECENT = 200
"""So many of the newest messages can be gone to."""

_SEARCHED = 200
"""Characters of a message that are compared with what is typed."""


class _Command(NamedTuple):
    """What can be done. Its texts may be untrusted."""

    text: str
    about: str
    run: Callable[[], object]
    label: str = ""
    """What it is called in short, where that is said."""


class RoomCommands(Provider):
    """Goes to agents, channels, conversations and messages, and does what the keys do."""

    async def discover(self) -> Hits:
        for command in [*self._places(), *self._actions()]:
            yield DiscoveryHit(self._shown(command), command.run, safe.line(command.text))

    async def search(self, query: str) -> Hits:
        for command in [*self._places(), *self._actions(), *self._messages()]:
            score = max(fuzzy.match(query, command.text), fuzzy.match(query, command.about) / 2)
            if command.label.lower().startswith(query.lower()):
                score *= 2  # "next" is for what is called so, before what has the word somewhere.
            if score > 0:
                yield Hit(score, self._shown(command), command.run, safe.line(command.text))

    def _shown(self, command: _Command) -> Text:
        # Text is shown as it is; the palette would take a string for markup, and help too.
        width = min(self.app.size.width - 8, 100)
        about = (safe.fit(command.about, width), "not bold dim")
        return Text.assemble(safe.fit(command.text, width), "\n", about)

    @property
    def _room_screen(self) -> FindingScreen | None:
        return self.screen if isinstance(self.screen, FindingScreen) else None

    def _places(self) -> Iterator[_Command]:
        screen = self._room_screen
        if screen is None:
            return
        live = cast("MsgcodeApp", self.app).live
        agents = [pair_room(live.me, agent) for agent in sorted(live.state.agents) if agent != live.me]
        channels = [channel_room(id) for id in sorted({*live.state.channels, *live.index.channels()})]
        others = [room for room in live.index.pairs() if room not in agents]
        for room in dict.fromkeys([EVERYTHING, *agents, *channels, *others]):
            about = room_about(room, live)
            yield _Command(f"Go to {room_title(room, live)}", about, partial(screen.enter, room))

    def _messages(self) -> Iterator[_Command]:
        screen = self._room_screen
        if screen is None:
            return
        live = cast("MsgcodeApp", self.app).live
        for id in islice(reversed(live.index.messages(EVERYTHING)), RECENT):
            message = live.state.messages[id]
            yield _Command(_told(message), _place(message), partial(screen.visit, id))

    def _actions(self) -> Iterator[_Command]:
        changed = cast("MsgcodeApp", self.app).settings.keys
        seen: set[str] = set()
        for cls, own in keys.bindings().items():
            node = self._node(cls)
            for binding in own if node else ():
                name = binding.tooltip or binding.description
                if name not in seen:
                    seen.add(name)
                    names = ", ".join(self._key_names(binding, changed.get(binding.id or "", binding.key)))
                    run = partial(self.app.run_action, binding.action, node)
                    yield _Command(name, names, run, binding.description)

    def _node(self, cls: type[DOMNode]) -> DOMNode | None:
        """The part of the app that has the bindings of this class, if it is on the screen."""
        for node in (self.app, self.screen):
            if isinstance(node, cls):
                return node
        return next((node for node in self.screen.walk_children() if isinstance(node, cls)), None)

    def _key_names(self, binding: Binding, bound: str) -> list[str]:
        singles = Binding.make_bindings([replace(binding, key=bound, key_display=None)])
        return [self.app.get_key_display(single) for single in singles]


def _told(message: Message) -> str:
    text = f"{message.subject}: {message.body[:_SEARCHED]}" if message.subject else message.body[:_SEARCHED]
    return f"{message.sender}: {' '.join(text.split())}"


def _place(message: Message) -> str:
    to = f"#{message.channel}" if message.channel else ", ".join(message.recipients)
    return f"to {to}, {times.moment(message.sent_at)}"
