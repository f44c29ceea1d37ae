"""Changing one value in a TOML text, with its comments and layout kept (see `json_text.py`)."""

from __future__ import annotations

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
    try:
        document = tomlkit.parse(text)
        container = _at(document, path[:-1])
        if isinstance(container, list) and path[-1] == len(container):
            container.append(value)
        else:
            container[path[-1]] = value
        return tomlkit.dumps(document)
    except (TOMLKitError, KeyError, TypeError) as error:
        raise ValueError(str(error)) from error


def remove(text: str, path: Path) -> str:
    """The text without the value at `path`, which must be there. Raises ValueError where that fails."""
    try:
        document = tomlkit.parse(text)
        del _at(document, path[:-1])[path[-1]]
        return tomlkit.dumps(document)
    except (TOMLKitError, KeyError, TypeError) as error:
        raise ValueError(str(error)) from error


def _at(container: Any, path: Path) -> Any:
    for key in path:
        container = container[key]
    return container
