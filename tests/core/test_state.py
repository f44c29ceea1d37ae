"""The fold: from events alone, the same everywhere, and not put off by what it does not know."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from msgcode.events import (
    AgentHeard,
    AgentRegistered,
    AgentUnregistered,
    BreakpointAdded,
    BreakpointRemoved,
    BreakpointSwitched,
    ChannelCreated,
    ChannelJoined,
    ChannelLeft,
    Event,
    Fact,
    HoldPlaced,
    HoldReleased,
    JournalReset,
    LineDamaged,
    MessageAcknowledged,
    MessageClaimed,
    MessageDelivered,
    MessageDiscarded,
    MessageEdited,
    MessageExpired,
    MessageFailed,
    MessagePassed,
    MessagePrioritized,
    MessageRanked,
    MessageSent,
    RoomPurged,
    Unknown,
)
from msgcode.model import Breakpoint, Edited, Hold, Priority, Status
from msgcode.state import Heard, State, fold
from tests.core.support import START, picture

UNTIL = START + timedelta(seconds=30)


def folded(*facts: Fact | Unknown | LineDamaged | JournalReset, keep_ended: bool = False) -> State:
    """The state after these, one a second."""
    state = State(keep_ended=keep_ended)
    for seq, fact in enumerate(facts, 1):
        fold(state, Event(seq, START + timedelta(seconds=seq), fact))
    return state


def sent(id: str, *to: str, priority: Priority = Priority.NORMAL) -> MessageSent:
    return MessageSent(id, "ann", to, "x", id, priority)


def status(state: State, id: str, agent: str) -> Status:
    return state.messages[id].deliveries[agent].status


def test_a_message_passes_through_its_life() -> None:
    life: list[tuple[Fact, Status]] = [
        (sent("m", "bob"), Status.QUEUED),
        (MessageClaimed("m", "bob", "d", UNTIL), Status.CLAIMED),
        (MessageFailed("m", "bob", "d", "busy"), Status.QUEUED),
        (MessageClaimed("m", "bob", "d", UNTIL), Status.CLAIMED),
        (MessageDelivered("m", "bob", "d"), Status.DELIVERED),
        (MessageAcknowledged("m", "bob"), Status.ACKNOWLEDGED),
    ]
    for length in range(1, len(life) + 1):
        facts = [fact for fact, _ in life[:length]]
        state = folded(*facts, keep_ended=True)
        delivery = state.messages["m"].deliveries["bob"]
        assert delivery.status is life[length - 1][1]
        assert delivery.at == START + timedelta(seconds=length)
        assert delivery.failures == (("busy",) if length > 2 else ())
        assert (delivery.lease_until == UNTIL) is (delivery.status is Status.CLAIMED)
        assert list(state.inbox("bob")) == (["m"] if length < 6 else [])
        assert delivery.delivered_at == (START + timedelta(seconds=5) if length >= 5 else None)
    assert folded(*[fact for fact, _ in life]).messages == {}


def test_nothing_comes_back_from_its_end() -> None:
    for end in (MessageAcknowledged("m", "bob"), MessageExpired("m", "bob"), MessageDiscarded("m", "bob")):
        late: list[Fact] = [
            MessageClaimed("m", "bob", "d", UNTIL),
            MessageFailed("m", "bob", "d", "busy"),
            MessageDelivered("m", "bob", "d"),
            MessageAcknowledged("m", "bob"),
            MessageExpired("m", "bob"),
            MessageDiscarded("m", "bob"),
        ]
        ended = folded(sent("m", "bob"), end, keep_ended=True).messages["m"]
        assert folded(sent("m", "bob"), end, *late, keep_ended=True).messages["m"] == ended
        assert len(folded(sent("m", "bob"), end, *late).inbox("bob")) == 0


def test_what_was_delivered_is_not_claimed_again() -> None:
    state = folded(
        sent("m", "bob"),
        MessageDelivered("m", "bob", "d"),
        MessageClaimed("m", "bob", "e", UNTIL),
        MessageFailed("m", "bob", "e", "busy"),
    )
    assert status(state, "m", "bob") is Status.DELIVERED


def test_each_recipient_has_its_own_status() -> None:
    state = folded(sent("m", "bob", "cy"), MessageAcknowledged("m", "bob"))
    assert (status(state, "m", "bob"), status(state, "m", "cy")) == (Status.ACKNOWLEDGED, Status.QUEUED)
    assert len(state.inbox("bob")) == 0
    assert list(state.inbox("cy")) == ["m"]
    assert (
        folded(sent("m", "bob", "cy"), MessageAcknowledged("m", "bob"), MessageExpired("m", "cy")).messages
        == {}
    )


def test_an_inbox_is_in_order_of_urgency() -> None:
    state = folded(
        sent("l", "bob", priority=Priority.LOW),
        sent("n", "bob"),
        sent("u", "bob", priority=Priority.URGENT),
        sent("h", "bob", priority=Priority.HIGH),
        sent("u2", "bob", priority=Priority.URGENT),
    )
    assert list(state.inbox("bob")) == ["u", "u2", "h", "n", "l"]


def test_a_failed_attempt_costs_nobody_its_turn() -> None:
    state = folded(
        sent("1", "bob"),
        sent("2", "bob"),
        MessageClaimed("1", "bob", "d", UNTIL),
        MessageFailed("1", "bob", "d", "busy"),
    )
    assert list(state.inbox("bob")) == ["1", "2"]


def test_an_edited_message_keeps_what_was_first_written() -> None:
    first = sent("m", "bob", "cy")._replace(subject="S")
    state = folded(first, MessageEdited("m", "eve", "y", "T"), MessageEdited("m", "ann", "z"))
    message = state.messages["m"]
    assert (message.body, message.subject) == ("z", None)
    assert message.edited == Edited(START + timedelta(seconds=3), "ann", "x", "S")
    assert list(state.inbox("bob")) == ["m"], "it keeps its place"
    assert folded(MessageEdited("m", "eve", "y")).messages == {}


def test_another_priority_is_another_place_in_every_inbox() -> None:
    state = folded(
        sent("1", "bob", "cy"),
        sent("2", "bob", priority=Priority.HIGH),
        sent("3", "bob", "cy", priority=Priority.HIGH),
        MessageDelivered("1", "cy", "d"),
        MessagePrioritized("1", "eve", Priority.HIGH),
    )
    assert list(state.inbox("bob")) == ["1", "2", "3"], "by when they were sent"
    assert list(state.inbox("bob").undelivered[Priority.HIGH]) == ["1", "2", "3"]
    assert list(state.inbox("cy")) == ["1", "3"]
    assert list(state.inbox("cy").undelivered[Priority.HIGH]) == ["3"]
    assert state.messages["1"].priority is Priority.HIGH
    ended = folded(sent("1", "bob"), MessageExpired("1", "bob"), MessagePrioritized("1", "eve", Priority.LOW))
    assert (ended.messages, ended.inboxes) == ({}, {})


def test_who_heard_what() -> None:
    start: list[Fact] = [sent("m", "bob")._replace(hops=3)]
    heard = Heard("m", 3, False)
    assert folded(*start, MessageDelivered("m", "bob", "d")).heard == {"bob": heard}
    assert folded(*start, MessageAcknowledged("m", "bob")).heard == {"bob": heard}
    assert folded(*start, MessageAcknowledged("m", "bob", by="eve")).heard == {}, "it never saw it"
    assert folded(*start, MessageExpired("m", "bob")).heard == {}
    assert folded(*start, MessageDelivered("m", "bob", "d"), AgentUnregistered("bob")).heard == {}
    assert folded(AgentHeard("bob", "m", 3, False)).heard == {"bob": heard}


def test_agents_and_channels() -> None:
    state = folded(
        AgentRegistered("ann", "Ann"),
        AgentRegistered("bob", "Bob"),
        ChannelCreated("api", "API", "ann"),
        ChannelJoined("api", "ann"),
        ChannelJoined("api", "bob"),
        ChannelJoined("api", "ann"),
        ChannelCreated("api", "another", "bob"),
        AgentRegistered("ann", "Anna", "tests"),
        AgentUnregistered("bob"),
        ChannelLeft("api", "nobody"),
    )
    assert state.agents["ann"].name == "Anna"
    assert state.agents["ann"].registered_at == START + timedelta(seconds=1)
    assert list(state.agents) == ["ann"]
    assert state.channels["api"].name == "API"
    assert state.channels["api"].members == ("ann",)


def test_stating_the_registry_again_changes_nothing() -> None:
    agent, channel = AgentRegistered("ann", "Ann"), ChannelCreated("api", "API", "ann")
    facts: list[Fact] = [agent, channel, ChannelJoined("api", "ann")]
    again: list[Fact] = [
        RoomPurged(START),
        agent._replace(since=START + timedelta(seconds=1)),
        channel._replace(since=START + timedelta(seconds=2)),
        ChannelJoined("api", "ann"),
    ]
    once, twice, only = folded(*facts), folded(*facts, *again), folded(*again)
    assert once.agents == twice.agents == only.agents
    assert once.channels == twice.channels == only.channels


def test_a_purge_forgets_what_had_ended() -> None:
    facts: list[Fact] = [
        sent("early", "bob"),
        MessageAcknowledged("early", "bob"),
        sent("late", "bob"),
        sent("waits", "bob"),
        MessageAcknowledged("late", "bob"),
        RoomPurged(START + timedelta(seconds=4)),
    ]
    assert list(folded(*facts, keep_ended=True).messages) == ["late", "waits"]
    assert list(folded(*facts).messages) == ["waits"]


def test_a_reset_is_a_new_beginning() -> None:
    state = folded(AgentRegistered("ann", "Ann"), sent("m", "bob"), LineDamaged("f", 1, "r"), JournalReset())
    assert (state.agents, state.messages, state.damage) == ({}, {}, [])


names = st.sampled_from(["ann", "bob", "cy"])
ids = st.sampled_from(["m-1", "m-2"])
channel_ids = st.sampled_from(["api", "ops"])
holds = st.builds(
    Hold,
    st.integers(1, 3),
    st.just(START),
    names,
    agent=st.none() | names,
    message=st.none() | ids,
    breakpoint=st.none() | st.integers(1, 2),
)
breakpoints = st.builds(Breakpoint, st.integers(1, 2), st.just(START), names, once=st.booleans())
anything = st.one_of(
    st.builds(AgentRegistered, names, names),
    st.builds(AgentUnregistered, names),
    st.builds(AgentHeard, names, ids, st.integers(0, 3), st.booleans()),
    st.builds(ChannelCreated, channel_ids, names, names),
    st.builds(ChannelJoined, channel_ids, names),
    st.builds(ChannelLeft, channel_ids, names),
    st.builds(sent, ids, names),
    st.builds(sent, ids, names, names),
    st.builds(MessageEdited, ids, names, names),
    st.builds(MessagePrioritized, ids, names, st.sampled_from(Priority)),
    st.builds(MessageClaimed, ids, names, names, st.just(UNTIL)),
    st.builds(MessageDelivered, ids, names, names),
    st.builds(MessageFailed, ids, names, names, names),
    st.builds(MessageAcknowledged, ids, names, st.none() | names),
    st.builds(MessageExpired, ids, names),
    st.builds(MessageDiscarded, ids, names),
    st.builds(MessagePassed, ids, names, names),
    st.builds(MessageRanked, ids, st.floats(-3, 30), names),
    st.builds(HoldPlaced, holds),
    st.builds(HoldReleased, st.integers(1, 3), names, st.none() | ids),
    st.builds(
        BreakpointAdded, st.builds(Breakpoint, st.integers(1, 2), st.just(START), names, once=st.booleans())
    ),
    st.builds(BreakpointSwitched, st.integers(1, 2), st.booleans(), names),
    st.builds(BreakpointRemoved, st.integers(1, 2), names),
    st.builds(RoomPurged, st.just(START)),
    st.builds(Unknown, names, st.just({"id": "m-1"})),
    st.builds(LineDamaged, names, st.integers(1, 9), names),
)


@given(st.lists(anything, max_size=25))
def test_any_run_of_events_leaves_a_sound_state(facts: list[Fact]) -> None:
    """Whatever was cut away before it: no exception, and inboxes that agree with the messages."""
    state = folded(*facts)
    assert state.seq == len(facts)
    waiting: dict[str, set[str]] = {}
    for message in state.messages.values():
        assert not message.ended
        for agent, delivery in message.deliveries.items():
            if not delivery.status.ended:
                waiting.setdefault(agent, set()).add(message.id)
                delivered = message.id not in state.inbox(agent).undelivered[message.priority]
                assert delivered is (delivery.status is Status.DELIVERED)
    assert {agent: set(inbox) for agent, inbox in state.inboxes.items()} == waiting
    assert picture(state) == picture(folded(*facts)), "the same events give the same state"
