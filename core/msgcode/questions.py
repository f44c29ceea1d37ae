"""Structured questions: an agent asks a human, who answers with one key.

A question is a message with these texts in its metadata:

    choices   what may be answered, parted by `|`: `yes | no | later`
    deadline  when the default is taken: minutes after the sending (`30`), or a time in ISO 8601 with its
              offset (`2030-01-01T12:00:00Z`)
    default   one of the choices: what happens if nobody answers, so the safe one

Only `choices` is needed. What is ill-formed makes it an ordinary message, and its sender is warned. Its
answer is a reply whose body is the choice, with that choice as metadata `answer`, and where the deadline
answered and no human did, the deadline as `defaulted`. Any reply by who was asked closes a question.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from msgcode.decisions import is_due
from msgcode.errors import BadInput
from msgcode.model import Priority
from msgcode.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from msgcode.model import Message

CHOICES, DEADLINE, DEFAULT = "choices", "deadline", "default"
ANSWER, DEFAULTED = "answer", "defaulted"
KEYS = frozenset((CHOICES, DEADLINE, DEFAULT, ANSWER, DEFAULTED))
"""The metadata that belongs to questions and their answers."""

MAX_CHOICES = 9
"""A key of the keyboard for each."""

MAX_CHOICE = 100
"""The longest choice, in characters."""

_MAX_MINUTES = 366 * 24 * 60


class Question(Record):
    """What a message asks."""

    message: Message
    choices: tuple[str, ...]
    deadline: datetime | None = None
    default: str | None = None

    def choose(self, text: str) -> str:
        """The choice that the text names, by its words in any case, or by its number from 1.

        Raises BadInput if it names none.
        """
        wanted = text.strip()
        for choice in self.choices:
            if choice.casefold() == wanted.casefold():
                return choice
        if wanted.isdecimal() and 1 <= int(wanted[:3]) <= len(self.choices):
            return self.choices[int(wanted[:3]) - 1]
        raise BadInput(f"{wanted[:80]!r} is not one of the choices: {', '.join(self.choices)}.")

    def is_past(self, now: datetime) -> bool:
        """Whether its deadline has come."""
        return self.deadline is not None and self.deadline <= now


def question_of(message: Message) -> Question | None:
    """What the message asks, if it is a question."""
    if CHOICES not in message.metadata:
        return None
    try:
        return _parsed(message)
    except ValueError:
        return None


def flaw(message: Message) -> str | None:
    """Why a message with choices is no question all the same, as one sentence; None otherwise."""
    if CHOICES not in message.metadata:
        return None
    try:
        _parsed(message)
    except ValueError as error:
        return f"this is sent as an ordinary message, not as a question: {error}."
    return None


def open_questions(messages: Iterable[Message], me: str, now: datetime) -> list[Question]:
    """The questions to me that wait for my answer, in the order in which I should answer them.

    First those past their deadline, soonest first; then the urgent first, and of these the oldest.
    """
    return sorted(
        (
            question
            for message in messages
            if CHOICES in message.metadata and _waits(message, me, now) and (question := question_of(message))
        ),
        key=lambda question: _rank(question, now),
    )


def _waits(message: Message, me: str, now: datetime) -> bool:
    delivery = message.deliveries.get(me)
    return delivery is not None and not delivery.status.ended and not is_due(message, delivery, now)


def _rank(question: Question, now: datetime) -> tuple[bool, datetime, int, int]:
    message = question.message
    past = question.deadline if question.is_past(now) else None
    return past is None, past or now, list(Priority).index(message.priority), message.seq


def _parsed(message: Message) -> Question:
    """What the message asks. Raises ValueError with what is wrong, in words."""
    notes = message.metadata
    choices = tuple(choice.strip() for choice in notes[CHOICES].split("|"))
    if not 2 <= len(choices) <= MAX_CHOICES:
        raise ValueError(f"choices must be 2 to {MAX_CHOICES}, parted by |")
    if any(not choice or len(choice) > MAX_CHOICE or "\n" in choice for choice in choices):
        raise ValueError(f"each of the choices must be one line of 1 to {MAX_CHOICE} characters")
    folded = [choice.casefold() for choice in choices]
    if len(set(folded)) < len(folded):
        raise ValueError("the choices must differ")
    default = None
    if DEFAULT in notes:
        wanted = notes[DEFAULT].strip().casefold()
        if wanted not in folded:
            raise ValueError("the default must be one of the choices")
        default = choices[folded.index(wanted)]
    deadline = _deadline(notes[DEADLINE].strip(), message.sent_at) if DEADLINE in notes else None
    return Question(message, choices, deadline, default)


def _deadline(text: str, sent_at: datetime) -> datetime:
    try:
        minutes = float(text)
    except ValueError:
        minutes = None
    try:
        if minutes is None:
            moment = datetime.fromisoformat(text)
            deadline = moment.astimezone(UTC) if moment.tzinfo else None
        else:
            deadline = sent_at + timedelta(minutes=minutes) if minutes <= _MAX_MINUTES else None
    except (ValueError, OverflowError):
        deadline = None
    if deadline is None or deadline <= sent_at:
        raise ValueError(
            "the deadline must be minutes, above 0 and at most a year, or a time to come in ISO 8601 "
            "with its offset"
        )
    return deadline.replace(microsecond=deadline.microsecond // 1000 * 1000)
