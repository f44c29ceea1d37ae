"""The keys of the app: which bindings there are, and which other keys they may be given. Pure."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from importlib import import_module
from typing import NamedTuple

from textual.binding import Binding
from textual.dom import DOMNode
from textual.keys import KEY_NAME_REPLACEMENTS, Keys, key_to_character

from msgcode.decisions import nearest

_MODIFIERS = {"ctrl", "alt", "shift", "super", "hyper", "meta"}
_NAMED = {key.value.rpartition("+")[2] for key in Keys} - {"<any>", "ignore"} | {
    *KEY_NAME_REPLACEMENTS.values()
}


def bindings() -> dict[type[DOMNode], list[Binding]]:
    """The bindings of every class of the app that has some, in the order in which they are written."""
    _import_all()
    return {cls: own for cls in _classes(DOMNode) if (own := _own_bindings(cls))}


@cache
def _import_all() -> None:
    package = import_module("msgcode_tui")
    for folder in ("screens", "widgets"):
        paths = [f"{path}/{folder}" for path in package.__path__]
        for module in pkgutil.iter_modules(paths, f"msgcode_tui.{folder}."):
            import_module(module.name)
    import_module("msgcode_tui.app")


def _classes(base: type[DOMNode]) -> Iterator[type[DOMNode]]:
    for cls in base.__subclasses__():
        if cls.__module__.startswith("msgcode_tui."):
            yield cls
        yield from _classes(cls)


def _own_bindings(cls: type[DOMNode]) -> list[Binding]:
    return [
        binding if isinstance(binding, Binding) else Binding(*binding)
        for binding in cls.__dict__.get("BINDINGS", ())
    ]


class Problem(NamedTuple):
    """What is wrong with the keys for one id, in a sentence."""

    id: str
    sentence: str


def problem(keymap: Mapping[str, str]) -> Problem | None:
    """Why these keys, by binding id, cannot take the place of the default ones; None if they can."""
    ids = {binding.id or "" for own in bindings().values() for binding in own}
    for id, keys in keymap.items():
        if id not in ids:
            return Problem(id, f"there is no binding of this name{nearest(id, ids)}.")
        for key in map(str.strip, keys.split(",")):
            if not is_key(key):
                right = "n, N, f2, ctrl+n, alt+up or question_mark"
                return Problem(
                    id, f"{key!r} is no key. Write keys such as {right}, with commas between them."
                )
    return next(filter(None, (_clash(own, keymap) for own in bindings().values())), None)


def _clash(own: list[Binding], keymap: Mapping[str, str]) -> Problem | None:
    taken: dict[str, str | None] = {}
    # Those with other keys come last, so that it is one of them which is in the way. At first two may share a
    # key, of which each is for what the other is not.
    for binding in sorted(own, key=lambda binding: binding.id in keymap):
        remapped = replace(binding, key=keymap.get(binding.id or "", binding.key))
        for single in Binding.make_bindings([remapped]):
            if taken.setdefault(single.key, binding.id) != binding.id and binding.id in keymap:
                return Problem(binding.id or "", f"{single.key!r} is the key of {taken[single.key]} already.")
    return None


def is_key(name: str) -> bool:
    """Whether a key can be called so: a character, or a name, and what is held down with it before that."""
    *held, key = name.split("+")
    if not set(held) <= _MODIFIERS:
        return False
    if len(key) == 1:
        return key.isprintable() and not key.isspace() and not (held and key.isupper())
    return key in _NAMED or key_to_character(key) is not None
