"""Structured questions: what is one, which comes first, and that each is answered once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgcode import BadInput, Message, Refused, Store
from msgcode.model import Delivery, Priority, Status
from msgcode.questions import flaw, open_questions, question_of
from tests.core.support import START, Clock, Ids, unchanged

ASKING = {"choices": "Yes | no | later on", "deadline": "30", "default": "NO"}


def message(seq: int = 1, minutes: float = 0, **fields: Any) -> Message:
    """A message to eve that asks something, unless its metadata says otherwise."""
    sent = START + timedelta(minutes=minutes)
    asking = Message(
        f"m{seq:04}", seq, "ann", "?", sent, {"eve": Delivery(Status.QUEUED, sent)}, metadata=ASKING
    )
    return asking._replace(**fields)


def test_what_a_question_asks() -> None:
    question = question_of(message())
    assert question
    assert question.choices == ("Yes", "no", "later on")
    assert question.deadline == START + timedelta(minutes=30)
    assert question.default == "no"
    bare = question_of(message(metadata={"choices": "a|b"}))
    assert bare
    assert (bare.choices, bare.deadline, bare.default) == (("a", "b"), None, None)


@pytest.mark.parametrize(
    ("deadline", "minutes"),
    [("0.5", 0.5), ("2030-01-01T12:05:00Z", 5), ("2030-01-01T14:05:00+02:00", 5), (" 5 ", 5)],
)
def test_deadlines(deadline: str, minutes: float) -> None:
    question = question_of(message(metadata={**ASKING, "deadline": deadline}))
    assert question
    assert question.deadline == START + timedelta(minutes=minutes)
    assert not question.is_past(question.deadline - timedelta(milliseconds=1))
    assert question.is_past(question.deadline)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"choices": "yes"}, "choices must be 2 to 9, parted by |"),
        ({"choices": "1|2|3|4|5|6|7|8|9|10"}, "choices must be 2 to 9"),
        ({"choices": "yes||no"}, "one line of 1 to 100 characters"),
        ({"choices": "yes\nno|no"}, "one line"),
        ({"choices": "x" * 101 + "|no"}, "one line"),
        ({"choices": "yes|YES"}, "must differ"),
        ({"default": "maybe"}, "the default must be one of the choices"),
        ({"deadline": "soon"}, "the deadline must be minutes"),
        ({"deadline": "0"}, "the deadline must be minutes"),
        ({"deadline": "-1e400"}, "the deadline must be minutes"),
        ({"deadline": "nan"}, "the deadline must be minutes"),
        ({"deadline": "527041"}, "at most a year"),
        ({"deadline": "2030-01-01T12:30:00"}, "with its offset"),
        ({"deadline": "2030-01-01T12:00:00Z"}, "a time to come"),
        ({"deadline": "9999-12-31T23:59:59-12:00"}, "a time to come"),
    ],
)
def test_what_is_ill_formed_is_an_ordinary_message(wrong: dict[str, str], sentence: str) -> None:
    ordinary = message(metadata={**ASKING, **wrong})
    assert question_of(ordinary) is None
    warning = flaw(ordinary)
    assert warning
    assert sentence in warning
    assert open_questions([ordinary], "eve", START) == []


def test_what_has_no_choices_is_not_flawed() -> None:
    assert question_of(message(metadata={"deadline": "soon"})) is None
    assert flaw(message(metadata={"deadline": "soon"})) is None
    assert flaw(message()) is None


@given(st.dictionaries(st.sampled_from(["choices", "deadline", "default"]), st.text()))
def test_any_metadata_is_understood_or_not(metadata: dict[str, str]) -> None:
    question = question_of(message(metadata=metadata))
    if question:
        assert 2 <= len(question.choices) <= 9
        assert question.default is None or question.default in question.choices


def test_choosing() -> None:
    question = question_of(message())
    assert question
    assert [question.choose(text) for text in ("yes", " LATER ON ", "1", "3")] == ["Yes", "later on"] * 2
    for text in ("", "0", "4", "10", "12345", "nope"):
        with pytest.raises(BadInput, match="is not one of the choices: Yes, no, later on"):
            question.choose(text)
    counting = question_of(message(metadata={"choices": "2|1"}))
    assert counting
    assert counting.choose("2") == "2", "words come before numbers"


def test_the_queue_of_open_questions() -> None:
    def asked(seq: int, deadline: str | None, priority: Priority = Priority.NORMAL) -> Message:
        metadata = {"choices": "a|b", **({"deadline": deadline} if deadline else {})}
        return message(seq, metadata=metadata, priority=priority)

    messages = [
        asked(1, None),
        asked(2, "50"),
        asked(3, "20"),
        asked(4, "10"),
        asked(5, None, Priority.URGENT),
        asked(6, "5", Priority.LOW),
    ]
    now = START + timedelta(minutes=20)
    order = [question.message.seq for question in open_questions(messages, "eve", now)]
    assert order == [6, 4, 3, 5, 1, 2]


def test_what_is_not_open() -> None:
    ended = {"eve": Delivery(Status.ACKNOWLEDGED, START)}
    assert open_questions([message(deliveries=ended)], "eve", START) == []
    assert open_questions([message()], "bob", START) == []
    assert open_questions([message(expires_at=START)], "eve", START) == []
    delivered = message(deliveries={"eve": Delivery(Status.DELIVERED, START)}, expires_at=START)
    assert len(open_questions([delivered], "eve", START)) == 1, "what was delivered stays"


class TestAnswering:
    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @pytest.fixture
    def room(self, tmp_path: Path) -> Path:
        return tmp_path / "room"

    @pytest.fixture
    def store(self, room: Path, clock: Clock) -> Iterator[Store]:
        with Store.open(room, sync=False, clock=clock, new_id=Ids()) as store:
            store.register("ann")
            store.register("bob")
            store.register("eve", human=True)
            yield store

    def test_the_answer_closes_the_question(self, store: Store) -> None:
        asked = store.send("ann", "eve", "Merge?", channel="api", priority="high", metadata=ASKING)
        assert [question.message for question in store.questions("eve")] == [asked]
        answer = store.answer(asked.id, "later ON", "eve")
        assert (answer.sender, answer.recipients, answer.body) == ("eve", ("ann",), "later on")
        assert answer.metadata == {"answer": "later on"}
        assert (answer.reply_to, answer.channel, answer.priority) == (asked.id, "api", "high")
        assert answer.human
        assert store.questions("eve") == []
        assert store.inbox("ann") == [answer]
        last = list(store.history())[-2:]
        assert last[0].at == last[1].at, "in one change"
        assert store.message(asked.id).deliveries["eve"].status is Status.ACKNOWLEDGED
        unchanged(store, lambda: store.answer(asked.id, "yes", "eve"), Refused, "has been answered")

    def test_refusals(self, store: Store, clock: Clock) -> None:
        plain = store.send("ann", "eve", "Merge?")
        asked = store.send("ann", "eve", "Merge?", metadata=ASKING, ttl=60)
        unchanged(store, lambda: store.answer(plain.id, "yes", "eve"), Refused, "is no question with choices")
        unchanged(store, lambda: store.answer(asked.id, "maybe", "eve"), BadInput, "not one of the choices")
        unchanged(
            store, lambda: store.answer(asked.id, "yes", "bob"), Refused, "not addressed to agent 'bob'"
        )
        clock.advance(60)
        store.expire()
        unchanged(store, lambda: store.answer(asked.id, "yes", "eve"), Refused, "answered: it is expired")

    def test_of_many_programs_one_answers(self, store: Store, room: Path) -> None:
        asked = store.send("ann", "eve", "Merge?", metadata=ASKING)
        done: list[str] = []
        start = threading.Barrier(4)

        def answer() -> None:
            with Store.open(room, sync=False) as own:
                start.wait(10)
                try:
                    own.answer(asked.id, "yes", "eve")
                    done.append("answered")
                except Refused:
                    done.append("refused")

        threads = [threading.Thread(target=answer) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert sorted(done) == ["answered", "refused", "refused", "refused"]
        assert len(store.inbox("ann")) == 1

    def test_a_reply_in_ones_own_words_closes_it_too(self, store: Store, clock: Clock) -> None:
        asked = store.send("ann", "eve", "Merge?", metadata=ASKING)
        store.send("bob", "ann", "I would.", reply_to=asked.id)
        assert len(store.questions("eve")) == 1, "bob was not asked"
        store.send("eve", "ann", "Only the first commit.", reply_to=asked.id)
        assert store.questions("eve") == []
        clock.advance(3600)
        assert store.answer_due("eve") == []

    def test_the_deadline_answers_by_default(self, store: Store, clock: Clock) -> None:
        asked = store.send("ann", "eve", "Merge?", metadata=ASKING)
        store.send("ann", "eve", "And that?", metadata={"choices": "yes|no", "deadline": "1"})
        assert store.answer_due("eve") == []
        clock.advance(30 * 60)
        (answer,) = store.answer_due("eve")
        assert (answer.body, answer.reply_to, answer.recipients) == ("no", asked.id, ("ann",))
        assert answer.metadata == {"answer": "no", "defaulted": "2030-01-01T12:30:00.000Z"}
        assert (answer.human, answer.hops) == (False, 1), "no human said so"
        before = len(list(store.history()))
        assert store.answer_due("eve") == []
        assert len(list(store.history())) == before
        assert len(store.questions("eve")) == 1, "without a default it goes on waiting"
        unchanged(store, lambda: store.answer(asked.id, "yes", "eve"), Refused, "has been answered")

    def test_its_sender_is_warned_of_a_flaw(self, store: Store) -> None:
        sent = store.send("ann", "eve", "Merge?", metadata={"choices": "yes"})
        assert store.warnings(sent) == [
            "this is sent as an ordinary message, not as a question: choices must be 2 to 9, parted by |."
        ]
