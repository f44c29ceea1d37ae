"""What comes of the messages that the user has let through, in sentences. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgcode import Message
from msgcode.debugger.effect import Effect, Outcome
from msgcode.events import Event

_SAID = {
    "delivered": "{} has the message that you let through.",
    "failed": "{} could not be given it: {}",
    "acknowledged": "{} acknowledged it.",
    "sent": "{} sent a message because of it.",
}

MOST = 20
"""So many steps are followed at once, the newest."""


class Steps:
    """The steps whose effect the user is still to be told of."""

    def __init__(self) -> None:
        self._effects: list[Effect] = []

    def begin(self, message: Message) -> None:
        """The message was let through just now."""
        agents = [agent for agent, delivery in message.deliveries.items() if delivery.passed_at]
        self._effects = [*self._effects[1 - MOST :], Effect(message.id, agents)]

    def news(self, events: Iterable[Event]) -> Iterator[str]:
        """What has come of them, by these events. Not made safe to print."""
        if not self._effects:
            return
        for event in events:
            for effect in self._effects:
                outcome = effect.of(event)
                if outcome:
                    yield _sentence(outcome)
        self._effects = [effect for effect in self._effects if effect.missing]


def _sentence(outcome: Outcome) -> str:
    return _SAID[outcome.what].format(outcome.agent, outcome.detail)
