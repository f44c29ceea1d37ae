"""The bindings of the app, and what may be a key."""

from __future__ import annotations

from collections import Counter

import pytest
from textual.binding import Binding
from textual.dom import DOMNode

from msgcode_tui.app import MsgcodeApp
from msgcode_tui.keys import bindings, is_key
from msgcode_tui.screens.main import MainScreen
from msgcode_tui.widgets.composer import Composer

ALL = [pytest.param(cls, binding, id=str(binding.id)) for cls, own in bindings().items() for binding in own]


def test_all_are_found() -> None:
    assert {MsgcodeApp, MainScreen, Composer} <= bindings().keys()


@pytest.mark.parametrize(("cls", "binding"), ALL)
def test_every_binding_says_what_it_is(cls: type[DOMNode], binding: Binding) -> None:
    assert binding.id, f"{cls.__name__}, {binding.key}: no id"
    assert binding.description, f"{binding.id}: no description"
    assert binding.tooltip, f"{binding.id}: no tooltip"
    assert all(is_key(key.strip()) for key in binding.key.split(",")), f"{binding.id}: {binding.key}"


def test_ids_are_unique() -> None:
    ids = Counter(binding.id for own in bindings().values() for binding in own)
    assert [id for id, count in ids.items() if count > 1] == []


@pytest.mark.parametrize(
    "name",
    [
        "a",
        "A",
        "?",
        "é",
        "ctrl+a",
        "alt+up",
        "ctrl+shift+k",
        "question_mark",
        "slash",
        "minus",
        "f12",
        "shift+tab",
        "space",
    ],
)
def test_keys(name: str) -> None:
    assert is_key(name)


@pytest.mark.parametrize(
    "name", ["", " ", "ctrl", "ctrl+", "+a", "ctl+a", "ctrl-a", "ab", "ctrl+A", "up down", "\x1b", "<any>"]
)
def test_what_is_no_key(name: str) -> None:
    assert not is_key(name)
