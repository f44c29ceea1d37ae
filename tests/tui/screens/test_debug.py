"""The debugger: what its tabs show, and what the keys in them do to the room."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import pytest

from msgcode import Message, Priority, Status, Store
from msgcode.debugger import holds
from msgcode_tui.debugger.loops import detail as loop_detail
from msgcode_tui.screens.ask import Ask
from msgcode_tui.screens.breakpoint import BreakpointForm
from msgcode_tui.screens.confirm import Confirm
from msgcode_tui.screens.main import MainScreen
from msgcode_tui.screens.rewrite import Rewrite
from msgcode_tui.widgets.line_input import LineInput
from msgcode_tui.widgets.row_list import RowList
from tests.troubles import TROUBLES
from tests.troubles.stage import Stage
from tests.tui.debugging import debugging

RAW = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture
def held(store: Store) -> list[Message]:
    """Three messages to bob, behind a hold on him."""
    store.register("human", human=True)
    store.hold("human", agent="bob", reason="too chatty")
    return [store.send("alice", "bob", f"{text} words") for text in ("first", "second", "third")]


def key(message: Message) -> str:
    return f"message {message.id}"


def bodies(store: Store) -> list[str]:
    """What is held, in the order in which it would go."""
    urgency = list(Priority)
    waiting = sorted(store.held(), key=lambda each: urgency.index(each.message.priority))
    return [each.message.body for each in waiting]


# Held


async def test_what_is_held_is_listed_with_what_holds_it(store: Store, held: list[Message]) -> None:
    urgent = store.send("alice", "bob", "urgent words", priority="urgent")
    async with debugging(store) as app:
        await app.open("held", "4 messages held by 1 hold", "hold 1 on bob", "too chatty, 4 messages behind")
        assert app.keys == ["hold 1", *map(key, [urgent, *held])]
        await app.go_to(key(held[0]))
        await app.shows("kept from bob by hold 1 on bob, placed by human: too chatty")
        store.release("human")
        await app.shows("Nothing is held.")
        assert app.keys == []


async def test_step_lets_one_message_through(store: Store, held: list[Message]) -> None:
    async with debugging(store) as app:
        await app.open("held", "3 messages held")
        await app.press("s")  # On the hold: the next one behind it.
        await app.until(lambda: key(held[0]) not in app.keys)
        await app.go_to(key(held[2]))
        await app.press("s")
        await app.until(lambda: app.keys == ["hold 1", key(held[1])])
    assert bodies(store) == ["second words"]
    assert [message.body for message in store.claim("bob", "host")] == ["first words", "third words"]


async def test_release_takes_away_the_hold_and_undo_puts_it_back(store: Store, held: list[Message]) -> None:
    other = store.hold("human", channel="dev")
    async with debugging(store) as app:
        await app.open("held", "3 messages held by 2 holds")
        await app.go_to(key(held[1]))
        await app.press("r")
        await app.until(lambda: store.holds() == [other])
        await app.shows("Released bob: 3 messages held till now.", "0 messages held by 1 hold")
        await app.press("u")
        await app.until(lambda: len(store.held()) == 3)
        assert {holds.name(hold): hold.reason for hold in store.holds()} == {
            "#dev": None,
            "bob": "too chatty",
        }


async def test_all_is_released_once_that_is_confirmed(store: Store, held: list[Message]) -> None:
    store.hold("human", message=held[0].id)
    async with debugging(store) as app:
        await app.open("held", "3 messages held")
        await app.press("R")
        await app.on(Confirm)
        await app.shows("hold 1 on bob", "hold 2 on message")
        await app.press("n", "R")
        await app.on(Confirm)
        assert len(store.holds()) == 2
        await app.press("y")
        await app.shows("Nothing is held.")
    assert store.holds() == []


async def test_a_message_is_edited_before_it_goes_and_its_original_is_shown(
    store: Store, held: list[Message]
) -> None:
    async with debugging(store) as app:
        await app.open("held", "3 messages held")
        await app.go_to(key(held[0]))
        await app.press("e")
        await app.on(Rewrite)
        app.composer.text = "better words"
        await app.press("enter")
        await app.shows("alice → bob: better words", "before human edited it", "first words")
        await app.press("s")
        await app.until(lambda: key(held[0]) not in app.keys)
    assert [message.body for message in store.claim("bob", "host")] == ["better words"]


async def test_messages_change_places(store: Store, held: list[Message]) -> None:
    store.send("bob", "alice", "words for another")
    async with debugging(store) as app:
        await app.open("held", "4 messages held")
        await app.go_to(key(held[2]))
        await app.press("K")
        await app.until(lambda: bodies(store)[:3] == ["first words", "third words", "second words"])
        await app.until(lambda: app.keys[2] == key(held[2]))
        assert app.row.key == key(held[2])
        await app.press("J")
        await app.until(lambda: bodies(store)[:3] == ["first words", "second words", "third words"])
        await app.until(lambda: app.keys[3] == key(held[2]))
        await app.press("J")
        await app.shows("Nothing below waits for the same agent.")


async def test_a_held_message_is_discarded_once_that_is_confirmed(store: Store, held: list[Message]) -> None:
    async with debugging(store) as app:
        await app.open("held", "3 messages held")
        await app.go_to(key(held[1]))
        await app.press("d")
        await app.on(Confirm)
        await app.shows("alice → bob: second words")
        await app.press("y")
        await app.until(lambda: key(held[1]) not in app.keys)
    assert store.message(held[1].id).deliveries["bob"].status is Status.DISCARDED


async def test_enter_goes_to_the_message_in_its_room(store: Store, held: list[Message]) -> None:
    async with debugging(store) as app:
        await app.open("held", "3 messages held")
        await app.go_to(key(held[1]))
        await app.press("enter")
        await app.on(MainScreen)
        assert app.thread.selected == held[1].id
        await app.press("D")  # Where one has been.
        await app.shows("3 messages held")
        await app.press("escape")
        await app.on(MainScreen)
        assert app.thread.selected == held[1].id


# Breakpoints


async def test_breakpoints_are_switched_and_removed_and_all_that_is_undone(store: Store) -> None:
    store.register("human", human=True)
    rule = store.add_breakpoint("human", sender="alice", text="merge")
    stopped = store.send("alice", "bob", "shall I merge?")
    async with debugging(store) as app:
        await app.open("breakpoints", "1 breakpoint, 1 enabled", "--from alice --text merge", "1 hit")
        await app.shows("alice → bob: shall I merge?")
        await app.press("space")
        await app.shows("1 breakpoint, 0 enabled", "disabled")
        assert not store.breakpoints()[0].enabled
        await app.press("u")
        await app.shows("1 breakpoint, 1 enabled")
        assert store.breakpoints()[0].enabled
        await app.press("x")
        await app.shows("There are no breakpoints.")
        assert [held.message.id for held in store.held()] == [stopped.id]
        await app.press("u")
        await app.shows("1 breakpoint, 1 enabled")
        again = store.breakpoints()[0]
        assert (again.sender, again.text) == (rule.sender, rule.text)


# Loops


async def test_a_loop_shows_what_proves_it(tmp_path: Path) -> None:
    recorded = TROUBLES["ping-pong thanks"](tmp_path / "room")
    async with debugging(recorded) as app:
        await app.open("loops", "1 loop, 1 going on", "thanks: alice, bob", "only thank each other")
        shown = [row.message for row in app.debug.query_one("#detail", RowList).rows]
        assert set(shown) == set(recorded.messages)
        assert shown == [row.message for row in loop_detail(app.row, app.app.scene())]
        await app.press("tab", "down", "down", "enter")
        await app.on(MainScreen)
        assert app.thread.selected == recorded.messages[2]


async def test_a_loop_in_one_thread_is_held_by_it(tmp_path: Path) -> None:
    recorded = TROUBLES["ping-pong thanks"](tmp_path / "room")
    async with debugging(recorded) as app:
        await app.open("loops", "1 loop, 1 going on")
        store = app.app.store
        await app.press("h")
        await app.until(lambda: store.holds())
        thread = store.message(recorded.messages[0]).thread
        assert [(hold.thread, hold.reason) for hold in store.holds()] == [(thread, "loop of thanks")]
        await app.press("u")
        await app.until(lambda: not store.holds())


async def test_a_loop_through_many_threads_is_held_at_its_agents(tmp_path: Path) -> None:
    recorded = TROUBLES["triangle"](tmp_path / "room")
    async with debugging(recorded) as app:
        await app.open("loops", "1 loop, 1 going on")
        store = app.app.store
        await app.press("h")
        await app.until(lambda: len(store.holds()) == 3)
        assert {hold.agent for hold in store.holds()} == set(recorded.agents)


async def test_a_nudge_gets_through_what_holds_the_loop(tmp_path: Path) -> None:
    recorded = TROUBLES["ping-pong thanks"](tmp_path / "room")
    async with debugging(recorded) as app:
        await app.open("loops", "1 loop, 1 going on")
        store = app.app.store
        store.hold("human")
        held = store.send("bob", "alice", "Thanks again!")
        await app.press("n")
        await app.on(Ask)
        await app.shows("Nudge alice and bob")
        await app.press(*"stop", "enter")
        await app.shows("ended by a human", "Told alice and bob.")
        assert [each.message.id for each in store.held()] == [held.id]
        for agent in ("alice", "bob"):
            (nudge,) = store.claim(agent, "host")
            assert (nudge.sender, nudge.body) == ("human", "stop")


async def test_a_breakpoint_is_put_into_the_loop(tmp_path: Path) -> None:
    recorded = TROUBLES["ping-pong thanks"](tmp_path / "room")
    async with debugging(recorded) as app:
        await app.open("loops", "1 loop, 1 going on")
        store = app.app.store
        await app.press("b")
        await app.until(lambda: store.breakpoints())
        store.send("alice", "bob", "Thanks!", reply_to=recorded.messages[-1])
        assert [held.hold.breakpoint for held in store.held()] == [1]


async def test_a_new_loop_is_told_of_once_with_the_key(tmp_path: Path) -> None:
    recorded = TROUBLES["ping-pong thanks"](tmp_path / "room")
    async with debugging(recorded) as app:
        await app.shows("alice and bob are in a loop", "D opens the debugger.")
        told = [each for each in app.app._notifications if "loop" in each.message]
        app.app.store.send("alice", "bob", "Thanks!", reply_to=recorded.messages[-1])
        await app.open("loops", "41 messages")
        assert [each for each in app.app._notifications if "loop" in each.message] == told
        assert len(told) == 1


# Waits, stuck, cost


async def test_waits_begin_with_the_deadlock(tmp_path: Path) -> None:
    recorded = TROUBLES["deadlock of three"](tmp_path / "room")
    async with debugging(recorded, size=(80, 24)) as app:
        await app.open("waits", "Deadlock: schema → server → client → schema", "3 waits, 1 deadlock")
        assert [row.message for row in app.list.rows if row.key] == list(recorded.messages)
        await app.press("down", "enter")
        await app.on(MainScreen)
        assert app.thread.selected == recorded.messages[1]


async def test_a_dead_end_is_marked(tmp_path: Path) -> None:
    recorded = TROUBLES["lost recipient"](tmp_path / "room")
    async with debugging(recorded, size=(80, 24)) as app:
        await app.open("waits", "builder ─✗ reveiwer", "A dead end: reveiwer cannot answer.")


async def test_what_is_stuck_leads_to_the_message(tmp_path: Path) -> None:
    recorded = TROUBLES["permission block"](tmp_path / "room")
    async with debugging(recorded) as app:
        await app.open("stuck", "deployer: blocked", "permission: bash kubectl", "2 messages stuck")
        await app.press("enter")
        await app.on(MainScreen)
        assert app.thread.selected == recorded.messages[0]


async def test_a_budget_is_set_on_what_costs(tmp_path: Path) -> None:
    recorded = TROUBLES["storm"](tmp_path / "room")
    async with debugging(recorded) as app:
        await app.open("cost", "In all 7,185 characters", "By thread", "lead → #dev: Code freeze")
        thread = app.row.message
        await app.press("b")
        await app.on(BreakpointForm)
        assert app.app.screen.query_one("#thread", LineInput).value == thread
        await app.press(*"10,000", "enter")
        await app.until(lambda: app.app.store.breakpoints())
        (rule,) = app.app.store.breakpoints()
        assert (rule.thread, rule.budget) == (thread, 10000)
        await app.on(type(app.debug))
        await app.go_to("agent api")
        await app.press("enter")
        await app.on(MainScreen)
        assert app.rooms.room.partner("human") == "api"


# The whole


async def test_tabs_are_gone_through(store: Store, held: list[Message]) -> None:
    async with debugging(store, size=(50, 20)) as app:
        await app.open("held", "3 messages held")
        for tab in ("breakpoints", "loops", "waits", "stuck", "cost", "held", "breakpoints"):
            await app.press("right")
            assert app.debug.kind.id == tab
        await app.press("left")
        await app.shows("3 messages held")
        await app.pilot.click("TabBar", offset=(8, 0))
        assert app.debug.kind.id == "breakpoints"


async def test_only_what_makes_sense_has_a_key(store: Store, held: list[Message]) -> None:
    async with debugging(store) as app:
        await app.open("breakpoints", "There are no breakpoints.")
        await app.press("s", "r", "e", "d", "h", "n", "b", "x", "w")
        await app.pilot.pause()
        assert len(store.held()) == 3
        assert app.debug.kind.id == "breakpoints"


async def test_the_palette_has_the_tabs(store: Store, held: list[Message]) -> None:
    async with debugging(store) as app:
        await app.press("ctrl+p", *"debugger: held")
        await app.shows("What is held, and by what")
        await app.press("enter")
        await app.shows("3 messages held by 1 hold")


async def test_the_row_stays_while_others_come(store: Store, held: list[Message]) -> None:
    async with debugging(store, size=(80, 24)) as app:
        await app.open("held", "3 messages held")
        await app.go_to(key(held[2]))
        more = [store.send("alice", "bob", f"more {number}", priority="urgent") for number in range(30)]
        await app.shows("33 messages held", "third words")
        assert app.row.key == key(held[2])
        store.discard(held[2].id, by="human")
        await app.until(lambda: key(held[2]) not in app.keys)
        assert app.row.key == key(held[1])
        assert key(more[0]) in app.keys


async def test_hostile_texts_reach_no_terminal(tmp_path: Path) -> None:
    evil = "[red]\x1b]52;c;aGk=\x07\u202egnp.exe\x1b[2J[/red]"
    stage = Stage(tmp_path / "room", "alice", "bob", humans=("human",))
    store = stage.store
    store.hold("human", agent="bob", reason="[b]" + evil.replace("\x1b", "").replace("\x07", ""))
    rule = store.add_breakpoint("human", sender="alice", text=r"\[red\]")
    store.send("alice", "bob", f"{evil}?", subject=evil.replace("\x1b", "").replace("\x07", ""))
    store.set_presence("alice", "blocked", "[red]\u202e")
    assert rule.number == 1
    stage.wait(3600)
    recorded = stage.end()
    async with debugging(recorded) as app:
        for tab in ("held", "breakpoints", "loops", "waits", "stuck", "cost"):
            await app.open(tab)
            await app.until(partial(app.is_read, tab))
            await app.pilot.pause()
            assert not RAW.search(app.screen())
            if tab in ("held", "waits"):
                await app.shows("[red]")
            await app.press("escape")
            await app.on(MainScreen)
