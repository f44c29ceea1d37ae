"""Writing, as a user does it: what they press, what the store then holds, what the screen says."""

from __future__ import annotations

from pathlib import Path
from time import monotonic

import pytest
from textual import events

from msgcode import Priority, Store
from msgcode_tui.drafts import PLAIN
from msgcode_tui.remembered import Memory
from msgcode_tui.rooms import EVERYTHING, channel_room, pair_room
from msgcode_tui.widgets.choices import Choices
from msgcode_tui.widgets.desk import Desk
from msgcode_tui.widgets.envelope import Chip
from tests.tui.support import Driver, running
from tests.tui.widgets.test_message_lines import RAW

BOB = pair_room("bob", "human")
OTHERS = pair_room("alice", "bob")


async def at(app: Driver, room: object, text: str = "") -> Desk:
    """Go to the room and begin to write there."""
    await app.select(room)  # type: ignore[arg-type]
    app.composer.focus()
    await app.pilot.pause()
    await app.pilot.press(*text)
    return app.app.screen.query_one(Desk)


# Whom it goes to


async def test_a_name_at_the_beginning_says_whom_it_is_for(store: Store, folder: Path) -> None:
    async with running(folder) as app:
        await at(app, BOB, "@al")
        await app.shows("@alice", "human → …")
        await app.pilot.press("tab")
        await app.shows("human → alice")
        await app.pilot.press(*"hi", "enter")
        await app.until(store.messages)
        (message,) = store.messages()
        assert (message.recipients, message.body) == (("alice",), "hi")


async def test_a_channel_at_the_beginning_broadcasts(store: Store, folder: Path) -> None:
    async with running(folder) as app:
        await at(app, BOB)
        await app.write("#dev news\nof the day")
        await app.until(store.messages)
        (message,) = store.messages()
        assert (message.channel, message.recipients) == ("dev", ("alice", "bob"))
        assert message.body == "news\nof the day"


async def test_an_unknown_name_is_refused_and_stays(store: Store, folder: Path) -> None:
    async with running(folder) as app:
        await at(app, BOB)
        await app.write("@alcie hi")
        await app.shows("did you mean 'alice'?", "human → nobody")
        assert app.composer.text == "@alcie hi"
        app.composer.load_text("@alice  ")
        await app.pilot.press("enter")
        await app.shows("Write what alice shall read")
        assert store.messages() == []


async def test_to_all_only_after_the_list_of_them_is_confirmed(store: Store, folder: Path) -> None:
    async with running(folder) as app:
        await at(app, EVERYTHING)
        await app.shows("human → all 2 agents")
        await app.write("stop")
        await app.shows("Broadcast as human to all 2 agents?", "Broadcast (y)")
        await app.pilot.press("n")
        await app.until(lambda: app.composer.text == "stop")
        assert store.messages() == []
        await app.pilot.press("enter")
        await app.shows("Broadcast (y)")
        await app.pilot.press("y")
        await app.until(store.messages)
        (message,) = store.messages()
        assert (message.recipients, message.channel, message.body) == (("alice", "bob"), None, "stop")


async def test_the_confirmation_answers_to_the_mouse(store: Store, folder: Path) -> None:
    async with running(folder) as app:
        await at(app, EVERYTHING)
        await app.write("stop")
        await app.shows("Broadcast (y)")
        await app.pilot.click("#yes")
        await app.until(store.messages)


async def test_speaking_as_an_agent_is_marked(store: Store, folder: Path) -> None:
    async with running(folder) as app:
        await app.shows("bob")
        desk = await at(app, OTHERS)
        await app.shows("human → nobody")
        await app.pilot.press("alt+a", "down", "enter")
        await app.shows("human as alice → bob", "as alice")
        await app.pilot.press(*"halt", "enter")
        await app.until(store.messages)
        (message,) = store.messages()
        assert (message.sender, message.by, message.recipients) == ("alice", "human", ("bob",))
        assert message.human
        await app.until(lambda: desk.draft.options == PLAIN)


# What is said beside the text


async def test_all_options_reach_the_message(store: Store, folder: Path) -> None:
    asked = store.send("bob", "human", "Which chunk size?")
    async with running(folder) as app:
        await at(app, BOB, "64")
        await app.pilot.press("alt+r", "enter")
        await app.shows("replying to bob: Which chunk size?")
        await app.pilot.press("alt+p", "alt+p", "alt+s", *"Size", "enter", "alt+t", "down", "down", "enter")
        await app.shows("urgent", "Size", "ttl 30m")
        assert app.composer.has_focus
        await app.pilot.press("enter")
        await app.until(lambda: len(store.messages()) == 2)
        message = store.messages()[-1]
        assert (message.body, message.reply_to, message.thread) == ("64", asked.id, asked.id)
        assert (message.priority, message.subject) == (Priority.URGENT, "Size")
        assert message.expires_at is not None
        assert 1790 < (message.expires_at - message.sent_at).total_seconds() <= 1800
        await app.until(lambda: not app.app.screen.query(Chip))


async def test_options_are_taken_back_by_key_and_by_mouse(store: Store, folder: Path) -> None:
    store.send("bob", "human", "?")
    async with running(folder) as app:
        desk = await at(app, BOB)
        await app.pilot.press("alt+p", "alt+r", "enter", "alt+s", *"S", "enter")
        await app.until(lambda: len(app.app.screen.query(Chip)) == 3)
        await app.pilot.press("alt+r", "alt+s", "x", "escape")
        assert (desk.draft.options.reply_to, desk.draft.options.subject) == (None, "S")
        await app.until(lambda: len(app.app.screen.query(Chip)) == 2)
        await app.pilot.pause()
        await app.pilot.click(".subject")
        await app.until(lambda: desk.draft.options.subject == "")
        await app.pilot.press("alt+p", "alt+p", "alt+p")
        await app.until(lambda: desk.draft.options == PLAIN)


async def test_a_letter_that_comes_with_alt_is_no_text(store: Store, folder: Path) -> None:
    async with running(folder) as app:
        desk = await at(app, BOB)
        app.app.post_message(events.Key("alt+p", "p"))
        await app.until(lambda: desk.draft.options.priority is Priority.HIGH)
        app.app.post_message(events.Key("alt+s", "s"))
        await app.until(lambda: not app.composer.has_focus)
        app.app.post_message(events.Key("alt+x", "x"))
        await app.pilot.press(*"ok", "enter")
        assert (desk.draft.text, desk.draft.options.subject) == ("", "ok")


async def test_the_menu_of_options_works_without_alt(store: Store, folder: Path) -> None:
    async with running(folder) as app:
        desk = await at(app, BOB)
        await app.pilot.press("ctrl+t")
        await app.shows("priority", "alt+p", "speak as", "alt+a")
        await app.pilot.press("up", "enter")
        await app.shows("yourself")
        await app.pilot.press("down", "enter")
        await app.until(lambda: desk.draft.options.speak_as == "alice")
        await app.pilot.press("ctrl+t", "escape", "x")
        assert (app.composer.text, desk.choices.shown) == ("x", False)


# Completion


async def test_choices_are_moved_through_and_closed(store: Store, folder: Path) -> None:
    async with running(folder) as app:
        desk = await at(app, BOB, "hey @")
        await app.until(lambda: desk.choices.shown)
        assert desk.choices.region.bottom <= app.composer.region.y
        await app.pilot.press("down", "up", "up", "enter")
        assert app.composer.text == "hey @human "
        await app.pilot.press("@", "escape")
        assert not desk.choices.shown
        assert app.composer.has_focus
        await app.pilot.press("escape")
        await app.until(lambda: app.thread.has_focus)


async def test_a_choice_is_taken_with_the_mouse(store: Store, folder: Path) -> None:
    async with running(folder) as app:
        desk = await at(app, BOB, "@")
        await app.until(lambda: desk.choices.shown)
        await app.pilot.pause()
        await app.pilot.click(Choices, offset=(4, 1))
        await app.until(lambda: app.composer.text == "@alice ")
        assert app.composer.has_focus


async def test_enter_runs_a_command_that_needs_no_more(store: Store, folder: Path) -> None:
    async with running(folder) as app:
        await at(app, BOB, "/msg check ")
        await app.shows("human → /msg", "alice")
        await app.pilot.press("enter")
        await app.shows("/msg check")
        assert app.composer.text == ""


# Drafts and history


async def test_each_room_keeps_what_was_begun(store: Store, folder: Path) -> None:
    async with running(folder) as app:
        desk = await at(app, BOB, "to bob")
        await app.pilot.press("alt+p")
        await at(app, channel_room("dev"), "to all")
        await app.shows("bob", "✎")
        assert desk.draft.options == PLAIN
        await app.select(BOB)
        assert (app.composer.text, desk.draft.options.priority) == ("to bob", Priority.HIGH)
        assert list(app.app.drafts.kept) == [BOB, channel_room("dev")]
        await app.pilot.press("enter")
        await app.until(store.messages)
        await app.select(channel_room("dev"))
        assert list(app.app.drafts.kept) == [channel_room("dev")]


async def test_up_and_down_go_through_what_was_sent(store: Store, folder: Path) -> None:
    async with running(folder) as app:
        await at(app, BOB)
        for text in ("one", "two\nlines"):
            await app.write(text)
        await app.until(lambda: len(store.messages()) == 2)
        await app.pilot.press(*"new", "up")
        assert app.composer.text == "two\nlines"
        await app.pilot.press("up", "up")
        assert app.composer.text == "one"
        await app.pilot.press("down", "down", "down")
        assert app.composer.text == "new"


async def test_writing_and_the_arrangement_outlive_the_app(
    store: Store, folder: Path, tmp_path: Path
) -> None:
    file, dev = tmp_path / "state" / "room.json", channel_room("dev")
    async with running(folder, memory=Memory(file)) as app:
        await at(app, BOB)
        await app.write("sent")
        await app.until(store.messages)
        await app.pilot.press(*"begun", "alt+p", "alt+s", *"S", "enter")
        await app.select(dev)
        app.composer.focus()
        await app.pilot.press("alt+p")
        app.rooms.focus()
        await app.pilot.press("p", "m", "h")
        await app.until(lambda: app.app.memory.now.collapsed)
    async with running(folder, memory=Memory(file)) as app:
        await app.shows("▸ Pinned", "✎")
        assert (app.rooms.arrangement.pinned, app.rooms.arrangement.muted) == ((dev,), frozenset([dev]))
        await at(app, BOB)
        assert app.composer.text == "begun"
        await app.shows("✕ high   ✕ S")
        await app.select(dev)
        await app.until(lambda: app.composer.text == "")
        await app.shows("high")
        await at(app, BOB)
        await app.pilot.press("up")
        assert app.composer.text == "sent"


async def test_what_could_not_be_sent_is_in_its_room(store: Store, folder: Path) -> None:
    async with running(folder) as app:
        await at(app, channel_room("dev"))
        (folder / "lock").unlink()
        (folder / "lock").mkdir()
        await app.write("lost?")
        await app.select(BOB)
        await app.until(lambda: app.app.drafts.of(channel_room("dev")).text == "lost?")
        assert app.composer.text == ""


# Any text


async def test_a_huge_paste_is_quick_and_sent_whole(store: Store, folder: Path) -> None:
    huge = "漢" * 300_000
    async with running(folder) as app:
        await at(app, BOB, "see ")
        began = monotonic()
        app.app.post_message(events.Paste(huge))
        await app.shows("[pasted text 1: 300,000 characters]", "879 of 1,024 KiB")
        await app.pilot.press("!")
        assert monotonic() - began < 3
        app.app.post_message(events.Paste("x" * 200_000))
        await app.shows("1,074 of 1,024 KiB")
        await app.pilot.press("enter")
        await app.shows("The text is too long")
        await app.pilot.press("ctrl+z", "enter")
        await app.until(store.messages)
        assert store.messages()[0].body == f"see {huge}!"


async def test_more_than_a_message_holds_is_not_taken(store: Store, folder: Path) -> None:
    async with running(folder) as app:
        await at(app, BOB)
        app.app.post_message(events.Paste("x" * 2_000_000))
        await app.shows("The text is too long")
        assert app.composer.text == ""


@pytest.mark.parametrize("size", [(140, 40), (80, 24), (50, 20)])
async def test_any_text_in_any_field_is_drawn_safely(
    store: Store, folder: Path, size: tuple[int, int]
) -> None:
    hostile = "\x1b]52;c;eA==\x07[red]x[/red]\u202e\u2066abc שלום 漢字 👩‍👩‍👧 " + "w" * 3000
    store.send("bob", "human", hostile, subject=hostile.replace("\n", " ")[:200])
    async with running(folder, size=size) as app:
        desk = await at(app, BOB)
        await app.pilot.press("alt+s")
        app.app.post_message(events.Paste(hostile))
        await app.until(lambda: desk.query_one("#subject").value)  # type: ignore[attr-defined]
        await app.pilot.press("enter", "alt+r", "enter")
        app.app.post_message(events.Paste(hostile))
        await app.until(lambda: app.composer.text)
        for key in ("alt+t", "escape", "up", "@", "ctrl+t"):
            await app.pilot.press(key)
            await app.pilot.pause()
            for line in app.screen().split("\n"):
                assert not RAW.search(line), repr(line)
        assert len(desk.draft.options.subject) == 500
        assert app.composer.region.height <= size[1] // 3 + 1
        assert desk.region.bottom == size[1] - 1


async def test_it_grows_up_to_a_third_of_the_screen(store: Store, folder: Path) -> None:
    async with running(folder, size=(80, 30)) as app:
        await at(app, BOB)
        assert app.composer.region.height == 3
        for _ in range(3):
            await app.pilot.press("ctrl+j")
        await app.until(lambda: app.composer.region.height == 6)
        for _ in range(30):
            app.composer.action_select_all()
            app.composer.insert("x\n" * 40)
        await app.until(lambda: app.composer.region.height == 10)
