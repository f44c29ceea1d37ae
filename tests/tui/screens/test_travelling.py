"""Going through the room's past, by key, mouse and palette."""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from msgcode import Store
from msgcode_tui.app import MsgcodeApp
from msgcode_tui.demo import Stage
from msgcode_tui.rooms import EVERYTHING, pair_room
from msgcode_tui.screens.main import MainScreen
from msgcode_tui.widgets.travel_bar import TravelBar
from tests.troubles import TROUBLES
from tests.tui.debugging import Debugger
from tests.tui.screens.test_acting import on
from tests.tui.support import Driver, running

Compare = Callable[..., bool]
AS_IT_WAS = "This is the room as it was: press T"


async def depart(app: Driver, *keys: str) -> None:
    """Go into the past, and press keys there."""
    await on(app, MainScreen)
    app.thread.focus()
    await app.pilot.press("T")
    await arrived(app)
    for key in keys:
        before = app.app.travel.place
        await app.pilot.press(key)
        await app.until(lambda before=before: app.app.travel.place is not before)  # type: ignore[misc]
    await app.pilot.pause()


async def arrived(app: Driver) -> None:
    await app.until(lambda: app.app.travel.place)
    await app.shows(" of ")


def seqs(store: Store) -> int:
    return store.recent(0).state.seq


async def test_step_by_step_through_the_life_of_a_message(store: Store, folder: Path) -> None:
    store.send("alice", "bob", "the first")
    message = store.send("alice", "bob", "please review")
    sent = message.seq
    store.claim("bob", "host")
    store.acknowledge("bob", message.id)
    async with running(folder) as app:
        await app.select(pair_room("alice", "bob"))
        await app.until(lambda: "human" in app.app.live.state.agents)
        last = seqs(store)
        await depart(app)
        await app.shows(f"event {last:,} of {last:,}", "●", "please review")
        await app.until(lambda: app.app.live is not app.app.present)
        while app.app.travel.place and app.app.travel.place.seq > sent:
            await depart_by(app, "comma")
        await app.shows(f"event {sent} of {last}", "alice → bob: please review")
        assert app.thread.selected == message.id
        assert list(app.app.live.state.inbox("bob")) == [
            one.id for one in app.app.live.state.messages.values()
        ]
        await depart_by(app, "comma")
        await app.until(lambda: "please review" not in app.screen())
        await app.shows("the first", f"event {sent - 1} of")
        await depart_by(app, "full_stop")
        await app.shows("please review")
        await depart_by(app, "less_than_sign")
        await app.shows("event 0 of", "before anything had happened")
        assert "the first" not in app.screen()
        assert app.app.present.state.messages[message.id].deliveries["bob"].status.ended
        assert seqs(store) == last


async def depart_by(app: Driver, key: str) -> None:
    before = app.app.travel.place
    await app.pilot.press(key)
    await app.until(lambda: app.app.travel.place is not before)
    await app.pilot.pause()


async def test_live_again_shows_what_came_meanwhile(store: Store, folder: Path) -> None:
    store.send("alice", "bob", "before")
    async with running(folder) as app:
        await app.until(lambda: "human" in app.app.live.state.agents)
        for key in ("T", "escape"):
            await depart(app, "comma")
            store.send("bob", "human", f"while you were away, before {key}")
            await app.until(lambda: seqs(store) == app.app.present.state.seq)
            await app.pilot.pause()
            assert f"before {key}" not in app.screen()
            unread = app.app.present.index.unread_count(EVERYTHING)
            assert unread
            await app.pilot.press(key)
            await app.shows(f"before {key}")
            assert not app.app.travel.is_on
            assert app.thread.following
            assert not app.app.screen.query_one(TravelBar).display
            await app.until(lambda: not app.app.present.index.unread_count(EVERYTHING))


async def test_nothing_is_done_in_the_past(store: Store, folder: Path) -> None:
    message = store.send("alice", "human", "for you")
    async with running(folder, attended=False) as app:
        await app.until(lambda: "human" in app.app.live.state.agents)
        await app.pilot.press("T")
        await arrived(app)
        app.thread.focus()
        await app.pilot.pause()
        await depart_by(app, "less_than_sign")
        await depart_by(app, "greater_than_sign")
        later = store.send("alice", "human", "not read in the past")
        before, marks = seqs(store), dict(app.app.present.marks)
        await app.until(lambda: later.id in app.app.present.state.messages)
        await app.until(lambda: app.thread.go_to(message.id))
        for key in ("x", "F", "u"):
            app.app.clear_notifications()
            await app.pilot.press(key)
            await app.shows(AS_IT_WAS)
        app.app.clear_notifications()
        await app.select(pair_room("alice", "human"))
        await app.write("I am in the past")
        await app.shows(AS_IT_WAS)
        await app.until(lambda: app.composer.text == "I am in the past")
        app.composer.clear()
        app.app.clear_notifications()
        await app.write("/msg send bob hello")
        await app.shows(AS_IT_WAS)
        assert seqs(store) == before
        assert app.app.present.marks == marks
        assert not store.message(message.id).deliveries["human"].status.ended
        assert later.id in app.app.present.index.unread(EVERYTHING)


async def test_an_undo_is_kept_for_the_present(store: Store, folder: Path) -> None:
    async with running(folder) as app:
        await on(app, MainScreen)
        app.thread.focus()
        await app.pilot.press("F")
        await app.until(store.holds)
        await depart(app, "comma")
        await app.pilot.press("u")
        await app.shows(AS_IT_WAS)
        assert store.holds()
        await app.pilot.press("T", "u")
        await app.until(lambda: not store.holds())


async def test_it_plays_and_pauses(store: Store, folder: Path) -> None:
    for number in range(20):
        store.send("alice", "bob", f"number {number}")
    async with running(folder) as app:
        await app.until(lambda: "human" in app.app.live.state.agents)
        await depart(app, "less_than_sign")
        await app.pilot.press("P")
        await app.shows("▶ 1/s")
        await app.pilot.press("P")
        await app.shows("▶ 4/s")
        await app.pilot.press("P")
        await app.shows("▶ 16/s", "number 3")
        await app.pilot.press("P")
        await app.until(lambda: "▶" not in app.screen())
        await app.pilot.press("P", "P", "P")
        await app.shows("number 19")
        await app.until(lambda: app.app.travel.pace == 0)  # At the newest event there is nothing to play.
        await app.until(lambda: "▶" not in app.screen())


async def test_a_click_goes_to_that_part(store: Store, folder: Path) -> None:
    for number in range(40):
        store.send("alice", "bob", f"number {number}")
    async with running(folder, size=(101, 40)) as app:
        await app.until(lambda: "human" in app.app.live.state.agents)
        await depart(app)
        last = seqs(store)
        await app.pilot.click(TravelBar, offset=(50, 0))
        await app.until(lambda: app.app.travel.place and app.app.travel.place.share < 1)
        await app.shows(f"event {round(last / 2)} of {last}")
        assert "number 39" not in app.screen()
        await app.pilot.click(TravelBar, offset=(100, 0))
        await app.shows("number 39")


async def test_hostile_text_stays_text(store: Store, folder: Path) -> None:
    store.send("alice", "bob", "[red]no\x1b[31m \u202eevil [@click=app.quit]x[/]")
    async with running(folder, size=(140, 40)) as app:
        await app.until(lambda: "human" in app.app.live.state.agents)
        await depart(app)
        while "alice → bob" not in bar(app):
            await depart_by(app, "comma")
        assert "[red]no" in bar(app)
        assert "\x1b" not in app.screen()
        assert "\u202e" not in app.screen()


def bar(app: Driver) -> str:
    widget = app.app.screen.query_one(TravelBar)
    return "".join(segment.text for segment in widget.render_line(1))


async def test_a_store_deleted_meanwhile(store: Store, folder: Path) -> None:
    store.send("alice", "bob", "long ago")
    async with running(folder) as app:
        await app.until(lambda: "human" in app.app.live.state.agents)
        await depart(app, "comma")
        shutil.rmtree(folder)
        await app.shows("Back in the present, as the past is gone")
        assert not app.app.travel.is_on
        await app.until(lambda: "long ago" not in app.screen())


async def test_a_room_that_cannot_be_read_is_left_as_it_is(store: Store, folder: Path) -> None:
    store.send("alice", "bob", "still here")
    async with running(folder) as app:
        await app.until(lambda: "human" in app.app.live.state.agents)
        (folder / "journal").rename(folder / "aside")
        (folder / "journal").write_text("in the way")
        app.thread.focus()
        await app.pilot.press("T")
        await app.until(lambda: not app.app.travel.is_on)
        await app.shows("Back in the present, as the past is gone", "still here")


async def test_to_the_first_message_of_a_loop(tmp_path: Path) -> None:
    with TROUBLES["ping-pong thanks"](tmp_path / "room").open() as store:
        app = MsgcodeApp(store, "human", clock=store._clock)
        async with app.run_test(size=(140, 40), notifications=True) as pilot:
            driver = Debugger(app, pilot)
            await driver.until(lambda: app.live.presences and "human" in app.live.state.agents)
            await driver.open("loops")
            await driver.until(lambda: driver.is_read("loops"))
            first = app.present.findings(app.present_clock())[0].messages[0]
            await pilot.press("T")
            await driver.until(lambda: app.travel.place)
            place = app.travel.place
            assert place
            assert place.message == first
            await driver.shows(f"event {place.seq} of")
            await driver.until(lambda: driver.thread.selected == first)
            assert max(message.seq for message in app.live.state.messages.values()) == place.seq


def prepared(theme: str) -> Callable[[Pilot[None]], Awaitable[None]]:
    """Go to where a message was sent."""

    async def prepare(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, MsgcodeApp)
        driver = Driver(app, pilot)
        app.theme = theme
        await pilot.press("f12")
        await driver.select(EVERYTHING)
        await driver.until(lambda: app.live.presences and "human" in app.live.state.agents)
        await depart(driver, *["comma"] * 12)
        while app.travel.place and app.travel.place.message is None:
            await depart_by(driver, "comma")
        app.clear_notifications()
        await pilot.pause(0.2)

    return prepare


@pytest.mark.parametrize(
    ("size", "theme"),
    [
        ((140, 40), "textual-dark"),
        ((80, 24), "textual-dark"),
        ((50, 20), "textual-dark"),
        ((140, 40), "textual-light"),
    ],
    ids=["140x40", "80x24", "50x20", "light"],
)
def test_picture(
    snap_compare: Compare,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    size: tuple[int, int],
    theme: str,
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with Stage(tmp_path / ".oh-my-msgcode") as stage:
        stage.play_until(33)
        app = MsgcodeApp(stage.store, "human", clock=stage.clock)
        assert snap_compare(app, terminal_size=size, run_before=prepared(theme))
