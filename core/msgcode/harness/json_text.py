"""Changing one value in a JSON text, and not a byte beside it.

A file of the user's keeps its order, its layout and its way of writing numbers, whatever they are. Paths
are keys of objects and numbers of elements in lists, from the outermost value inwards.
"""

from __future__ import annotations

import json
import re
from typing import Any

from msgcode.record import Record

Path = tuple[str | int, ...]

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n]*")


class _Item(Record):
    """A member of an object, or an element of a list: where it is in the text."""

    key: str | int
    start: int
    value: int
    end: int


def load(text: str) -> Any:
    """The document; an empty text is an empty object. Raises ValueError if it is not strictly JSON."""
    if not text.strip():
        return {}

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


def put(text: str, path: Path, value: Any) -> str:
    """The text with `value` at `path`: in the place of what is there, or as the last of its container.

    The container must be there, and for an element the list as long as its number says.
    """
    layout = _Layout(text)
    if not text.strip():
        text = "{}\n"
    at = _value(text, path[:-1])
    items = _items(text, at)
    for item in reversed(items):
        if item.key == path[-1]:
            new = layout.write(value, layout.indent_at(text, item.start))
            return text[: item.value] + new + text[item.end :]
    name = f"{json.dumps(path[-1])}{layout.colon}" if text[at] == "{" else ""
    if items:
        last = items[-1]
        before = items[-2].end if len(items) > 1 else at
        gap = text[before + 1 : last.start] if len(items) == 1 else _gap(text, before, last.start)
        if len(items) == 1 and "\n" not in gap:
            gap = layout.space
        new = layout.write(value, layout.indent_at(text, last.start) if "\n" in gap else None)
        return f"{text[: last.end]},{gap}{name}{new}{text[last.end :]}"
    _, close = _bounds(text, at)
    if layout.unit is None:
        return f"{text[: at + 1]}{name}{layout.write(value, None)}{text[close:]}"
    outer = layout.indent_at(text, at)
    inner = outer + layout.unit
    new = layout.write(value, inner)
    return f"{text[: at + 1]}{layout.newline}{inner}{name}{new}{layout.newline}{outer}{text[close:]}"


def remove(text: str, path: Path) -> str:
    """The text without the value at `path`, which must be there."""
    at = _value(text, path[:-1])
    items = _items(text, at)
    index = max(index for index, item in enumerate(items) if item.key == path[-1])
    if index > 0:
        return text[: items[index - 1].end] + text[items[index].end :]
    if len(items) > 1:
        return text[: items[0].start] + text[items[1].start :]
    _, close = _bounds(text, at)
    return text[: at + 1] + text[close:]


class _Layout:
    """How a text is laid out, so that what is added looks like the rest."""

    def __init__(self, text: str) -> None:
        self.newline = "\r\n" if "\r\n" in text else "\n"
        # All on one line, as programs write it, stays so. What is empty gets lines.
        one_line = "\n" not in text.strip() and text.strip() not in ("", "{}", "[]")
        indents = re.findall(r"\n([ \t]+)\S", text)
        self.unit = None if one_line else min(indents, key=len, default="  ")
        tight = one_line and not re.search(r'"\s*: ', text)
        self.colon = ":" if tight else ": "
        self.space = "" if tight else " "

    def indent_at(self, text: str, at: int) -> str:
        """The white space that begins the line on which `at` is."""
        line = text.rfind("\n", 0, at) + 1
        found = _SPACE.match(text, line)
        assert found
        return text[line : min(found.end(), at)]

    def write(self, value: Any, indent: str | None) -> str:
        """The value as JSON, its lines after the first indented; None: on one line."""
        if indent is None or self.unit is None:
            return json.dumps(value, ensure_ascii=False, separators=(f",{self.space}", self.colon))
        text = json.dumps(value, ensure_ascii=False, indent=self.unit)
        return text.replace("\n", self.newline + indent)


def _value(text: str, path: Path) -> int:
    """Where the value at `path` begins."""
    at = _skip(text, 0)
    for key in path:
        at = [item.value for item in _items(text, at) if item.key == key][-1]  # The last of a name counts.
    return at


def _items(text: str, at: int) -> list[_Item]:
    return _bounds(text, at)[0]


def _bounds(text: str, at: int) -> tuple[list[_Item], int]:
    """What is in the object or list at `at`, and where its closing bracket is."""
    items: list[_Item] = []
    end = _skip(text, at + 1)
    while text[end] not in "}]":
        start = end
        key: str | int = len(items)
        value = start
        if text[at] == "{":
            key, value = _DECODER.raw_decode(text, start)
            value = _skip(text, _skip(text, value) + 1)
        _, stop = _DECODER.raw_decode(text, value)
        items.append(_Item(key, start, value, stop))
        end = _skip(text, stop)
        if text[end] == ",":
            end = _skip(text, end + 1)
    return items, end


def _gap(text: str, before: int, start: int) -> str:
    """The white space after the comma between two items."""
    return text[text.index(",", before) + 1 : start]


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    assert found
    return found.end()
