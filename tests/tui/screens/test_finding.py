"""Finding a message as a user does: the search, the filter, what is stuck, the palette, the export."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from textual.command import CommandList
from textual.widgets import ProgressBar

from msgcode import Store
from msgcode.model import now
from msgcode_tui import exporting
from msgcode_tui.remembered import Memory
from msgcode_tui.rooms import EVERYTHING, channel_room, pair_room
from msgcode_tui.screens.main import MainScreen
from msgcode_tui.screens.search import SearchScreen
from msgcode_tui.settings import Settings, Stuck
from tests.tui.support import WAIT, Driver, running
from tests.tui.widgets.test_message_lines import RAW


def room_screen(app: Driver) -> MainScreen:
    (screen,) = (each for each in app.app.screen_stack if isinstance(each, MainScreen))
    return screen


async def search(app: Driver, text: str, *, key: str = "ctrl+f") -> None:
    await app.pilot.press(key)
    await app.until(lambda: isinstance(app.app.screen, SearchScreen))
    await app.pilot.press(*text)


async def test_hits_come_as_one_types_and_enter_goes_there(store: Store, folder: Path) -> None:
    needle = store.broadcast("alice", "dev", "the needle is here")
    store.send("alice", "bob", "only hay")
    newer = store.send("bob", "alice", "a needle too")
    async with running(folder) as app:
        await app.shows("only hay")
        app.thread.focus()
        await search(app, "need", key="slash")
        await app.shows("2 messages, 1 selected", "the needle is here")
        await app.pilot.press("l", "e", "down", "enter")
        await app.until(lambda: app.app.screen is room_screen(app) and app.thread.selected == needle.id)
        assert app.rooms.room == EVERYTHING  # It was on the screen already.
        await app.shows("“needle” 2 of 2 · n N · esc ends")
        assert app.thread.highlight
        assert app.thread.highlight("the needle") == [(4, 10)]
        await app.pilot.press("n")
        await app.until(lambda: app.thread.selected == newer.id)
        await app.pilot.press("N")
        await app.until(lambda: app.thread.selected == needle.id)
        await app.pilot.press("escape")
        await app.until(lambda: "“needle”" not in app.screen())
        assert app.thread.highlight is None
        assert app.thread.selected == needle.id


async def test_a_time_narrows_the_hits(store: Store, folder: Path) -> None:
    with Store.open(folder, sync=False, clock=lambda: now() - timedelta(hours=5)) as earlier:
        earlier.send("alice", "bob", "long ago")
    store.send("alice", "bob", "just now")
    async with running(folder) as app:
        await app.shows("long ago", "just now")
        await search(app, "before:2h")
        await app.shows("1 message, 1 selected")
        await app.pilot.press("enter")
        await app.until(lambda: app.app.screen is room_screen(app) and app.thread.message)
        assert app.thread.message
        assert app.thread.message.body == "long ago"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("from:alice", "hello"),
        ("to:carol", "aloha"),
        ("in:#dev", "moin"),
        ("priority:urgent", "aloha"),
        ("status:acknowledged", "hello"),
    ],
)
async def test_fields_narrow_the_hits(store: Store, folder: Path, query: str, found: str) -> None:
    store.register("carol")
    store.acknowledge("bob", store.send("alice", "bob", "hello").id)
    store.send("bob", "carol", "aloha", priority="urgent")
    store.broadcast("bob", "dev", "moin")
    async with running(folder) as app:
        await app.shows("hello", "aloha", "moin")
        await search(app, query)
        await app.shows("1 message, 1 selected")
        await app.pilot.press("enter")
        await app.until(lambda: app.app.screen is room_screen(app) and app.thread.message)
        assert app.thread.message
        assert app.thread.message.body == found


async def test_a_hit_elsewhere_is_shown_in_its_room(store: Store, folder: Path) -> None:
    needle = store.broadcast("alice", "dev", "the needle is here")
    store.send("alice", "human", "hay")
    async with running(folder) as app:
        await app.shows("the needle is here")
        await app.select(pair_room("alice", "human"))
        await app.shows("hay")
        await search(app, "needle")
        await app.pilot.press("enter")
        await app.until(lambda: app.rooms.room == channel_room("dev") and app.thread.selected == needle.id)


async def test_an_ill_formed_query_says_so(store: Store, folder: Path) -> None:
    store.send("alice", "bob", "hello")
    async with running(folder) as app:
        await search(app, "status:lost")
        await app.shows("'lost' is no status: choose queued")
        await app.pilot.press("enter", "ctrl+f")
        await app.pilot.pause()
        assert isinstance(app.app.screen, SearchScreen)
        await app.pilot.press("escape")
        await app.until(lambda: app.app.screen is room_screen(app))
        assert not room_screen(app).is_finding


async def test_what_nothing_matches(store: Store, folder: Path) -> None:
    store.send("alice", "bob", "hello")
    async with running(folder) as app:
        await search(app, "needle")
        await app.shows("No message matches.")
        await app.pilot.press("enter")
        await app.pilot.pause()
        assert isinstance(app.app.screen, SearchScreen)


async def test_what_arrives_while_one_looks_is_a_hit_too(store: Store, folder: Path) -> None:
    store.send("alice", "bob", "needle one")
    async with running(folder) as app:
        await search(app, "needle")
        await app.shows("1 message, 1 selected")
        store.send("alice", "bob", "needle two")
        await app.shows("2 messages, 1 selected", "needle two")


HOSTILE = "needle \x1b[31m\x1b]52;c;AAAA\x07 [red]x[/red] \u202egnp.exe \u2066 👩 日本語 " + "w" * 10_000


async def test_hostile_hits(store: Store, folder: Path) -> None:
    store.send("alice", "bob", HOSTILE)
    store.send("alice", "bob", "x" * 900_000 + HOSTILE)
    async with running(folder) as app:
        await search(app, "needle")
        await app.shows("2 messages, 1 selected", "[red]x[/red]")
        assert not any(RAW.search(line) for line in app.screen().split("\n"))


async def test_the_room_narrowed_to_what_matches(store: Store, folder: Path) -> None:
    store.send("alice", "bob", "needle one")
    store.send("alice", "bob", "only hay")
    store.broadcast("alice", "dev", "needle elsewhere")
    async with running(folder) as app:
        await app.select(pair_room("alice", "bob"))
        await app.shows("only hay")
        await search(app, "needle")
        await app.pilot.press("ctrl+f")
        await app.shows("1 message with “needle” · esc shows all", "needle one")
        assert "hay" not in app.screen()
        store.send("alice", "bob", "more hay")
        store.send("alice", "bob", "needle two")
        await app.shows("2 messages with “needle”", "needle two")
        assert "hay" not in app.screen()
        assert app.app.live.index.unread_count(pair_room("alice", "bob"))  # Hay has not been seen.
        await app.pilot.press("escape")
        await app.shows("only hay", "more hay", "needle two")
        assert app.app.live.index.unread_count(pair_room("alice", "bob")) == 0


async def test_what_was_found_may_not_have_been_there_in_the_past(store: Store, folder: Path) -> None:
    store.send("alice", "bob", "needle one")
    two = store.send("alice", "bob", "needle two")
    async with running(folder) as app:
        await search(app, "needle")
        await app.pilot.press("enter")
        await app.shows("1 of 2")
        await app.pilot.press("n", "T")
        await app.until(lambda: app.app.travel.place)
        while app.app.travel.place and (seq := app.app.travel.place.seq) >= two.seq:
            await app.pilot.press("comma")
            await app.until(lambda seq=seq: app.app.travel.place and app.app.travel.place.seq < seq)  # type: ignore[misc]
        await app.rests()
        assert "needle two" not in app.screen()
        await app.shows("“needle” 2 of 2")
        await app.pilot.press("n")
        await app.shows("“needle” 1 of 1")


async def test_a_filter_ends_with_its_room(store: Store, folder: Path) -> None:
    store.send("alice", "bob", "needle one")
    store.broadcast("alice", "dev", "only hay")
    async with running(folder) as app:
        await app.select(pair_room("alice", "bob"))
        await search(app, "needle")
        await app.pilot.press("ctrl+f")
        await app.shows("1 message with “needle”")
        await app.select(channel_room("dev"))
        await app.shows("only hay")
        assert "“needle”" not in app.screen()


async def test_what_is_selected_and_filtered_out_is_not_selected(store: Store, folder: Path) -> None:
    store.send("alice", "bob", "needle")
    store.send("alice", "bob", "hay")
    async with running(folder) as app:
        await app.shows("hay")
        app.thread.focus()
        await app.pilot.press("k")
        await search(app, "needle")
        await app.pilot.press("ctrl+f")
        await app.shows("1 message with “needle”")
        assert app.thread.selected is None
        await app.pilot.press("k")
        assert app.thread.message
        assert app.thread.message.body == "needle"


async def test_next_stuck(store: Store, folder: Path) -> None:
    done = store.send("alice", "bob", "done")
    store.check("bob")
    store.acknowledge("bob", done.id)
    stuck = [store.send("alice", "bob", "waits"), store.broadcast("alice", "dev", "waits too")]
    settings = Settings(stuck=Stuck(waiting=1e-6))
    store.acknowledge(
        "bob", *(message.id for message in store.inbox("bob") if message.body.startswith("num"))
    )
    async with running(folder, settings=settings) as app:
        await app.shows("waits too")
        app.thread.focus()
        for expected in (stuck[0], stuck[1], stuck[0]):
            await app.pilot.press("exclamation_mark")
            await app.pilot.pause()
            assert app.thread.selected == expected.id


async def test_nothing_is_stuck(store: Store, folder: Path) -> None:
    async with running(folder) as app:
        app.thread.focus()
        await app.pilot.press("exclamation_mark")
        await app.shows("Nothing is stuck.")


# The palette


async def palette(app: Driver, text: str) -> None:
    await app.pilot.press("ctrl+p")
    await app.pilot.press(*text)


async def test_the_palette_goes_to_rooms_and_messages(store: Store, folder: Path) -> None:
    store.broadcast("alice", "dev", "[red]markup[/red] \x1b[31m needle")
    async with running(folder) as app:
        await app.shows("needle")
        await palette(app, "#dev")
        await app.shows("Go to #dev")
        await app.pilot.press("enter")
        await app.until(lambda: app.rooms.room == channel_room("dev"))
        await app.select(pair_room("alice", "human"))
        await palette(app, "needle")
        await app.shows("alice: [red]markup[/red]", "to #dev")
        await app.pilot.press("enter")
        await app.until(lambda: app.rooms.room == channel_room("dev") and app.thread.selected)


async def test_the_palette_has_the_keys_as_they_are_bound(store: Store, folder: Path) -> None:
    async with running(folder, settings=Settings(keys={"room.next-stuck": "f9"})) as app:
        await palette(app, "next stuck")
        await app.shows("Go to the next stuck message", "f9")
        await app.pilot.press("enter")
        await app.shows("Nothing is stuck.")


async def test_what_is_called_so_comes_first_in_the_palette(store: Store, folder: Path) -> None:
    """The keys come without a pause, and none is lost while it opens."""
    store.send("alice", "bob", "next I say next")
    async with running(folder) as app:
        await app.shows("next I say")
        for key in ("ctrl+p", *"next"):
            app.hurry(key)
        await app.shows("Take the next priority", "Go to the next stuck message")
        found = app.app.screen.query_one(CommandList)
        await app.until(lambda: found.option_count > 5)
        await app.rests()
        offered = [str(found.get_option_at_index(index).prompt) for index in range(found.option_count)]
        first = {text.splitlines()[0] for text in offered[:3]}
        assert first == {
            "Go to the next unread message",
            "Go to the next message that is to you or names you",
            "Go to the next stuck message",
        }, offered


# Export


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder where one is."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def files(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_exporting_the_room(store: Store, folder: Path, here: Path) -> None:
    store.send("alice", "bob", "hello")
    async with running(folder) as app:
        await app.shows("hello")
        await app.pilot.press("ctrl+s")
        await app.shows("this room: 1 message", "msgcode-everything-")
        await app.pilot.press("enter")
        await app.shows("Wrote ")
        (file,) = files(here)
        assert file.suffix == ".md"
        assert "hello" in file.read_text()
        file.write_text("mine")
        await app.pilot.press("ctrl+s", "enter")
        await app.shows("Replace the file?")
        await app.pilot.press("n")
        assert file.read_text() == "mine"
        await app.pilot.press("enter")
        await app.shows("Replace the file?")
        await app.pilot.press("y")
        await app.until(lambda: "hello" in file.read_text())


async def test_exporting_what_is_marked_as_json(store: Store, folder: Path, here: Path) -> None:
    for number in range(3):
        store.send("alice", "bob", f"number {number}")
    async with running(folder) as app:
        await app.shows("number 2")
        app.thread.focus()
        await app.pilot.press("k", "k", "space", "ctrl+s")
        await app.shows("the marked messages: 1 message", "the selected thread: 1 message", "this room: 3")
        await app.pilot.press("shift+tab", "down", "down", "space")
        await app.shows(".jsonl")
        assert not app.app.screen.query_one(ProgressBar).visible
        await app.pilot.press("tab", "enter")
        await app.until(lambda: files(here) and app.app.screen is room_screen(app))
        (file,) = files(here)
        assert [json.loads(line)["body"] for line in file.read_text().splitlines()] == ["number 1"]


async def test_exporting_as_html_shows_how_far_it_is(
    store: Store, folder: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(30):
        store.send("alice", "bob", f"<b>number {number}</b>")
    goes_on, write = threading.Event(), exporting.write

    def slow_write(*args: Any, tell: Callable[[int], None], **more: Any) -> str | None:
        """As on a room that takes long to write."""

        def tell_and_wait(done: int) -> None:
            tell(done)
            goes_on.wait(WAIT)

        return write(*args, tell=tell_and_wait, **more)

    monkeypatch.setattr(exporting, "write", slow_write)
    async with running(folder) as app:
        await app.shows("number 29")
        await app.pilot.press("ctrl+s")
        await app.shows("this room: 30 messages")
        await app.pilot.press("shift+tab", "down", "space")
        await app.shows(".html")
        await app.pilot.press("tab", "enter")
        await app.until(lambda: app.app.screen.query_one(ProgressBar).visible)
        await app.shows("%")
        goes_on.set()
        await app.until(lambda: files(here) and app.app.screen is room_screen(app))
        (file,) = files(here)
        assert "&lt;b&gt;number 29&lt;/b&gt;" in file.read_text()


async def test_breaking_an_export_off(
    store: Store, folder: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.send("alice", "bob", "one")
    store.send("alice", "bob", "two")
    goes_on, write = threading.Event(), exporting.write

    def slow_write(*args: Any, is_stopped: Callable[[], bool], **more: Any) -> str | None:
        """As on a room that takes long to write."""

        def wait_and_ask() -> bool:
            goes_on.wait(WAIT)
            return is_stopped()

        return write(*args, is_stopped=wait_and_ask, **more)

    monkeypatch.setattr(exporting, "write", slow_write)
    async with running(folder) as app:
        await app.shows("two")
        await app.pilot.press("ctrl+s", "enter")
        await app.until(lambda: app.app.screen.query_one(ProgressBar).visible)
        await app.pilot.press("escape")
        goes_on.set()
        await app.shows("Stopped: no file was written.")
        await app.until(lambda: app.app.screen is room_screen(app))
        assert files(here) == []


async def test_a_file_that_cannot_be_written(store: Store, folder: Path, here: Path) -> None:
    async with running(folder) as app:
        await app.pilot.press("ctrl+s", "home", *"no/such/")
        await app.pilot.press("enter")
        await app.shows("cannot write", "No such")
        await app.pilot.press("escape")
        await app.until(lambda: app.app.screen is room_screen(app))
        assert files(here) == []


# From one run to the next


async def test_what_was_not_read_is_new_the_next_time(store: Store, folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "memory.json"
    async with running(folder, memory=Memory(path)) as app:
        store.send("alice", "bob", "first")
        await app.shows("first")
    second = store.send("alice", "bob", "second")
    async with running(folder, memory=Memory(path), attended=False) as app:
        await app.shows("first", "second", "new since you looked")
        assert app.thread.new_from == second.id
        await app.until(lambda: app.app.live.index.unread_count(pair_room("alice", "bob")) == 1)
        await app.pilot.press("f12")
        store.send("alice", "bob", "third")
        await app.until(lambda: app.app.live.index.unread_count(EVERYTHING) == 0)
