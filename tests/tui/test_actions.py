"""What can be done to which messages and rooms, and what is said where it cannot."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from msgcode import Agent, Channel, Delivery, Message, Status
from msgcode_tui.actions import (
    Action,
    inbox,
    message_actions,
    named,
    question_to,
    room_actions,
    unacknowledged,
)
from msgcode_tui.live import Live
from msgcode_tui.rooms import EVERYTHING, Room, channel_room, pair_room
from msgcode_tui.roster import Arrangement

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
BOB = pair_room("bob", "human")


def message(id: str = "m1", **deliveries: Status) -> Message:
    to = deliveries or {"bob": Status.QUEUED}
    made = {
        agent: Delivery(status, AT, delivered_at=AT if status is Status.DELIVERED else None)
        for agent, status in to.items()
    }
    return Message(id, 1, "alice", "text", AT, made, thread=id)


def live(*messages: Message) -> Live:
    room = Live("human", AT)
    for agent in ("alice", "bob", "human"):
        room.state.agents[agent] = Agent(agent, agent, AT, human=agent == "human")
    room.state.channels["dev"] = Channel("dev", "dev", "alice", AT, ("alice",))
    for each in messages:
        room.state.add(each)
    return room


def done_to(*messages: Message, room: Room = EVERYTHING) -> dict[str, Action]:
    found = message_actions(messages, room, live(*messages), AT)
    assert len({action.key for action in found}) == len(found)
    assert not {action.key for action in found} & {"j", "k"}
    return {action.id: action for action in found}


def test_a_queued_message_can_be_changed() -> None:
    found = done_to(message())
    assert [id for id, action in found.items() if not action.possible] == ["open"]
    assert found["open"].about == "It names no file."
    assert found["acknowledge"].about == "for bob"
    assert found["acknowledge-inbox"].about == "1 message for bob"
    assert "answer" not in found


def test_a_delivered_message_can_be_discarded_but_not_changed() -> None:
    found = done_to(message(bob=Status.DELIVERED))
    assert found["discard"].possible
    assert not found["edit"].possible
    assert found["edit"].about == "It cannot be edited: 'bob' has had it. Send another."
    assert found["expire"].about == "It cannot be expired: it is not waiting to be delivered."
    assert found["prioritize"].about == "It waits for nobody, so its priority means nothing any more."


def test_an_acknowledged_message_can_only_be_passed_on() -> None:
    found = done_to(message(bob=Status.ACKNOWLEDGED))
    possible = {id for id, action in found.items() if action.possible}
    assert possible == {"reply", "forward", "resend", "hold-thread", "why", "copy", "copy-thread", "copy-id"}
    assert found["acknowledge"].about == "Nobody has to acknowledge it any more."
    assert found["acknowledge-inbox"].about == "Nothing waits for bob."


def test_what_is_done_to_several_says_to_how_many() -> None:
    found = done_to(message("m1"), message("m2", bob=Status.DELIVERED), message("m3", carol=Status.QUEUED))
    assert found["expire"].about == "2 of 3"
    assert found["discard"].about == "wherever it has not been acknowledged"
    assert found["acknowledge"].about == "3 messages for bob and carol"
    assert "acknowledge-inbox" not in found
    for id in ("reply", "edit", "open"):
        assert found[id].about == "One message at a time: take away the marks first."


def test_a_sender_that_is_gone_cannot_send_again() -> None:
    gone = message()._replace(sender="zoe")
    assert done_to(gone)["resend"].about == "zoe is not registered, and so cannot send."


def test_the_rooms_agent_is_whose_inbox_is_meant() -> None:
    found = message_actions([message()], pair_room("alice", "human"), live(message()), AT)
    assert "Nothing waits for alice." in [action.about for action in found]


def test_who_has_to_acknowledge() -> None:
    mixed = message(bob=Status.ACKNOWLEDGED, carol=Status.DELIVERED, dave=Status.QUEUED)
    assert [agent for _, agent in unacknowledged([mixed])] == ["carol", "dave"]


def test_questions_are_those_to_the_user_that_are_open() -> None:
    asked = message("q", human=Status.DELIVERED)._replace(metadata={"choices": "yes|no"})
    others = message("o", bob=Status.QUEUED)._replace(metadata={"choices": "yes|no"})
    room = live(asked, others)
    assert [each.message.id for each in room.questions(AT)] == ["q"]
    assert question_to(room, "q", AT)
    assert question_to(room, "o", AT) is question_to(room, None, AT) is question_to(room, "x", AT) is None
    assert [(each.id, agent) for each, agent in inbox("human", room)] == [("q", "human")]
    assert done_to(asked)["answer"].about == "yes, no"


def test_a_question_past_its_time_to_live_is_closed() -> None:
    asked = message("q", human=Status.QUEUED)._replace(metadata={"choices": "yes|no"}, expires_at=AT)
    assert question_to(live(asked), "q", AT - timedelta(seconds=1))
    assert not question_to(live(asked), "q", AT)


def test_rooms() -> None:
    def of(room: Room, arrangement: Arrangement = Arrangement()) -> dict[str, Action]:  # noqa: B008
        found = room_actions(room, live(message()), arrangement)
        assert len({action.key for action in found}) == len(found)
        return {action.id: action for action in found}

    assert list(of(EVERYTHING)) == ["mute", "hold", "create-channel", "register"]
    assert of(BOB, Arrangement((BOB,), frozenset([BOB])))["pin"].title == "Unpin"
    channel = of(channel_room("dev"))
    assert "join" in channel
    assert "leave" not in channel
    assert channel["add-member"].possible
    assert channel["remove-member"].about == "alice"
    agent = of(BOB)
    assert agent["acknowledge-inbox"].about == "1 message for bob"
    assert agent["join-channel"].possible
    assert agent["leave-channel"].about == "bob is in no channel."
    assert "register-here" in of(pair_room("zoe", "human"))
    assert "create-channel-here" in of(channel_room("nowhere"))


def test_names_in_a_row() -> None:
    assert named([]) == "nobody"
    assert named(["a"]) == "a"
    assert named(["a", "b"]) == "a and b"
    assert named(["a", "b", "c"]) == "a, b and c"
    assert named(["a", "b", "c", "d"]) == "a, b and 2 more"
