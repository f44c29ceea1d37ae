"""What is kept up event by event is what one would find by looking at every message."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from msgcode.debugger.unanswered import Unanswered, asked, asks
from msgcode.events import (
    Event,
    Fact,
    MessageAcknowledged,
    MessageDelivered,
    MessageDiscarded,
    MessageEdited,
    MessageSent,
)
from msgcode.model import Message
from msgcode.state import State, fold

START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)

agents = st.sampled_from(["ann", "bob", "cy"])
numbers = st.integers(1, 15)
bodies = st.sampled_from(["Done.", "Which one?", "Please look, @bob."])
acts: st.SearchStrategy[tuple[Any, ...]] = st.one_of(
    st.tuples(
        st.just("send"), agents, st.lists(agents, min_size=1, max_size=2, unique=True), bodies,
        st.none() | numbers, st.none() | numbers, st.none() | st.just("dev"),
    ),
    st.tuples(st.sampled_from(["deliver", "acknowledge", "discard"]), agents, numbers),
)  # fmt: skip


def events(acts: list[tuple[Any, ...]]) -> list[Event]:
    """A room in which each message is sent after those that it answers or is caused by."""
    sent: list[MessageSent] = []
    facts: list[Fact] = []

    def earlier(number: int | None) -> str | None:
        return sent[-number].id if number and number <= len(sent) else None

    for act in acts:
        if act[0] == "send":
            _, sender, to, body, answered, caused, channel = act
            id, reply_to = f"m{len(sent)}", earlier(answered)
            threads = {one.id: one.thread for one in sent}
            thread = threads[reply_to] if reply_to else id
            fact = MessageSent(
                id, sender, tuple(to), body, thread, reply_to=reply_to, cause=earlier(caused), channel=channel
            )  # fmt: skip
            sent.append(fact)
            facts.append(fact)
        elif about := earlier(act[2]):
            kind, agent = act[:2]
            if kind == "deliver":
                facts.append(MessageDelivered(about, agent, agent))
            else:
                ended = MessageAcknowledged if kind == "acknowledge" else MessageDiscarded
                facts.append(ended(about, agent))
    return [Event(n, START + timedelta(seconds=n), fact) for n, fact in enumerate(facts, 1)]


rooms = st.lists(acts, max_size=40).map(events)


def kept_up(history: list[Event]) -> tuple[State, Unanswered]:
    state, unanswered = State(keep_ended=True), Unanswered()
    for event in history:
        fold(state, event)
        unanswered.advance(event, state)
    return state, unanswered


def is_answered(request: Message, on: str, others: list[Message]) -> bool:
    for other in others:
        later = other.seq > request.seq and other.thread == request.thread
        replies = other.reply_to == request.id or (other.cause == request.id and not asks(other))
        if (later or replies) and other.sender == on and request.sender in other.deliveries:
            return True
        if later and other.sender == request.sender and on in other.deliveries:
            return True
    return False


def unanswered_in(state: State) -> set[tuple[str, str]]:
    """By looking at every message."""
    everything = list(state.messages.values())
    return {
        (message.id, on)
        for message in everything
        if asks(message)
        for on in asked(message)
        if not message.deliveries[on].status.ended and not is_answered(message, on, everything)
    }


@given(rooms)
def test_the_requests_are_those_that_a_look_at_everything_finds(history: list[Event]) -> None:
    state, unanswered = kept_up(history)
    assert set(unanswered.requests()) == unanswered_in(state)
    assert list(Unanswered.of(state).requests()) == list(unanswered.requests())


@given(rooms)
def test_who_has_taken_up_what_waits(history: list[Event]) -> None:
    state, unanswered = kept_up(history)
    for message in state.messages.values():
        for agent, delivery in message.deliveries.items():
            follows = any(
                message.id in (other.reply_to, other.cause) and other.sender == agent
                for other in state.messages.values()
            )
            assert unanswered.is_taken_up(message.id, agent) is (follows and not delivery.status.ended)


@given(rooms, st.integers(0, 40))
def test_who_has_gone_on(history: list[Event], looked_after: int) -> None:
    """However often one looks."""
    state, unanswered = kept_up(history[:looked_after])
    unanswered.copy()
    for event in history[looked_after:]:
        fold(state, event)
        unanswered.advance(event, state)
    for message in state.messages.values():
        later = any(
            other.sender == message.sender
            and other.seq > message.seq
            and other.thread != message.thread
            and not asks(other)
            for other in state.messages.values()
        )
        assert unanswered.has_gone_on(message) is later


@given(rooms, st.integers(0, 40))
def test_a_copy_stays_as_it_is(history: list[Event], copied_after: int) -> None:
    state, unanswered = kept_up(history[:copied_after])
    copy, before = unanswered.copy(), list(unanswered.requests())
    for event in history[copied_after:]:
        fold(state, event)
        unanswered.advance(event, state)
    assert list(copy.requests()) == before


def test_an_edited_message_asks_what_it_says_now() -> None:
    sent = MessageSent("m0", "ann", ("bob",), "Which one?", "m0")
    state, unanswered = kept_up([Event(1, START, sent)])
    for number, body, waits in ((2, "This one.", []), (3, "Or which?", [("m0", "bob")])):
        event = Event(number, START, MessageEdited("m0", "ann", body))
        fold(state, event)
        unanswered.advance(event, state)
        assert list(unanswered.requests()) == waits
