"""What every Journal must do, whatever it is made of: inherit the suite and give it a `join` fixture."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from functools import partial

import pytest

from msgcode import decisions
from msgcode.errors import Refused
from msgcode.events import (
    AgentHeard,
    AgentRegistered,
    AgentUnregistered,
    ChannelCreated,
    ChannelJoined,
    Event,
    Fact,
    MessageAcknowledged,
    MessageSent,
)
from msgcode.journal.protocol import Decide, Journal
from msgcode.journal.reader import Position
from msgcode.model import now
from msgcode.state import State, fold
from tests.core.support import picture

Join = Callable[[], Journal]
"""Another journal on one and the same room, which is empty at first; the fixture closes them all."""


def saying(*facts: Fact) -> Decide:
    """A decision that is always these facts."""
    return lambda state, moment: [*facts]


def sent(id: str, body: str = "hi", to: tuple[str, ...] = ("bob",)) -> MessageSent:
    return MessageSent(id, "ann", to, body, thread=id)


def ended(id: str) -> MessageAcknowledged:
    return MessageAcknowledged(id, "bob")


def seen(journal: Journal) -> dict[str, object]:
    """What the journal's state says of the room as it is now."""
    journal.refresh()
    return picture(journal.state)


def register_once(fact: AgentRegistered, state: State, moment: datetime) -> list[Fact]:
    return [] if fact.id in state.agents else [fact]


def folded(events: list[Event], *, keep_ended: bool = False) -> State:
    state = State(keep_ended=keep_ended)
    for event in events:
        fold(state, event)
    return state


def all_events(journal: Journal) -> list[Event]:
    return [event for batch in journal.events() for event in batch]


async def take(events: AsyncIterator[list[Event]], count: int) -> list[Event]:
    """The next `count` events or a few more."""
    taken: list[Event] = []
    async with asyncio.timeout(10):
        while len(taken) < count:
            taken += await anext(events)
    return taken


class JournalContract:
    def test_an_empty_room_has_no_events(self, join: Join) -> None:
        journal = join()
        journal.refresh()
        assert all_events(journal) == []
        assert list(journal.mentioning("ann")) == []
        assert journal.state.seq == 0
        assert journal.state.agents == {}

    def test_a_change_is_numbered_dated_and_folded(self, join: Join) -> None:
        journal = join()
        before = now()
        first = journal.commit(saying(AgentRegistered("ann", "Ann")))
        others = journal.commit(saying(AgentRegistered("bob", "Bob"), sent("m-1")))
        assert [event.seq for event in first + others] == [1, 2, 3]
        assert before <= first[0].at <= others[0].at == others[1].at <= now()
        assert [event.fact for event in others] == [AgentRegistered("bob", "Bob"), sent("m-1")]
        assert list(journal.state.agents) == ["ann", "bob"]
        assert journal.state.messages["m-1"].sent_at == others[1].at
        assert all_events(journal) == first + others

    def test_a_decision_sees_the_newest_state_and_its_time(self, join: Join) -> None:
        one, other = join(), join()
        one.commit(saying(AgentRegistered("ann", "Ann")))
        seen = []

        def decide(state: object, moment: object) -> list[Fact]:
            assert state is other.state
            seen.append((list(other.state.agents), moment))
            return [AgentRegistered("bob", "Bob")]

        events = other.commit(decide)
        assert seen[-1] == (["ann"], events[0].at)

    def test_deciding_on_nothing_appends_nothing(self, join: Join) -> None:
        journal = join()
        journal.commit(saying(AgentRegistered("ann", "Ann")))
        assert journal.commit(saying()) == []
        assert len(all_events(journal)) == 1

    def test_a_refusal_appends_nothing_and_locks_nobody_out(self, join: Join) -> None:
        one, other = join(), join()
        one.commit(saying(AgentRegistered("ann", "Ann")))
        before = picture(one.state)

        def refuse(state: object, moment: object) -> list[Fact]:
            raise Refused("no.")

        for journal in (one, other):
            with pytest.raises(Refused, match=r"^no\.$"):
                journal.commit(refuse)
        assert picture(one.state) == before
        assert len(all_events(one)) == 1
        assert other.commit(saying(AgentRegistered("bob", "Bob")))[0].seq == 2
        assert one.commit(saying(AgentRegistered("cy", "Cy")))[0].seq == 3

    def test_refresh_sees_what_others_appended(self, join: Join) -> None:
        one, other = join(), join()
        one.commit(saying(AgentRegistered("ann", "Ann"), sent("m-1")))
        assert other.state.seq == 0
        other.refresh()
        assert picture(other.state) == picture(one.state)
        other.commit(saying(ended("m-1")))
        one.refresh()
        assert one.state.messages == {}
        assert picture(other.state) == picture(one.state)

    def test_a_late_comer_sees_what_the_others_see(self, join: Join) -> None:
        one = join()
        for number in range(30):
            one.commit(saying(sent(f"m-{number:04}"), sent(f"n-{number:04}")))
            one.commit(saying(ended(f"m-{number:04}")))
        assert seen(join()) == picture(one.state)

    def test_every_character_and_a_mebibyte_come_through(self, join: Join) -> None:
        one, other = join(), join()
        body = "".join(map(chr, range(0x250))) + "\u2028\ufeff\U0001f600" + "é" * 1024 * 1024
        one.commit(saying(sent("m-1", body)))
        other.refresh()
        assert other.state.messages["m-1"].body == body
        assert all_events(join())[0].fact == sent("m-1", body)

    def test_a_message_to_nobody_comes_through(self, join: Join) -> None:
        one, other = join(), join()
        one.commit(saying(sent("m-1", to=())))
        other.refresh()
        assert all_events(other) == all_events(one)
        assert [event.fact for event in all_events(other)] == [sent("m-1", to=())]

    def test_mentioning_finds_what_contains_a_text(self, join: Join) -> None:
        one, other = join(), join()
        one.commit(saying(AgentRegistered("ann", "Ann")))
        one.commit(saying(sent("m-1", "für ☃"), sent("m-2")))
        other.commit(saying(ended("m-2"), ended("m-1")))
        found = list(join().mentioning('"m-1"'))
        assert [(event.seq, event.fact) for event in found] == [
            (2, sent("m-1", "für ☃")),
            (5, ended("m-1")),
        ]
        assert list(one.mentioning('"m-"')) == []

    async def test_follow_gives_what_comes(self, join: Join) -> None:
        one, other = join(), join()
        one.commit(saying(sent("m-1")))
        other.refresh()
        events = other.follow(None)
        following = asyncio.ensure_future(take(events, 3))
        await asyncio.sleep(0)
        one.commit(saying(sent("m-2"), sent("m-3")))
        other.commit(saying(ended("m-2")))
        assert [event.seq for event in await following] == [2, 3, 4]
        assert other.state.seq == 4, "it is a view of its own and leaves the state alone"
        await events.aclose()

    async def test_follow_gives_the_past_first(self, join: Join) -> None:
        one = join()
        one.commit(saying(sent("m-1"), sent("m-2")))
        events = join().follow(Position())
        assert [event.seq for event in await take(events, 2)] == [1, 2]
        one.commit(saying(sent("m-3")))
        assert [event.seq for event in await take(events, 1)] == [3]
        await events.aclose()

    async def test_follow_begins_before_the_first_event(self, join: Join) -> None:
        one, other = join(), join()
        events = other.follow(None)
        following = asyncio.ensure_future(take(events, 1))
        await asyncio.sleep(0)
        one.commit(saying(AgentRegistered("ann", "Ann")))
        assert [event.fact for event in await following] == [AgentRegistered("ann", "Ann")]
        await events.aclose()

    async def test_the_past_until_a_place_and_what_follows_are_all(self, join: Join) -> None:
        one = join()
        one.commit(saying(AgentRegistered("ann", "Ann"), sent("m-1"), sent("m-2")))
        one.commit(saying(ended("m-1")))
        found = join().recent(1_000_000)
        one.commit(saying(sent("m-3")))
        past = [event.seq for batch in one.events(found.position) for event in batch]
        assert past == [1, 2, 3, 4]
        events = join().follow(found.position)
        assert [event.seq for event in await take(events, 1)] == [5]
        await events.aclose()
        assert found.whole
        assert picture(found.state) == picture(folded(all_events(one)[:4], keep_ended=True))

    def test_the_past_ends_at_any_place(self, join: Join) -> None:
        one = join()
        places = [one.recent(0).position]
        for number in range(12):
            one.commit(saying(sent(f"m-{number}"), sent(f"n-{number}"), ended(f"m-{number}")))
            places.append(one.recent(0).position)
        for count, place in enumerate(places):
            past = [event.seq for batch in join().events(place) for event in batch]
            assert past == list(range(1, 3 * count + 1))

    def test_recent_has_all_that_waits(self, join: Join) -> None:
        one = join()
        one.commit(saying(AgentRegistered("ann", "Ann"), ChannelCreated("api", "API", "ann")))
        one.commit(saying(sent("m-1"), sent("m-2", to=("bob", "cy"))))
        one.commit(saying(ended("m-1"), ended("m-2")))
        for size in range(0, 2000, 50):
            found = join().recent(size).state
            now = folded(all_events(one))
            assert {
                id: message for id, message in found.messages.items() if not message.ended
            } == now.messages
            assert (found.agents, found.channels, found.seq) == (now.agents, now.channels, now.seq)
        assert set(join().recent(0).state.messages) == {"m-2"}
        assert set(found.messages) == {"m-1", "m-2"}

    def test_an_empty_room_has_no_past(self, join: Join) -> None:
        one = join()
        found = one.recent(1000)
        assert (found.whole, picture(found.state)) == (True, picture(State(keep_ended=True)))
        one.commit(saying(sent("m-1")))
        assert list(one.events(found.position)) == []

    def test_compact_keeps_what_is_needed(self, join: Join) -> None:
        one, other = join(), join()
        one.commit(saying(AgentRegistered("ann", "Ann"), ChannelCreated("api", "API", "ann")))
        one.commit(saying(sent("m-1"), ended("m-1")))
        lagging = join()
        lagging.refresh()
        one.commit(saying(sent("m-2"), ended("m-2")))
        one.compact(lambda state, moment: decisions.restate(state), lambda event: True)
        facts = [event.fact for event in all_events(one)]
        assert sent("m-1") not in facts
        assert [type(fact) for fact in facts] == [AgentRegistered, ChannelCreated, AgentHeard]
        late = join()
        for journal in (lagging, other, late):
            journal.refresh()
            assert picture(journal.state) == picture(one.state)
        for number, journal in enumerate((late, other, one)):
            journal.commit(saying(sent(f"after-{number}")))
        for journal in (late, other, one):
            journal.refresh()
            assert list(journal.state.messages) == ["after-0", "after-1", "after-2"]

    def test_a_journal_that_was_asleep_during_a_clean_up(self, join: Join) -> None:
        """It has read a beginning whose end is gone; it must not be left with it."""
        one, asleep = join(), join()
        one.commit(saying(AgentRegistered("ann", "Ann"), AgentRegistered("bob", "Bob"), sent("m-1")))
        asleep.refresh()
        one.commit(saying(ended("m-1"), AgentUnregistered("bob")))
        for number in range(5):
            one.commit(saying(sent(f"between-{number}"), ended(f"between-{number}")))
        one.compact(lambda state, moment: decisions.restate(state), lambda event: True)
        assert seen(asleep) == seen(one) == seen(join())
        asleep.commit(saying(sent("awake")))
        assert seen(asleep) == seen(one) == seen(join())

    def test_compact_never_removes_an_end_and_keeps_its_beginning(self, join: Join) -> None:
        one = join()
        one.commit(saying(sent("live"), sent("dead")))
        one.compact(saying(AgentRegistered("ann", "Ann")), lambda event: False)
        one.commit(saying(ended("dead")))
        one.compact(
            saying(AgentRegistered("ann", "Ann")),
            lambda event: getattr(event.fact, "id", "") != "live",
        )
        assert list(one.state.messages) == ["live"]
        assert seen(join()) == seen(one)
        one.commit(saying(ChannelJoined("api", "ann")))
        assert seen(join()) == seen(one)

    def test_two_journals_race_and_each_decision_is_taken_once(self, join: Join) -> None:
        journals = [join(), join()]
        wins: list[list[str]] = [[], []]

        def race(which: int) -> None:
            journal = journals[which]
            for number in range(100):
                id = f"agent-{number}"
                won = journal.commit(partial(register_once, AgentRegistered(id, f"by {which}")))
                wins[which].extend([id] if won else [])

        threads = [threading.Thread(target=race, args=(which,)) for which in (0, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(wins[0] + wins[1]) == sorted(f"agent-{number}" for number in range(100))
        events = all_events(join())
        assert [event.seq for event in events] == list(range(1, 101))
        for journal in journals:
            journal.refresh()
        assert picture(journals[0].state) == picture(journals[1].state) == seen(join())

    def test_closing_twice_is_no_error(self, join: Join) -> None:
        journal = join()
        journal.commit(saying(AgentRegistered("ann", "Ann")))
        journal.close()
        journal.close()
        assert [event.fact for event in all_events(join())] == [AgentRegistered("ann", "Ann")]
