"""Records to JSON and back: nothing is lost, and what is not right is named."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgcode.codec import IllTyped, decode_line, encode_time, event_json, from_json, to_json
from msgcode.events import FACTS, TYPES, Event, Fact, MessageSent, Unknown
from msgcode.model import (
    Activity,
    Agent,
    Breakpoint,
    Channel,
    Delivery,
    Edited,
    Hold,
    Message,
    Presence,
    Priority,
    Session,
    Status,
)
from msgcode.state import Heard
from tests.core.support import START
from tests.written import written

texts = st.text(max_size=20)
times = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)).map(
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "str": texts,
    "int": st.integers(-(2**70), 2**70),
    "bool": st.booleans(),
    "float": st.floats(allow_nan=False, allow_infinity=False),
    "datetime": times,
    "tuple[str, ...]": st.lists(texts, max_size=3).map(tuple),
    "dict[str, str]": st.dictionaries(texts, texts, max_size=3),
    "Activity": st.sampled_from(Activity),
    "Priority": st.sampled_from(Priority),
    "Status": st.sampled_from(Status),
}


NESTED = {record.__name__: record for record in (Breakpoint, Edited, Hold, Session)}


def values(annotation: str) -> st.SearchStrategy[Any]:
    if annotation.endswith(" | None"):
        return st.none() | values(annotation.removesuffix(" | None"))
    if annotation == "dict[str, Delivery]":
        return st.dictionaries(texts, records(Delivery), max_size=3)
    if annotation in NESTED:
        return records(NESTED[annotation])
    return VALUES[annotation]


def records(record: Any) -> st.SearchStrategy[Any]:
    return st.tuples(*map(values, record.__annotations__.values())).map(lambda fields: record(*fields))


STORED = [*FACTS.values(), Agent, Breakpoint, Channel, Delivery, Hold, Message, Presence, Heard]


@pytest.mark.parametrize("record", STORED, ids=lambda record: record.__name__)
def test_every_record_comes_back_as_it_was(record: Any) -> None:
    @given(records(record))
    def comes_back(made: Any) -> None:
        again = from_json(record, json.loads(json.dumps(to_json(made))))
        assert again == made
        assert type(again) is record

    comes_back()


facts: st.SearchStrategy[Fact] = st.one_of([records(fact) for fact in FACTS.values()])


@given(st.lists(facts, min_size=1, max_size=4), times)
def test_a_change_comes_back_line_by_line(changed: list[Fact], at: datetime) -> None:
    events = [Event(seq, at, fact) for seq, fact in enumerate(changed, 1)]
    lines = written(events)
    assert [decode_line(line) for line in lines] == [(event, event is not events[-1]) for event in events]
    for line, event in zip(lines, events, strict=True):
        assert line.endswith(b"\n")
        assert line.count(b"\n") == 1
        assert json.loads(line)["type"] == TYPES[type(event.fact)]


def test_every_fact_can_be_written_and_read() -> None:
    assert set(FACTS.values()) == set(Fact.__args__)
    assert {name: TYPES[fact] for name, fact in FACTS.items()} == {name: name for name in FACTS}


def test_what_a_line_looks_like() -> None:
    fact = MessageSent("m-1", "ann", ("bob",), "grüße", "m-1", Priority.HIGH, reply_to="m-0")
    (line,) = written([Event(7, START, fact)])
    assert json.loads(line) == {
        "seq": 7,
        "at": "2030-01-01T12:00:00.000Z",
        "type": "message.sent",
        "id": "m-1",
        "from": "ann",
        "to": ["bob"],
        "body": "grüße",
        "thread": "m-1",
        "priority": "high",
        "replyTo": "m-0",
        "hops": 0,
        "human": False,
    }
    assert "grüße".encode() in line, "fit to be read with tail"


def test_what_is_unknown_is_shown_as_it_was_written() -> None:
    line = b'{"seq":3,"at":"2030-01-01T12:00:00.000Z","type":"agent.danced","how":["well",{"very":null}]}'
    event, more = decode_line(line)
    assert event.fact == Unknown("agent.danced", {"how": ["well", {"very": None}]})
    assert not more
    assert event_json(event) == json.loads(line)


WRONG: dict[str, list[object]] = {
    "str": [7, True, [], {}, 1.5],
    "int": ["7", True, 1.5, [], {}],
    "bool": ["true", 1, 0, [], {}],
    "datetime": [7, "noon", "2030-01-01", "2030-01-01T12:00:00", "2030-01-01T12:00:00+02:00", [], {}],
    "tuple[str, ...]": ["abc", 7, [7], [None], {"a": "b"}],
    "dict[str, str]": ["abc", 7, ["a"], {"a": 7}, {"a": None}],
    "dict[str, Delivery]": ["abc", ["a"], {"a": 7}, {"a": {}}, {"a": {"status": "lost", "at": "x"}}],
    "Activity": ["dancing", 7, [], {}],
    "Priority": ["very", "HIGH", 7, [], {}],
    "float": ["abc", True, [], {}, float("nan")],
    "Breakpoint": ["abc", 7, [], {}, {"number": 1, "at": "2030-01-01T12:00:00Z"}],
    "Hold": ["abc", 7, [], {}, {"number": "1", "at": "2030-01-01T12:00:00Z", "by": "x"}],
    "Edited": ["abc", 7, [], {}, {"at": "2030-01-01T12:00:00Z", "by": "x"}],
    "Session": ["abc", 7, [], {}, {"id": "a", "harness": "b"}, {"id": 7, "harness": "b", "host": "c"}],
    "Status": ["lost", 7, [], {}],
}


def example(annotation: str) -> Any:
    simple: dict[str, Any] = {
        "str": "x",
        "int": 1,
        "bool": True,
        "datetime": START,
        "tuple[str, ...]": ("x",),
        "dict[str, str]": {"x": "y"},
        "dict[str, Delivery]": {"x": Delivery(Status.QUEUED, START)},
        "Activity": Activity.IDLE,
        "Priority": Priority.LOW,
        "float": 1.5,
        "Breakpoint": Breakpoint(1, START, "x", "y"),
        "Hold": Hold(1, START, "x", "y"),
        "Edited": Edited(START, "x", "y"),
        "Session": Session("ses", "opencode", "host"),
        "Status": Status.QUEUED,
    }
    return simple[annotation.removesuffix(" | None")]


@pytest.mark.parametrize("record", STORED, ids=lambda record: record.__name__)
def test_an_ill_typed_field_is_named(record: Any) -> None:
    made = record(*map(example, record.__annotations__.values()))
    whole = json.loads(json.dumps(to_json(made)))
    assert from_json(record, whole) == made
    for key, (name, annotation) in zip(whole, record.__annotations__.items(), strict=True):
        for wrong in WRONG[annotation.removesuffix(" | None")]:
            with pytest.raises(IllTyped, match=f"'{key}' is "):
                from_json(record, {**whole, key: wrong})
        lacking = {other: value for other, value in whole.items() if other != key}
        if name in record._field_defaults:
            assert getattr(from_json(record, lacking), name) == record._field_defaults[name]
        else:
            with pytest.raises(IllTyped, match=f"'{key}' is missing"):
                from_json(record, lacking)
        assert from_json(record, {**whole, "later": {"version": 2}}) == from_json(record, whole)


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_bytes_are_an_event_or_a_value_error(line: bytes) -> None:
    try:
        event, more = decode_line(line)
    except ValueError:
        return
    assert isinstance(event, Event)
    assert isinstance(more, bool)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(sorted(FACTS)), st.data())
def test_any_json_is_an_event_or_a_value_error(kind: str, data: st.DataObject) -> None:
    """Every field is either right or anything at all."""
    whole = to_json(FACTS[kind](*map(example, FACTS[kind].__annotations__.values())))
    fields = {key: data.draw(st.just(value) | json_values) for key, value in whole.items()}
    line = json.dumps({"seq": 1, "at": "2030-01-01T12:00:00.000Z", "type": kind, **fields}).encode()
    try:
        event, _ = decode_line(line)
    except ValueError:
        return
    # What was accepted can be written, and is the same when it is read again.
    assert decode_line(written([event])[0].rstrip(b"\n"))[0] == event


def test_times() -> None:
    assert encode_time(START + timedelta(milliseconds=7)) == "2030-01-01T12:00:00.007Z"
    line = '{{"seq":1,"type":"x","at":"{}"}}'
    for same in ("2030-01-01T12:00:00Z", "2030-01-01T12:00:00.000Z", "2030-01-01T12:00:00+00:00"):
        event, _ = decode_line(line.format(same).encode())
        assert event.at == START
        assert event.at.tzinfo == UTC
