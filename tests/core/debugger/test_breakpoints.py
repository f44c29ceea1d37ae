"""Which messages a breakpoint stops."""

from __future__ import annotations

import time
from typing import Any

import pytest

from msgcode.debugger.breakpoints import describe, matches
from msgcode.model import Breakpoint, Delivery, Message, Priority, Status
from tests.core.support import START

QUEUED = Delivery(Status.QUEUED, START)


def message(**fields: Any) -> Message:
    usual = {"id": "m", "seq": 1, "sender": "ann", "body": "the build", "sent_at": START, "thread": "t"}
    return Message(**{**usual, "deliveries": {"bob": QUEUED, "cy": QUEUED}, **fields})


def rule(**fields: Any) -> Breakpoint:
    return Breakpoint(1, START, "eve", **fields)


@pytest.mark.parametrize(
    ("fields", "hit", "missed"),
    [
        ({"sender": "ann"}, {}, {"sender": "bob"}),
        ({"to": "cy"}, {}, {"deliveries": {"bob": QUEUED}}),
        ({"channel": "api"}, {"channel": "api"}, {}),
        ({"thread": "t"}, {}, {"thread": "u"}),
        ({"priority": Priority.HIGH}, {"priority": Priority.HIGH}, {"priority": Priority.URGENT}),
        ({"hops": 3}, {"hops": 4}, {"hops": 2}),
        ({"text": "b.ild"}, {}, {"body": "nothing"}),
        ({"text": "(?i)BUILD"}, {}, {"body": "nothing"}),
        ({"text": "^CI$"}, {"subject": "CI"}, {"subject": "CIA"}),
    ],
)
def test_each_part(fields: dict[str, Any], hit: dict[str, Any], missed: dict[str, Any]) -> None:
    assert matches(rule(**fields), message(**hit), {})
    assert not matches(rule(**fields), message(**missed), {})


def test_all_parts_must_match() -> None:
    both = rule(sender="ann", text="build")
    assert matches(both, message(), {})
    assert not matches(both, message(sender="bob"), {})
    assert not matches(both, message(body="x"), {})


def test_no_expression_can_hang_the_room() -> None:
    """With Python's own this one would take longer than the universe has been there."""
    began = time.process_time()
    assert not matches(rule(text=r"(a+)+$"), message(body="a" * 1_000_000 + "!"), {})
    assert time.process_time() - began < 5


def test_described_as_it_is_given() -> None:
    whole = rule(
        sender="ann", to="bob", channel="api", thread="t" * 20, text="x", priority=Priority.LOW, hops=2,
        loops=True, budget=9,
    )  # fmt: skip
    said = "--from ann --to bob --channel api --thread tttttttt --text x --priority low --hops 2"
    assert describe(whole) == f"{said} --budget 9 --loops"
    assert describe(whole._replace(once=True)) == f"{said} --budget 9 --loops --once"
