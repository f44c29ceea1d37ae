"""Which line of a TOML file sets a value. Pure."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence


def line_of(text: str, path: Sequence[str]) -> int:
    """The number of the line, from 1, at which the statement that sets `path` begins.

    text: valid TOML. path: the keys that lead to the value, which is in it.

    Every way to write a key (quoted, dotted, in a table or an inline table) and every string that looks like
    one is told apart by the parser itself: it reads the file line by line longer, until the value is there.
    """
    lines = re.split("(?<=\n)", text)
    start = 1
    for end in range(1, len(lines) + 1):
        try:
            table: object = tomllib.loads("".join(lines[:end]))
        except tomllib.TOMLDecodeError:
            continue  # In the middle of a statement of several lines.
        for key in path:
            table = table.get(key) if isinstance(table, dict) else None
        if table is not None:
            return start
        start = end + 1
    raise KeyError(path)
