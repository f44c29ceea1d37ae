"""What the room has to say in each file."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from msgcode.events import (
    AgentRegistered,
    ChannelCreated,
    ChannelJoined,
    Event,
    Fact,
    HoldPlaced,
    HoldReleased,
    MessageAcknowledged,
    MessageClaimed,
    MessageDelivered,
    MessageDiscarded,
    MessageExpired,
    MessagePassed,
    MessageSent,
)
from msgcode.mirror.entries import Content, parse
from msgcode.mirror.listing import Messages, agents_listed, channels_listed
from msgcode.mirror.memory import Memory
from msgcode.mirror.versions import AGENTS, CHANNELS, MESSAGES
from msgcode.model import Hold, Message
from msgcode.state import State, fold
from tests.core.mirror.support import Entry, agent, channel, message, text
from tests.core.support import START

HALF_AN_HOUR = timedelta(minutes=30)
SENT = MessageSent("m1", "ann", ("bob",), "hello", "m1")
SOON = START + timedelta(seconds=10)


def state_of(*facts: Fact) -> State:
    state = State()
    for seq, fact in enumerate(facts, 1):
        fold(state, Event(seq, START, fact))
    return state


def unknown(_: str) -> Message | None:
    return None


def messages(
    state: State,
    *file: object,
    now: datetime = START,
    memory: Memory | None = None,
    listing: Messages | None = None,
) -> list[Entry]:
    """What messages.json should say where it says this now."""
    content = parse(MESSAGES, text(list(file)))
    listed = (listing or Messages(unknown)).listed(state, memory or Memory(), content, now)
    return [json.loads(entry) for entry in listed]


def status(state: State, *file: object, now: datetime = START, memory: Memory | None = None) -> list[str]:
    return [entry["status"] for entry in messages(state, *file, now=now, memory=memory)]


class TestMessages:
    def test_what_waits_is_listed(self) -> None:
        assert status(state_of(SENT)) == ["queued"]
        assert status(state_of(SENT, MessageDelivered("m1", "bob", "host"))) == ["delivered"]

    def test_what_is_claimed_is_not_until_the_lease_ends(self) -> None:
        claimed = state_of(SENT, MessageClaimed("m1", "bob", "host", SOON))
        assert status(claimed) == status(claimed, message("m1")) == []
        assert status(claimed, now=SOON) == ["queued"]

    def test_what_is_held_is_not_until_it_is_let_through(self) -> None:
        held: list[Fact] = [SENT, HoldPlaced(Hold(1, START, "eve"))]
        assert status(state_of(*held)) == status(state_of(*held), message("m1")) == []
        assert status(state_of(*held, MessagePassed("m1", "bob", "eve"))) == ["queued"]
        assert status(state_of(*held, HoldReleased(1, "eve"))) == ["queued"]

    def test_what_was_discarded_is_not(self) -> None:
        assert status(state_of(SENT, MessageDiscarded("m1", "bob")), message("m1")) == []

    def test_what_is_due_is_told_as_expired(self) -> None:
        mortal = state_of(SENT._replace(expires_at=SOON))
        assert status(mortal) == ["queued"]
        assert status(mortal, now=SOON) == ["expired"]

    def test_what_was_delivered_in_time_does_not_expire(self) -> None:
        mortal = state_of(SENT._replace(expires_at=SOON), MessageDelivered("m1", "bob", "host"))
        assert status(mortal, now=SOON) == ["delivered"]

    def test_what_has_ended_stays_for_half_an_hour(self) -> None:
        ends: dict[str, Fact] = {
            "acknowledged": MessageAcknowledged("m1", "bob"),
            "expired": MessageExpired("m1", "bob"),
        }
        for name, end in ends.items():
            ended = state_of(SENT, end)
            last = START + HALF_AN_HOUR - timedelta(milliseconds=1)
            assert status(ended, now=last) == status(ended, message("m1"), now=last) == [name]
            assert status(ended, now=START + HALF_AN_HOUR) == []
            assert status(ended, message("m1"), now=START + HALF_AN_HOUR) == []

    def test_what_was_cleaned_up_after_it_ended_is_not_put_back(self) -> None:
        memory = Memory()
        memory.saw_messages({"m1"}, 0)
        memory.saw_messages(set(), START.timestamp())
        assert status(state_of(SENT, MessageAcknowledged("m1", "bob")), memory=memory) == []
        assert status(state_of(SENT), memory=memory) == ["queued"]

    def test_order_is_kept_and_what_is_new_comes_last_oldest_first(self) -> None:
        shuffled: list[Fact] = [
            SENT._replace(id=f"m{number}", since=START - timedelta(seconds=number)) for number in range(6)
        ]
        state = state_of(*shuffled)
        found = messages(state, message("m4"), message("m0"), message("m2"))
        assert [entry["id"] for entry in found] == ["m4", "m0", "m2", "m5", "m3", "m1"]

    def test_odd_entries_stay_at_the_end(self) -> None:
        found = messages(state_of(SENT), 7, {"id": "odd"}, message("m1"))
        assert found[1:] == [7, {"id": "odd"}]

    def test_a_broadcast_is_a_message_for_each(self) -> None:
        id = "01234567-89ab-4cde-8f01-23456789abcd"
        state = state_of(SENT._replace(id=id, to=("bob", "cy"), channel="api"), MessageAcknowledged(id, "cy"))
        found = messages(state)
        assert [(entry["to"], entry["status"]) for entry in found] == [
            ("bob", "queued"),
            ("cy", "acknowledged"),
        ]
        assert len({entry["id"] for entry in found}) == 2
        assert messages(state, *found) == found

    def test_one_that_ended_there_and_is_forgotten_here_stays_for_its_time(self) -> None:
        entry = message("m1", status="acknowledged")
        assert messages(state_of(), entry) == [entry]
        assert messages(state_of(), entry, now=START + HALF_AN_HOUR) == []

    def test_one_that_waits_there_and_is_forgotten_here_is_looked_up(self) -> None:
        ended = state_of(SENT, MessageAcknowledged("m1", "bob")).ended[0]
        listing = Messages({"m1": ended}.get)
        found = messages(state_of(), message("m1"), message("m2"), listing=listing)
        assert [(entry["id"], entry["status"]) for entry in found] == [("m1", "acknowledged")]

    def test_unknown_keys_stay_also_those_that_came_later(self) -> None:
        state, listing = state_of(SENT), Messages(unknown)
        first = messages(state, listing=listing)[0]
        for more in ({"star": 1}, {"star": 2}, {}):
            assert messages(state, first | more, listing=listing) == [first | more]

    def test_what_they_changed_in_ours_is_set_right(self) -> None:
        state = state_of(SENT)
        assert messages(state, messages(state)[0] | {"body": "forged"})[0]["body"] == "hello"


class TestAgents:
    STATE = state_of(AgentRegistered("ann", "Ann"), AgentRegistered("bob", "Bob"))

    def listed(self, seen: dict[str, datetime], *file: object) -> list[Entry]:
        content: Content = parse(AGENTS, text(list(file)))
        return [json.loads(entry) for entry in agents_listed(self.STATE, content, seen.get)]

    def test_in_their_order_then_ours_without_the_unregistered_with_the_odd(self) -> None:
        found = self.listed({}, agent("gone"), agent("bob", star=1), {"id": 7})
        assert [entry["id"] for entry in found] == ["bob", "ann", 7]
        assert found[0]["star"] == 1
        assert found[0]["name"] == "Bob"

    def test_never_seen_counts_as_seen_when_it_registered(self) -> None:
        assert {entry["lastSeenAt"] for entry in self.listed({})} == {"2030-01-01T12:00:00.000Z"}

    def test_it_is_written_that_one_was_seen_when_that_is_ten_seconds_newer(self) -> None:
        for seconds, written in [(9.999, "12:00:00.000"), (10, "12:00:10.000")]:
            found = self.listed({"bob": START + timedelta(seconds=seconds)}, agent("bob"))
            assert found[0]["lastSeenAt"] == f"2030-01-01T{written}Z"


def test_channels() -> None:
    state = state_of(
        ChannelCreated("api", "API", "ann"), ChannelJoined("api", "ann"), ChannelCreated("ops", "Ops", "bob")
    )
    content = parse(CHANNELS, text([channel("gone"), 7, channel("ops", "x", star=1)]))
    found = [json.loads(entry) for entry in channels_listed(state, content)]
    assert [entry if entry == 7 else entry["id"] for entry in found] == ["ops", "api", 7]
    assert found[0]["members"] == []
    assert found[0]["star"] == 1
    assert found[1]["members"] == ["ann"]
