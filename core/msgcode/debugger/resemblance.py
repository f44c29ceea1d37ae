"""What a body says that others did not say before: the words and marks it is known by.

A text is taken as a set of words and a set of marks. Marks are what work is about: paths, names in code,
versions, numbers. Small words, courtesies, the agents' own names, times of day and ids of messages are in
neither, so that who answers whom, and when, makes no text a new one.
"""

from __future__ import annotations

import re
from functools import lru_cache

from msgcode.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

SAMPLE = 1000
"""Of a body longer than three times this, so many characters of its beginning, middle and end are read."""

ALIKE = 0.8
"""Near-identical bodies share at least this part of the words that either has."""

_COURTESY_LENGTH = 240
_SHORTEST = 3
_TOKEN = re.compile(r"\w+(?:[-./:=#@']+\w+)*")
# Times of day, ids of messages (UUIDs and what is shown of them): new each time, and no news.
_NO_NEWS = re.compile(r"\d{1,2}:\d{2}(?::\d{2})?|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{8}")

_COURTESIES = (
    "absolutely ack acked acknowledge acknowledged agree agreed always anytime appreciate appreciated "
    "awesome best bye care cheers collaborating collaboration confirmed confirming cool copy day enjoy "
    "excellent feel fine forward glad good goodbye got great happy help kind likewise luck much nice "
    "noted ok okay perfect pleasure problem received roger see seen signing smooth smoothly sounds "
    "standing sure teamwork thank thanks thx understood very welcome wish wishing wonderful works yep "
    "yes"
)
COURTESIES = frozenset(_COURTESIES.split())
"""Words of thanks, acknowledgement and parting."""

_SMALL_WORDS = (
    "again all and another any anything are been both but can could did does everything for free from "
    "had has have her here him his how indeed its just let looking lot may means more next not now off "
    "our out own really same she should something than that the their them then there these they this "
    "those time too until was well were what when where which who will with would you your it's i'll "
    "i'm you're"
)
_SMALL = frozenset(_SMALL_WORDS.split())
_ALL_IS_WELL = frozenset(["all", "fine", "good", "ok", "okay"])
_ADDRESSES = re.compile(r"\?|\b(?:please|you|your)\b", re.IGNORECASE)

# The kinds of tokens.
_NOTHING, _WORD, _COURTESY, _MARK, _NUMBER = range(5)
_CACHED = 8192
"""Tokens whose kind is remembered. Conversations use the same ones again and again."""


class Wording(Record):
    """What a body is known by."""

    words: frozenset[str]
    """Its words, in lower case."""
    marks: frozenset[str]
    """Its paths, names in code, versions and numbers."""
    polite: int
    """How many words of thanks and acknowledgement it has; 0 if it has anything that those lack (see
    `wording`)."""

    def is_bare(self, new_words: int) -> bool:
        """Whether it is a bare courtesy, so many of its words being new to the conversation."""
        return self.polite > 0 and new_words <= self.polite


def wording(body: str, names: Collection[str]) -> Wording:
    """What `body` is known by. `names` has, in lower case, the ids of those who talk.

    Thanks and acknowledgements are known by what they lack: they are short, ask nothing, and have no mark
    and no code. Whether one is bare is up to how many of its other words are news (`Wording.is_bare`).
    """
    size = len(body)
    text = body
    if size > 3 * SAMPLE:
        middle = size // 2
        text = f"{body[:SAMPLE]}\n{body[middle : middle + SAMPLE]}\n{body[-SAMPLE:]}"
    words: set[str] = set()
    marks: set[str] = set()
    numbers: set[str] = set()
    polite = 0
    before = ""
    for token in _TOKEN.findall(text):
        kind, word = _sort(token)
        if word in names:
            continue
        if kind == _WORD:
            words.add(word)
        elif kind == _COURTESY:
            polite += 1
        elif kind == _MARK:
            marks.add(token)
        elif kind == _NUMBER:
            numbers.add(f"{before} {token}")
        before = word
    if size > _COURTESY_LENGTH or marks or numbers or "?" in text or "`" in text:
        polite = 0
    elif not words:
        polite = max(polite, 1)  # A thumb up, say.
    if len(words) >= _SHORTEST:
        marks |= numbers  # In a text of a word or two, such as "ping 17", a number only counts.
    if text is not body:
        marks.add(f"{size} characters")
    return Wording(frozenset(words), frozenset(marks), polite)


@lru_cache(_CACHED)
def _sort(token: str) -> tuple[int, str]:
    """Which kind of token it is, and the token in lower case."""
    word = token.casefold()
    if token.isalpha() or word.replace("-", "").replace("'", "").isalpha():
        if word in COURTESIES:
            return _COURTESY, word
        if token[1:] != word[1:] and not token.isupper():
            return _MARK, word
        return (_NOTHING if len(word) < _SHORTEST or word in _SMALL else _WORD), word
    if token.isdecimal():
        return _NUMBER, word
    return (_NOTHING if _NO_NEWS.fullmatch(word) else _MARK), word


def alike(one: Wording, other: Wording) -> bool:
    """Whether two bodies are nearly identical: the same marks, and nearly the same words."""
    if one.marks != other.marks:
        return False
    common = len(one.words & other.words)
    return common >= ALIKE * (len(one.words) + len(other.words) - common)


def reports(body: str, said: Wording) -> bool:
    """Whether it can be a status line: it asks nothing, addresses nobody, and is no mere thanks."""
    if _ADDRESSES.search(body[:SAMPLE]):
        return False
    if not said.is_bare(len(said.words)):
        return True
    return _ALL_IS_WELL.issuperset(token.casefold() for token in _TOKEN.findall(body))


class Vocabulary:
    """The words and marks that were used lately in one conversation."""

    __slots__ = ("_earlier", "_lately", "_size")

    def __init__(self, size: int) -> None:
        """size: how many it keeps at least. It keeps at most about twice that, those that were used last."""
        self._lately: set[str] = set()
        self._earlier: set[str] = set()
        self._size = size

    def learn(self, said: Wording) -> tuple[int, int]:
        """Take in a body. Returns how many of its words, and of its marks, are new."""
        new = self._add(said.words), self._add(said.marks)
        if len(self._lately) > self._size:
            self._lately, self._earlier = set(), self._lately
        return new

    def _add(self, items: frozenset[str]) -> int:
        new = items - self._lately
        self._lately |= new
        return len(new - self._earlier)
