"""What the user does to rooms, agents and channels, by key and by mouse."""

from __future__ import annotations

from pathlib import Path

from msgcode import Store
from msgcode_tui.rooms import EVERYTHING, Room, channel_room, pair_room
from msgcode_tui.screens.ask import Ask
from msgcode_tui.screens.confirm import Confirm
from msgcode_tui.screens.main import MainScreen
from msgcode_tui.screens.menu import Menu
from tests.tui.screens.test_acting import on
from tests.tui.support import Driver, running

BOB, DEV = pair_room("bob", "human"), channel_room("dev")


async def choose(app: Driver, room: Room, key: str) -> None:
    """Choose from the room's menu."""
    await on(app, MainScreen)
    await app.shows("dev")
    await app.select(room)
    app.rooms.focus()
    await app.pilot.press("a")
    await on(app, Menu)
    await app.pilot.press(key)


def members(store: Store) -> tuple[str, ...]:
    return next(channel.members for channel in store.channels() if channel.id == "dev")


async def test_joining_and_leaving(store: Store, folder: Path) -> None:
    async with running(folder) as app:
        await choose(app, DEV, "i")
        await app.shows("human is in #dev now.", "3 members")
        assert members(store) == ("alice", "bob", "human")
        await app.pilot.press("u")
        await app.shows("Undone: human is no longer in #dev.", "2 members")
        await choose(app, DEV, "i")
        await app.until(lambda: "human" in app.app.live.state.channels["dev"].members)
        await choose(app, DEV, "o")
        await app.until(lambda: members(store) == ("alice", "bob"))
        await app.pilot.press("u")
        await app.shows("Undone: human is in #dev again.")


async def test_letting_others_join_and_leave(store: Store, folder: Path) -> None:
    store.register("carol")
    async with running(folder) as app:
        await app.shows("carol")
        await choose(app, DEV, "a")
        await on(app, Ask)
        await app.shows("Who joins #dev?")
        await app.pilot.press("enter")
        await app.shows("carol is in #dev now.")
        assert members(store) == ("alice", "bob", "carol")
        await choose(app, DEV, "t")
        await on(app, Ask)
        await app.pilot.press(*"bob", "enter")
        await app.shows("bob is no longer in #dev.")
        assert members(store) == ("alice", "carol")
        await choose(app, BOB, "a")
        await on(app, Ask)
        await app.shows("Which channel does bob join?")
        await app.pilot.press("enter")
        await app.shows("bob is in #dev now.")
        await choose(app, BOB, "t")
        await on(app, Ask)
        await app.pilot.press("enter")
        await app.until(lambda: "bob" not in members(store))


async def test_creating_a_channel(store: Store, folder: Path) -> None:
    async with running(folder) as app:
        await choose(app, EVERYTHING, "c")
        await on(app, Ask)
        await app.pilot.press(*"#ops", "enter")
        await app.shows("Create a channel: #ops")
        await on(app, Ask)
        await app.pilot.press(*"alarms", "enter")
        await app.shows("#ops was created.", "# ops")
        (channel,) = (each for each in store.channels() if each.id == "ops")
        assert (channel.members, channel.description) == (("human",), "alarms")
        await app.pilot.press("u")
        await app.shows("#ops cannot be deleted any more: leave it.")


async def test_a_channel_that_was_only_written_to(store: Store, folder: Path) -> None:
    store.send("alice", "bob", "x", channel="nowhere")
    async with running(folder) as app:
        await app.shows("nowhere")
        await choose(app, channel_room("nowhere"), "n")
        await app.shows("#nowhere was created.")
        assert [channel.id for channel in store.channels()] == ["dev", "nowhere"]


async def test_registering_and_unregistering(store: Store, folder: Path) -> None:
    async with running(folder) as app:
        await choose(app, EVERYTHING, "r")
        await on(app, Ask)
        await app.pilot.press(*"no way", "enter")
        await app.shows("Register an agent: no way")
        await on(app, Ask)
        await app.pilot.press("enter")
        await app.until(lambda: [each for each in app.app._notifications if "'no way'" in each.message])
        await choose(app, EVERYTHING, "r")
        await on(app, Ask)
        await app.pilot.press(*"carol", "enter")
        await app.shows("Register an agent: carol")
        await on(app, Ask)
        await app.pilot.press("enter")
        await app.shows("carol is registered.", "○ carol")
        await app.pilot.press("u")
        await app.shows("Undone: carol is no longer registered.")
        assert "carol" not in [agent.id for agent in store.agents()]
        await choose(app, BOB, "u")
        await on(app, Confirm)
        await app.shows("Unregister bob?", "It leaves #dev.")
        await app.pilot.press("y")
        await app.shows("bob is no longer registered.")
        assert "bob" not in [agent.id for agent in store.agents()]
        await app.pilot.press("u")
        await app.shows("Undone: bob is registered, in all its channels.")
        assert members(store) == ("alice", "bob")


async def test_acknowledging_an_inbox(store: Store, folder: Path) -> None:
    for number in range(3):
        store.send("alice", "bob", f"number {number}")
    async with running(folder) as app:
        await app.until(lambda: app.app.live.waiting("bob") == 3)
        await choose(app, BOB, "x")
        await on(app, Confirm)
        await app.shows("Acknowledge 3 for bob?", "alice → bob: number 2 (for bob)")
        await app.pilot.press("y")
        await app.until(lambda: not store.waiting("bob"))


async def test_what_cannot_be_done_says_why(store: Store, folder: Path) -> None:
    async with running(folder) as app:
        await choose(app, BOB, "x")
        await app.shows("Nothing waits for bob.")
        assert isinstance(app.app.screen, Menu)


async def test_pinning_and_muting_are_undone_one_by_one(store: Store, folder: Path) -> None:
    async with running(folder) as app:
        await choose(app, BOB, "p")
        await app.shows("Pinned")
        await app.select(DEV)
        await app.pilot.press("p", "m", "h")
        assert app.rooms.arrangement.pinned == (BOB, DEV)
        assert app.rooms.arrangement.muted == {DEV}
        collapsed = app.rooms.arrangement.collapsed
        assert collapsed
        await app.pilot.press("u")
        await app.shows("Undone: the room was muted.")
        assert (app.rooms.arrangement.pinned, app.rooms.arrangement.muted) == ((BOB, DEV), frozenset())
        await app.pilot.press("u")
        await app.until(lambda: app.rooms.arrangement.pinned == (BOB,))
        assert app.rooms.arrangement.collapsed == collapsed
        await app.pilot.press("u")
        await app.until(lambda: not app.rooms.arrangement.pinned)


async def test_the_mouse_opens_the_menu(store: Store, folder: Path) -> None:
    async with running(folder) as app:
        await app.shows("dev")
        y = next(y for y, line in enumerate(app.screen().splitlines()) if "# dev" in line)
        await app.pilot.click(offset=(5, y), button=3)
        await on(app, Menu)
        await app.shows("#dev", "Join the channel")
        assert app.app.screen_stack[0].query_one("RoomList").room == EVERYTHING  # type: ignore[attr-defined]
        await app.pilot.click(offset=(1, 1))
        await on(app, MainScreen)


async def test_where_there_is_no_room_the_highlighted_action_says_more(store: Store, folder: Path) -> None:
    async with running(folder, size=(50, 20)) as app:
        await app.select(pair_room("bob", "human"))
        app.rooms.focus()
        await app.pilot.press("a")
        await app.shows("Acknowledge all in the inbox", "at the top of the list")
        assert "Nothing waits for bob." not in app.screen()
        await app.pilot.press("j", "j", "j")
        await app.shows("Nothing waits for bob.")
        assert "at the top of the list" not in app.screen()
        await app.pilot.resize_terminal(80, 24)
        await app.shows("Nothing waits for bob.", "at the top of the list")
