"""Journals as msgcode writes them, for tests that need one with a given content."""

from __future__ import annotations

from msgcode.codec import encode_facts, encode_line
from msgcode.events import Event, Fact


def written(events: list[Event]) -> list[bytes]:
    """The lines of one change, as the journal writes them."""
    facts = [event.fact for event in events if isinstance(event.fact, Fact)]
    return [
        encode_line(event.seq, event.at, fact)
        for event, fact in zip(events, encode_facts(facts), strict=True)
    ]
