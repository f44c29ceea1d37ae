"""The thread as a reader uses it: following, scrolling back, selecting, at any size."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from textual.theme import BUILTIN_THEMES

from msgcode import Store
from msgcode.model import now
from msgcode_tui.rooms import EVERYTHING, pair_room
from tests.tui.support import Driver, Fact, running, write_journal

MANY = 100_000


def write_history(folder: Path, count: int) -> None:
    """A journal of so many messages."""
    agents: list[Fact] = [{"type": "agent.registered", "id": id, "name": id} for id in ("alice", "bob")]
    messages: list[Fact] = [
        {
            "type": "message.sent",
            "id": f"m{number:06}",
            "from": "alice",
            "to": ["bob"],
            "body": f"number {number} " + "word " * (number % 40),
            "thread": "t",
        }
        for number in range(count)
    ]
    write_journal(folder, [*agents, *messages])


def fill(store: Store, count: int) -> None:
    for number in range(count):
        newest = store.send("alice", "bob", f"number {number}.")
    while newest.sent_at >= now():  # The store's clock may be ahead of the app's, to which these are old.
        time.sleep(0.001)


async def ready(app: Driver, count: int) -> None:
    await app.until(lambda: len(app.thread._ids) == count)
    await app.pilot.pause()


async def test_it_follows_the_newest(store: Store, folder: Path) -> None:
    fill(store, 40)
    async with running(folder) as app:
        await app.shows("number 39.")
        assert "number 0." not in app.screen()
        store.send("alice", "bob", "the newest")
        await app.shows("the newest")
        assert app.thread.below == 0


@pytest.mark.parametrize("size", [(140, 40), (80, 24), (50, 20)])
async def test_a_reader_who_scrolled_up_is_left_in_peace(
    store: Store, folder: Path, size: tuple[int, int]
) -> None:
    fill(store, 60)
    async with running(folder, size=size) as app:
        await app.shows("number 59.")
        app.thread.focus()
        await app.pilot.press("pageup", "pageup")
        before = re.findall(r"number \d+\.", app.screen())
        below = app.thread.below
        assert below > 5
        fill(store, 7)
        await ready(app, 67)
        await app.shows(f"↓ {below + 7} below, 7 new · End")
        assert re.findall(r"number \d+\.", app.screen()) == before
        assert app.app.live.index.unread_count(EVERYTHING) == 7
        await app.pilot.press("end")
        await app.shows("number 6.")
        assert "below" not in app.screen()
        await app.until(lambda: app.app.live.index.unread_count(EVERYTHING) == 0)


async def test_selecting_shows_the_details_and_stops_following(store: Store, folder: Path) -> None:
    fill(store, 40)
    ids = [message.id for message in store.messages()]
    async with running(folder) as app:
        await app.shows("number 39.")
        app.thread.focus()
        await app.pilot.press("up")
        await app.shows(f"id {ids[39][:8]}", "bob queued")
        await app.pilot.press("k", "k", "down")
        await app.shows(f"id {ids[38][:8]}")
        assert f"id {ids[39][:8]}" not in app.screen()
        store.check("bob")
        await app.shows("bob delivered")
        await app.pilot.press("home")
        await app.shows(f"id {ids[0][:8]}", "number 0.")
        await app.pilot.press("escape")
        await app.shows("number 39.")
        assert app.thread.selected is None


async def test_going_below_the_newest_follows_again(store: Store, folder: Path) -> None:
    fill(store, 3)
    async with running(folder) as app:
        await app.shows("number 2.")
        app.thread.focus()
        await app.pilot.press("up", "down")
        assert (app.thread.selected, app.thread.following) == (None, True)


async def test_every_message_can_be_reached_line_by_line(store: Store, folder: Path) -> None:
    for number in range(30):
        store.send("alice", "bob", f"number {number}. " + "several words of text\n" * (number % 5))
    async with running(folder, size=(60, 20)) as app:
        await ready(app, 30)
        app.thread.focus()
        seen = set()
        for _ in range(200):
            seen |= {number for number in range(30) if f"number {number}. " in app.screen()}
            before = app.thread.scroll_offset.y
            app.thread.scroll_to(y=before - 3, animate=False, force=True)
            await app.pilot.pause()
            if app.thread.scroll_offset.y == 0 == before:
                break
        assert seen == set(range(30))


async def test_another_room_begins_at_its_end(store: Store, folder: Path) -> None:
    fill(store, 40)
    store.send("bob", "human", "only one")
    async with running(folder) as app:
        await ready(app, 41)
        app.thread.focus()
        await app.pilot.press("home")
        await app.select(pair_room("bob", "human"))
        await app.shows("only one")
        await app.select(EVERYTHING)
        await app.shows("number 39.", "only one")


async def test_resizing_keeps_the_place(store: Store, folder: Path) -> None:
    for number in range(50):
        store.send("alice", "bob", f"number {number}. " + "and a long text that has to be wrapped " * 6)
    async with running(folder) as app:
        await ready(app, 50)
        app.thread.focus()
        await app.pilot.press("pageup", "pageup", "pageup")
        await app.pilot.pause()
        index, _ = app.thread._heights.at(app.thread.scroll_offset.y)
        await app.pilot.resize_terminal(80, 30)
        await app.pilot.pause()
        assert app.thread._heights.at(app.thread.scroll_offset.y)[0] == index
        await app.pilot.press("end")
        await app.pilot.resize_terminal(120, 24)
        await app.pilot.pause()
        assert app.thread.following
        await app.shows("number 49. ")


async def test_resizing_keeps_the_selected_message_in_sight(store: Store, folder: Path) -> None:
    for number in range(50):
        store.send(
            "alice", "bob", f"number {number}. " + "and a long text that has to be wrapped " * 6 + "END"
        )
    async with running(folder, size=(140, 40)) as app:
        await ready(app, 50)
        app.thread.focus()
        await app.pilot.press("k", "k", "k")
        for size in ((50, 20), (80, 24), (140, 40)):
            await app.pilot.resize_terminal(*size)
            await app.shows("▌ number 47. ")
            await app.until(lambda: any("END" in line for line in app.screen().split("\n") if "▌" in line))


async def test_every_theme_is_followed_at_once(store: Store, folder: Path) -> None:
    fill(store, 3)
    async with running(folder) as app:
        await app.shows("number 2.")
        pictures = set()
        for theme in BUILTIN_THEMES:
            app.app.theme = theme
            await app.pilot.pause()
            await app.shows("number 2.")
            pictures.add(app.app.export_screenshot())
        assert len(pictures) == len(BUILTIN_THEMES)


async def test_marks(store: Store, folder: Path) -> None:
    fill(store, 6)
    ids = [message.id for message in store.messages()]
    async with running(folder) as app:
        await app.shows("number 5.")
        app.thread.focus()
        await app.pilot.press("k", "space", "k", "k", "v", "k", "k")
        assert set(app.thread.marked) == {ids[1], ids[2], ids[3], ids[5]}
        await app.pilot.press("j", "v", "j", "j", "space")
        assert list(app.thread.marked) == [ids[2], ids[3], ids[4], ids[5]], "oldest first"
        assert app.screen().count("◆ alice") == 4
        await app.pilot.press("space")
        assert list(app.thread.marked) == [ids[2], ids[3], ids[5]]
        await app.pilot.press("escape")
        assert (list(app.thread.marked), app.thread.selected) == ([], ids[4])
        await app.pilot.press("escape")
        assert (app.thread.selected, app.thread.following) == (None, True)


def row_of(app: Driver, text: str) -> int:
    """The line of the thread with this text, counted from its top."""
    lines = app.screen().split("\n")[app.thread.region.y :]
    return next(y for y, line in enumerate(lines) if text in line)


async def test_the_mouse_selects_and_marks(store: Store, folder: Path) -> None:
    fill(store, 6)
    ids = [message.id for message in store.messages()]
    async with running(folder, size=(100, 40)) as app:
        await app.shows("number 5.")
        await app.pilot.click(app.thread, (10, row_of(app, "number 3.")))
        assert app.thread.selected == ids[3]
        await app.pilot.click(app.thread, (10, row_of(app, "number 1.")), shift=True)
        assert (app.thread.selected, app.thread.marked) == (ids[1], tuple(ids[1:4]))
        await app.pilot.click(app.thread, (10, row_of(app, "number 5.")), control=True)
        assert app.thread.marked == (*ids[1:4], ids[5])


async def test_the_mouse_selects_text(store: Store, folder: Path) -> None:
    store.send("alice", "bob", "first of all " + "日本 " * 30 + "end", subject="Subject")
    store.send("bob", "alice", "in between")
    store.send("alice", "bob", "    indented = 1\nlast line")
    async with running(folder, size=(80, 24)) as app:
        await app.shows("last line")
        begin, end = row_of(app, "first of"), row_of(app, "last line")
        await app.pilot.mouse_down(app.thread, (1 + 2 + 6, begin))
        await app.pilot.hover(app.thread, (1 + 2 + 3, end))
        await app.pilot.mouse_up(app.thread, (1 + 2 + 3, end))
        copied = app.app.screen.get_selected_text()
        assert copied == (
            "of all " + ("日本 " * 30) + "end\n\nbob → alice\nin between\n\n"
            "alice → bob\n    indented = 1\nlast"
        )
        assert app.thread.selected is None, "to select text is not to select a message"
        row = row_of(app, "in between")
        await app.pilot.click(app.thread, (10, row), times=2)
        copied = app.app.screen.get_selected_text() or ""
        assert copied.startswith("bob → alice\nin between\n"), "with its details"


async def test_all_text_can_be_selected(folder: Path) -> None:
    write_history(folder, 5_000)
    async with running(folder) as app:
        await ready(app, 5_000)
        app.thread.text_select_all()
        copied = app.app.screen.get_selected_text() or ""
        assert copied.count("alice → bob\nnumber ") == 5_000


async def test_the_selected_message_is_read_as_markdown(store: Store, folder: Path) -> None:
    store.send("alice", "bob", "# Title\n\n```python\nx = **y**\n```\nand **bold**")
    async with running(folder) as app:
        await app.shows("# Title", "and **bold**")
        app.thread.focus()
        await app.pilot.press("k")
        await app.shows("▌  x = **y**", "and bold")
        assert "# Title" not in app.screen()
        await app.pilot.press("z")
        await app.shows("# Title", "and **bold**")
        await app.pilot.press("z", "escape")
        await app.shows("# Title")


async def test_what_was_searched_for(store: Store, folder: Path) -> None:
    fill(store, 3)
    async with running(folder) as app:
        await app.shows("number 2.")
        before = app.thread.render_lines(app.thread.size.region)
        app.thread.highlight = lambda text: [match.span() for match in re.finditer("umb", text)]
        await app.pilot.pause()
        hits = [
            segment.text for strip in app.thread.render_lines(app.thread.size.region) for segment in strip
        ]
        assert hits.count("umb") == 3
        app.thread.highlight = None
        await app.pilot.pause()
        assert app.thread.render_lines(app.thread.size.region) == before


async def test_what_is_new_says_so(store: Store, folder: Path) -> None:
    fill(store, 3)
    async with running(folder) as app:
        await app.shows("number 2.")
        assert "new since" not in app.screen()
        new = store.send("alice", "human", "for you")
        await app.shows("for you")
        await app.select(pair_room("alice", "bob"))
        store.send("alice", "human", "and more")
        store.send("alice", "human", "and more still")
        await app.until(lambda: app.app.live.index.unread_count(pair_room("alice", "human")) == 2)
        await app.select(pair_room("alice", "human"))
        await app.shows("new since you looked", "and more still")
        shown = app.screen()
        assert shown.index(new.body) < shown.index("new since") < shown.index("and more")
        await app.until(lambda: not app.app.live.index.unread_count(EVERYTHING))
        await app.select(EVERYTHING)
        await app.shows("number 2.")
        assert "new since" not in app.screen()


async def test_half_pages(store: Store, folder: Path) -> None:
    fill(store, 60)
    async with running(folder, size=(80, 24)) as app:
        await app.shows("number 59.")
        app.thread.focus()
        bottom = app.thread.scroll_offset.y
        await app.pilot.press("ctrl+u")
        assert bottom - app.thread.scroll_offset.y == (app.thread.size.height - 1) // 2
        await app.pilot.press("ctrl+d")
        assert app.thread.following


async def test_a_hundred_thousand_messages(folder: Path) -> None:
    write_history(folder, MANY)
    async with running(folder) as app:
        await app.until(lambda: len(app.thread._ids) == MANY)
        await app.shows(f"number {MANY - 1} ")
        app.thread.focus()
        await app.pilot.press("home")
        await app.shows("number 0 ")
        await app.pilot.resize_terminal(80, 24)
        await app.shows("number 0 ", " below · End")
        with Store.open(folder, sync=False) as store:
            store.send("alice", "bob", "one more")
        await app.until(lambda: len(app.thread._ids) == MANY + 1)
        await app.pilot.press("end")
        await app.shows("one more")
