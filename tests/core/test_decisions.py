"""Decisions are pure: a state and a time go in, facts or a refusal come out, and the state is as before."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import timedelta

import pytest

from msgcode import decisions
from msgcode.errors import Refused
from msgcode.events import (
    AgentBound,
    AgentRegistered,
    ChannelCreated,
    ChannelJoined,
    Event,
    Fact,
    LineDamaged,
    MessageAcknowledged,
    MessageClaimed,
    MessageDelivered,
    MessageDiscarded,
    MessageExpired,
    MessageSent,
    RoomPurged,
    Unknown,
)
from msgcode.model import Activity, Agent, Presence, Session
from msgcode.state import State, fold
from tests.core.support import START, picture

LATER = START + timedelta(seconds=60)


def a_room() -> State:
    state = State()
    facts: list[Fact] = [
        AgentRegistered("ann", "Ann", "codes"),
        AgentRegistered("bob", "Bob"),
        AgentRegistered("eve", "Eve", human=True),
        ChannelCreated("api", "API", "ann"),
        ChannelJoined("api", "ann"),
        ChannelJoined("api", "bob"),
        MessageSent("old", "ann", ("bob",), "x", "old"),
        MessageDelivered("old", "bob", "d"),
        MessageSent("queued", "ann", ("bob", "cy"), "x", "queued", expires_at=LATER),
        MessageSent("claimed", "ann", ("bob",), "x", "claimed"),
        MessageClaimed("claimed", "bob", "d", START + timedelta(seconds=30)),
    ]
    for seq, fact in enumerate(facts, 1):
        fold(state, Event(seq, START, fact))
    return state


def draft(sender: str, by: str | None = None) -> MessageSent:
    return MessageSent("new", sender, ("bob",), "x", "new", by=by)


@pytest.mark.parametrize(
    "decide",
    [
        lambda state: decisions.send(state, draft("bob"), None),
        lambda state: decisions.send(state, draft("eve"), state.messages["old"]),
        lambda state: decisions.inbox(state, "bob", START),
        lambda state: decisions.offered(state, "bob", LATER, None),
        lambda state: decisions.next_offer(state, "bob", START),
        lambda state: decisions.expire_due(state, LATER),
        lambda state: decisions.claim(state, LATER, "bob", "d", [], LATER),
        lambda state: decisions.confirm(state.messages["queued"], "bob", "d"),
        lambda state: decisions.acknowledge(state.messages["queued"], "bob", None),
        lambda state: decisions.discard_waiting(state, None),
        lambda state: decisions.restate(state),
    ],
)
def test_deciding_changes_nothing_and_answers_alike(decide: Callable[[State], object]) -> None:
    state = a_room()
    before = copy.deepcopy(picture(state))
    assert decide(state) == decide(state)
    assert picture(state) == before


def test_the_cause_of_a_message() -> None:
    state = a_room()
    first = decisions.send(state, draft("ann"), None)
    assert (first.cause, first.hops, first.thread, first.human) == (None, 0, "new", False)
    heard = decisions.send(state, draft("bob"), None)
    assert (heard.cause, heard.hops, heard.thread) == ("old", 1, "new")
    reply = decisions.send(state, draft("bob"), state.messages["queued"])
    assert (reply.cause, reply.hops, reply.thread, reply.reply_to) == ("queued", 1, "queued", "queued")
    human = decisions.send(state, draft("bob", by="eve"), None)
    assert (human.cause, human.hops, human.human) == (None, 0, True)


def test_what_is_due_and_what_is_leased() -> None:
    state = a_room()
    ids = [message.id for message in decisions.inbox(state, "bob", START)]
    assert ids == ["old", "queued"], "claimed is being handed over"
    assert [message.id for message in decisions.offered(state, "bob", START, None)] == ["queued"]
    assert [message.id for message in decisions.inbox(state, "bob", LATER)] == ["old", "claimed"]
    assert decisions.expire_due(state, LATER) == [
        MessageExpired("queued", "bob"),
        MessageExpired("queued", "cy"),
    ]
    assert decisions.expire_due(state, LATER, "cy") == [MessageExpired("queued", "cy")]
    assert decisions.expire_due(state, LATER - timedelta(milliseconds=1)) == []


def test_when_something_is_offered_again() -> None:
    state = a_room()
    until = START + timedelta(seconds=30)
    assert decisions.next_offer(state, "bob", START) == until
    assert decisions.next_offer(state, "bob", until) is None, "it is offered now"
    assert decisions.next_offer(state, "cy", START) is None
    sooner = START + timedelta(seconds=5)
    fold(state, Event(99, START, MessageClaimed("queued", "bob", "d", sooner)))
    assert decisions.next_offer(state, "bob", START) == sooner
    assert decisions.next_offer(state, "bob", sooner) == until


HERE = Session("ses_1", "opencode", "host-1", "/src")
THERE = Session("ses_2", "opencode", "host-2")


@pytest.mark.parametrize(
    ("held", "alive", "takeover", "allowed"),
    [
        (None, False, False, True),
        (THERE, False, False, True),
        (THERE, True, False, False),
        (THERE, True, True, True),
        (HERE, True, False, True),
        (HERE._replace(host="host-9"), True, False, True),
    ],
)
def test_who_may_have_an_agent(held: Session | None, alive: bool, takeover: bool, allowed: bool) -> None:
    agent = Agent("ann", "Ann", START, session=held)
    if allowed:
        assert decisions.bind(agent, HERE, alive, takeover) == AgentBound("ann", HERE)
    else:
        with pytest.raises(Refused, match=r"lives in another session, .* \(opencode ses_2\)"):
            decisions.bind(agent, HERE, alive, takeover)


@pytest.mark.parametrize("agent", [Agent("eve", "Eve", START, human=True), Agent("human", "H", START)])
def test_no_session_has_a_human(agent: Agent) -> None:
    with pytest.raises(Refused, match="is a human, and an agent cannot be"):
        decisions.bind(agent, HERE, False, True)


@pytest.mark.parametrize(
    ("bound", "presence", "seconds", "alive"),
    [
        (False, Presence(Activity.IDLE, START), 0, False),
        (True, Presence(Activity.BUSY, START), 10, True),
        (True, Presence(), 29, True),
        (True, Presence(), 30, False),
        (True, Presence(Activity.OFFLINE, START - timedelta(seconds=1)), 29, True),
        (True, Presence(Activity.OFFLINE, START), 1, False),
    ],
)
def test_whether_a_session_is_alive(bound: bool, presence: Presence, seconds: int, alive: bool) -> None:
    """It was seen lately, or it was bound lately and has not been heard of since."""
    agent = Agent("ann", "Ann", START)
    if bound:
        agent = agent._replace(session=HERE, bound_at=START)
    now = START + timedelta(seconds=seconds)
    assert decisions.is_alive(agent, presence, now, timedelta(seconds=30)) is alive


def test_discarding_takes_all_that_has_not_ended() -> None:
    assert decisions.discard_waiting(a_room(), "eve") == [
        MessageDiscarded("old", "bob", "eve"),
        MessageDiscarded("queued", "bob", "eve"),
        MessageDiscarded("queued", "cy", "eve"),
        MessageDiscarded("claimed", "bob", "eve"),
    ]


def test_restating_makes_the_same_room() -> None:
    state = a_room()
    again = State()
    for seq, fact in enumerate(decisions.restate(state), 1):
        fold(again, Event(seq, LATER, fact))
    assert (again.agents, again.channels, again.heard) == (state.agents, state.channels, state.heard)


def test_what_a_clean_up_may_take() -> None:
    def disposable(fact: Fact | Unknown | LineDamaged, at: timedelta = timedelta(0)) -> bool:
        return decisions.disposable(Event(1, START + at, fact), LATER, {"kept"})

    assert disposable(MessageAcknowledged("gone", "bob"))
    assert disposable(AgentRegistered("ann", "Ann"))
    assert disposable(RoomPurged(START))
    assert not disposable(MessageAcknowledged("gone", "bob"), timedelta(seconds=60))
    assert not disposable(MessageAcknowledged("kept", "bob"))
    assert not disposable(Unknown("agent.danced", {}))
    assert not disposable(LineDamaged("f", 1, "r"))


def test_refusals_name_the_nearest() -> None:
    state = a_room()
    with pytest.raises(
        Refused, match=r"'anne' is not registered \(did you mean 'ann'\?\): register it first"
    ):
        decisions.known_agent(state, "anne")
    with pytest.raises(Refused, match=r"no channel 'apis' \(did you mean 'api'\?\): create it first"):
        decisions.known_channel(state, "apis")
    with pytest.raises(Refused, match=r"no channel 'zzz': create"):
        decisions.known_channel(state, "zzz")
