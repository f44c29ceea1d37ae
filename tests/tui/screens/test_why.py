"""Why a message has come no further: what is said of it, and what a key does about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from msgcode import Activity, Message, Priority, Status, Store
from msgcode_tui.screens.ask import Ask
from msgcode_tui.screens.confirm import Confirm
from msgcode_tui.screens.debug import DebugScreen
from msgcode_tui.screens.main import MainScreen
from msgcode_tui.screens.menu import Menu
from msgcode_tui.screens.rewrite import Rewrite
from msgcode_tui.screens.why import WhyScreen
from tests.troubles import TROUBLES
from tests.tui.debugging import Debugger, debugging
from tests.tui.screens.test_acting import select


async def why(app: Debugger, message: Message | str, *texts: str) -> None:
    """Ask in the room why this message has come no further."""
    known = app.app.store.message(message if isinstance(message, str) else message.id)
    await select(app, known)
    await app.press("w")
    await app.on(WhyScreen)
    await app.shows(*texts)


@pytest.fixture
def message(store: Store) -> Message:
    store.register("human", human=True)
    return store.send("alice", "bob", "please look")


async def test_every_hop_is_told_with_its_time(store: Store, message: Message) -> None:
    store.claim("bob", "host")
    store.fail("bob", message.id, "host", "the session is gone")
    async with debugging(store) as app:
        await why(
            app, message, "bob: ", "sent by alice", "claimed by host", "failed by host: the session is gone"
        )
        await app.shows("delivery failed once, the last: the session is gone.", "What can be done")
        await app.press("w")
        await app.on(MainScreen)


async def test_it_is_offered_by_the_menu(store: Store, message: Message) -> None:
    async with debugging(store) as app:
        await select(app, message)
        await app.press("a")
        await app.on(Menu)
        await app.press("w")
        await app.on(WhyScreen)
        await app.shows("Why: alice → bob")


async def test_what_happens_meanwhile_is_told(store: Store, message: Message) -> None:
    store.hold("human", agent="bob", reason="wait")
    async with debugging(store) as app:
        await why(app, message, "held by hold 1 on bob, placed by human: wait.")
        await app.press("s")  # The advice: let it through.
        await app.shows("let through by human", "Let through: alice to bob.")
        assert [each.id for each in store.claim("bob", "host")] == [message.id]
        await app.shows("claimed by host")


async def test_what_holds_it_is_shown(store: Store, message: Message) -> None:
    store.hold("human", agent="bob")
    async with debugging(store) as app:
        await why(app, message, "held by hold 1 on bob")
        await app.press("h")
        await app.on(DebugScreen)
        assert app.debug.kind.id == "held"
        await app.shows("1 message held by 1 hold")
        await app.go_to(f"message {message.id}")
        await app.press("w")
        await app.on(WhyScreen)
        await app.press("o")
        await app.on(MainScreen)
        assert app.thread.selected == message.id


async def test_what_was_delivered_is_sent_again_or_acknowledged(store: Store, message: Message) -> None:
    store.check("bob")
    async with debugging(store) as app:
        await why(app, message, "bob: delivered", "send it again, as a new message")
        await app.press("r")
        await app.shows("Sent again: 1 message.")
        (again,) = store.claim("bob", "host")
        assert again.body == "please look"
        await app.press("x")
        await app.shows("bob: acknowledged")
    assert store.message(message.id).deliveries["bob"].status is Status.ACKNOWLEDGED


async def test_enter_does_what_the_line_says(store: Store, message: Message) -> None:
    store.check("bob")
    async with debugging(store) as app:
        await why(app, message, "say that it is done with")
        await app.press("down", "enter")
        await app.until(lambda: store.message(message.id).deliveries["bob"].status is Status.ACKNOWLEDGED)


async def test_a_message_is_given_up_at_one_recipient(store: Store) -> None:
    store.register("human", human=True)
    store.register("carol")
    store.join("dev", "carol")
    news = store.broadcast("alice", "dev", "who takes it?")
    store.acknowledge("bob", news.id)
    store.set_presence("carol", Activity.OFFLINE)
    async with debugging(store) as app:
        await why(app, news, "carol: offline", "recipient 2 of 2")
        await app.press("left")
        await app.shows("bob: acknowledged", "recipient 1 of 2")
        await app.press("right")
        await app.shows("carol: offline")
        await app.press("d")
        await app.on(Confirm)
        await app.shows("Discard it for carol?")
        await app.press("y")
        await app.shows("carol: discarded")
    statuses = [each.status for each in store.message(news.id).deliveries.values()]
    assert statuses == [Status.ACKNOWLEDGED, Status.DISCARDED]


async def test_a_lost_recipient_is_registered_or_somebody_else_does_it(tmp_path: Path) -> None:
    recorded = TROUBLES["lost recipient"](tmp_path / "room")
    async with debugging(recorded) as app:
        (lost,) = recorded.messages
        await why(app, lost, "reveiwer: unknown", "did you mean 'reviewer'?")
        store = app.app.store
        await app.press("f")
        await app.on(Ask)
        await app.press("enter")  # The nearest name comes first.
        await app.shows("Forwarded to reviewer: 1 message.")
        assert [each.sender for each in store.claim("reviewer", "host")] == ["human"]
        await app.on(WhyScreen)
        await app.press("n")
        await app.shows("reveiwer is registered.", "reveiwer: offline")
        assert "reveiwer" in {agent.id for agent in store.agents()}


async def test_who_has_left_is_told_of(store: Store, message: Message) -> None:
    store.unregister("bob")
    async with debugging(store) as app:
        await why(app, message, "bob: gone", "bob was unregistered at")


async def test_it_is_edited_and_made_urgent(store: Store, message: Message) -> None:
    store.set_presence("bob", "busy", "tests")
    async with debugging(store) as app:
        await why(app, message, "bob: busy", "have it read before the others")
        await app.press("e")
        await app.on(Rewrite)
        app.composer.text = "please look now"
        await app.press("enter")
        await app.shows("please look now", "edited by human")
        await app.press("p")
        await app.shows("The priority is urgent now")
    now = store.message(message.id)
    assert (now.body, now.priority) == ("please look now", Priority.URGENT)


async def test_an_advice_that_does_not_hold_has_no_key(store: Store, message: Message) -> None:
    store.set_presence("bob", Activity.OFFLINE)
    async with debugging(store) as app:
        await why(app, message, "bob: offline")
        events = len(list(store.history()))
        await app.press("s", "x", "r", "h")
        await app.pilot.pause()
        assert isinstance(app.app.screen, WhyScreen)
        assert len(list(store.history())) == events


async def test_nobody_got_it(store: Store) -> None:
    store.register("human", human=True)
    store.create_channel("empty", "alice")
    news = store.broadcast("alice", "empty", "hello?")
    async with debugging(store) as app:
        await why(app, news, "Nobody was there to get it")
