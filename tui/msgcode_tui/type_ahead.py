"""Keys that are pressed faster than the screen follows: each goes where the user meant it to go, in order."""

from __future__ import annotations

from weakref import WeakKeyDictionary, WeakSet

from textual import events
from textual.app import App
from textual.screen import Screen
from textual.widget import Widget


class TypeAhead(App[None]):
    """An app that loses no key, and gives none to what had the focus before."""

    def __init__(self, *, ansi_color: bool | None = None) -> None:
        super().__init__(ansi_color=ansi_color)
        self._on_their_way: WeakKeyDictionary[events.Key, Widget | None] = WeakKeyDictionary()
        self._kept: list[events.Key] = []
        """Keys for a screen that has no focus yet."""
        self._opening: Screen[object] | None = None
        """The screen that was asked to say when it has one."""
        self._open: WeakSet[Screen[object]] = WeakSet()

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key):
            await self._on_any_key(event)
        else:
            await super().on_event(event)

    async def _on_any_key(self, key: events.Key) -> None:
        """Send the key where the focus is. One that was on its way when another moved the focus, such as the
        letters after enter, is sent after it, and the keys behind it stay behind it."""
        sent = self._on_their_way
        if key.is_forwarded:  # It comes back, for its binding.
            if sent.pop(key, self.focused) is self.focused:
                await super().on_event(key)
            else:
                await self._send(events.Key(key.key, key.character))
            return
        # What is gone gives nothing back, and nobody may wait for it.
        there = [to for to in sent.values() if to and to.is_attached and to.is_running]
        behind = next((to for to in there if to is not self.focused), self.focused)
        if behind is self.focused or behind is None:
            await self._send(key)
        else:
            sent[key] = behind
            behind._forward_event(key)

    async def _send(self, key: events.Key) -> None:
        self._kept.append(key)
        await self._send_kept()

    async def _send_kept(self) -> None:
        while self._kept and self._is_open():
            key = self._kept.pop(0)
            self._on_their_way[key] = self.focused
            await super().on_event(key)

    def _is_open(self) -> bool:
        """Whether the screen can be typed into. One that is being opened says so when it can."""
        screen = self.screen
        if self.focused or screen in self._open:
            return True
        if self._opening is not screen:
            self._opening = screen
            screen.call_later(self._opened, screen)  # Behind the event that gives it its focus.
        return False

    def _opened(self, screen: Screen[object]) -> None:
        self._open.add(screen)
        self.call_later(self._send_kept)
