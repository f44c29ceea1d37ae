"""The room in which the README and a guide catch a loop: a coder and a reviewer who cannot stop thanking."""

from __future__ import annotations

import itertools
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from msgcode import Message, Store

PAIR = ("coder", "reviewer")

THANKS = (
    "Thanks for the quick review!",
    "You're welcome, great work!",
    "Thank you, much appreciated!",
    "Likewise, thanks again!",
)


class Scene:
    """Two agents that read what comes to them, and thank for it, until a message asks for no answer.

    When it is made they have done so twelve times. Within the `with` they go on as soon as something is held.
    """

    def __init__(self, folder: Path) -> None:
        self._store = Store.open(folder, sync=False)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._go_on)
        self._thanks = itertools.cycle(THANKS)
        store = self._store
        store.register("human", human=True)
        for agent in (*PAIR, "tester"):
            store.register(agent)
        store.send("coder", "reviewer", "src/parser.py keeps folded lines now. Please review.")
        (asked,) = self._given("reviewer")
        store.send("reviewer", "coder", "LGTM. All 214 tests pass here.", reply_to=asked.id)
        for _ in range(6):
            self._thank()
        store.send("tester", "coder", "Which branch shall I test?")
        store.send("tester", "reveiwer", "The nightly run is green.")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        self._store.close()

    def is_quiet(self) -> bool:
        """Whether all that is still to come to the two is held."""
        held = {item.message.id for item in self._store.held()}
        return all(
            message.id in held or not message.deliveries[agent].to_come
            for agent in PAIR
            for message in self._store.inbox(agent)
        )

    def _go_on(self) -> None:
        while not self._store.holds() and not self._over.wait(0.01):
            pass
        while not self._over.wait(0.01):
            self._thank()

    def _thank(self) -> None:
        for agent in PAIR:
            for message in self._given(agent):
                if message.sender in PAIR and "no answer" not in message.body:
                    self._store.send(agent, message.sender, next(self._thanks), reply_to=message.id)

    def _given(self, agent: str) -> list[Message]:
        messages = self._store.claim(agent, "host")
        for message in messages:
            self._store.confirm(agent, message.id, "host")
        return messages
