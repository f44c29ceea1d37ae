"""What the user does to messages: what they press, what the store then holds, what the screen then says."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from textual.screen import Screen
from textual.widgets import Static

from msgcode import Message, Priority, Status, Store
from msgcode_tui.app import MsgcodeApp
from msgcode_tui.rooms import EVERYTHING, pair_room
from msgcode_tui.screens.ask import Ask
from msgcode_tui.screens.confirm import Confirm
from msgcode_tui.screens.main import MainScreen
from msgcode_tui.screens.menu import Menu
from msgcode_tui.screens.questions import Questions
from msgcode_tui.screens.rewrite import Rewrite
from tests.tui.support import Driver, running

RAW = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture
def copied(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was copied."""
    texts: list[str] = []
    monkeypatch.setattr(MsgcodeApp, "copy_to_clipboard", lambda self, text: texts.append(text))
    return texts


async def on(app: Driver, screen: type[Screen[Any]]) -> None:
    """Wait until this screen is there, and ready for keys."""
    await app.until(lambda: isinstance(app.app.screen, screen) and app.app.screen.focused)


async def select(app: Driver, message: Message) -> None:
    """Select the message among everything."""
    await app.select(EVERYTHING)
    await app.until(lambda: message.id in app.app.live.state.messages)
    app.thread.focus()
    await app.until(lambda: app.thread.go_to(message.id))
    await app.pilot.pause()


async def menu(app: Driver, *messages: Message) -> None:
    """Open the menu for the message, or for all of them, marked."""
    for message in messages:
        await select(app, message)
        if len(messages) > 1:
            await app.pilot.press("space")
    await app.pilot.press("a")
    await on(app, Menu)


def status(store: Store, message: Message, agent: str = "bob") -> Status:
    return store.message(message.id).deliveries[agent].status


async def test_the_menu_says_what_can_be_done_and_why_not(store: Store, folder: Path) -> None:
    message = store.send("alice", "bob", "hello", subject="[b]S[/b]\x1b[2J")
    store.check("bob")
    async with running(folder) as app:
        await menu(app, message)
        await app.shows("alice → bob: [b]S[/b]␛[2J", "Acknowledge    ", "for bob", "It names no file.")
        await app.pilot.press("e")
        await app.shows("It cannot be edited: 'bob' has had it. Send another.")
        assert isinstance(app.app.screen, Menu)
        await app.pilot.press("escape")
        await on(app, MainScreen)


async def test_a_right_click_opens_the_menu_and_a_click_chooses(store: Store, folder: Path) -> None:
    store.send("alice", "bob", "hello")
    async with running(folder) as app:
        await app.shows("alice → bob")

        async def click(text: str, button: int = 1) -> None:
            y, line = next(
                (y, line) for y, line in enumerate(app.screen().splitlines()) if text in line and y > 1
            )
            await app.pilot.click(offset=(line.index(text) + 1, y), button=button)

        await click("hello", 3)
        await on(app, Menu)
        await click("Expire")
        await on(app, Confirm)
        await app.shows("Expire 1 message?", "alice → bob: hello")
        await click("Expire (y)")
        await app.until(lambda: not store.messages())


async def test_no_message_is_selected(store: Store, folder: Path) -> None:
    async with running(folder) as app:
        app.thread.focus()
        await app.pilot.press("a")
        await app.shows("No message is selected")
        assert isinstance(app.app.screen, MainScreen)


async def test_replying(store: Store, folder: Path) -> None:
    message = store.send("alice", "human", "May I?")
    async with running(folder) as app:
        await select(app, message)
        await app.pilot.press("r", *"yes", "enter")
        await app.until(lambda: len(store.messages()) == 2)
        reply = store.messages()[-1]
        assert (reply.body, reply.reply_to, reply.recipients) == ("yes", message.id, ("alice",))


async def test_acknowledging_one_shows_what_it_touches(store: Store, folder: Path) -> None:
    message = store.send("alice", "bob", "hello\x1b[31m")
    async with running(folder) as app:
        await select(app, message)
        await app.pilot.press("x")
        await on(app, Confirm)
        await app.shows("Acknowledge 1 for bob?", "alice → bob: hello␛[31m (for bob)")
        await app.pilot.press("n")
        await on(app, MainScreen)
        assert status(store, message) is Status.QUEUED
        await app.pilot.press("x")
        await on(app, Confirm)
        await app.pilot.press("y")
        await app.shows("Acknowledged for bob: 1 message.", "acknowledged ✓✓")
        assert store.message(message.id).deliveries["bob"].by == "human"
        await app.pilot.press("u")
        await app.shows("An acknowledgement cannot be undone.")


async def test_acknowledging_what_is_to_the_user_needs_no_question(store: Store, folder: Path) -> None:
    message = store.send("alice", "human", "hello")
    async with running(folder) as app:
        await select(app, message)
        await app.pilot.press("x")
        await app.until(lambda: status(store, message, "human") is Status.ACKNOWLEDGED)


async def test_acknowledging_a_question_says_that_it_is_not_answered(store: Store, folder: Path) -> None:
    asked = ask(store, "May I?")
    async with running(folder) as app:
        await select(app, asked)
        await app.pilot.press("x")
        await on(app, Confirm)
        await app.shows("never answered")
        await app.pilot.press("escape")
        assert not status(store, asked, "human").ended


async def test_acknowledging_the_marked_and_the_inbox(store: Store, folder: Path) -> None:
    sent = [store.send("alice", "bob", text) for text in ("one", "two", "three", "four")]
    async with running(folder) as app:
        await menu(app, sent[0], sent[2])
        await app.shows("2 messages for bob")
        await app.pilot.press("x")
        await on(app, Confirm)
        await app.shows("alice → bob: one (for bob)", "alice → bob: three (for bob)")
        await app.pilot.press("y")
        await app.until(lambda: store.waiting("bob") == 2)
        assert [each.body for each in store.inbox("bob")] == ["two", "four"]
        await on(app, MainScreen)
        await app.pilot.press("escape")
        await app.until(lambda: app.app.live.waiting("bob") == 2)
        await menu(app, sent[1])
        await app.pilot.press("i")
        await on(app, Confirm)
        await app.shows("Acknowledge 2 for bob?")
        await app.pilot.press("y")
        await app.until(lambda: not store.waiting("bob"))


async def test_a_long_preview_is_cut(store: Store, folder: Path) -> None:
    for number in range(130):
        store.send("alice", "bob", f"number {number}")
    async with running(folder) as app:
        await app.until(lambda: app.app.live.waiting("bob") == 130)
        await menu(app, store.messages()[0])
        await app.pilot.press("i")
        await on(app, Confirm)
        assert "and 30 more" in str(app.app.screen.query(Static).last().visual)


async def test_forwarding_asks_to_whom(store: Store, folder: Path) -> None:
    store.register("carol", description="\x1b[31m[b]tests[/b]")
    message = store.send("alice", "bob", "hello")
    async with running(folder) as app:
        await select(app, message)
        await app.pilot.press("f")
        await on(app, Ask)
        await app.shows("alice", "bob", "␛[31m[b]tests[/b]")
        await app.pilot.press(*"zz")
        await app.shows("Nothing is called so.")
        await app.pilot.press("enter")
        assert isinstance(app.app.screen, Ask)
        await app.pilot.press("backspace", "backspace", *"car", "enter")
        await app.shows("Forward to carol")
        await on(app, Ask)
        await app.pilot.press(*"look", "enter")
        await app.shows("Forwarded to carol: 1 message.")
        assert store.inbox("carol")[0].body == "look\n\nFrom alice, forwarded:\n\nhello"
        await app.pilot.press("u")
        await app.shows("Undone: the sending to carol.")
        assert not store.inbox("carol")


async def test_leaving_a_question_does_nothing(store: Store, folder: Path) -> None:
    message = store.send("alice", "bob", "hello")
    async with running(folder) as app:
        await select(app, message)
        await app.pilot.press("f")
        await on(app, Ask)
        await app.pilot.press("down", "enter")
        await app.shows("Forward to bob")
        await on(app, Ask)
        await app.pilot.press("escape")
        await on(app, MainScreen)
        assert len(store.messages()) == 1


async def test_sending_again(store: Store, folder: Path) -> None:
    message = store.send("alice", "bob", "hello")
    async with running(folder) as app:
        await menu(app, message)
        await app.pilot.press("s")
        await app.shows("Sent again: 1 message.", "alice by human → bob")
        assert store.messages()[-1].metadata == {"resent": message.id}


async def test_editing_before_it_is_delivered(store: Store, folder: Path) -> None:
    message = store.send("alice", "bob", "helo \x1b[31mred", subject="S\u202e")
    async with running(folder) as app:
        await select(app, message)
        await app.pilot.press("e")
        await on(app, Rewrite)
        await app.shows("Edit: alice → bob", "helo ␛[31mred", "S<U+202E>")
        await app.pilot.press("!", "ctrl+j", "2", "enter")
        await app.shows("The message was edited.", "helo ␛[31mred!")
        edited = store.message(message.id)
        assert edited.body == "helo ␛[31mred!\n2"
        assert edited.subject == "S\u202e", "what was not touched stays"
        assert edited.edited
        assert edited.edited.by == "human"
        await app.pilot.press("u")
        await app.shows("Undone: the message is as it was before.")
        assert store.message(message.id).body == message.body


@pytest.mark.parametrize("pause", [None, 0])
async def test_what_is_typed_right_after_the_key_that_edits_is_heard(
    store: Store, folder: Path, pause: int | None
) -> None:
    message = store.send("alice", "bob", "hel")
    async with running(folder) as app:
        await select(app, message)
        for key in ("e", *"lo dear", "enter"):
            app.hurry(key)
            if pause is not None:
                await asyncio.sleep(pause)
        await app.until(lambda: store.message(message.id).edited)
        assert store.message(message.id).body == "hello dear"


async def test_an_edit_that_changes_nothing_is_none(store: Store, folder: Path) -> None:
    message = store.send("alice", "bob", "a\x1bb")
    async with running(folder) as app:
        await select(app, message)
        for key in ("enter", "escape"):
            await app.pilot.press("e")
            await on(app, Rewrite)
            await app.pilot.press(key)
            await on(app, MainScreen)
        assert not store.message(message.id).edited


async def test_an_edit_that_comes_too_late_says_so(store: Store, folder: Path) -> None:
    message = store.send("alice", "bob", "hello")
    async with running(folder) as app:
        await select(app, message)
        await app.pilot.press("e")
        await on(app, Rewrite)
        store.check("bob")
        await app.pilot.press("x", "enter")
        await app.until(lambda: [each for each in app.app._notifications if "has had it" in each.message])
        assert store.message(message.id).body == "hello"


async def test_a_long_text_is_edited_around(store: Store, folder: Path) -> None:
    message = store.send("alice", "bob", "x" * 1_000_000)
    async with running(folder) as app:
        await select(app, message)
        await app.pilot.press("e")
        await on(app, Rewrite)
        await app.shows("[pasted text 1: 1,000,000 characters]")
        await app.pilot.press("!", "enter")
        await app.until(lambda: store.message(message.id).edited)
        assert store.message(message.id).body == "x" * 1_000_000 + "!"


async def test_expiring(store: Store, folder: Path) -> None:
    sent = store.send("alice", "bob", "one")
    async with running(folder) as app:
        await menu(app, sent)
        await app.pilot.press("l")
        await on(app, Confirm)
        await app.shows("Expire 1 message?")
        await app.pilot.press("y")
        await app.shows("Expired: 1 message.", "expired ✗")
        assert status(store, sent, "bob") is Status.EXPIRED
        await app.pilot.press("u")
        await app.shows("What has expired cannot be undone")


async def test_discarding_and_the_priority(store: Store, folder: Path) -> None:
    one, two = store.send("alice", "bob", "one"), store.send("alice", "bob", "two")
    async with running(folder) as app:
        await menu(app, one, two)
        await app.pilot.press("p")
        await app.shows("Which priority?", "as it is")
        await on(app, Menu)
        await app.pilot.press("u")
        await app.shows("The priority is urgent now: 2 messages.", "‼ urgent")
        assert {each.priority for each in store.messages()} == {Priority.URGENT}
        await app.pilot.press("u")
        await app.shows("Undone: the priority is normal again.")
        assert {each.priority for each in store.messages()} == {Priority.NORMAL}
        await app.pilot.press("d")
        await on(app, Confirm)
        await app.shows("Discard 2 messages?")
        await app.pilot.press("y")
        await app.until(lambda: not store.messages())
        assert status(store, two) is Status.DISCARDED


async def test_copying(store: Store, folder: Path, copied: list[str]) -> None:
    first = store.send("alice", "bob", "question")
    reply = store.send("bob", "alice", "reply", reply_to=first.id)
    async with running(folder) as app:
        for key in ("y", "t", "c"):
            await menu(app, reply)
            await app.pilot.press(key)
            await on(app, MainScreen)
        assert copied == ["reply", "alice → bob\nquestion\n\nbob → alice\nreply", reply.id]


async def test_opening_the_file(store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(MsgcodeApp, "open_in_editor", lambda self, message: opened.append(message.id))
    message = store.send("alice", "bob", "look", metadata={"at": "src/x.py:3"})
    async with running(folder) as app:
        await menu(app, message)
        await app.shows("src/x.py")
        await app.pilot.press("o")
        await app.until(lambda: opened == [message.id])


async def test_undoing_what_was_sent(store: Store, folder: Path) -> None:
    async with running(folder) as app:
        await app.select(pair_room("bob", "human"))
        await app.write("one")
        await app.write("two")
        await app.until(lambda: len(store.messages()) == 2)
        await app.until(lambda: len(app.app.live.state.messages) == 2)
        store.check("bob", limit=1)
        app.thread.focus()
        await app.pilot.press("u")
        await app.shows("Undone: the sending to bob.")
        assert [each.body for each in store.messages()] == ["one"]
        await app.pilot.press("u")
        await app.shows("The sending cannot be undone: it is past waiting for bob.")
        await app.pilot.press("u")
        await app.shows("There is nothing to undo.")


async def test_undoing_what_a_line_did(store: Store, folder: Path) -> None:
    async with running(folder) as app:
        await app.write("/msg send bob one")
        await app.until(store.messages)
        await app.write("/msg channel join dev")
        await app.until(lambda: "human" in store.channels()[0].members)
        await app.write("/msg ack --as bob " + store.messages()[0].id[:8])
        await app.until(lambda: not store.messages())
        await app.shows("Acknowledged")
        app.thread.focus()
        await app.pilot.press("u")
        await app.shows("An acknowledgement cannot be undone.")
        await app.pilot.press("u")
        await app.shows("Undone: human is no longer in #dev.")
        assert store.channels()[0].members == ("alice", "bob")
        await app.pilot.press("u")
        await app.shows("The sending cannot be undone: it is past waiting for bob.")


def ask(store: Store, text: str, **more: str) -> Message:
    """Ask the user something."""
    return store.send("alice", "human", text, metadata={"choices": "yes|no|[b]later\x1b", **more})


async def test_answering_the_selected_question_with_one_key(store: Store, folder: Path) -> None:
    asked = ask(store, "May I?")
    async with running(folder) as app:
        await select(app, asked)
        await app.pilot.press("9")
        await app.pilot.press("2")
        await app.shows("Answered alice: no")
        answer = store.inbox("alice")[0]
        assert (answer.body, answer.reply_to, answer.metadata) == ("no", asked.id, {"answer": "no"})
        assert status(store, asked, "human") is Status.ACKNOWLEDGED
        await app.pilot.press("u")
        await app.shows("Undone: the sending to alice.", "all the same")
        assert store.inbox("alice") == []
        assert status(store, asked, "human") is Status.ACKNOWLEDGED


async def test_choosing_an_answer(store: Store, folder: Path) -> None:
    asked = ask(store, "May I?")
    async with running(folder) as app:
        await select(app, asked)
        await app.pilot.press("enter")
        await on(app, Menu)
        await app.shows("[b]later␛")
        await app.pilot.press("j", "j", "enter")
        await app.until(lambda: store.inbox("alice"))
        assert store.inbox("alice")[0].body == "[b]later\x1b"


async def test_the_queue_of_questions(store: Store, folder: Path) -> None:
    first = ask(store, "First [b]body\x1b[31m", deadline="30", default="no")
    second = ask(store, "Second", deadline="40")
    store.prioritize(second.id, priority="urgent", by="alice")
    async with running(folder) as app:
        await app.until(lambda: second.id in app.app.live.state.messages)
        app.thread.focus()
        await app.pilot.press("Q")
        await on(app, Questions)
        await app.shows("2 questions to you", "Second", "First [b]body␛[31m", "[b]later␛")
        assert not RAW.search(app.screen())
        await app.pilot.press("1")
        await app.shows("1 question to you", "or 'no' is taken")
        await app.until(lambda: store.inbox("alice"))
        await app.pilot.press("enter", "j", "enter")
        await on(app, MainScreen)
        await app.until(lambda: len(store.inbox("alice")) == 2)
        answers = {each.reply_to: each.body for each in store.inbox("alice")}
        assert answers == {second.id: "yes", first.id: "no"}
        await app.pilot.press("Q")
        await app.shows("Nobody waits for an answer of yours.")


async def test_from_the_queue_to_the_message(store: Store, folder: Path) -> None:
    asked = ask(store, "May I?")
    async with running(folder) as app:
        await app.until(lambda: asked.id in app.app.live.state.messages)
        app.thread.focus()
        await app.pilot.press("Q")
        await on(app, Questions)
        await app.pilot.press("o")
        await on(app, MainScreen)
        assert app.thread.selected == asked.id


async def test_a_question_that_another_program_answers_leaves_the_queue(store: Store, folder: Path) -> None:
    asked, other = ask(store, "May I?"), ask(store, "And this?")
    async with running(folder) as app:
        await app.until(lambda: other.id in app.app.live.state.messages)
        app.thread.focus()
        await app.pilot.press("Q")
        await on(app, Questions)
        await app.pilot.press("j")
        store.answer(asked.id, "yes", "human")
        await app.shows("1 question to you", "And this?")
        assert isinstance(app.app.screen, Questions)
        assert app.app.screen.current
        assert app.app.screen.current.message.id == other.id


async def test_a_default_is_given_and_said(store: Store, folder: Path) -> None:
    asked = ask(store, "May I?", deadline="0.0005", default="no")
    async with running(folder) as app:
        await app.shows("alice was answered 'no' for you: the deadline had come.")
        assert store.inbox("alice")[0].metadata["answer"] == "no"
        assert status(store, asked, "human") is Status.ACKNOWLEDGED


async def test_the_palette_has_what_can_be_done(store: Store, folder: Path) -> None:
    message = store.send("alice", "bob", "[b]hello[/b]")
    async with running(folder) as app:
        await select(app, message)
        titles = {command.title for command in app.app.get_system_commands(app.app.screen)}
        assert {"Message: Expire", "Room: Register an agent", "Undo", "Questions", "Theme"} <= titles
        assert "Message: Open its file" not in titles
        await app.pilot.press("ctrl+p")
        await app.until(lambda: app.app.screen.focused)
        await app.pilot.press(*"message:", "space", *"expire")
        await app.shows("Message: Expire")
        await app.until(lambda: "Expires in" not in app.screen())
        await app.pilot.press("down", "enter")
        await on(app, Confirm)
        await app.pilot.press("y")
        await app.until(lambda: status(store, message) is Status.EXPIRED)


@pytest.mark.parametrize("size", [(80, 24), (50, 20)])
async def test_it_fits_a_small_terminal(store: Store, folder: Path, size: tuple[int, int]) -> None:
    asked = ask(store, "May I?\n" * 50)
    async with running(folder, size=size) as app:
        await menu(app, asked)
        await app.shows("Answer ", "Copy the id", "╰")
        await app.pilot.press("escape")
        await on(app, MainScreen)
        await app.pilot.press("Q")
        await on(app, Questions)
        await app.shows("1 question to you", "1  yes", "3  [b]later␛", "1-9 answers")
