"""Keys that are pressed faster than the screen follows: none does anything twice, and none ends the app."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from random import Random

import pytest

from msgcode import Store
from msgcode.events import HoldPlaced
from msgcode.journal.reader import segment_numbers, segment_path
from msgcode_tui.screens.command_palette import Palette
from msgcode_tui.screens.dialog import ClosingScreen
from msgcode_tui.screens.main import MainScreen
from tests.tui.support import Driver, running

_KEYS = [
    *"abcdefghijklmnprstuvwxyzABCDEFGHIJKLMNOPRSTUVWXYZ?/.,:;!#@<>0123456789 ",
    *("up", "down", "left", "right", "pageup", "pagedown", "home", "end", "backspace"),
    *("enter", "tab", "shift+tab", "escape", "escape", "ctrl+p", "ctrl+p"),
]
"""Without those that end the app, suspend it or write a file."""


async def back(app: Driver) -> None:
    """Close what is open, and see that the app still answers to keys."""
    await app.rests()
    while not isinstance(app.app.screen, MainScreen) or app.composer.has_focus:
        await app.pilot.press("escape")
    app.thread.focus()
    await app.pilot.press("question_mark")
    await app.until(lambda: isinstance(app.app.screen, ClosingScreen))
    await app.pilot.press("escape")


def holds(store: Store) -> int:
    """How many have ever been placed."""
    return sum(isinstance(event.fact, HoldPlaced) for event in store.history())


async def test_a_menu_is_chosen_from_once(store: Store, folder: Path) -> None:
    store.send("alice", "bob", "go")
    async with running(folder) as app:
        await app.shows("go")
        app.thread.focus()
        app.hurry("up", "a", "g", "g")
        await app.until(lambda: holds(store))
        await back(app)
        assert holds(store) == 1


async def test_a_dialog_over_another_is_closed_alone(store: Store, folder: Path) -> None:
    message = store.send("alice", "bob", "go")
    async with running(folder) as app:
        await app.shows("go")
        app.thread.focus()
        app.hurry("up", "d", "y", "y", "y")
        await app.until(lambda: store.message(message.id).ended)
        await back(app)


async def test_the_palette_runs_a_command_once(store: Store, folder: Path) -> None:
    store.send("alice", "bob", "go")
    async with running(folder) as app:
        await app.shows("go")
        await app.pilot.press("ctrl+p", *"freeze")
        await app.until(lambda: isinstance(app.app.screen, Palette) and app.app.screen._list_visible)
        await app.rests()
        app.hurry("enter", "enter", "enter")
        await app.until(lambda: holds(store))
        await back(app)
        assert holds(store) == 1
        assert app.app.live.state.holds, "it was not taken back by the second enter"


@pytest.mark.parametrize(
    "keys",
    [
        ("ctrl+p", "pagedown", "pagedown", "pageup"),
        ("ctrl+p", "escape", "ctrl+p", "escape", "ctrl+p"),
        ("ctrl+p", "a", "escape", "ctrl+p", "b", "escape"),
        ("question_mark", "question_mark", "escape", "question_mark", "f1"),
        ("D", "escape", "2", "3", "D", "escape"),
        ("a", "pagedown", "escape", "escape", "a"),
        ("slash", "g", "o", "enter", "enter", "enter"),
        ("ctrl+s", "escape", "escape", "ctrl+s", "escape"),
    ],
    ids="-".join,
)
async def test_what_is_closing_does_nothing_more(store: Store, folder: Path, keys: tuple[str, ...]) -> None:
    store.send("alice", "bob", "go")
    async with running(folder) as app:
        await app.shows("go")
        app.thread.focus()
        app.hurry("up", *keys)
        await app.rests()
        await back(app)


@pytest.mark.parametrize("seed", range(4))
async def test_any_keys_at_all(store: Store, folder: Path, seed: int) -> None:
    """While the room changes, and its end is cut off as by a machine that goes down."""
    random = Random(seed)
    size = random.choice([(140, 40), (80, 24), (50, 20)])
    async with running(folder, size=size) as app:
        for _ in range(8):
            sent = store.send("alice", random.choice(["bob", "human"]), "go on?")
            store.broadcast("bob", "dev", "for all", reply_to=sent.id)
            app.hurry(*random.choices(_KEYS, k=random.randrange(1, 30)))
            await asyncio.sleep(random.choice([0, 0.01, 0.1]))
            if random.random() < 0.2:
                cut_off_the_end(folder)
        await back(app)


def cut_off_the_end(folder: Path) -> None:
    """Have the last change not happen."""
    journal = str(folder / "journal")
    path = Path(segment_path(journal, segment_numbers(journal)[-1]))
    os.truncate(path, path.stat().st_size - 3)
