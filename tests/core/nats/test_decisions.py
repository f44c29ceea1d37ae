"""Decisions of several machines: none stands on what another has changed meanwhile, and none is refused for
what it has nothing to do with."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from msgcode import Refused, Store
from msgcode.debugger.holds import held_by
from msgcode.events import AgentBound, AgentRegistered, Event, Fact, HoldPlaced, MessageClaimed, MessageSent
from msgcode.journal.jetstream import JetStreamJournal
from msgcode.journal.lanes import LANES, lane
from msgcode.journal.protocol import Decide
from msgcode.model import Session
from msgcode.nats.address import parse
from msgcode.nats.presence import NatsPresence
from msgcode.state import State, fold
from tests.core.nats.server import NatsCluster, NatsServer

_NUMBERS = itertools.count(1)

assert lane("ann") != lane("bob") == lane("agent-5")

Deed = Callable[[Store], object]


@pytest.fixture
def target(nats_server: NatsServer) -> str:
    """The address of a room."""
    name = f"decisions-{next(_NUMBERS)}"
    nats_server.make_room(name)
    return f"{nats_server.url}/{name}"


class Crew:
    """Machines in one room, each with a copy of its own."""

    def __init__(self, target: str, folder: Path) -> None:
        self._target = target
        self._folder = folder
        self._stores: list[Store] = []

    def machine(self) -> Store:
        cache = self._folder / f"machine-{len(self._stores)}"
        cache.mkdir()
        journal = JetStreamJournal(parse(self._target), str(cache))
        self._stores.append(Store(self._target, journal, NatsPresence(journal.link)))
        return self._stores[-1]

    def close(self) -> None:
        for store in self._stores:
            store.close()


@pytest.fixture
def crew(target: str, tmp_path: Path) -> Iterator[Crew]:
    crew = Crew(target, tmp_path)
    yield crew
    crew.close()


@pytest.fixture
def here(crew: Crew) -> Store:
    """A machine of a room with two agents, a human, and a message for bob."""
    store = crew.machine()
    store.register("human", human=True)
    store.register("ann")
    store.register("bob")
    store.send("ann", "bob", "hello")
    return store


@pytest.fixture
def there(crew: Crew, here: Store) -> Store:
    """Another machine, which knows of all that."""
    store = crew.machine()
    assert store.messages()
    return store


def meanwhile(store: Store, deed: Callable[[], object]) -> list[list[Fact]]:
    """Let this happen between the store's next decision and its publishing; what is decided each time."""
    journal: Any = store._journal
    commit = journal.commit
    decided: list[list[Fact]] = []

    def late(decide: Decide, *, blind: bool = False) -> list[Event]:
        def deciding(state: State, moment: datetime) -> list[Fact]:
            facts = decide(state, moment)
            decided.append(facts)
            if len(decided) == 1:
                deed()
            return facts

        found: list[Event] = commit(deciding, blind=blind)
        return found

    journal.commit = late
    return decided


def first(store: Store) -> str:
    store.agents()
    return next(event.fact.id for event in store.history() if isinstance(event.fact, MessageSent))


AGAINST_A_CLAIM: dict[str, Deed] = {
    "a hold on all": lambda store: store.hold("human"),
    "a hold on the agent": lambda store: store.hold("human", agent="bob"),
    "a hold on its peer": lambda store: store.hold("human", agent="ann"),
    "a hold on the message": lambda store: store.hold("human", message=first(store)),
    "a breakpoint": lambda store: store.add_breakpoint("human", sender="ann"),
    "a retraction": lambda store: store.discard(first(store), by="ann"),
    "another claim": lambda store: store.claim("bob", "another"),
    "its recipient's leaving": lambda store: store.unregister("bob"),
}


@pytest.mark.parametrize("deed", AGAINST_A_CLAIM.values(), ids=list(AGAINST_A_CLAIM))
def test_no_claim_overtakes(deed: Deed, here: Store, there: Store) -> None:
    decided = meanwhile(there, lambda: deed(here))
    with suppress(Refused):  # It may have left.
        assert there.claim("bob", "host") == []
    assert isinstance(decided[0][0], MessageClaimed), "it would have been claimed"
    here.agents()
    claims = [event.fact for event in here.history() if isinstance(event.fact, MessageClaimed)]
    assert all(claim.by == "another" for claim in claims)


def test_a_claim_of_what_was_edited_meanwhile_has_the_new_text(here: Store, there: Store) -> None:
    meanwhile(there, lambda: here.edit(first(here), "goodbye", by="ann"))
    assert [message.body for message in there.claim("bob", "host")] == ["goodbye"]


def test_no_edit_overtakes_a_claim(here: Store, there: Store) -> None:
    meanwhile(there, lambda: here.claim("bob", "host"))
    with pytest.raises(Refused, match="being handed to 'bob' just now"):
        there.edit(first(there), "goodbye", by="ann")


def test_no_hold_overtakes_a_claim(here: Store, there: Store) -> None:
    decided = meanwhile(there, lambda: here.claim("bob", "host"))
    there.hold("human", agent="ann")
    assert len(decided) == 2


def test_an_agent_lives_in_one_of_two_sessions(here: Store, there: Store) -> None:
    one, other = (Session(name, "claude", f"host-{name}") for name in ("one", "other"))
    meanwhile(there, lambda: here.register("bob", session=one))
    with pytest.raises(Refused, match="lives in another session"):
        there.register("bob", session=other)
    here.agents()
    assert [event.fact for event in here.history() if isinstance(event.fact, AgentBound)] == [
        AgentBound("bob", one)
    ]


def test_two_who_register_one_id_make_one_agent(here: Store, there: Store) -> None:
    meanwhile(there, lambda: here.register("cy", "Cy"))
    assert there.register("cy").name == "Cy"
    assert sum(event.fact == AgentRegistered("cy", "Cy") for event in there.history()) == 1


@pytest.mark.parametrize(("agent", "times"), [("ann", 1), ("agent-5", 2)])
def test_only_those_who_share_a_lane_wait_for_each_other(
    agent: str, times: int, here: Store, there: Store
) -> None:
    decided = meanwhile(there, lambda: here.register(agent, "Another name"))
    assert there.claim("bob", "host")
    assert len(decided) == times


def test_a_clean_up_leaves_no_lane_that_looks_untouched(crew: Crew) -> None:
    here, there = crew.machine(), crew.machine()
    here.register("human", human=True)
    there.agents()

    def unlike() -> None:
        here.register("cy", human=True)
        here.purge()

    meanwhile(there, unlike)
    with pytest.raises(Refused, match="an agent cannot be"):
        there.register("cy", session=Session("one", "claude", "host"))
    for store in (here, there, crew.machine()):
        assert store.damage() == []
        assert [agent.id for agent in store.agents()] == ["cy", "human"]


def test_marks_are_no_events(here: Store) -> None:
    here.agents()
    before = [event.seq for event in here.history()]
    here.hold("human", agent="bob")
    here.send("ann", "bob", "later")
    here.agents()
    numbers = [event.seq for event in here.history()]
    assert numbers == [*before, before[-1] + LANES, before[-1] + LANES + 1]
    assert here.damage() == []
    timeline = here.timeline()
    stepped = [timeline.seq]
    while timeline.step(-1).seq:
        stepped.append(timeline.seq)
    assert stepped == numbers[::-1]
    assert [timeline.step(1).seq for _ in numbers] == numbers
    assert timeline.go(numbers[-1] - 2).seq == before[-1]
    assert timeline.event is not None
    assert timeline.event.seq == before[-1]
    with here.at(numbers[-1] - 2) as past:
        assert past.holds() == []


def test_a_mark_at_the_end_is_not_read_again_and_again(crew: Crew, here: Store) -> None:
    journal: Any = here._journal
    address, link = journal.link.address, journal.link
    for payload in (b"", b"what is this?", b""):
        link.call(link.request(f"{address.fact}.0", payload))
    for _ in range(3):
        assert len(here.messages()) == 1
    here.register("cy")
    assert [len(store.damage()) for store in (here, crew.machine())] == [1, 1]


ROUNDS = 40


def check_race(crew: Crew) -> None:
    """One machine holds bob and lets him go, again and again, while another claims for him, and one sends."""
    sender, holder, claimer = (crew.machine() for _ in range(3))
    sender.register("human", human=True)
    sender.register("ann")
    sender.register("bob")

    def send() -> None:
        for number in range(ROUNDS):
            sender.send("ann", "bob", f"{number}")

    def hold() -> None:
        for _ in range(ROUNDS):
            number = holder.hold("human", agent="bob").number
            holder.release("human", number)

    with ThreadPoolExecutor(3) as pool:
        going = [pool.submit(send), pool.submit(hold)]
        while not all(each.done() for each in going):
            for message in claimer.claim("bob", "host", limit=1, lease=600):
                claimer.confirm("bob", message.id, "host")
        for each in going:
            each.result()
    claimer.agents()
    state, claims, holds = State(), 0, 0
    for event in claimer.history():
        if isinstance(event.fact, MessageClaimed):
            claims += 1
            assert held_by(state, state.messages[event.fact.id], "bob") is None
        holds += isinstance(event.fact, HoldPlaced)
        fold(state, event)
    assert holds == ROUNDS
    assert claims


def test_no_claim_overtakes_a_hold_in_a_race(crew: Crew) -> None:
    check_race(crew)


def test_no_claim_overtakes_a_hold_in_a_race_on_a_cluster(tmp_path: Path) -> None:
    cluster = NatsCluster(tmp_path / "cluster")
    try:
        cluster.make_room("race")
        crew = Crew(f"{cluster.url}/race", tmp_path)
        try:
            check_race(crew)
        finally:
            crew.close()
    finally:
        cluster.stop()
