"""A question's choices as lines of a terminal. Pure."""

from __future__ import annotations

from rich.segment import Segment

from msgcode.questions import Question
from msgcode_tui import safe, times
from msgcode_tui.widgets.look import Look


def question_lines(question: Question, width: int, look: Look) -> list[list[Segment]]:
    """A line for each choice, with the key that chooses it, then what happens if nobody answers."""
    closed = question.message.ended
    lines: list[list[Segment]] = []
    for number, choice in enumerate(question.choices, 1):
        key = Segment(f" {number} ", look.muted if closed else look.key)
        text = safe.fit(choice, width - 4)
        lines.append([key, Segment(" ", look.body), Segment(text, look.muted if closed else look.subject)])
    words = "closed" if closed else unanswered(question)
    return lines + [[Segment(line, look.muted)] for line in safe.wrap(safe.line(words), width) if line]


def unanswered(question: Question) -> str:
    """What happens if nobody answers; "" if nothing does."""
    if question.deadline:
        otherwise = f", or {question.default!r} is taken" if question.default else ""
        return f"answer by {times.moment(question.deadline)}{otherwise}"
    return f"{question.default!r} is safe" if question.default else ""
