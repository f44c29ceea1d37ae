"""What a message's metadata say, short enough to stand on the message itself. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from msgcode import questions
from msgcode.model import FORWARDED, RESENT

_DRAWN = questions.KEYS | {FORWARDED, RESENT}
"""What is drawn in another way."""

_PATHS = ("file", "path")
_LINE = "line"


def chips(metadata: Mapping[str, str]) -> list[str]:
    """A short text for each thing that the metadata name: `src/config.py:15`, `commit: 4f2c1ab`."""
    rest = {key: value for key, value in metadata.items() if key not in _DRAWN}
    found = []
    if path := next((key for key in _PATHS if metadata.get(key)), None):
        place = rest.pop(path)
        if line := rest.pop(_LINE, ""):
            place += f":{line}"
        found.append(place)
    return [*found, *(f"{key}: {value}" for key, value in rest.items())]
