"""What the app does with what surrounds it: settings, memory, notices, other programs."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from textual.widgets._toast import Toast

from msgcode import Message, Store
from msgcode.model import now
from msgcode_tui import desktop
from msgcode_tui.app import MsgcodeApp
from msgcode_tui.clipboard import Copied
from msgcode_tui.notices import Notice
from msgcode_tui.remembered import Memory
from msgcode_tui.rooms import pair_room
from msgcode_tui.settings import Notify, Settings, Stuck, Thread
from msgcode_tui.widgets.bars import TopBar
from msgcode_tui.widgets.composer import Composer
from tests.tui.support import Driver, running


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    """The room as another process has it open, by the same clock as the app: what is past is not told."""
    with Store.open(folder, sync=False) as store:
        store.register("alice")
        store.register("bob")
        yield store


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Notice]:
    """What the user was told; no bell rings."""
    notices: list[Notice] = []
    monkeypatch.setattr(MsgcodeApp, "tell", lambda app, notice: notices.append(notice))
    return notices


async def test_the_theme_is_the_one_in_the_settings(store: Store, folder: Path) -> None:
    async with running(folder, settings=Settings(theme="high-contrast")) as app:
        assert app.app.theme == "high-contrast"
        assert app.app.screen.background_colors[1].hex == "#000000"


async def test_times_are_those_of_the_clock_in_the_settings(store: Store, folder: Path) -> None:
    message = store.send("alice", "bob", "hello")
    at = message.sent_at
    shown = f"{at.hour % 12 or 12:02}:{at:%M:%S} {'am' if at.hour < 12 else 'pm'}"
    async with running(folder, settings=Settings(clock="12h")) as app:
        await app.shows(f"· {shown}")
        app.thread.focus()
        await app.pilot.press("k")
        await app.shows(f"sent {at:%Y-%m-%d} {shown}")


@pytest.mark.parametrize("compact", [False, True])
async def test_messages_have_a_line_between_them_or_not(store: Store, folder: Path, compact: bool) -> None:
    for text in ("first", "second"):
        store.send("alice", "bob", text)
    async with running(folder, settings=Settings(thread=Thread(compact=compact))) as app:
        await app.shows("first", "second")
        lines = app.screen().splitlines()
        first, second = (
            next(y for y, line in enumerate(lines) if text in line) for text in ("first", "second")
        )
        assert second - first == (2 if compact else 3)


async def test_no_color_is_none_at_all(store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "")
    store.send("alice", "bob", "hello", priority="urgent")
    async with running(folder) as app:
        await app.shows("hello")
        written = app.app.screen._compositor.render_full_update().render_segments(app.app.console)
        assert "hello" in written
        styles = {code for codes in re.findall(r"\x1b\[([0-9;]*)m", written) for code in codes.split(";")}
        assert styles <= {"0", "1", "2", "3", "4", "7", "39", "49"}


async def test_what_is_remembered_outlives_the_app(store: Store, folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "state" / "room.json"
    async with running(folder, memory=Memory(file)) as app:
        app.app.memory.now.widths["rooms"] = 40
    assert Memory(file).now.widths == {"rooms": 40}


async def test_a_memory_that_cannot_be_written_is_said_once(
    store: Store, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("msgcode_tui.app.SAVE_EVERY", 0.01)
    (tmp_path / "state").write_text("in the way")
    async with running(folder, memory=Memory(tmp_path / "state" / "room.json")) as app:
        app.app.memory.now.hidden.add("rooms")
        await app.shows("cannot be remembered")


async def test_a_message_to_the_user_is_told(store: Store, folder: Path, told: list[Notice]) -> None:
    with Store.open(folder, sync=False, clock=lambda: now() - timedelta(hours=1)) as earlier:
        earlier.send("alice", "human", "from before they came")
    async with running(folder) as app:
        await app.shows("from before")
        store.send("alice", "bob", "nothing to them")
        store.send("alice", "human", "May I merge?")
        await app.until(lambda: told)
        assert told == [Notice("alice", "May I merge?")]


async def test_a_muted_room_is_silent(store: Store, folder: Path, told: list[Notice]) -> None:
    memory = Memory()
    memory.now.muted.add("pair/alice/human")
    async with running(folder, memory=memory) as app:
        store.send("alice", "human", "in a muted room")
        store.send("bob", "human", "in another")
        await app.until(lambda: told)
        assert told == [Notice("bob", "in another")]


async def test_the_room_before_their_eyes_is_silent_while_they_look(
    store: Store, folder: Path, told: list[Notice]
) -> None:
    async with running(folder) as app:
        await app.shows("alice")
        await app.pilot.press("down")
        assert app.rooms.room == pair_room("alice", "human")
        store.send("alice", "human", "seen at once")
        await app.shows("seen at once")
        assert told == []
        app.app.app_focus = False
        store.send("alice", "human", "not seen")
        await app.until(lambda: told)
        assert told == [Notice("alice", "not seen")]


async def test_what_is_stuck_is_told_once(store: Store, folder: Path, told: list[Notice]) -> None:
    store.set_presence("bob", "blocked", "may I run make?")
    store.seen("bob")
    settings = Settings(stuck=Stuck(blocked=0.5))
    async with running(folder, settings=settings) as app:
        await app.until(lambda: told)
        assert told[0].title == "bob is stuck"
        assert re.fullmatch(r"bob is blocked for [\d.]+ s: may I run make\?", told[0].text)
        looked = app.app.stuck
        await app.until(lambda: app.app.stuck is not looked)
        assert len(told) == 1


async def test_copying_says_which_way(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("TMUX", "SSH_CONNECTION", "WAYLAND_DISPLAY", "DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    async with running(folder) as app:
        app.composer.focus()
        app.composer.insert("to copy")
        await app.pilot.press("ctrl+a", "shift+end", "ctrl+c")
        await app.shows("The terminal was asked to copy")
        assert app.app.clipboard == "to copy"


async def test_a_message_or_its_id_is_copied(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("msgcode_tui.clipboard.copy", lambda text, *_: Copied(f"Copied {text}.", True))
    message = store.send("alice", "bob", "the body")
    async with running(folder) as app:
        await app.shows("the body")
        app.thread.focus()
        await app.pilot.press("y")
        await app.shows("No message is selected")
        await app.pilot.press("k", "y")
        await app.shows("Copied the body.")
        await app.pilot.press("Y")
        await app.shows(f"Copied {message.id}.")


def message_with(store: Store, **metadata: str) -> Message:
    return store.send("alice", "human", "look", metadata=metadata)


async def opened(app: Driver, message: Message) -> None:
    await app.until(lambda: message.id in app.app.live.state.messages)
    app.app.open_in_editor(message)


async def test_an_editor_with_windows_is_started_at_the_line(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source, got, editor = tmp_path / "a b.py", tmp_path / "got", tmp_path / "code"
    source.touch()
    editor.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > "{got}.part" && mv "{got}.part" "{got}"\n')
    editor.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(editor))
    async with running(folder) as app:
        await opened(app, message_with(store, file=f"{source}:7"))
        await app.until(lambda: os.path.exists(got))
    assert await asyncio.to_thread(got.read_text) == f"--goto\n{source}:7\n"


@pytest.mark.parametrize(
    ("visual", "metadata", "sentence"),
    [
        ("vim", {"file": "none.py"}, "There is no such file in"),
        ("vim", {"commit": "4f2c1ab"}, "names no file"),
        ("/none/code", {"file": "/etc/passwd"}, "/none/code could not be started"),
        ("vim", {"file": "/etc/passwd"}, "There is no terminal here for vim"),
    ],
)
async def test_what_cannot_be_opened_is_said(
    store: Store,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    visual: str,
    metadata: dict[str, str],
    sentence: str,
) -> None:
    monkeypatch.setenv("VISUAL", visual)
    async with running(folder, size=(200, 40)) as app:
        await opened(app, message_with(store, **metadata))
        await app.shows(sentence)


@pytest.mark.parametrize("size", [(140, 40), (80, 24), (50, 20)])
async def test_what_is_told_covers_neither_the_health_nor_what_is_written(
    store: Store, folder: Path, size: tuple[int, int]
) -> None:
    async with running(folder, size=size) as app:
        await app.pilot.press("down", "i", "h", "i")
        for count in range(3):
            app.app.say(
                f"Sentence {count}, which has so many words that it needs a second line to be told in full."
            )
        await app.until(lambda: len(app.app.screen.query(Toast)) == 3)
        await app.shows("Sentence 2")
        for toast in app.app.screen.query(Toast):
            assert app.app.screen.region.contains_region(toast.region)
            for part in (Composer, TopBar):
                assert not toast.region.overlaps(app.app.screen.query_one(part).region)


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What reached the terminal, as if there were one that can only ring."""
    heard: list[str] = []
    monkeypatch.setattr(MsgcodeApp, "is_headless", property(lambda app: False))
    monkeypatch.setattr(MsgcodeApp, "bell", lambda app: heard.append("bell"))
    monkeypatch.setattr(desktop, "escape", lambda notice, environment: None)
    monkeypatch.setattr(desktop, "command", lambda notice, environment: [notice.title, notice.text])
    monkeypatch.setattr(desktop, "run", lambda words: heard.append(words[0]))
    return heard


def hours_around_now() -> str:
    """Quiet hours from one hour ago to one from now, in local time."""
    begin, end = (now().astimezone() + timedelta(hours=hours) for hours in (-1, 1))
    return f"{begin:%H:%M}-{end:%H:%M}"


@pytest.mark.parametrize(
    ("notify", "expected"),
    [
        (Notify(), {"bell", "alice"}),
        (Notify(desktop=False), {"bell"}),
        (Notify(bell=False), {"alice"}),
        (Notify(bell=False, desktop=False), set()),
        (Notify(quiet_hours=hours_around_now()), set()),
    ],
    ids=["both", "bell", "desktop", "neither", "quiet hours"],
)
async def test_the_bell_rings_for_what_is_to_you_but_not_in_quiet_hours(
    store: Store, folder: Path, rung: list[str], notify: Notify, expected: set[str]
) -> None:
    async with running(folder, settings=Settings(notify=notify)) as app:
        store.register("human", human=True)
        store.send("alice", "human", "first")
        await app.shows("first")
        await app.until(lambda: set(rung) == expected)
        # What comes next is drawn after it was decided upon: by then no more has rung.
        store.send("alice", "bob", "second")
        await app.shows("second")
        assert set(rung) == expected
