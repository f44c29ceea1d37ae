"""What waits and has not been answered, kept up message by message: nobody looks through a whole room for it.

What counts as asking and as an answer is in `waits.py`.
"""

from __future__ import annotations

import re

from msgcode.events import MessageAcknowledged, MessageDiscarded, MessageEdited, MessageExpired, MessageSent
from msgcode.model import PROBE
from msgcode.questions import question_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from msgcode.events import Event
    from msgcode.model import Message
    from msgcode.state import State

_CODE = r"```.*?(?:```|\Z)|`[^`\n]*`"
_QUESTION = r"[?\uff1f\u061f](?![\w/=&.-])"
_REQUEST = (
    r"\b(?:please|(?:can|could|would|will) you|let me know|tell me|send me|give me|get back to me"
    r"|I(?: a|')m waiting|(?:I |we )?(?:still )?wait(?:ing)? (?:for|on|until) (?:you|your)\b"
    r"|I need|we need you|need(?:s)? your|blocked (?:on|by) you|reply (?:when|with|to)|I(?:'| wi)ll wait)\b"
)


def asks(message: Message) -> bool:
    """Whether the message asks for something."""
    if PROBE in message.metadata:
        return False
    if question_of(message):
        return True
    text = re.sub(_CODE, " ", f"{message.subject or ''}\n{message.body}", flags=re.DOTALL)
    if re.search(_QUESTION, text):
        return True
    return not message.human and re.search(_REQUEST, text, re.IGNORECASE) is not None


def asked(message: Message) -> list[str]:
    """Whom the message asks, if it asks."""
    recipients = [agent for agent in message.deliveries if agent != message.sender]
    if message.channel is None or len(recipients) < 2 or question_of(message):
        return recipients
    text = f"{message.subject or ''}\n{message.body}"
    return [agent for agent in recipients if re.search(rf"(?<![\w@.-])@{re.escape(agent)}(?![\w-])", text)]


class Unanswered:
    """The requests of a room that wait for an answer, and what else has come of the messages that wait.

    It is fed with all messages in the order in which they were sent, and then with all events.
    """

    def __init__(self) -> None:
        self._requests: dict[tuple[str, str, str], str] = {}
        """By thread, who asks and who is asked: the newest word, if it asks and has not been answered."""
        self._taken_up: set[tuple[str, str]] = set()
        self._said: dict[str, list[Message]] = {}
        """By sender, oldest first, what nobody has asked about yet whether it asks nothing."""
        self._told: dict[str, list[Message]] = {}
        """By sender, of what was said before: the newest that asks nothing, and such of another thread."""

    @classmethod
    def of(cls, state: State) -> Unanswered:
        """That of a state, which must keep what has ended, as answers may have."""
        new = cls()
        for message in sorted(state.messages.values(), key=lambda message: message.seq):
            new.sent(message, state.messages)
        return new

    def copy(self) -> Unanswered:
        """Another one, which stays as it is."""
        other = Unanswered()
        other._requests, other._taken_up = self._requests.copy(), self._taken_up.copy()
        for sender in [*self._said]:
            self._told_by(sender)
        other._told = self._told.copy()
        return other

    # What happens

    def sent(self, message: Message, known: Mapping[str, Message]) -> None:
        """Take in the next message. known: all there are, by id."""
        sender, thread = message.sender, message.thread
        for to in message.deliveries:
            self._requests.pop((thread, to, sender), None)
            self._requests.pop((thread, sender, to), None)
        self._answers(message, known)
        self._asks(message)
        self._said.setdefault(sender, []).append(message)

    def _answers(self, message: Message, known: Mapping[str, Message]) -> None:
        for id in {message.reply_to, message.cause} - {None}:
            earlier = known.get(id) if id else None
            if earlier is None or earlier.seq >= message.seq or not _waits(earlier, message.sender):
                continue
            self._taken_up.add((message.sender, earlier.id))
            is_answer = id == message.reply_to or not asks(message)
            if is_answer and earlier.sender in message.deliveries:
                self._drop(earlier, message.sender)

    def _asks(self, message: Message) -> None:
        if message.ended or not asks(message):
            return
        for to in asked(message):
            if _waits(message, to):
                self._requests.setdefault((message.thread, message.sender, to), message.id)

    def _drop(self, message: Message, agent: str) -> None:
        key = message.thread, message.sender, agent
        if self._requests.get(key) == message.id:
            del self._requests[key]

    def advance(self, event: Event, state: State) -> None:
        """Keep up with an event, which the state has folded. An edited message that now asks for something is
        still the answer that it was. With one that forgets messages, begin anew (`of`)."""
        fact = event.fact
        message = state.messages.get(getattr(fact, "id", ""))
        if message is None:
            return
        if isinstance(fact, MessageSent):
            if message.seq == event.seq:
                self.sent(message, state.messages)
        elif isinstance(fact, MessageEdited):
            for agent in message.deliveries:
                self._drop(message, agent)
            self._answers(message, state.messages)
            self._asks(message)
        elif isinstance(fact, MessageAcknowledged | MessageExpired | MessageDiscarded):
            self._drop(message, fact.agent)
            self._taken_up.discard((fact.agent, message.id))

    def _told_by(self, sender: str) -> list[Message]:
        if said := self._said.pop(sender, None):
            self._told[sender] = [*_latest([*self._told.get(sender, ()), *said])][::-1]
        return self._told.get(sender, [])

    # What has come of it

    def requests(self) -> Iterator[tuple[str, str]]:
        """Ids of the requests, each with one who has not answered it, in the order of sending."""
        for (_, _, on), id in self._requests.items():
            yield id, on

    def is_taken_up(self, id: str, by: str) -> bool:
        """Whether the recipient has answered the message, which waits, or has sent another because of it."""
        return (by, id) in self._taken_up

    def has_gone_on(self, request: Message) -> bool:
        """Whether its sender has since sent something in another thread that asks nothing."""
        return any(
            message.seq > request.seq and message.thread != request.thread
            for message in self._told_by(request.sender)
        )


def _waits(message: Message, agent: str) -> bool:
    """Whether the message waits for the agent."""
    delivery = message.deliveries.get(agent)
    return delivery is not None and not delivery.status.ended


def _latest(said: list[Message]) -> Iterator[Message]:
    """The newest message that asks nothing, and the newest such of another thread."""
    first = None
    for message in reversed(said):
        if (first is None or message.thread != first) and not asks(message):
            yield message
            if first is not None:
                return
            first = message.thread
