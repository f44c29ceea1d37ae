"""Which rooms a message belongs to, and which are unread."""

from __future__ import annotations

from datetime import UTC, datetime

from msgcode import Delivery, Message, Status
from msgcode_tui.rooms import EVERYTHING, RoomIndex, channel_room, pair_room, rooms_of

AT = datetime(2026, 3, 2, tzinfo=UTC)


def message(id: str, sender: str, *to: str, channel: str | None = None) -> Message:
    deliveries = dict.fromkeys(to, Delivery(Status.QUEUED, AT))
    return Message(id, int(id), sender, "hello", AT, deliveries, channel=channel)


def test_a_pair_is_the_same_from_both_sides() -> None:
    assert pair_room("bob", "alice") == pair_room("alice", "bob")
    assert pair_room("bob", "alice").partner("bob") == "alice"
    assert pair_room("bob", "alice").partner("carol") is None
    assert channel_room("bob").partner("bob") is None


def test_a_message_belongs_to_its_channel_or_else_to_its_pairs() -> None:
    assert rooms_of(message("1", "alice", "bob")) == [pair_room("alice", "bob")]
    assert rooms_of(message("1", "alice", "bob", channel="dev")) == [channel_room("dev")]
    assert rooms_of(message("1", "alice", "bob", "carol")) == [
        pair_room("alice", "bob"),
        pair_room("alice", "carol"),
    ]


def test_what_is_read_in_one_room_is_read_in_all() -> None:
    index = RoomIndex()
    first, second = message("1", "alice", "bob"), message("2", "bob", "alice")
    index.add(first, unread=True)
    index.add(second, unread=True)
    index.add(message("3", "alice", "bob", channel="dev"), unread=False)
    room = pair_room("alice", "bob")
    assert (index.unread_count(EVERYTHING), index.unread_count(room)) == (2, 2)
    index.read(second)
    assert (index.unread(EVERYTHING), index.unread(room)) == (("1",), ("1",))
    assert index.unread_count(channel_room("dev")) == 0


def test_lists_grow_in_place_and_are_replaced_when_messages_go() -> None:
    index = RoomIndex()
    before = index.messages(EVERYTHING)
    first, second = message("1", "alice", "bob"), message("2", "alice", "carol")
    index.add(first, unread=True)
    index.add(second, unread=True)
    assert index.messages(EVERYTHING) is before == ["1", "2"]
    index.keep({"2": second})
    assert index.messages(EVERYTHING) == ["2"]
    assert index.messages(EVERYTHING) is not before
    assert index.unread(EVERYTHING) == ("2",)
    assert index.pairs() == [pair_room("alice", "carol")]


def test_channels_that_were_only_written_to_exist() -> None:
    index = RoomIndex()
    index.add(message("1", "alice", "bob", channel="dev"), unread=False)
    assert index.channels() == ["dev"]
    assert index.pairs() == []


def test_a_thread_is_its_first_message_and_all_answers() -> None:
    index = RoomIndex()
    first = message("1", "alice", "bob")._replace(thread="1")
    answers = [message(id, "bob", "alice")._replace(thread="1", reply_to="1") for id in ("2", "4")]
    for one in (first, answers[0], message("3", "alice", "bob")._replace(thread="3"), answers[1]):
        index.add(one, unread=False)
    assert index.thread("1") == ["1", "2", "4"]
    assert index.thread("3") == ["3"]
    index.keep({"4": answers[1]})
    assert index.thread("1") == ["1", "4"]
