"""The rows of the list of rooms."""

from __future__ import annotations

from datetime import timedelta

from msgcode import Activity, Presence, Store
from msgcode.model import now
from msgcode_tui.live import Live
from msgcode_tui.rooms import EVERYTHING, channel_room, pair_room
from msgcode_tui.roster import Queue, Row, room_about, room_title, roster


def rows_of(store: Store) -> tuple[Live, list[Row]]:
    store.register("human", human=True)
    live = Live("human", now() - timedelta(hours=1))
    live.advance(store.history())
    live.presences = {agent.id: store.presence(agent.id) for agent in store.agents()}
    return live, roster(live, now())


def test_an_empty_room_has_only_everything() -> None:
    assert roster(Live("human", now()), now()) == [Row("Everything", EVERYTHING, mark="≡")]


def test_open_questions_have_a_row(store: Store) -> None:
    asked = [store.send("alice", "human", text, metadata={"choices": "a|b"}) for text in "12"]
    _, rows = rows_of(store)
    assert (rows[1].place, rows[1].text, rows[1].unread) == (Queue.QUESTIONS, "Questions", 2)
    for each in asked:
        store.answer(each.id, "a", "human")
    _, rows = rows_of(store)
    assert [row for row in rows if row.queue] == []


def test_agents_channels_and_the_conversations_of_others(store: Store) -> None:
    store.register("carol")
    store.send("alice", "bob", "first")
    store.send("carol", "bob", "second")
    _, rows = rows_of(store)
    assert [row.room for row in rows if row.room] == [
        EVERYTHING,
        pair_room("human", "alice"),
        pair_room("human", "bob"),
        pair_room("human", "carol"),
        channel_room("dev"),
        pair_room("bob", "carol"),
        pair_room("alice", "bob"),
    ]


def test_presence_is_said_in_marks_and_words(store: Store) -> None:
    store.set_presence("alice", "blocked", "waiting for a permission prompt")
    store.set_presence("bob", "offline")
    store.send("alice", "bob", "hello")
    _, rows = rows_of(store)
    alice, note, bob = rows[3:6]
    assert (alice.text, alice.mark, alice.activity) == ("alice", "■", Activity.BLOCKED)
    assert (note.text, note.is_note, note.room) == ("waiting for a permission prompt", True, alice.room)
    assert (bob.text, bob.mark) == ("bob", "○")
    assert [form[-1][0].strip() for form in bob.asides] == ["1 waiting, 0s"] * 2 + ["1·0s"] * 3
    assert rows[2].asides[0] == (("1 of 2 online", "muted"),)


def test_a_conversation_with_somebody_who_left_is_still_there(store: Store) -> None:
    store.register("human", human=True)
    store.send("alice", "human", "bye")
    store.unregister("alice")
    live, rows = rows_of(store)
    room = pair_room("alice", "human")
    assert rows[-1].room == room
    assert rows[-1].unread == 1
    assert (room_title(room, live), room_about(room, live)) == ("alice", "not registered")


def test_titles_say_what_a_room_is(store: Store) -> None:
    store.register("alice", "Alice A.", "writes")
    live, _ = rows_of(store)
    live.presences["alice"] = Presence(Activity.BUSY, now(), "compiling")
    about = {
        room_title(row.room, live): room_about(row.room, live) for row in roster(live, now()) if row.room
    }
    assert about["alice"] == "Alice A. · writes · busy: compiling"
    assert about["#dev"] == "alice, bob"
    assert about["Everything"] == "0 messages"
