"""Freezing the room, stepping and releasing, by key, menu and palette."""

from __future__ import annotations

from pathlib import Path

import pytest

from msgcode import Store
from msgcode.debugger import holds
from msgcode_tui.rooms import EVERYTHING, channel_room, pair_room
from msgcode_tui.screens.main import MainScreen
from msgcode_tui.screens.menu import Menu
from tests.tui.screens.test_acting import RAW, on
from tests.tui.screens.test_arranging import choose
from tests.tui.support import Driver, Fact, running, write_journal
from tests.tui.widgets.test_inspector import HOSTILE_SIZED

BOB, DEV = pair_room("bob", "human"), channel_room("dev")


def covered(store: Store) -> list[str]:
    return [holds.name(hold) for hold in store.holds()]


def kept(store: Store) -> list[str]:
    return [held.message.body for held in store.held()]


async def at_thread(app: Driver) -> None:
    await on(app, MainScreen)
    app.thread.focus()
    await app.pilot.pause()


async def act(app: Driver, id: str, key: str) -> None:
    """Choose from the menu of the message."""
    await at_thread(app)
    await app.until(lambda: app.app.screen.query_one(type(app.thread)).go_to(id))
    await app.pilot.press("a")
    await on(app, Menu)
    await app.pilot.press(key)


async def test_one_key_freezes_the_room_and_sets_it_going(store: Store, folder: Path) -> None:
    async with running(folder) as app:
        await at_thread(app)
        await app.pilot.press("F")
        await app.shows("‖ Held: everything. 0 wait", "F releases it")
        assert covered(store) == ["everything"]
        store.send("alice", "bob", "thanks")
        await app.shows("1 wait", "1 held", "held ‖")
        assert store.claim("bob", "host") == []
        await app.pilot.press("F")
        await app.until(lambda: not store.holds())
        await app.shows("Released everything: 1 message held till now.")
        await app.until(lambda: "‖ Held" not in app.screen())
        assert [message.body for message in store.claim("bob", "host")] == ["thanks"]


async def test_while_writing_a_function_key_does_it(store: Store, folder: Path) -> None:
    async with running(folder) as app:
        await on(app, MainScreen)
        app.composer.focus()
        await app.pilot.press("F", "f8")
        await app.until(lambda: covered(store) == ["everything"])
        assert app.composer.text == "F"
        store.send("alice", "bob", "one")
        await app.shows("1 wait")
        await app.pilot.press("f10")
        await app.until(lambda: kept(store) == [])


async def test_a_step_lets_one_through_and_says_what_comes_of_it(store: Store, folder: Path) -> None:
    store.register("human", human=True)
    store.hold("human")
    for body in ("one", "two", "three"):
        store.send("alice", "bob", body)
    async with running(folder) as app:
        await at_thread(app)
        await app.shows("3 wait")
        await app.pilot.press("s")
        await app.shows("Let through: alice to bob. 2 more held.")
        assert kept(store) == ["two", "three"]
        (got,) = store.check("bob")
        await app.shows("bob has the message that you let through.")
        store.send("bob", "alice", "done", reply_to=got.id)
        await app.shows("bob sent a message because of it.")
        assert kept(store) == ["two", "three", "done"]


async def test_a_step_takes_the_selected_message(store: Store, folder: Path) -> None:
    store.register("human", human=True)
    store.hold("human")
    store.send("alice", "bob", "one")
    chosen = store.send("alice", "bob", "two")
    async with running(folder) as app:
        await at_thread(app)
        await app.shows("2 wait")
        app.thread.go_to(chosen.id)
        await app.pilot.press("s")
        await app.until(lambda: kept(store) == ["one"])


async def test_a_step_within_a_room(store: Store, folder: Path) -> None:
    store.register("human", human=True)
    store.hold("human")
    store.send("alice", "bob", "between them")
    store.broadcast("alice", "dev", "to all")
    async with running(folder) as app:
        await on(app, MainScreen)
        await app.shows("2 wait")
        await app.select(DEV)
        await at_thread(app)
        await app.pilot.press("s")
        await app.until(lambda: kept(store) == ["between them"])
        await app.pilot.press("s")
        await app.shows("nothing is held for #dev.")


async def test_nothing_to_step(folder: Path, store: Store) -> None:
    async with running(folder) as app:
        await at_thread(app)
        await app.pilot.press("s")
        await app.shows("Nothing is held. F holds everything.")


async def test_a_hold_and_a_release_can_be_undone(store: Store, folder: Path) -> None:
    async with running(folder) as app:
        await at_thread(app)
        await app.pilot.press("F")
        await app.shows("Held: everything")
        await app.pilot.press("u")
        await app.shows("Undone: everything is no longer held.")
        assert store.holds() == []
        await app.pilot.press("F")
        await app.until(store.holds)
        await app.shows("Held: everything")
        await app.pilot.press("F")
        await app.until(lambda: not store.holds())
        await app.pilot.press("u")
        await app.shows("is held again")
        assert covered(store) == ["everything"]


async def test_holding_a_room_from_its_menu(store: Store, folder: Path) -> None:
    async with running(folder) as app:
        for room, name in ((BOB, "bob"), (DEV, "#dev"), (EVERYTHING, "everything")):
            await choose(app, room, "h")
            await app.shows(f"Held: {name}")
            assert covered(store) == [name]
            await choose(app, room, "h")
            await app.until(lambda: not store.holds())
            await app.until(lambda: "‖ Held" not in app.screen())


async def test_one_message_and_its_thread(store: Store, folder: Path) -> None:
    message = store.send("alice", "bob", "one")
    store.send("bob", "alice", "answer", reply_to=message.id)
    async with running(folder) as app:
        await act(app, message.id, "h")
        await app.shows("Held: 1 message. 1 wait")
        assert kept(store) == ["one"]
        await act(app, message.id, "m")
        await app.until(lambda: not store.holds())
        await app.until(lambda: "‖ Held" not in app.screen())
        await act(app, message.id, "g")
        await app.shows(f"Held: thread {message.id[:8]}. 2 wait")
        assert kept(store) == ["one", "answer"]
        await act(app, message.id, "b")
        await app.until(lambda: kept(store) == ["answer"])


async def test_a_breakpoint_shows(store: Store, folder: Path) -> None:
    store.register("human", human=True)
    store.add_breakpoint("human", to="bob")
    async with running(folder) as app:
        await at_thread(app)
        store.send("alice", "bob", "stop here")
        await app.shows("Held: 1 message at breakpoints. 1 wait")


@pytest.mark.parametrize(("text", "size"), HOSTILE_SIZED)
async def test_hostile_names_in_banner_menus_and_questions(
    folder: Path, text: str, size: tuple[int, int]
) -> None:
    hold = {"at": "2026-03-02T09:30:00.000Z", "by": text}
    sent: Fact = {"type": "message.sent", "from": text, "body": text, "subject": text}
    asks = {"choices": f"{text}|no", "default": text, "deadline": "99999999"}
    facts: list[Fact] = [
        {"type": "agent.registered", "id": text, "name": text, "description": text},
        {"type": "channel.created", "id": text, "name": text, "createdBy": text, "description": text},
        {**sent, "id": "m1", "thread": text, "to": ["human"], "metadata": asks},
        {**sent, "id": "m2", "thread": text, "to": [text]},
        {"type": "hold.placed", "hold": {**hold, "number": 1, "agent": text}},
        {"type": "hold.placed", "hold": {**hold, "number": 2, "channel": text}},
        {"type": "hold.placed", "hold": {**hold, "number": 3, "thread": text}},
    ]
    write_journal(folder, facts)
    async with running(folder, size=size) as app:
        await on(app, MainScreen)
        await app.until(lambda: app.app.live.state.holds and app.app.live.state.messages)
        await app.shows("‖ Held: ")
        for room in (pair_room("human", text), channel_room(text), EVERYTHING):
            await app.select(room)
            for start in (app.thread, app.rooms):
                start.focus()
                for key in ("k", "a", "down", "down", "escape", "Q", "escape"):
                    await app.pilot.press(key)
                    for shown in app.screen().split("\n"):
                        assert not RAW.search(shown), repr(shown)
                await on(app, MainScreen)
