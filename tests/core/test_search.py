"""The query language: what each term finds, what it refuses, and where it is found."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgcode import BadInput, Message
from msgcode.model import Delivery, Priority, Status
from msgcode.search import parse_query
from tests.core.support import START

NOW = START + timedelta(hours=3)
MESSAGE = Message(
    "3F2a-77",
    1,
    "Ann",
    "The Build of src/main.py is RED: exit code 3.\nStraße, 12:30",
    START,
    {"bob": Delivery(Status.QUEUED, START), "cy": Delivery(Status.ACKNOWLEDGED, START)},
    Priority.HIGH,
    channel="api-changes",
    subject="Nightly Review",
    reply_to="m0",
    metadata={"file": "src/config.py:15"},
    by="eve",
)


def matches(query: str, message: Message = MESSAGE) -> bool:
    return parse_query(query, NOW).matches(message)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "build",
        "BUILD red",
        '"exit code 3"',
        '"exit code',
        "main.py",
        "12:30",
        "STRASSE",
        "ann",
        "bob",
        "api-ch",
        "nightly",
        "3f2a",
        "config.py:15",
        "file",
        "-green",
        '-"code 4" build',
        "from:ann",
        "from:@ANN",
        "from:eve",
        "to:cy",
        "To:@bob",
        "in:#api-changes",
        "status:queued",
        "status:Acknowledged",
        "priority:high",
        "subject:view",
        'subject:"nightly r"',
        "id:3f2",
        "has:file has:reply",
        "-has:question",
        "-from:bob",
        "after:4h before:2h",
        "after:2030-01-01T12:00:00Z before:2030-01-01T12:00:01Z",
        "before:2031-01-01",
        "after:1w after:9d after:600m after:99999s",
    ],
)
def test_what_is_found(query: str) -> None:
    assert matches(query)


@pytest.mark.parametrize(
    "query",
    [
        "green",
        "build green",
        '"code exit"',
        "-build",
        "-ann",
        "build -api-changes",
        "from:an",
        "from:bob",
        "to:ann",
        "in:api",
        "status:delivered",
        "priority:normal",
        "subject:build",
        "id:f2a",
        "has:question",
        "-has:file",
        "after:2h",
        "before:4h",
        "after:2030-01-01T12:00:01Z",
        "before:2030-01-01T12:00:00Z",
    ],
)
def test_what_is_not_found(query: str) -> None:
    assert not matches(query)


def test_a_question() -> None:
    assert matches("has:question", MESSAGE._replace(metadata={"choices": "a|b"}))


def test_a_time_of_day_is_the_last_that_has_been() -> None:
    local = NOW.astimezone()
    before, behind = local - timedelta(hours=1), local + timedelta(hours=1)
    sent_then = MESSAGE._replace(sent_at=NOW - timedelta(minutes=90))
    assert matches(f"before:{before:%H:%M} after:{behind:%H:%M}", sent_then), "later today was yesterday"
    assert not matches(f"after:{before:%H:%M}", sent_then)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("from:", "from: needs a value"),
        ('x subject:""', "subject: needs a value"),
        ("status:lost", "'lost' is no status: choose queued, claimed"),
        ("priority:asap", "'asap' is no priority: choose urgent"),
        ("has:legs", "choose question, file, reply"),
        ("before:soon", "'soon' is no time: write 09:30, 2030-01-31"),
        ("after:25:00", "'25:00' is no time"),
        ("after:9999999h", "is no time"),
        ("after:999999w", "is no time"),
        ("after:0001-01-01T00:00", "is no time"),
    ],
)
def test_a_bad_value_is_named_in_one_sentence(query: str, sentence: str) -> None:
    with pytest.raises(BadInput) as error:
        parse_query(query, NOW)
    assert sentence in str(error.value)
    assert str(error.value).endswith(".")
    assert "\n" not in str(error.value)


def test_whether_anything_is_asked() -> None:
    assert not parse_query("  ", NOW)
    assert parse_query("x", NOW)
    assert parse_query("-x", NOW)
    assert parse_query("has:file", NOW)


@pytest.mark.parametrize(
    ("query", "text", "found"),
    [
        ("red", "Red, red", ["Red", "red"]),
        ("ab bc", "xabcx", ["abc"]),
        ('"a b" from:ann -x', "a b x", ["a b"]),
        ("ss", "Straße ß", ["ß", "ß"]),
        ("tra", "İİStraße", ["tra"]),
        (".*", "a.*b", [".*"]),
        ("zzz", "abc", []),
        ("", "abc", []),
    ],
)
def test_where_the_words_are(query: str, text: str, found: list[str]) -> None:
    assert [text[start:end] for start, end in parse_query(query, NOW).spans(text)] == found


@given(st.text(), st.text())
def test_spans_are_in_order_and_within_the_text(query: str, text: str) -> None:
    try:
        spans = parse_query(query, NOW).spans(text)
    except BadInput:
        return
    ends = [0] + [place for span in spans for place in span]
    assert ends == sorted(ends)
    assert ends[-1] <= len(text)
    assert all(start < end for start, end in spans)


@given(st.text(min_size=1), st.text(), st.text())
def test_a_quoted_part_of_a_body_is_found(part: str, before: str, after: str) -> None:
    query = parse_query(f'"{part.replace(chr(34), "")}"', NOW)
    assert query.matches(MESSAGE._replace(body=f"{before}{part.replace(chr(34), '')}{after}"))
