"""What bodies are known by: words, marks and courtesies."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgcode.debugger.resemblance import SAMPLE, Vocabulary, alike, reports, wording

NAMES = {"ann", "bob"}


def test_words_and_marks() -> None:
    said = wording(
        "Ann: parse_header() in core/http.py:88 drops folded lines since v1.8.2, see HTTPError.", NAMES
    )
    assert said.words == {"drops", "folded", "lines", "since"}
    assert said.marks == {"parse_header", "core/http.py:88", "v1.8.2", "HTTPError"}


def test_numbers_are_known_by_what_they_count() -> None:
    said = wording("Shard 18 passed: 212 tests in 41 seconds", NAMES)
    assert said.marks == {"shard 18", "passed 212", "in 41"}
    assert wording("ping 17", NAMES).marks == frozenset(), "which only counts"


def test_times_and_ids_of_messages_are_no_news() -> None:
    one = wording("Waiting since 12:03:11 for an answer to 3f2a9b1c and its thread", NAMES)
    other = wording(
        "Waiting since 9:41 for an answer to 0f9e8d7c-1111-4222-8333-abcdefabcdef and its thread", NAMES
    )
    assert one == other


@pytest.mark.parametrize(
    "body",
    [
        "Thanks!",
        "Thank you, Bob.",
        "Got it, noted.",
        "You're welcome! Happy to help anytime.",
        "You too, all the best!",
        "Great working with you. Thank you again!",
        "ACK",
        "👍",
        "",
        "Sounds good, thanks for confirming.",
    ],
)
def test_bare_courtesies(body: str) -> None:
    said = wording(body, NAMES)
    assert said.is_bare(len(said.words))


@pytest.mark.parametrize(
    "body",
    [
        "Thanks, could you rebase?",
        "Thanks, fixed in core/http.py.",
        "Thanks, `close` was it.",
        "Thanks, merged as 9f31c2e.",
        "Thanks. The lexer owns positions now, and the parser never sees raw text.",
        "The build is broken.",
        "Thanks " + "so " * 200,
    ],
)
def test_what_is_no_bare_courtesy(body: str) -> None:
    said = wording(body, NAMES)
    assert not said.is_bare(len(said.words))


def test_alike() -> None:
    one = wording("Please go ahead with the rebase, I will wait until you are finished.", NAMES)
    other = wording("No, please go ahead with the rebase, I will wait till you are finished!", NAMES)
    assert alike(one, other)
    assert not alike(one, wording("Please go ahead with the merge of the branch, I have finished.", NAMES))
    assert not alike(
        wording("Please run the tests in core/a.py again", NAMES),
        wording("Please run the tests in core/b.py again", NAMES),
    ), "another path is another matter"


@pytest.mark.parametrize("body", ["worker-3: 12/40 files migrated", "All good.", "idle, queue empty", "OK"])
def test_status_lines(body: str) -> None:
    assert reports(body, wording(body, NAMES))


@pytest.mark.parametrize("body", ["Is the queue empty?", "Thanks!", "Your queue is empty", "Please confirm."])
def test_what_is_no_status_line(body: str) -> None:
    assert not reports(body, wording(body, NAMES))


def test_a_huge_body_is_read_in_part() -> None:
    huge = "word " * 200_000
    start = time.perf_counter()
    said = wording(huge, NAMES)
    assert time.perf_counter() - start < 0.1
    assert said.words == {"word"}
    assert alike(said, wording(huge, NAMES))
    assert not alike(said, wording(huge + "more", NAMES)), "its length is a mark"
    assert wording("a" * 1_000_000, NAMES).words == {"a" * SAMPLE}


@given(st.text(), st.sets(st.text(max_size=5)))
def test_any_text_is_like_itself(body: str, names: set[str]) -> None:
    said = wording(body, names)
    assert alike(said, said)
    assert Vocabulary(5000).learn(said) == (len(said.words), len(said.marks))


def test_a_vocabulary_forgets_what_was_not_used_for_long() -> None:
    known = Vocabulary(3)
    assert known.learn(wording("alpha beta gamma", NAMES)) == (3, 0)
    assert known.learn(wording("alpha delta", NAMES)) == (1, 0)
    assert known.learn(wording("alpha beta gamma delta", NAMES)) == (0, 0)
    for other in ("epsilon zeta", "alpha eta", "theta iota", "kappa alpha", "lambda omega"):
        known.learn(wording(other, NAMES))
    assert known.learn(wording("alpha", NAMES)) == (0, 0)
    assert known.learn(wording("beta gamma", NAMES)) == (2, 0)
