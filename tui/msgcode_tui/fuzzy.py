"""How well a word that was typed matches a name. Pure."""

from __future__ import annotations

from math import prod

from textual.fuzzy import FuzzySearch

MAX_WAYS = 2000
"""In how many ways a word may be found in a name. A hostile name could make it millions, each tried."""

_FUZZY = FuzzySearch()


def match(word: str, text: str) -> float:
    """How well the word matches the text, 0 if not at all; case does not matter."""
    word, text = word.lower(), text.lower()
    if not word:
        return 1.0
    if word in text or prod(text.count(letter) for letter in word) <= MAX_WAYS:
        return _FUZZY.match(word, text)[0]
    return 0.0
