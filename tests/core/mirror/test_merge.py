"""What a file says that the room does not know: each rule, and a room among stale writers."""

from __future__ import annotations

import random
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from msgcode import Store
from msgcode.events import (
    AgentRegistered,
    AgentUnregistered,
    ChannelCreated,
    ChannelJoined,
    ChannelLeft,
    Event,
    Fact,
    MessageAcknowledged,
    MessageDelivered,
    MessageExpired,
    MessageSent,
)
from msgcode.mirror.entries import Content, entry_id, parse
from msgcode.mirror.memory import Memory
from msgcode.mirror.merge import STALE_FOR, agents_said, channels_said, gone, known_ids, messages_said
from msgcode.mirror.versions import AGENTS, CHANNELS, MESSAGES
from msgcode.model import PEER, Status
from msgcode.state import State, fold
from tests.core.mirror.support import Entry, agent, channel, listed, message, mirror_of, put, text, time
from tests.core.support import START, Clock

NOW = START.timestamp() + 1000


def state_of(*facts: Fact) -> State:
    state = State()
    for seq, fact in enumerate(facts, 1):
        fold(state, Event(seq, START, fact))
    return state


def content(name: str, *entries: Entry) -> Content:
    return parse(name, text(list(entries)))


def remembered(agents: list[Entry] | None = None, channels: list[Entry] | None = None) -> Memory:
    memory = Memory()
    memory.agents = content(AGENTS, *(agents or [])).raw
    memory.channels = content(CHANNELS, *(channels or [])).raw
    return memory


BOB, CY = AgentRegistered("bob", "bob"), AgentRegistered("cy", "cy")


class TestAgents:
    def said(self, state: State, memory: Memory, *entries: Entry) -> list[Fact]:
        said = agents_said(state, memory, content(AGENTS, *entries), NOW)
        memory.gone.update(said.gone)
        return said.facts

    def test_a_new_one_registers_as_of_then(self) -> None:
        (fact,) = self.said(state_of(), remembered(), agent("bob", description="builds"))
        assert fact == AgentRegistered("bob", "bob", "builds", False, START)

    def test_a_known_one_says_nothing(self) -> None:
        assert self.said(state_of(BOB), remembered(), agent("bob", seen=99)) == []

    def test_the_human_is_one(self) -> None:
        (fact,) = self.said(state_of(), remembered(), agent("human"))
        assert isinstance(fact, AgentRegistered)
        assert fact.human

    def test_a_new_name_counts(self) -> None:
        memory = remembered([agent("bob")])
        (fact,) = self.said(state_of(BOB), memory, agent("bob", name="Robert"))
        assert fact == AgentRegistered("bob", "Robert")

    def test_our_new_name_is_not_undone_by_a_file_that_did_not_follow(self) -> None:
        renamed = state_of(BOB, AgentRegistered("bob", "Robert"))
        assert self.said(renamed, remembered([agent("bob")]), agent("bob", seen=5)) == []

    def test_one_that_is_missing_in_a_file_otherwise_the_same_has_unregistered(self) -> None:
        memory = remembered([agent("bob"), agent("cy")])
        assert self.said(state_of(BOB, CY), memory, agent("cy")) == [AgentUnregistered("bob")]
        assert memory.gone == {"bob": NOW}

    def test_one_that_is_missing_in_a_file_that_is_otherwise_another_has_not(self) -> None:
        memory = remembered([agent("bob"), agent("cy")])
        assert self.said(state_of(BOB, CY), memory, agent("cy", seen=5)) == []
        assert self.said(state_of(BOB, CY), memory, agent("cy"), agent("dan"))[:1] == [
            AgentRegistered("dan", "dan", since=START)
        ]

    def test_one_whose_entry_cannot_be_understood_has_not(self) -> None:
        memory = remembered([agent("bob"), agent("cy")])
        assert self.said(state_of(BOB, CY), memory, agent("bob", name=7), agent("cy")) == []

    def test_two_that_are_missing_have_not(self) -> None:
        memory = remembered([agent("bob"), agent("cy"), agent("dan")])
        assert self.said(state_of(BOB, CY), memory, agent("dan")) == []

    def test_one_that_is_gone_is_not_brought_back_by_what_is_older(self) -> None:
        memory = remembered([agent("bob")])
        assert self.said(state_of(), memory, agent("bob", seen=5)) == []
        assert memory.gone == {"bob": NOW}
        memory.agents = {}
        assert self.said(state_of(), memory, agent("bob", seen=9)) == []

    def test_but_it_may_register_again(self) -> None:
        memory = remembered([agent("bob")])
        memory.gone["bob"] = NOW
        assert len(self.said(state_of(), memory, agent("bob", registered=1001))) == 1


class TestChannels:
    ROOM = BOB, CY, ChannelCreated("api", "api", "cy"), ChannelJoined("api", "cy")

    def said(self, state: State, memory: Memory, *entries: Entry) -> list[Fact]:
        said = channels_said(state, memory, content(CHANNELS, *entries), NOW)
        memory.gone.update(said.gone)
        return said.facts

    def test_a_new_one_is_created_as_of_then_with_its_members(self) -> None:
        facts = self.said(state_of(), remembered(), channel("api", "cy", "bob", "cy"))
        assert facts == [
            ChannelCreated("api", "api", "cy", None, START),
            ChannelJoined("api", "cy"),
            ChannelJoined("api", "bob"),
        ]

    def test_members_are_united(self) -> None:
        facts = self.said(state_of(*self.ROOM), remembered(), channel("api", "bob"))
        assert facts == [ChannelJoined("api", "bob")]

    def test_one_that_is_missing_in_a_file_otherwise_the_same_has_left(self) -> None:
        memory = remembered(channels=[channel("api", "cy"), channel("ops")])
        state = state_of(*self.ROOM, ChannelCreated("ops", "ops", "cy"))
        assert self.said(state, memory, channel("api"), channel("ops")) == [ChannelLeft("api", "cy")]
        assert memory.gone == {"api/cy": NOW}

    def test_one_that_is_missing_where_another_joined_has_not_left(self) -> None:
        """Whoever joined had not noticed it."""
        memory = remembered(channels=[channel("api", "cy")])
        facts = self.said(state_of(*self.ROOM), memory, channel("api", "bob"))
        assert facts == [ChannelJoined("api", "bob")]

    def test_one_that_is_missing_where_another_channel_changed_has_not_left(self) -> None:
        memory = remembered(channels=[channel("api", "cy"), channel("ops")])
        facts = self.said(state_of(*self.ROOM), memory, channel("api"), channel("ops", "bob"))
        assert ChannelLeft("api", "cy") not in facts

    def test_one_that_left_here_is_not_brought_back_by_a_file_that_did_not_follow(self) -> None:
        memory = remembered(channels=[channel("api", "cy", "bob")])
        assert self.said(state_of(*self.ROOM), memory, channel("api", "cy", "bob")) == []
        assert memory.gone == {"api/bob": NOW}

    @pytest.mark.parametrize(("ago", "joins"), [(1.0, False), (STALE_FOR + 1, True)])
    def test_nor_for_a_minute_by_whoever_had_not_noticed(self, ago: float, joins: bool) -> None:
        memory = remembered(channels=[channel("api", "cy")])
        memory.gone["api/bob"] = NOW - ago
        facts = self.said(state_of(*self.ROOM), memory, channel("api", "cy", "bob", "dan"))
        assert (ChannelJoined("api", "bob") in facts) is joins
        assert ChannelJoined("api", "dan") in facts

    def test_but_it_may_join_again_by_itself(self) -> None:
        memory = remembered(channels=[channel("api", "cy")])
        memory.gone["api/bob"] = NOW - 1
        facts = self.said(state_of(*self.ROOM), memory, channel("api", "cy", "bob"))
        assert facts == [ChannelJoined("api", "bob")]

    def test_a_channel_that_is_missing_stays(self) -> None:
        assert self.said(state_of(*self.ROOM), remembered(channels=[channel("api", "cy")])) == []


def test_who_is_gone_from_the_room_and_not_from_the_files() -> None:
    memory = remembered([agent("bob"), agent("dan")], [channel("api", "cy", "dan"), channel("ops", "x")])
    assert gone(state_of(*TestChannels.ROOM), memory) == ["dan", "api/dan"]


def never(_: object) -> bool:
    return False


SENT = MessageSent("m1", "ann", ("bob",), "hello", "m1")
STEPS: dict[str, list[Fact]] = {
    "queued": [],
    "delivered": [MessageDelivered("m1", "bob", "host")],
    "acknowledged": [MessageAcknowledged("m1", "bob")],
    "expired": [MessageExpired("m1", "bob")],
}
FORWARD = {
    ("queued", "delivered"): MessageDelivered("m1", "bob", PEER, START),
    ("queued", "acknowledged"): MessageAcknowledged("m1", "bob", None, START),
    ("queued", "expired"): MessageExpired("m1", "bob", None, START),
    ("delivered", "acknowledged"): MessageAcknowledged("m1", "bob", None, START),
    ("delivered", "expired"): MessageExpired("m1", "bob", None, START),
}


class TestMessages:
    @pytest.mark.parametrize("here", STEPS)
    @pytest.mark.parametrize("there", STEPS)
    def test_a_status_only_moves_on(self, here: str, there: str) -> None:
        times = {"deliveredAt": time(), "acknowledgedAt": time(), "expiresAt": time()}
        found = content(MESSAGES, message("m1", status=there, **times))
        facts = messages_said(state_of(SENT, *STEPS[here]), found, lambda _: True).facts
        assert facts == ([FORWARD[here, there]] if (here, there) in FORWARD else [])

    def test_a_claim_of_ours_ends_when_it_was_taken_there(self) -> None:
        found = content(MESSAGES, message("m1", status="delivered"))
        assert messages_said(state_of(SENT), found, never).facts == [MessageDelivered("m1", "bob", PEER)]

    def test_one_that_is_missing_is_no_news(self) -> None:
        assert messages_said(state_of(SENT), content(MESSAGES), never).facts == []

    def test_one_that_was_here_is_not_imported_again(self) -> None:
        assert messages_said(state_of(), content(MESSAGES, message("m1")), lambda _: True).facts == []

    def test_a_new_one_with_all_it_has(self) -> None:
        entry = message(
            "m1", channel="api", subject="CI", priority="high", expiresAt=time(60), metadata={"k": "v"}
        )
        (fact,) = messages_said(state_of(), content(MESSAGES, entry), never).facts
        assert isinstance(fact, MessageSent)
        assert (fact.id, fact.sender, fact.to, fact.thread) == ("m1", "cy", ("bob",), "m1")
        assert (fact.channel, fact.subject, fact.priority) == ("api", "CI", "high")
        assert (fact.metadata, fact.since, fact.human) == ({"k": "v"}, START, False)

    @pytest.mark.parametrize(
        ("status", "kinds"),
        [
            ("queued", [MessageSent]),
            ("delivered", [MessageSent, MessageDelivered]),
            ("acknowledged", [MessageSent, MessageAcknowledged]),
            ("expired", [MessageSent, MessageExpired]),
        ],
    )
    def test_a_new_one_comes_as_far_as_it_has(self, status: str, kinds: list[type]) -> None:
        facts = messages_said(state_of(), content(MESSAGES, message("m1", status=status)), never).facts
        assert list(map(type, facts)) == kinds
        state = state_of(*facts)
        moved = [*state.messages.values(), *state.ended][0].deliveries["bob"]
        assert (moved.status, moved.at) == (status, START)

    def test_times_of_what_happened_before_are_kept(self) -> None:
        entry = message("m1", status="acknowledged", deliveredAt=time(1), acknowledgedAt=time(2))
        state = state_of(*messages_said(state_of(), content(MESSAGES, entry), never).facts)
        delivery = state.ended[0].deliveries["bob"]
        assert delivery.delivered_at
        assert [(at - START).total_seconds() for at in (delivery.delivered_at, delivery.at)] == [1, 2]

    def test_it_is_caused_by_what_its_sender_heard_last(self) -> None:
        heard = MessageSent("m0", "ann", ("cy",), "do it", "m0", hops=2)
        state = state_of(heard, MessageDelivered("m0", "cy", PEER))
        (fact,) = messages_said(state, content(MESSAGES, message("m1")), never).facts
        assert isinstance(fact, MessageSent)
        assert (fact.cause, fact.hops) == ("m0", 3)

    def test_after_a_human_hops_begin_anew_and_a_human_has_none(self) -> None:
        heard = MessageSent("m0", "ann", ("cy",), "do it", "m0", hops=2, human=True)
        state = state_of(heard, MessageDelivered("m0", "cy", PEER))
        (fact,) = messages_said(state, content(MESSAGES, message("m1")), never).facts
        assert isinstance(fact, MessageSent)
        assert (fact.cause, fact.hops) == ("m0", 0)
        state = state_of(AgentRegistered("cy", "cy", None, True), heard, MessageDelivered("m0", "cy", PEER))
        (fact,) = messages_said(state, content(MESSAGES, message("m1")), never).facts
        assert isinstance(fact, MessageSent)
        assert (fact.cause, fact.hops, fact.human) == (None, 0, True)

    def test_a_copy_of_a_broadcast_moves_that_recipients_alone(self) -> None:
        id = "01234567-89ab-4cde-8f01-23456789abcd"
        state = state_of(MessageSent(id, "ann", ("bob", "cy"), "all", id))
        copy = entry_id(state.messages[id], "cy")
        found = content(MESSAGES, message(copy, "cy", status="acknowledged", acknowledgedAt=time()))
        assert messages_said(state, found, never).facts == [MessageAcknowledged(id, "cy", None, START)]

    def test_copies_of_a_broadcast_are_known_by_how_they_begin(self) -> None:
        known = known_ids(["01234567-89ab-4cde-8f01-23456789abcd"])
        assert known("01234567-89ab-4cde-8f01-234567890001")
        assert not known("01234567-89ab-4cde-8f01-000000000001")


RANK = [Status.QUEUED, Status.CLAIMED, Status.DELIVERED, Status.EXPIRED, Status.ACKNOWLEDGED]


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32))
def test_among_stale_writers_nothing_of_ours_is_lost_and_no_status_goes_back(seed: int) -> None:
    dice, clock = random.Random(seed), Clock()
    room = Path(tempfile.mkdtemp())
    try:
        with Store.open(room, sync=False, clock=clock) as store:
            put(room, "agents.json", [agent("bob"), agent("cy")], clock())
            store.register("ann")
            ours: dict[str, Status] = {}
            theirs: set[str] = set()
            read: list[dict[str, Entry]] = [{}]
            for number in range(30):
                step = dice.choice(["send", "read", "write", "write", "acknowledge", "publish"])
                if step == "send":
                    ours[store.send("ann", "bob", f"ours {number}").id] = Status.QUEUED
                elif step == "read" and (room / "messages.json").exists():
                    read.append(listed(room))
                elif step == "write":
                    stale = dict(dice.choice(read[-3:]))
                    if dice.random() < 0.5:
                        theirs.add(f"theirs-{number}")
                        stale[f"theirs-{number}"] = message(f"theirs-{number}", createdAt=time(number))
                    elif stale:
                        id = dice.choice(list(stale))
                        status = dice.choice(["delivered", "acknowledged", "expired"])
                        stale[id] = stale[id] | {"status": status}
                    put(room, "messages.json", list(stale.values()), clock())
                    store.agents()
                elif step == "acknowledge" and (waiting := store.inbox("bob")):
                    store.acknowledge("bob", dice.choice(waiting).id)
                else:
                    mirror_of(store).publish(at_once=True)
                clock.advance(dice.choice([0.1, 0.3, 2]))
                for id, before in ours.items():
                    ours[id] = store.message(id).deliveries["bob"].status
                    assert RANK.index(ours[id]) >= RANK.index(before)
            put(room, "agents.json", [agent("bob"), agent("cy", 99)], clock())
            store.agents()
            mirror_of(store).publish(at_once=True)
            waiting_ids = {message.id for message in store.inbox("bob")}
            assert waiting_ids <= set(listed(room))
            assert {id for id, status in ours.items() if not status.ended} <= waiting_ids
            ids = [event.fact.id for event in store.history() if isinstance(event.fact, MessageSent)]
            assert sorted(ids) == sorted({*ours, *theirs})
    finally:
        shutil.rmtree(room)
