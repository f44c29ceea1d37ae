"""Going through a room's past, event by event."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from msgcode import Store
from msgcode.events import AgentRegistered, Event, Fact, MessageAcknowledged, MessageSent
from msgcode.journal.reader import segment_path
from msgcode.journal.timeline import BEFORE, KEPT, LONGEST, NEAR, SPAN, Timeline
from msgcode.state import State, fold
from tests.core.support import START, Ids, picture
from tests.troubles import TROUBLES
from tests.written import written


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """More than 6000 events, one second after the other: most messages end soon, some never."""
    facts: list[Fact] = [AgentRegistered("ann", "ann"), AgentRegistered("bob", "bob")]
    chance, ids = random.Random(7), Ids()
    while len(facts) < LONGEST + 3 * SPAN:
        sender, to = chance.choice([("ann", "bob"), ("bob", "ann")])
        id = ids()
        facts.append(MessageSent(id, sender, (to,), "hi", id))
        if chance.random() < 0.9:
            facts.append(MessageAcknowledged(id, to))
    journal = tmp_path_factory.mktemp("past") / "room" / "journal"
    journal.mkdir(parents=True)
    lines = [
        line
        for seq, fact in enumerate(facts, 1)
        for line in written([Event(seq, START + timedelta(seconds=seq), fact)])
    ]
    Path(segment_path(str(journal), 1)).write_bytes(b"".join(lines))
    with Store.open(journal.parent, sync=False, clock=lambda: START + timedelta(days=1)) as store:
        yield store


@pytest.fixture(scope="module")
def events(room: Store) -> list[Event]:
    return list(room.history())


@pytest.fixture
def timeline(room: Store) -> Timeline:
    return room.timeline()


def is_right(timeline: Timeline, events: list[Event]) -> None:
    """It shows the room there: what waits, and what ended lately."""
    seq = timeline.seq
    whole, live = State(keep_ended=True), State()
    for event in events[:seq]:
        fold(whole, event)
        fold(live, event)
    shown = timeline.state
    assert {id: message for id, message in shown.messages.items() if not message.ended} == live.messages
    lately = {
        message.id: message
        for message in whole.messages.values()
        if max(delivery.at for delivery in message.deliveries.values()) > events[max(seq - BEFORE, 1) - 1].at
    }
    assert lately.items() <= shown.messages.items() <= whole.messages.items()
    parts = ("seq", "agents", "inboxes", "heard", "expiring")
    assert {part: picture(shown)[part] for part in parts} == {part: picture(live)[part] for part in parts}
    assert timeline.event == (events[seq - 1] if seq else None)


def test_it_begins_with_what_is_newest(timeline: Timeline, events: list[Event]) -> None:
    assert (timeline.seq, timeline.first, timeline.last) == (len(events), 1, len(events))
    assert (timeline.at, timeline.share) == (events[-1].at, 1.0)
    is_right(timeline, events)


@pytest.mark.parametrize("seq", [0, 1, 2, SPAN - 1, SPAN, SPAN + BEFORE + 1, 3333, LONGEST, 10**6])
def test_go(timeline: Timeline, events: list[Event], seq: int) -> None:
    assert timeline.go(seq) is timeline.state
    assert timeline.seq == min(seq, len(events))
    is_right(timeline, events)


def test_steps_there_and_back(timeline: Timeline, events: list[Event]) -> None:
    timeline.go(2 * SPAN + 3)
    for step in (1, -1, -1, -NEAR, -SPAN, 1, -1, 2 * SPAN, -SPAN - 1, LONGEST, -1, 1, -1, 10**6, -(10**6), 1):
        before = timeline.seq
        timeline.step(step)
        assert timeline.seq == min(max(before + step, 0), len(events))
        is_right(timeline, events)


def test_anywhere(timeline: Timeline, events: list[Event]) -> None:
    chance = random.Random(3)
    for _ in range(10):
        if chance.random() < 0.5:
            timeline.go(chance.randrange(len(events)))
        timeline.step(chance.randrange(-NEAR * KEPT, NEAR * KEPT))
        is_right(timeline, events)


def test_a_state_that_was_left_stays_as_it_was(timeline: Timeline) -> None:
    state = timeline.go(3000)
    before = picture(state)
    timeline.step(-1)
    timeline.step(-400)
    assert picture(state) == before


def test_by_time_and_by_share(timeline: Timeline, events: list[Event]) -> None:
    timeline.go_to(events[1234].at)
    assert timeline.seq == max(event.seq for event in events if event.at <= events[1234].at)
    timeline.go_to(START - timedelta(days=1))
    assert (timeline.seq, timeline.event, timeline.at) == (0, None, None)
    timeline.go_share(0.5)
    assert timeline.seq == round(len(events) / 2)
    timeline.go_share(7)
    assert timeline.share == 1.0


def test_what_is_around(timeline: Timeline, events: list[Event], room: Store) -> None:
    timeline.go(SPAN)
    assert timeline.around(3, 2) == events[SPAN - 3 : SPAN + 2]
    assert list(room.history(timeline.position)) == events[:SPAN]
    timeline.go(1)
    assert timeline.around(10) == events[:1]
    timeline.go(10**6)
    assert timeline.around(2, 10) == events[-2:]


def test_back_is_near(timeline: Timeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step back folds a handful of events, not all since the last place that is kept."""
    from msgcode.journal import timeline as module

    folded: list[Event] = []

    def count(state: State, event: Event) -> None:
        folded.append(event)
        fold(state, event)

    timeline.go(4000)
    monkeypatch.setattr(module, "fold", count)
    for _ in range(BEFORE // 2):
        timeline.step(-1)
    assert len(folded) <= NEAR * BEFORE // 2


def test_to_the_first_message_of_a_loop(tmp_path: Path) -> None:
    recorded = TROUBLES["triangle"](tmp_path / "room")
    with recorded.open() as store:
        messages = sorted(store.messages(ended=True), key=lambda message: message.seq)
        timeline = store.timeline()
        state = timeline.go(store.message(recorded.messages[0]).seq)
        assert recorded.messages[0] in state.messages
        assert recorded.messages[1] not in state.messages
        assert len(messages) > len(state.messages)


def test_an_empty_room(tmp_path: Path) -> None:
    with Store.open(tmp_path / "room") as store:
        timeline = store.timeline()
    assert (timeline.seq, timeline.first, timeline.last, timeline.event) == (0, 0, 0, None)
    timeline.step(1)
    assert timeline.around(5, 5) == []
    assert timeline.state.messages == {}
