"""Which lanes a fact concerns; and that decisions without a common lane do not depend on each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msgcode import MsgcodeError, Store
from msgcode.events import (
    FACTS,
    AgentBound,
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
)
from msgcode.journal.lanes import ALL, LANES, lane, lanes
from msgcode.journal.protocol import Decide
from msgcode.model import Breakpoint, Hold, Presence, Priority, Session
from msgcode.state import State, fold
from tests.core.support import START, Clock

BOB = (lane("bob"),)
LEASE_END = START + timedelta(seconds=30)

EVERY_FACT: list[tuple[Fact, tuple[int, ...]]] = [
    (AgentRegistered("bob", "Bob"), BOB),
    (AgentBound("bob", Session("s", "claude", "host")), BOB),
    (AgentUnregistered("bob"), ALL),
    (AgentHeard("bob", "m", 1, False), ALL),
    (ChannelCreated("dev", "dev", "bob"), ALL),
    (ChannelJoined("dev", "bob"), ALL),
    (ChannelLeft("dev", "bob"), ALL),
    (MessageSent("m", "bob", ("ann",), "hi", "m"), BOB),
    (MessageEdited("m", "bob", "hi"), ALL),
    (MessagePrioritized("m", "bob", Priority.HIGH), ALL),
    (MessageClaimed("m", "bob", "host", LEASE_END), BOB),
    (MessageDelivered("m", "bob", "host"), BOB),
    (MessageFailed("m", "bob", "host", "no"), BOB),
    (MessageAcknowledged("m", "bob", "cy"), BOB),
    (MessageExpired("m", "bob", "cy"), BOB),
    (MessageDiscarded("m", "bob", "cy"), BOB),
    (MessagePassed("m", "bob", "cy"), ALL),
    (MessageRanked("m", 1.5, "cy"), ALL),
    (HoldPlaced(Hold(1, START, "cy", "bob")), ALL),
    (HoldReleased(1, "cy"), ALL),
    (BreakpointAdded(Breakpoint(1, START, "cy", sender="bob")), ALL),
    (BreakpointSwitched(1, True, "cy"), ALL),
    (BreakpointRemoved(1, "cy"), ALL),
    (RoomPurged(START), ALL),
]


def test_every_fact_has_been_thought_of() -> None:
    """For a new one: whose decisions may come to something else because of it? See `lanes.py`."""
    assert [type(fact) for fact, _ in EVERY_FACT] == list(FACTS.values())


@pytest.mark.parametrize(("fact", "concerned"), EVERY_FACT, ids=list(FACTS))
def test_what_a_fact_concerns(fact: Fact, concerned: tuple[int, ...]) -> None:
    assert tuple(lanes(fact, State())) == concerned


def test_an_agent_has_the_same_lane_in_every_process() -> None:
    assert [lane(agent) for agent in ("ann", "bob", "Zoë")] == [3, 0, 10]


def test_agents_are_spread_over_the_lanes() -> None:
    assert {lane(f"agent-{number}") for number in range(100)} == set(range(LANES))


ARRIVES: list[Fact] = [
    MessageDelivered("m", "bob", "host"),
    MessageAcknowledged("m", "bob"),
    MessageExpired("m", "bob"),
    MessageDiscarded("m", "bob"),
]


@pytest.mark.parametrize("fact", ARRIVES, ids=lambda fact: type(fact).__name__)
@pytest.mark.parametrize(
    ("rule", "to", "concerned"),
    [
        ({"sender": "ann"}, ("bob",), BOB),
        ({"sender": "ann"}, ("bob", "cy"), ALL),
        ({"sender": "ann", "enabled": False}, ("bob", "cy"), BOB),
        ({"budget": 100}, ("bob",), ALL),
        ({"budget": 100, "enabled": False}, ("bob",), BOB),
    ],
)
def test_what_arrives_where_a_breakpoint_counts_concerns_all(
    fact: Fact, rule: dict[str, Any], to: tuple[str, ...], concerned: tuple[int, ...]
) -> None:
    state = State()
    fold(state, Event(1, START, MessageSent("m", "ann", to, "hi", "m")))
    fold(state, Event(2, START, BreakpointAdded(Breakpoint(1, START, "cy", **rule))))
    assert tuple(lanes(fact, state)) == concerned


# Any two decisions


class Tried(Exception):
    """What would have been decided."""

    def __init__(self, facts: list[Fact], blind: bool) -> None:
        super().__init__()
        self.facts = facts
        self.blind = blind


class Memory:
    """A Journal without a disk, by which a decision can be tried."""

    behind_since = None

    def __init__(self) -> None:
        self.happened: list[Event] = []
        self.state = State()
        self.trying = False

    def refresh(self) -> None:
        pass

    def commit(self, decide: Decide, *, blind: bool = False) -> list[Event]:
        facts = decide(self.state, START)
        if self.trying:
            raise Tried(facts, blind)
        return self.append(facts)

    def append(self, facts: list[Fact]) -> list[Event]:
        events = [Event(self.state.seq + number, START, fact) for number, fact in enumerate(facts, 1)]
        for event in events:
            fold(self.state, event)
        self.happened += events
        return events

    def mentioning(self, text: str) -> Iterator[Event]:
        return (event for event in self.happened if getattr(event.fact, "id", None) == text.strip('"'))


class Nobody:
    """Nobody's presence is known."""

    def get(self, *_: object) -> Presence:
        return Presence()

    def seen(self, *_: object) -> None:
        pass

    forget = seen


AGENTS = ("ann", "bob", "dee", "human")
HUMAN = "human"
assert len({lane(agent) for agent in AGENTS}) == len(AGENTS)

RULES: list[dict[str, Any]] = [
    {"sender": "ann"}, {"to": "bob", "once": True}, {"budget": 3}, {"loops": True}, {"priority": "high"},
]  # fmt: skip
SCOPES: list[dict[str, str]] = [{}, {"agent": "ann"}, {"agent": "ann", "peer": "bob"}, {"channel": "dev"}]

agents = st.sampled_from(AGENTS)
pairs = st.lists(agents, min_size=1, max_size=2, unique=True)
places = st.integers(0, 5)
"""Which message, counted from the newest back."""

Verb = Callable[[Store, Callable[[int], str]], object]

verbs: list[st.SearchStrategy[Verb]] = [
    st.builds(lambda a, to: lambda s, m: s.send(a, to, "hi", ttl=60), agents, pairs),
    st.builds(lambda a, to, i: lambda s, m: s.send(a, to, "ok", reply_to=m(i)), agents, pairs, places),
    st.builds(lambda a: lambda s, m: s.broadcast(a, "dev", "all", ttl=60), agents),
    st.builds(lambda a, i: lambda s, m: s.forward(m(i), to=a, sender="ann"), agents, places),
    st.builds(lambda a, n: lambda s, m: s.claim(a, "host", limit=n), agents, st.integers(1, 3)),
    st.builds(lambda a: lambda s, m: s.check(a), agents),
    st.builds(lambda a, i: lambda s, m: s.confirm(a, m(i), "host"), agents, places),
    st.builds(lambda a, i: lambda s, m: s.fail(a, m(i), "host", "no"), agents, places),
    st.builds(lambda a, i: lambda s, m: s.acknowledge(a, m(i)), agents, places),
    st.builds(lambda a, i: lambda s, m: s.acknowledge(a, m(i), by=HUMAN), agents, places),
    st.builds(lambda i: lambda s, m: s.expire(m(i)), places),
    st.builds(lambda i: lambda s, m: s.edit(m(i), "other", by=HUMAN), places),
    st.builds(lambda i: lambda s, m: s.prioritize(m(i), priority="high", by=HUMAN), places),
    st.builds(lambda a, i: lambda s, m: s.discard(m(i), agent=a, by=HUMAN), st.none() | agents, places),
    st.builds(lambda i, j: lambda s, m: s.move(m(i), m(j), HUMAN), places, places),
    st.builds(lambda i: lambda s, m: s.hold(HUMAN, message=m(i)), places),
    st.builds(lambda scope: lambda s, m: s.hold(HUMAN, **scope), st.sampled_from(SCOPES)),
    st.builds(lambda scope: lambda s, m: s.release(HUMAN, **scope), st.sampled_from(SCOPES)),
    st.builds(lambda scope: lambda s, m: s.step(HUMAN, **scope), st.sampled_from(SCOPES)),
    st.builds(lambda rule: lambda s, m: s.add_breakpoint(HUMAN, **rule), st.sampled_from(RULES)),
    st.builds(lambda n, on: lambda s, m: s.switch_breakpoint(n, on, HUMAN), st.integers(1, 3), st.booleans()),
    st.builds(lambda n: lambda s, m: s.remove_breakpoint(n, HUMAN), st.integers(1, 3)),
    st.builds(lambda a, name: lambda s, m: s.register(a, name), agents, st.sampled_from(["A", "B"])),
    st.builds(
        lambda a, id: lambda s, m: s.register(a, session=Session(id, "claude", "host")),
        agents,
        st.sampled_from(["one", "two"]),
    ),
    st.builds(lambda a: lambda s, m: s.unregister(a), agents),
    st.builds(lambda a: lambda s, m: s.create_channel("dev", a), agents),
    st.builds(lambda a: lambda s, m: s.join("dev", a, by=HUMAN), agents),
    st.builds(lambda a: lambda s, m: s.leave("dev", a), agents),
]

sends: st.SearchStrategy[Verb] = st.builds(lambda a, to: lambda s, m: s.send(a, to, "hi"), agents, pairs)
any_verb = st.one_of(verbs)


class Room:
    def __init__(self) -> None:
        self.journal = Memory()
        self.ids = 0
        presence: Any = Nobody()
        journal: Any = self.journal
        self.store = Store("room", journal, presence, clock=Clock(), new_id=self._new_id)

    def _new_id(self) -> str:
        self.ids += 1
        return f"{self.ids:08x}-0000-4000-8000-000000000000"

    def do(self, verb: Verb) -> None:
        try:
            verb(self.store, self._message)
        except MsgcodeError:
            pass

    def _message(self, back: int) -> str:
        sent = [event.fact.id for event in self.journal.happened if isinstance(event.fact, MessageSent)]
        return sent[-1 - back] if back < len(sent) else "0"

    def tried(self, verb: Verb, choose: Callable[[int], str]) -> tuple[list[Fact], set[int]]:
        """What the verb would decide now, and the lanes that it concerns; none if it needs no agreement."""
        ids, self.journal.trying = self.ids, True
        try:
            verb(self.store, choose)
        except Tried as tried:
            concerned = {each for fact in tried.facts for each in lanes(fact, self.journal.state)}
            return tried.facts, set() if tried.blind else concerned
        except MsgcodeError:
            pass
        finally:
            self.ids, self.journal.trying = ids, False
        return [], set()


def any_sent(facts: list[Fact]) -> bool:
    return any(isinstance(fact, MessageSent) for fact in facts)


def without(facts: list[Fact], kinds: tuple[type, ...]) -> list[Fact]:
    return [fact for fact in facts if not isinstance(fact, kinds)]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(sends, sends, any_verb), max_size=25), st.lists(any_verb, min_size=2, max_size=8))
def test_decisions_without_a_common_lane_may_come_in_any_order(before: list[Verb], now: list[Verb]) -> None:
    room = Room()
    for agent in AGENTS:
        room.store.register(agent, human=agent == HUMAN)
    room.store.create_channel("dev", "ann")
    room.store.join("dev", "bob")
    for verb in before:
        room.do(verb)
    known = [room._message(back) for back in range(6)]
    state, happened = room.journal.state.copy(), [*room.journal.happened]
    decided = [(verb, *room.tried(verb, known.__getitem__)) for verb in now]
    for (_, facts, concerned), (verb, other_facts, others) in permutations(decided, 2):
        if concerned and others and not concerned & others:
            room.journal.append(facts)
            # What is sent may come at any time, for who looks whether there is something for an agent.
            apart = (MessageClaimed, MessageDelivered) if any_sent(facts) else ()
            now_decided = room.tried(verb, known.__getitem__)[0]
            assert without(now_decided, apart) == without(other_facts, apart)
            room.journal.state, room.journal.happened = state.copy(), [*happened]
