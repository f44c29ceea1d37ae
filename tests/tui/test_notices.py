"""What the user is told of while they look elsewhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgcode import Store
from msgcode.debugger.stuck import Kind, Stuck
from msgcode.events import Event, MessageAcknowledged, MessageSent
from msgcode.state import State
from msgcode_tui.notices import APART, Happening, Notice, Notices, is_quiet, mentions, of_event, of_stuck
from msgcode_tui.rooms import channel_room, pair_room
from msgcode_tui.settings import Notify

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ROOM = pair_room("alice", "human")


def happening(text: str = "hello", what: str = "mentions") -> Happening:
    return Happening(what, ROOM, "alice", text)  # type: ignore[arg-type]


def told_by(store: Store, id: str, me: str = "human") -> Happening | None:
    """What the message with this id is to `me`."""
    message = store.message(id)
    fact = MessageSent(id, message.sender, message.recipients, message.body, id)
    state = State(keep_ended=True)
    state.add(message)
    return of_event(Event(message.seq, message.sent_at, fact), state, me)


@pytest.mark.parametrize(
    ("to", "body", "options", "what"),
    [
        ("human", "hi", {}, "mentions"),
        ("bob", "ask @human about it", {}, "mentions"),
        ("bob", "hi", {"subject": "for @human"}, "mentions"),
        ("bob", "hi", {"priority": "urgent"}, "urgent"),
        ("human", "hi", {"priority": "urgent"}, "urgent"),
        ("human", "May I?", {"metadata": {"choices": "yes | no"}}, "questions"),
        ("human", "May I?", {"metadata": {"choices": "yes | no"}, "priority": "urgent"}, "questions"),
        ("bob", "May I?", {"metadata": {"choices": "yes | no"}}, None),
        ("bob", "hi", {"priority": "high"}, None),
        ("bob", "ask human, or @humans", {}, None),
    ],
)
def test_what_a_message_is_to_the_user(
    store: Store, to: str, body: str, options: dict[str, object], what: str | None
) -> None:
    told = told_by(store, store.send("alice", to, body, **options).id)  # type: ignore[arg-type]
    assert (told and told.what) == what


def test_what_the_user_does_is_no_news_to_them(store: Store) -> None:
    store.register("human", human=True)
    assert told_by(store, store.send("human", "bob", "@human", priority="urgent").id) is None
    assert told_by(store, store.send("alice", "bob", "@human", by="human").id) is None


def test_other_facts_are_no_news() -> None:
    assert of_event(Event(1, NOON, MessageAcknowledged("x", "human")), State(), "human") is None


def test_which_room_it_is_in(store: Store) -> None:
    store.create_channel("ops", "alice")
    store.register("human", human=True)
    store.join("ops", "human")
    assert told_by(store, store.broadcast("alice", "ops", "all hands").id) == Happening(
        "mentions", channel_room("ops"), "alice in #ops", "all hands"
    )
    told = told_by(store, store.send("alice", "bob", "now!", priority="urgent", subject="Key").id)
    assert told == Happening("urgent", pair_room("alice", "bob"), "alice (urgent)", "Key: now!")


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("@human", True),
        ("(@human)", True),
        ("hey @human, look", True),
        ("ask @human.", True),
        ("@human: yes", True),
        ("@humans", False),
        ("@human-2", False),
        ("@human.two", False),
        ("me@human", False),
        ("@@human", False),
        ("human", False),
    ],
)
def test_mentions(text: str, is_one: bool) -> None:
    assert mentions(text, "human") is is_one


def test_a_name_with_a_dot_is_not_a_pattern() -> None:
    assert mentions("@a.b", "a.b")
    assert not mentions("@axb", "a.b")


def test_what_is_not_wanted_is_not_told() -> None:
    assert Notices(Notify()).decide(happening(), NOON) == Notice("alice", "hello")
    assert Notices(Notify(what=("urgent",))).decide(happening(), NOON) is None
    assert Notices(Notify()).decide(happening(), NOON, muted=[ROOM]) is None
    assert Notices(Notify()).decide(happening(), NOON, focused=ROOM) is None
    assert Notices(Notify(quiet_hours="11:00-13:00")).decide(happening(), NOON) is None


@given(st.lists(st.integers(min_value=0, max_value=5_000), min_size=1, max_size=200))
def test_of_a_storm_there_are_few_notices_and_nothing_is_lost(gaps: list[int]) -> None:
    """Notices are apart, and together they count every message. gaps: milliseconds between messages."""
    notices, now, told = Notices(Notify()), NOON, []
    for gap in gaps:
        now += timedelta(milliseconds=gap)
        if notice := notices.decide(happening(), now):
            told.append((now, notice))
    now += APART
    if notice := notices.overdue(now):
        told.append((now, notice))
    times = [at for at, _ in told]
    assert all(later - earlier >= APART for earlier, later in pairwise(times))
    counts = [int(notice.title.split()[0]) if notice.title.endswith("more") else 1 for _, notice in told]
    assert sum(counts) == len(gaps)


def test_a_storm() -> None:
    notices = Notices(Notify())
    assert notices.decide(happening("the first"), NOON) == Notice("alice", "the first")
    for number in range(1000):
        assert notices.decide(happening(), NOON + timedelta(milliseconds=number)) is None
    assert notices.overdue(NOON + APART / 2) is None
    assert notices.overdue(NOON + APART) == Notice("1000 more", "alice")
    assert notices.overdue(NOON + 2 * APART) is None


def test_what_was_held_back_stays_back_in_quiet_hours() -> None:
    notices = Notices(Notify(quiet_hours="12:00-13:00"))
    before = NOON - timedelta(seconds=5)
    assert notices.decide(happening(), before)
    assert notices.decide(happening(), before) is None
    assert notices.overdue(before + APART) is None
    assert notices.overdue(NOON + timedelta(hours=2)) is None


@pytest.mark.parametrize(
    ("hours", "moment", "quiet"),
    [
        ("22:00-07:00", "21:59", False),
        ("22:00-07:00", "22:00", True),
        ("22:00-07:00", "00:00", True),
        ("22:00-07:00", "06:59", True),
        ("22:00-07:00", "07:00", False),
        ("12:00-13:00", "12:30", True),
        ("12:00-13:00", "13:00", False),
        ("", "03:00", False),
    ],
)
def test_quiet_hours(hours: str, moment: str, quiet: bool) -> None:
    assert is_quiet(hours, datetime.fromisoformat(f"2026-03-02T{moment}:00+00:00")) is quiet


def test_stuck_is_told_in_the_agents_room() -> None:
    told = of_stuck(Stuck("alice", Kind.BLOCKED, NOON, "alice is blocked: rm -rf?"), "human")
    assert told == Happening("stuck", ROOM, "alice is stuck", "alice is blocked: rm -rf?")
