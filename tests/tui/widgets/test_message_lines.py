"""One message in lines: what is said at which width, and that nothing in it reaches the terminal raw."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.style import Style

from msgcode import Delivery, Message, Priority, Status
from msgcode.model import Edited
from msgcode_tui import safe
from msgcode_tui.widgets.look import Look
from msgcode_tui.widgets.message_lines import (
    MAX_CHARACTERS,
    MAX_LINES,
    Highlight,
    Place,
    estimated_height,
    message_lines,
)

AT = datetime(2026, 3, 2, 9, 30, 5, tzinfo=UTC)
PLAIN = Style()
LOOK = Look(
    **{name: PLAIN for name in Look._fields if name not in ("hit", "selected", "palette")},
    hit=Style(reverse=True),
    selected=Style(bgcolor="blue"),
    palette=("cyan",),
)
ABOVE = Message("00000000-x", 0, "carol", "before", AT, {})
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


def text_of(message: Message, width: int = 80, *, above: Message | None = ABOVE, **place: Any) -> str:
    lines = message_lines(message, width, LOOK, Place(above=above, **place))
    return "\n".join(line.strip.text.rstrip() for line in lines)


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


def test_an_answer_to_the_message_above_hangs_on_it() -> None:
    reply = MESSAGE._replace(reply_to=ABOVE.id)
    assert text_of(reply).startswith("╰╴alice → bob")
    assert "↩" not in text_of(reply, origin=ABOVE)
    assert text_of(reply, spaced=True).startswith("│\n╰╴alice")
    tomorrow = reply._replace(sent_at=AT + timedelta(days=1))
    assert "↩ carol: before" in text_of(tomorrow, origin=ABOVE), "a line that parts days is between them"


def test_a_day_begins_with_a_line_that_says_so() -> None:
    assert text_of(MESSAGE, above=None).startswith("── Monday, 2 March 2026 ───")
    assert "March" not in text_of(MESSAGE)
    late = MESSAGE._replace(sent_at=AT + timedelta(days=1))
    assert text_of(late).startswith("── Tuesday, 3 March ───")


def test_what_is_new_begins_with_a_line_that_says_so() -> None:
    new, both = text_of(MESSAGE, is_new=True), text_of(MESSAGE, is_new=True, above=None)
    assert new.split("\n")[0] == "─" * 56 + " new since you looked ──"
    assert both.startswith("── Monday, 2 March 2026 ───")
    assert both.split("\n")[0].endswith("── new since you looked ──")
    assert text_of(MESSAGE, 40, is_new=True, above=None).split("\n")[0].endswith("── new ──")


def test_a_channel_is_named_where_there_are_others() -> None:
    message = with_status(Status.QUEUED, Status.QUEUED)
    assert "alice → #dev  " in text_of(message)
    assert "alice   " in text_of(message, tagged=False)
    single = MESSAGE._replace(channel="dev")
    assert "alice → bob #dev " in text_of(single)
    assert "alice → bob  " in text_of(single, tagged=False)


def test_metadata_stand_on_the_message() -> None:
    message = MESSAGE._replace(metadata={"file": "src/config.py", "line": "15", "commit": "4f2c1ab"})
    assert text_of(message).endswith("▎  src/config.py:15   commit: 4f2c1ab")
    assert text_of(message, 28).endswith("▎  src/config.py:15  +1")
    long = MESSAGE._replace(metadata={"note": "n" * 300, "file": "a.py", "z": "1"})
    assert re.search(r"▎  a.py   note: n{20,}…   z: 1$", text_of(long))


def test_what_was_done_to_a_message_is_said() -> None:
    edited = MESSAGE._replace(edited=Edited(AT, "human", "hallo"))
    assert "alice → bob  edited by human  " in text_of(edited)
    assert "bob  edited  " in text_of(edited._replace(sender="human"))
    passed_on = MESSAGE._replace(metadata={"forwarded": ORIGIN.id})
    assert "bob  forwarded from bob  " in text_of(passed_on, passed_on=ORIGIN)
    assert text_of(passed_on).endswith("▎ hello")
    assert "bob  forwarded  " in text_of(passed_on)
    assert "bob  sent again  " in text_of(MESSAGE._replace(metadata={"resent": ORIGIN.id}))
    assert "bob  answer  " in text_of(MESSAGE._replace(metadata={"answer": "yes"}))
    by_default = MESSAGE._replace(metadata={"answer": "yes", "defaulted": "2026-03-02T10:00:00Z"})
    assert "bob  answer by default  " in text_of(by_default)


def test_a_question_shows_its_choices_and_what_happens_without_an_answer() -> None:
    ask = MESSAGE._replace(
        metadata={"choices": "yes | no", "deadline": "30", "default": "no", "file": "a.py"}
    )
    assert text_of(ask).split("\n")[2:] == [
        "▎  1  yes",
        "▎  2  no",
        "▎ answer by 2026-03-02 10:00:05, or 'no' is taken",
        "▎  a.py",
    ]
    done = ask._replace(deliveries={"bob": Delivery(Status.ACKNOWLEDGED, AT)})
    assert text_of(done).split("\n")[4] == "▎ closed"
    malformed = MESSAGE._replace(metadata={"choices": "yes"})
    assert text_of(malformed).endswith("▎ hello")


def test_the_selected_message_is_markdown_unless_folded() -> None:
    message = MESSAGE._replace(body="a **bold** word")
    assert "a bold word" in text_of(message, selected=True, as_markdown=True)
    assert "a **bold** word" in text_of(message, selected=True)


def test_marked_and_selected_are_drawn_so() -> None:
    assert text_of(MESSAGE, marked=True).startswith("◆ alice")
    assert text_of(MESSAGE, selected=True).startswith("▌ alice")


def found(word: str) -> Highlight:
    return lambda text: [match.span() for match in re.finditer(re.escape(word), text)]


@pytest.mark.parametrize("as_markdown", [False, True])
def test_what_was_searched_for_stands_out_across_lines(as_markdown: bool) -> None:
    body = "one two three\nand\ttwo more " + "x" * 30
    message = MESSAGE._replace(body=body, subject="two things")
    place = Place(above=ABOVE, highlight=found("two"), as_markdown=as_markdown)
    lines = message_lines(message, 24, LOOK, place)
    hits = [text for line in lines for text, style, _ in line.strip if style and style.reverse]
    assert hits == ["two"] * 3
    broken = Place(above=ABOVE, highlight=found("x" * 30))
    hits = [
        text
        for line in message_lines(message, 24, LOOK, broken)
        for text, style, _ in line.strip
        if style and style.reverse
    ]
    assert "".join(hits) == "x" * 30
    assert len(hits) == 2, "the word was broken"


@given(HOSTILE, st.integers(8, 60))
def test_the_text_of_the_lines_is_the_text(body: str, width: int) -> None:
    lines = message_lines(MESSAGE._replace(body=body), width + 2, LOOK, Place(above=ABOVE))
    copied = "".join(line.glue + line.text for line in lines[1:])
    assert copied.rstrip() == f"\n{safe.content(body).plain}".rstrip()
    for line in lines:
        assert line.strip.text[line.at :].startswith(line.text)


def test_the_selected_message_has_its_details() -> None:
    delivery = Delivery(Status.ACKNOWLEDGED, AT, by="human", failures=("pane is gone",))
    message = MESSAGE._replace(
        deliveries={"bob": delivery},
        expires_at=AT + timedelta(minutes=5),
        hops=3,
        metadata={"file": "src/config.py"},
    )
    shown = text_of(message, 110, selected=True, detailed=True)
    assert "id 22222222 · sent 2026-03-02 09:30:05 · expires 2026-03-02 09:35:05 · hop 3" in shown
    assert " src/config.py" in shown
    assert "✓✓ bob acknowledged 2026-03-02 09:30:05 by human · failed 1 times: pane is gone" in shown
    assert shown.startswith("▌ alice")


def test_a_body_of_a_mebibyte_is_cut_and_says_so() -> None:
    message = MESSAGE._replace(body="x" * 2**20)
    shown = text_of(message)
    assert f"… and {2**20 - MAX_CHARACTERS:,} characters more" in shown
    assert shown.count("x") == MAX_CHARACTERS


def test_a_body_of_many_lines_is_cut_and_says_so() -> None:
    shown = text_of(MESSAGE._replace(body="x\n" * 10_000))
    assert shown.count("\n▎ x") == MAX_LINES
    assert "… and 19,001 characters more" in shown
    assert "more" not in text_of(MESSAGE._replace(body="x" + "\n" * 300))


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
        metadata=st.dictionaries(HOSTILE | st.sampled_from(["forwarded", "choices"]), HOSTILE, max_size=2)
        | st.builds(lambda one, two: {"choices": f"{one}|{two}"}, HOSTILE, HOSTILE),
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
    place = Place(origin, ABOVE, selected=selected, detailed=selected, as_markdown=selected, spaced=True)
    for line in message_lines(message, width, LOOK, place):
        assert line.strip.cell_length == width
        assert not RAW.search(line.strip.text), repr(line.strip.text)
        assert not any(style and style.link for _, style, _ in line.strip)


@given(HOSTILE, st.integers(2, 100))
def test_wrapping_loses_no_words(body: str, width: int) -> None:
    kept = "".join("".join(safe.wrap(body, width)).split())
    assert kept == "".join(safe.content(body).plain.split())


@given(st.text("ab \n", max_size=300), st.integers(20, 100))
def test_the_estimate_of_a_height_is_close(body: str, width: int) -> None:
    message = MESSAGE._replace(body=body)
    exact = len(message_lines(message, width, LOOK, Place(above=ABOVE, spaced=True)))
    assert abs(estimated_height(message, width, spaced=True) - exact) <= 2 + body.count("\n") + exact // 2
