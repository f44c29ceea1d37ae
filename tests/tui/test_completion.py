"""What a word may become."""

from __future__ import annotations

from time import process_time

import pytest

from msgcode import Agent, Store
from msgcode.model import now
from msgcode_tui.completion import MAX_CHOICES, complete
from msgcode_tui.fuzzy import match
from msgcode_tui.live import Live
from tests.tui.test_live import live_of


@pytest.fixture
def live(store: Store) -> Live:
    store.register("albert", description="writes the tests")
    return live_of(store)


def words(before: str, live: Live) -> list[str]:
    return [choice.text for choice in complete(before, live).choices]


@pytest.mark.parametrize(
    ("before", "found"),
    [
        ("", []),
        ("hello", []),
        ("@", ["@alice", "@bob", "@albert"]),
        ("ask @bo", ["@bob"]),
        ("@bt", ["@albert"]),
        ("@TESTS", []),
        ("@bob", []),
        ("mail me@bo", []),
        ("#", ["#dev"]),
        ("see #v", ["#dev"]),
        ("/m", ["/msg"]),
        ("/msg ", ["register", "unregister", "send", "broadcast"]),
        ("/msg chan", ["channel create", "channel join", "channel leave", "channel list"]),
        ("/msg channel jo", ["channel join"]),
        ("/msg channel join ", ["dev"]),
        ("/msg check ali", ["alice"]),
        ("/msg send al", ["alice", "albert"]),
        ("/msg send --priority ", ["urgent", "high", "normal", "low"]),
        ("/msg send --priority hi", ["high"]),
        ("/msg send --prio", ["--priority"]),
        ("/msg send bob --sub", ["--subject"]),
        ("/msg send bob hello", []),
        ("/msg send bob hello --sub", []),
        ("/msg broadcast --ttl 5 d", ["dev"]),
        ("/msgs", []),
    ],
)
def test_words(live: Live, before: str, found: list[str]) -> None:
    assert words(before, live)[: len(found) or None] == found


def test_what_is_known_is_searched_too(live: Live) -> None:
    assert words("/msg check tests", live) == ["albert"]


def test_messages_by_id_and_by_what_they_say(store: Store, live: Live) -> None:
    first = store.send("alice", "bob", "The build is red.")
    second = store.send("bob", "alice", "Fixed.", subject="Green again")
    live.advance(event for event in store.history() if event.seq > live.state.seq)
    assert words("/msg ack ", live) == [second.id[:8], first.id[:8]]
    assert words(f"/msg ack x {first.id[:5]}", live) == [first.id[:8]]
    assert words("/msg show green", live) == [second.id[:8]]
    assert words("/msg send --reply-to red", live) == [first.id[:8]]


def test_the_place_of_the_word(live: Live) -> None:
    assert complete("ask @bo", live).start == 4
    assert complete("/msg channel jo", live).start == 5
    assert complete("/msg check al", live).start == 11


def test_hostile_ids_are_not_offered(live: Live) -> None:
    for id in ("\x1b]52;c;eA==\x07", "x" * 100, 'a"b', "a\\b", "-a", "@a", " a", "a\u202eb", "a\nb"):
        live.state.agents[id] = Agent(id, id, now())
    assert words("@", live) == ["@alice", "@bob", "@albert"]


@pytest.mark.parametrize(
    ("before", "found", "start"),
    [
        ("@code", ['@"Code Fixer"'], 0),
        ('ask @"Code F', ['@"Code Fixer"'], 4),
        ('@"Code Fixer"', [], 0),
        ('@"Code Fixer" and @bo', ["@bob"], 18),
        ("/msg send code", ['"Code Fixer"'], 10),
        ('/msg send "Code F', ['"Code Fixer"'], 10),
        ('/msg unregister "Code Fixer"', [], 16),
        ('/msg send --priority high "Code F', ['"Code Fixer"'], 26),
        ('/msg send "Code Fixer" "a b', [], 23),
        ('/msg forward m "Code Fixer" bo', [], 28),
    ],
)
def test_names_in_quotes(live: Live, before: str, found: list[str], start: int) -> None:
    live.state.agents["Code Fixer"] = Agent("Code Fixer", "Code Fixer", now())
    completion = complete(before, live)
    assert ([choice.text for choice in completion.choices], completion.start) == (found, start)


def test_many_and_misleading_names_take_no_time(live: Live) -> None:
    for number in range(1000):
        live.state.agents[f"{'ab' * 28}{number}"] = Agent(f"{'ab' * 28}{number}", "x", now())
    began = process_time()
    assert words(f"@{'a' * 20}", live) == []
    assert len(words("@ab", live)) == MAX_CHOICES
    assert process_time() - began < 2


def test_matching() -> None:
    assert match("", "anything") > 0
    assert match("rv", "Reviewer") > 0
    assert match("rev", "reviewer") > match("rev", "r-e-v")
    assert match("xyz", "reviewer") == 0
