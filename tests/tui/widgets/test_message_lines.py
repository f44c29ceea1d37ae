"""One message in lines: what is said at which width, and that nothing in it reaches the terminal raw."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.style import Style

from msgcode import Delivery, Message, Priority, Status
from msgcode.model import Edited
from msgcode_tui import safe
from msgcode_tui.widgets.message_lines import (
    MAX_CHARACTERS,
    Look,
    estimated_height,
    message_lines,
)

AT = datetime(2026, 3, 2, 9, 30, 5, tzinfo=UTC)
PLAIN = Style()
LOOK = Look(PLAIN, PLAIN, PLAIN, PLAIN, PLAIN, PLAIN, PLAIN, PLAIN, Style(bgcolor="blue"), ("cyan",))
ORIGIN = Message("11111111-x", 1, "bob", "What is\nthis?", AT, {})
MESSAGE = Message("22222222-x", 2, "alice", "hello", AT, {"bob": Delivery(Status.QUEUED, AT)})

RAW = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_ATTACKS = [
    "[bold]x[/bold]",
    "[@click=app.quit]x[/]",
    "\x1b]52;c;eA==\x07",
    "\x1b[2J",
    "\U0001f469\u200d\U0001f467 日本語",
]
_CHARACTERS = st.characters() | st.sampled_from("\x1b\x07\r\n\t\x9b\x9d\u202e\u2066\ufeff[]/")
HOSTILE = st.text(_CHARACTERS, max_size=200) | st.sampled_from(_ATTACKS)


def text_of(
    message: Message, width: int = 80, *, selected: bool = False, origin: Message | None = None
) -> str:
    strips = message_lines(message, width, LOOK, origin=origin, selected=selected, spaced=False)
    return "\n".join(strip.text.rstrip() for strip in strips)


def with_status(*statuses: Status) -> Message:
    deliveries = {f"agent-{number}": Delivery(status, AT) for number, status in enumerate(statuses)}
    return MESSAGE._replace(deliveries=deliveries, channel="dev")


def test_who_to_whom_and_when() -> None:
    assert text_of(MESSAGE) == f"▎ alice → bob{'queued · 09:30:05':>67}\n▎ hello"


@pytest.mark.parametrize(
    ("status", "tick"),
    [
        (Status.QUEUED, "·"),
        (Status.CLAIMED, "◌"),
        (Status.DELIVERED, "✓"),
        (Status.ACKNOWLEDGED, "✓✓"),
        (Status.EXPIRED, "✗"),
        (Status.DISCARDED, "✗"),
    ],
)
def test_every_status_has_a_word_and_where_that_does_not_fit_a_mark(status: Status, tick: str) -> None:
    message = MESSAGE._replace(deliveries={"bob": Delivery(status, AT)})
    assert f"{status} {tick} 09:30" in text_of(message, 60)
    assert f" {tick} 09:30" in text_of(message, 26)
    assert status not in text_of(message, 26)


def test_a_broadcast_names_its_recipients_or_counts_them() -> None:
    message = with_status(Status.ACKNOWLEDGED, Status.QUEUED, Status.QUEUED)
    assert "alice → #dev" in text_of(message)
    assert "agent-0 ✓✓  agent-1 ·  agent-2 · 09:30" in text_of(message)
    assert "·2 ✓✓1 09:30" in text_of(message, 40)
    assert "nobody there" in text_of(with_status())


@pytest.mark.parametrize(
    ("priority", "mark"), [(Priority.URGENT, "‼ urgent"), (Priority.HIGH, "! high"), (Priority.LOW, "↓ low")]
)
def test_priorities_are_said_in_text(priority: Priority, mark: str) -> None:
    assert f"bob  {mark} " in text_of(MESSAGE._replace(priority=priority))


def test_a_human_who_speaks_for_an_agent_is_named() -> None:
    assert "alice by human → bob" in text_of(MESSAGE._replace(by="human"))


def test_a_reply_shows_what_it_answers() -> None:
    reply = MESSAGE._replace(reply_to=ORIGIN.id)
    assert "↩ bob: What is\n" in text_of(reply, origin=ORIGIN)
    assert "↩ 11111111\n" in text_of(reply)


def test_the_selected_message_has_its_details() -> None:
    delivery = Delivery(Status.ACKNOWLEDGED, AT, by="human", failures=("pane is gone",))
    message = MESSAGE._replace(
        deliveries={"bob": delivery},
        expires_at=AT + timedelta(minutes=5),
        hops=3,
        metadata={"file": "src/config.py"},
    )
    shown = text_of(message, 110, selected=True)
    assert "id 22222222 · sent 2026-03-02 09:30:05 · expires 2026-03-02 09:35:05 · hop 3" in shown
    assert "file: src/config.py" in shown
    assert "✓✓ bob acknowledged 2026-03-02 09:30:05 by human · failed 1 times: pane is gone" in shown
    assert shown.startswith("▌ alice")


def test_a_body_of_a_mebibyte_is_cut_and_says_so() -> None:
    message = MESSAGE._replace(body="x" * 2**20)
    shown = text_of(message)
    assert f"… and {2**20 - MAX_CHARACTERS:,} characters more" in shown
    assert shown.count("x") == MAX_CHARACTERS


def test_long_words_and_wide_characters_are_wrapped() -> None:
    assert safe.wrap("a" * 25, 10) == ["a" * 10, "a" * 10, "a" * 5]
    assert safe.wrap("日本語日本語", 4) == ["日本", "語日", "本語"]
    assert safe.wrap("one two\n\n  three", 7) == ["one two", "", "  three"]


@given(
    st.builds(
        Message,
        id=HOSTILE,
        seq=st.just(1),
        sender=HOSTILE,
        body=HOSTILE,
        sent_at=st.just(AT),
        deliveries=st.dictionaries(
            HOSTILE,
            st.builds(
                Delivery, st.sampled_from(Status), st.just(AT), by=HOSTILE, failures=st.tuples(HOSTILE)
            ),
            max_size=3,
        ),
        priority=st.sampled_from(Priority),
        channel=st.none() | HOSTILE,
        subject=st.none() | HOSTILE,
        reply_to=st.none() | HOSTILE,
        metadata=st.dictionaries(HOSTILE, HOSTILE, max_size=2),
        by=st.none() | HOSTILE,
        edited=st.none() | st.builds(Edited, st.just(AT), by=HOSTILE, body=HOSTILE, subject=HOSTILE),
    ),
    st.integers(8, 120),
    st.booleans(),
    st.none() | st.builds(ORIGIN._replace, sender=HOSTILE, body=HOSTILE),
)
def test_nothing_reaches_the_terminal_raw(
    message: Message, width: int, selected: bool, origin: Message | None
) -> None:
    strips = message_lines(message, width, LOOK, origin=origin, selected=selected, spaced=True)
    for strip in strips:
        assert strip.cell_length == width
        assert not RAW.search(strip.text), repr(strip.text)


@given(HOSTILE, st.integers(2, 100))
def test_wrapping_loses_no_words(body: str, width: int) -> None:
    kept = "".join("".join(safe.wrap(body, width)).split())
    assert kept == "".join(safe.content(body).plain.split())


@given(st.text("ab \n", max_size=300), st.integers(20, 100))
def test_the_estimate_of_a_height_is_close(body: str, width: int) -> None:
    message = MESSAGE._replace(body=body)
    exact = len(message_lines(message, width, LOOK, origin=None, selected=False, spaced=True))
    assert abs(estimated_height(message, width, spaced=True) - exact) <= 2 + body.count("\n") + exact // 2
