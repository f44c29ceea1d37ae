"""The app as a user drives it: what they press, what the store then holds, what the screen then says."""

from __future__ import annotations

import asyncio
import re
import shutil
from pathlib import Path
from signal import SIGKILL

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from textual import events

from msgcode import Status, Store
from msgcode_tui.rooms import EVERYTHING, channel_room, pair_room
from msgcode_tui.roster import AS_IT_COMES
from msgcode_tui.widgets.answer import Answer
from msgcode_tui.widgets.bars import Banner
from msgcode_tui.widgets.room_list import RoomList
from tests.core.nats.server import NatsServer
from tests.tui.support import Fact, running, write_journal
from tests.tui.widgets.test_message_lines import HOSTILE, RAW


async def test_the_user_is_there_and_sees_who_else_is(store: Store, folder: Path) -> None:
    store.set_presence("bob", "blocked", "waiting for a permission prompt")
    async with running(folder) as app:
        await app.shows("● alice", "■ bob", "waiting for a permis", "# dev", "2 members", "● 3 online")
        assert store.presence("human").online
        assert [agent.human for agent in store.agents()] == [False, False, True]
        store.set_presence("bob", "offline")
        await app.shows("○ bob", "1 of 2 online")


async def test_sending_to_the_selected_agent(store: Store, folder: Path) -> None:
    async with running(folder) as app:
        await app.shows("bob")
        await app.pilot.press("down", "down", "enter", "h", "i", "question_mark")
        await app.shows("human → bob", "hi?")
        assert store.messages() == []
        await app.pilot.press("enter")
        await app.shows("human → bob  ", "queued ·")
        (message,) = store.messages()
        assert (message.sender, message.recipients, message.body) == ("human", ("bob",), "hi?")
        assert message.human
        assert app.composer.text == ""
        store.check("bob")
        store.acknowledge("bob", message.id)
        await app.shows("acknowledged ✓✓")


async def test_enter_does_not_overtake_letters(store: Store, folder: Path) -> None:
    async with running(folder) as app:
        await app.shows("bob")
        await app.pilot.press("down", "enter")
        app.hurry(*"hasty", "enter", *"next")
        await app.until(store.messages)
        assert store.messages()[0].body == "hasty"
        await app.until(lambda: app.composer.text == "next")


@pytest.mark.parametrize("pane", ["rooms", "thread"])
async def test_letters_after_the_key_that_begins_a_text_are_all_heard(
    store: Store, folder: Path, pane: str
) -> None:
    async with running(folder) as app:
        await app.shows("bob")
        if pane == "thread":
            await app.pilot.press("down")
            app.thread.focus()
            await app.pilot.pause()
        app.hurry(*(["down", "enter"] if pane == "rooms" else ["i"]), *"mjhlx", "enter", *"next")
        await app.until(store.messages)
        (message,) = store.messages()
        assert (message.recipients, message.body) == (("alice",), "mjhlx")
        await app.until(lambda: app.composer.text == "next")
        assert app.rooms.arrangement == AS_IT_COMES, "no letter was taken for a command"


async def test_letters_that_come_while_others_are_on_their_way_stay_behind_them(
    store: Store, folder: Path
) -> None:
    text = "the quick brown fox"
    async with running(folder) as app:
        await app.shows("bob")
        await app.pilot.press("down")
        for key in ("enter", *text):
            app.hurry(key)
            await asyncio.sleep(0)
        await app.until(lambda: len(app.composer.text) == len(text))
        assert app.composer.text == text


async def test_a_line_break_does_not_send(store: Store, folder: Path) -> None:
    async with running(folder) as app:
        await app.shows("bob")
        await app.pilot.press("down", "enter", "a", "ctrl+j", "b", "enter")
        await app.until(store.messages)
        assert store.messages()[0].body == "a\nb"


async def test_broadcasting_to_the_selected_channel(store: Store, folder: Path) -> None:
    async with running(folder) as app:
        await app.shows("# dev")
        await app.pilot.press("end", "enter", "n", "e", "w", "s")
        await app.shows("human → #dev", "alice, bob")
        await app.pilot.press("enter")
        await app.shows("alice ·  bob ·")
        (message,) = store.messages()
        assert (message.channel, message.recipients) == ("dev", ("alice", "bob"))


async def test_a_conversation_of_others_is_shown_and_not_written_to(store: Store, folder: Path) -> None:
    store.send("alice", "bob", "between us")
    async with running(folder) as app:
        await app.select(pair_room("alice", "bob"))
        await app.shows("alice ⇄ bob", "between us", "human → nobody")
        await app.write("may I?")
        await app.shows("Begin with @alice or @bob")
        assert app.composer.text == "may I?"
        assert len(store.messages()) == 1


async def test_messages_from_elsewhere_arrive(store: Store, folder: Path) -> None:
    async with running(folder) as app:
        await app.shows("No messages yet")
        store.send("alice", "bob", "Look at this.", subject="Build", priority="urgent")
        await app.shows("alice → bob  ‼ urgent", "Build", "Look at this.")


async def test_msg_lines_run_and_are_answered(store: Store, folder: Path) -> None:
    async with running(folder) as app:
        await app.shows("bob")
        await app.write("/msg channel create ops")
        await app.until(lambda: [channel.id for channel in store.channels()] == ["dev", "ops"])
        await app.shows("/msg channel create ops", "# ops", "1 member")
        await app.pilot.press("escape")
        await app.until(lambda: not app.app.screen.query_one(Answer).shown)
        await app.write("/msg send bob the build is green")
        await app.until(store.messages)
        assert (store.messages()[0].sender, store.messages()[0].body) == ("human", "the build is green")
        await app.write("/msg frobnicate")
        await app.shows("'frobnicate' is no command")
        assert app.composer.text == "/msg frobnicate"


async def test_a_word_that_begins_like_msg_is_a_message(store: Store, folder: Path) -> None:
    async with running(folder) as app:
        await app.select(pair_room("human", "bob"))
        await app.write("/msgs are fun")
        await app.until(store.messages)
        assert store.messages()[0].body == "/msgs are fun"


async def test_a_refusal_is_said_and_the_text_comes_back(store: Store, folder: Path) -> None:
    store.send("alice", "bob", "in a channel that nobody created", channel="nowhere")
    async with running(folder) as app:
        await app.select(channel_room("nowhere"))
        await app.write("anybody?")
        await app.shows("There is no channel 'nowhere'")
        assert app.composer.text == "anybody?"


async def test_warnings_are_said(store: Store, folder: Path) -> None:
    store.set_presence("bob", "offline")
    async with running(folder) as app:
        await app.select(pair_room("human", "bob"))
        await app.write("hello")
        await app.shows("'bob' is offline: the message waits")


async def test_unread_counts_come_and_go(store: Store, folder: Path) -> None:
    async with running(folder) as app:
        await app.select(channel_room("dev"))
        store.send("alice", "bob", "one")
        store.send("bob", "alice", "two")
        await app.shows("alice ⇄ bob")
        room = pair_room("alice", "bob")
        await app.until(lambda: app.app.live.index.unread_count(room) == 2)
        await app.until(lambda: re.search(r"^ alice ⇄ bob +2 ", app.screen(), re.MULTILINE))
        await app.select(room)
        await app.until(lambda: app.app.live.index.unread_count(room) == 0)
        assert app.app.live.index.unread_count(EVERYTHING) == 0


async def test_a_message_to_the_user_is_delivered_once_it_is_shown(store: Store, folder: Path) -> None:
    async with running(folder) as app:
        await app.select(channel_room("dev"))
        message = store.send("alice", "human", "May I merge?")
        await app.until(lambda: app.app.live.index.unread_count(pair_room("alice", "human")) == 1)
        assert store.message(message.id).deliveries["human"].status is Status.QUEUED
        await app.select(pair_room("alice", "human"))
        await app.until(lambda: store.message(message.id).deliveries["human"].status is Status.DELIVERED)


async def test_quick_keys_are_all_heard(store: Store, folder: Path) -> None:
    for number in range(20):
        store.register(f"extra-{number:02}")
    async with running(folder) as app:
        await app.shows("extra-19")
        await app.pilot.press(*["down"] * 10, *["up"] * 3)
        assert app.rooms.room == pair_room("human", "extra-04")
        await app.shows("human → extra-04")
        await app.pilot.press("i", "alt+down")
        await app.shows("human → extra-05")


async def test_rooms_and_messages_answer_to_the_mouse(store: Store, folder: Path) -> None:
    store.send("alice", "bob", "hello")
    async with running(folder) as app:
        await app.shows("● bob", "hello")
        lines = app.screen().splitlines()
        await app.pilot.click(offset=(60, next(y for y, line in enumerate(lines) if "alice → bob" in line)))
        await app.shows("id " + store.messages()[0].id[:8])
        await app.pilot.click(offset=(5, next(y for y, line in enumerate(lines) if "● bob" in line)))
        await app.shows("human → bob")
        assert app.composer.has_focus


@pytest.mark.parametrize(("size", "keys"), [((120, 40), "q"), ((50, 20), "ctrl+q"), ((80, 24), "ctrl+c")])
async def test_quitting(store: Store, folder: Path, size: tuple[int, int], keys: str) -> None:
    async with running(folder, size=size) as app:
        await app.pilot.press(keys)
        await app.until(lambda: not app.app.is_running or app.app._exit)


async def test_letters_are_letters_while_writing(store: Store, folder: Path) -> None:
    async with running(folder) as app:
        await app.shows("bob")
        await app.pilot.press("down", "enter", "q", "i", "j", "k")
        assert app.composer.text == "qijk"
        assert app.app.is_running


async def test_a_narrow_terminal_shows_the_rooms_or_the_messages(store: Store, folder: Path) -> None:
    store.send("alice", "bob", "hello")
    async with running(folder, size=(50, 20)) as app:
        await app.shows("hello")
        assert not app.app.screen.query_one("#rooms").display
        await app.until(lambda: app.thread.has_focus)
        await app.pilot.press("ctrl+r")
        await app.shows("Agents", "# dev")
        assert "hello" not in app.screen()
        await app.pilot.press("down", "enter")
        await app.shows("human → alice")
        assert not app.app.screen.query_one("#rooms").display
        await app.pilot.press("ctrl+r", "ctrl+r")
        assert not app.app.screen.query_one("#rooms").display
        assert app.thread.has_focus


async def test_the_folder_deleted_under_the_app(store: Store, folder: Path) -> None:
    store.send("alice", "bob", "before")
    async with running(folder) as app:
        await app.shows("before", "bob")
        shutil.rmtree(folder)
        await app.shows("No")
        await app.until(lambda: not app.app.live.state.messages)
        with Store.open(folder, sync=False) as fresh:
            fresh.register("carol")
            await app.shows("carol")
            await app.select(pair_room("human", "carol"))
            await app.write("you are new")
            await app.until(fresh.messages)
            await app.shows("you are new")


async def test_a_store_that_cannot_be_read_gives_a_banner_and_recovers(store: Store, folder: Path) -> None:
    store.send("alice", "bob", "before")
    async with running(folder) as app:
        await app.shows("before")
        (folder / "journal").rename(folder / "aside")
        (folder / "journal").write_text("in the way")
        await app.shows("The store cannot be read, trying again")
        (folder / "journal").unlink()
        (folder / "aside").rename(folder / "journal")
        await app.until(lambda: not app.app.screen.query_one("#trouble", Banner).display)
        await app.shows("before")
        store.send("alice", "bob", "after")
        await app.shows("after")


async def test_while_nats_cannot_be_reached_a_banner_says_since_when(tmp_path: Path) -> None:
    server = NatsServer(tmp_path / "server")
    try:
        server.make_room("dev")
        address = f"{server.url}/dev"
        with Store.open(address) as store:
            store.register("alice")
            store.send("alice", "bob", "before")
            async with running(address) as app:
                await app.shows("before")
                server.stop()
                await app.shows("NATS cannot be reached since", "before")
                server.start()
                await app.until(lambda: not app.app.screen.query_one("#trouble", Banner).display)
                store.send("alice", "bob", "after")
                await app.shows("after")
    finally:
        server.stop(SIGKILL)


async def test_a_store_that_cannot_be_written_is_shown_all_the_same(store: Store, folder: Path) -> None:
    store.send("alice", "bob", "hello")
    (folder / "lock").unlink()
    (folder / "lock").mkdir()  # Even root cannot open this for writing.
    async with running(folder) as app:
        await app.shows("Read-only: ", "hello", "bob")
        await app.select(pair_room("human", "bob"))
        await app.write("can I?")
        await app.until(lambda: app.composer.text == "can I?")
        assert "human" not in [agent.id for agent in store.agents()]


async def test_the_app_waits_for_a_store_that_does_not_exist_yet(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "claude").touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path))
    async with running(folder, me="eve") as app:
        await app.shows("you are eve", "Nobody is here yet.", "msgcode install claude", "msgcode-tui --demo")
        with Store.open(folder) as store:
            assert [agent.id for agent in store.agents()] == ["eve"]


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(HOSTILE, min_size=9, max_size=9))
async def test_nothing_in_the_room_reaches_the_screen_raw(tmp_path: Path, texts: list[str]) -> None:
    # Written past the store's checks, as a hostile program could.
    texts = [text.encode("utf-8", "replace").decode() for text in texts]
    agent, name, about, channel, topic, body, subject, key, value = texts
    message: Fact = {"type": "message.sent", "from": agent, "to": ["human"], "body": body}
    facts: list[Fact] = [
        {"type": "agent.registered", "id": agent, "name": name, "description": about},
        {"type": "channel.created", "id": channel, "name": name, "createdBy": agent, "description": topic},
        {**message, "id": "m1", "thread": "m1", "subject": subject, "metadata": {key: value}},
        {**message, "id": "m2", "thread": "m1", "channel": channel, "replyTo": "m1"},
    ]
    folder = tmp_path / "hostile"
    shutil.rmtree(folder, ignore_errors=True)
    count = write_journal(folder, facts)
    async with running(folder) as app:
        await app.until(lambda: app.app.live.state.seq >= count)
        rooms = [row.room for row in app.app.screen.query_one(RoomList)._rows if row.room]
        for room in rooms:
            await app.select(room)
            app.thread.action_select(-1)
            await app.pilot.pause()
            for line in app.screen().split("\n"):
                assert not RAW.search(line), repr(line)


async def test_markup_in_a_message_shows_as_it_is(store: Store, folder: Path) -> None:
    store.register("carol", "[blink]Carol[/blink]", "[link=x]about[/link]")
    store.set_presence("carol", "blocked", "[bold]stuck[/bold]")
    store.send("carol", "human", "[red]body[/red]", subject="[b]subject[/b]")
    async with running(folder) as app:
        await app.select(pair_room("carol", "human"))
        await app.shows("[red]body[/red]", "[b]subject[/b]", "[blink]Carol[/blink]", "[link=x]about")
        await app.shows("[bold]stuck[/bold]")
        app.app.say("[u]toast[/u]")
        await app.shows("[u]toast[/u]")


async def test_pasted_text_is_made_visible(store: Store, folder: Path) -> None:
    async with running(folder) as app:
        await app.select(pair_room("human", "bob"))
        app.composer.focus()
        await app.pilot.pause()
        app.app.post_message(events.Paste("a\x1b[31mb\u202ec"))
        await app.until(lambda: app.composer.text)
        assert app.composer.text == "a␛[31mb<U+202E>c"
