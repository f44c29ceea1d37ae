"""Changing one value in a TOML text, with its comments and layout kept (see `json_text.py`).

tomlkit has been seen to move a user's keys into another table, where tables and dotted keys meet. So what
comes out is read again, and counts only if it says what it should.
"""

from __future__ import annotations

import copy
import tomllib
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from msgcode.harness.json_text import Path


def load(text: str) -> Any:
    """The document. Raises ValueError if it is not TOML."""
    return tomllib.loads(text)


def put(text: str, path: Path, value: Any) -> str:
    """The text with `value` at `path`; its container must be there. Raises ValueError where that fails."""
    expected = load(text)
    _set(expected, path, copy.deepcopy(value))
    for form in (value, _inline(value)) if isinstance(value, dict) else (value,):
        try:
            document = tomlkit.parse(text)
            _set(document, path, form)
            return _checked(document, expected)
        except (TOMLKitError, ValueError, KeyError, TypeError):
            continue
    raise ValueError(f"{_name(path)} cannot be set in it")


def remove(text: str, path: Path) -> str:
    """The text without the value at `path`, which must be there. Raises ValueError where that fails."""
    expected = load(text)
    del _at(expected, path[:-1])[path[-1]]
    allowed = [copy.deepcopy(expected)]
    for length in range(len(path) - 1, 0, -1):
        # A table that only its parts' names told of goes with the last of them.
        if _at(expected, path[:length]):
            break
        del _at(expected, path[: length - 1])[path[length - 1]]
        allowed.append(copy.deepcopy(expected))
    try:
        document = tomlkit.parse(text)
        del _at(document, path[:-1])[path[-1]]
        return _checked(document, *allowed)
    except (TOMLKitError, ValueError, KeyError, TypeError):
        raise ValueError(f"{_name(path)} cannot be taken out of it") from None


def _inline(value: dict[str, Any]) -> Any:
    table = tomlkit.inline_table()
    table.update(value)
    return table


def _checked(document: tomlkit.TOMLDocument, *allowed: Any) -> str:
    text = tomlkit.dumps(document)
    if load(text) not in allowed:
        raise ValueError
    return text


def _set(container: Any, path: Path, value: Any) -> None:
    container = _at(container, path[:-1])
    if isinstance(container, list) and path[-1] == len(container):
        container.append(value)
    else:
        container[path[-1]] = value


def _at(container: Any, path: Path) -> Any:
    for key in path:
        container = container[key]
    return container


def _name(path: Path) -> str:
    return ".".join(map(str, path))
