"""Searching messages, as typed into one line.

    flaky test "exit code 3"     words and phrases, in any case: all of them must be there
    -staging                     not this one
    from:ann to:bob in:api       whole ids, `@` and `#` before them or not; also who spoke as another
    status:queued                at one of its recipients at least
    priority:urgent
    subject:review id:3f2a       a part of the subject, the beginning of the id
    has:question has:file has:reply    it asks, it names a file, it is a reply
    after:09:30 before:2h        a time of day, a date, both (2030-01-31T09:30), or an age in s, m, h, d or w

Words are looked for in the body, subject, sender, recipients, channel, id and metadata. A field may be
excluded by `-` too, and its value be quoted.
"""

from __future__ import annotations

import re

from msgcode.checks import check_priority
from msgcode.errors import BadInput
from msgcode.model import Status
from msgcode.questions import question_of
from msgcode.times import parse_time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from msgcode.model import Message

    Test = Callable[[Message], bool]

FILE = "file"
"""The metadata that names a file, perhaps with a line: `src/config.py:15`."""

_TERM = re.compile(r'(-?)(?:(\w+):)?(?:"([^"]*)"?|(\S*))')


class Query:
    """What to look for. Made by `parse_query`."""

    __slots__ = ("_tests", "_unwanted", "_words")

    def __init__(self, words: list[str], unwanted: list[str], tests: list[Test]) -> None:
        self._words = words
        self._unwanted = unwanted
        self._tests = tests

    def __bool__(self) -> bool:
        """Whether it asks for anything at all. One that does not matches every message."""
        return bool(self._words or self._unwanted or self._tests)

    def matches(self, message: Message) -> bool:
        """Whether the message is one of those looked for."""
        for test in self._tests:
            if not test(message):
                return False
        if not self._words and not self._unwanted:
            return True
        # Most words are in a body or nowhere, so the rest is put together only when it is needed.
        body, rest = message.body.casefold(), None
        for word in self._words:
            if word not in body:
                rest = rest or _all_but_body(message)
                if word not in rest:
                    return False
        for word in self._unwanted:
            if word in body or word in (rest := rest or _all_but_body(message)):
                return False
        return True

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where the words are in a text, as (start, end) of its characters, in order and not overlapping."""
        folded = text.casefold()
        places = None if len(folded) == len(text) else _places(text)
        found = sorted(
            (match.start(), match.end())
            for word in self._words
            for match in re.finditer(re.escape(word), folded)
        )
        merged: list[tuple[int, int]] = []
        for start, end in found:
            if places:
                start, end = places[start], places[end - 1] + 1
            if merged and start <= merged[-1][1]:
                start, end = merged[-1][0], max(end, merged.pop()[1])
            merged.append((start, end))
        return merged


def parse_query(text: str, now: datetime) -> Query:
    """The query that a line stands for.

    now: the time in UTC, for ages and times of day. Raises BadInput if a field has a value that it cannot
    have. What looks like a field and is none, such as `a.py:15`, is a word.
    """
    words: list[str] = []
    unwanted: list[str] = []
    tests: list[Test] = []
    for minus, field, quoted, plain in _TERM.findall(text):
        value = quoted or plain
        make = _FIELDS.get(field.casefold())
        if make:
            test = make(_given(field, value), now)
            tests.append(_not(test) if minus else test)
        else:
            word = f"{field}:{value}" if field else value
            if word:
                (unwanted if minus else words).append(word.casefold())
    return Query(words, unwanted, tests)


def _all_but_body(message: Message) -> str:
    parts = [message.id, message.sender, *message.deliveries, message.channel or "", message.subject or ""]
    if message.metadata:
        parts += [*message.metadata, *message.metadata.values()]
    return "\n".join(parts).casefold()


def _places(text: str) -> list[int]:
    """For each character of the folded text, the one that it comes from: `ß` becomes two."""
    return [index for index, character in enumerate(text) for _ in character.casefold()]


def _not(test: Test) -> Test:
    return lambda message: not test(message)


def _given(field: str, value: str) -> str:
    if not value:
        raise BadInput(f"{field}: needs a value right behind it.")
    return value


def _from(value: str, now: datetime) -> Test:
    wanted = value.removeprefix("@").casefold()
    return lambda message: message.sender.casefold() == wanted or (message.by or "").casefold() == wanted


def _to(value: str, now: datetime) -> Test:
    wanted = value.removeprefix("@").casefold()
    return lambda message: any(agent.casefold() == wanted for agent in message.deliveries)


def _in(value: str, now: datetime) -> Test:
    wanted = value.removeprefix("#").casefold()
    return lambda message: message.channel is not None and message.channel.casefold() == wanted


def _status(value: str, now: datetime) -> Test:
    wanted = value.casefold()
    if wanted not in list(Status):
        raise BadInput(f"{value[:80]!r} is no status: choose {', '.join(Status)}.")
    return lambda message: any(delivery.status == wanted for delivery in message.deliveries.values())


def _priority(value: str, now: datetime) -> Test:
    wanted = check_priority(value.casefold())
    return lambda message: message.priority is wanted


def _subject(value: str, now: datetime) -> Test:
    wanted = value.casefold()
    return lambda message: message.subject is not None and wanted in message.subject.casefold()


def _id(value: str, now: datetime) -> Test:
    wanted = value.casefold()
    return lambda message: message.id.casefold().startswith(wanted)


_THINGS: dict[str, Test] = {
    "question": lambda message: question_of(message) is not None,
    "file": lambda message: FILE in message.metadata,
    "reply": lambda message: message.reply_to is not None,
}


def _has(value: str, now: datetime) -> Test:
    if value.casefold() not in _THINGS:
        raise BadInput(f"{value[:80]!r} is nothing that a message has: choose {', '.join(_THINGS)}.")
    return _THINGS[value.casefold()]


def _before(value: str, now: datetime) -> Test:
    moment = parse_time(value, now)
    return lambda message: message.sent_at < moment


def _after(value: str, now: datetime) -> Test:
    moment = parse_time(value, now)
    return lambda message: message.sent_at >= moment


_FIELDS: dict[str, Callable[[str, datetime], Test]] = {
    "from": _from,
    "to": _to,
    "in": _in,
    "status": _status,
    "priority": _priority,
    "subject": _subject,
    "id": _id,
    "has": _has,
    "before": _before,
    "after": _after,
}
