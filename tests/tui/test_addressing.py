"""Who would speak to whom."""

from __future__ import annotations

import pytest

from msgcode import Agent, Store
from msgcode.model import now
from msgcode_tui.addressing import Address, address
from msgcode_tui.drafts import PLAIN, Options
from msgcode_tui.live import Live
from msgcode_tui.rooms import EVERYTHING, Room, channel_room, pair_room
from tests.tui.test_live import live_of

OTHERS, MINE = pair_room("alice", "bob"), pair_room("bob", "human")


@pytest.fixture
def live(store: Store) -> Live:
    store.register("human", human=True)
    live = live_of(store)
    live.state.agents["Code Fixer"] = Agent("Code Fixer", "Code Fixer", now())
    return live


@pytest.mark.parametrize(
    ("room", "text", "whom", "rest"),
    [
        (MINE, "hi", "bob", "hi"),
        (channel_room("dev"), "hi", "#dev", "hi"),
        (EVERYTHING, "hi", "all 3 agents", "hi"),
        (MINE, "@alice hi", "alice", "hi"),
        (MINE, "@alice: hi", "alice", "hi"),
        (MINE, "@alice\nhi", "alice", "hi"),
        (EVERYTHING, "#dev hi", "#dev", "hi"),
        (OTHERS, "@bob hi", "bob", "hi"),
        (MINE, '@"Code Fixer" hi', "Code Fixer", "hi"),
        (MINE, '@"Code Fixer": hi', "Code Fixer", "hi"),
        (MINE, '@"alice" hi', "alice", "hi"),
        (MINE, '@"Code Fixer hi', "bob", '@"Code Fixer hi'),
        (MINE, " @alice hi", "bob", " @alice hi"),
        (MINE, "# A heading", "bob", "# A heading"),
        (MINE, "@alice's idea", "bob", "@alice's idea"),
        (MINE, "ask @alice", "bob", "ask @alice"),
    ],
)
def test_to_whom(live: Live, room: Room, text: str, whom: str, rest: str) -> None:
    found = address(live, room, text, PLAIN)
    assert (found.who, found.whom, text[found.skip :], found.problem) == ("human", whom, rest, "")


@pytest.mark.parametrize(
    ("room", "text", "problem"),
    [
        (OTHERS, "hi", "Begin with @alice or @bob, or speak as one of them (alt+a)"),
        (MINE, "@alcie hi", "Nobody is registered as 'alcie' (did you mean 'alice'?)."),
        (MINE, "#dve hi", "There is no channel 'dve' (did you mean 'dev'?)."),
        (MINE, "@human hi", "human cannot write to itself."),
        (channel_room("gone"), "hi", "There is no channel 'gone'"),
    ],
)
def test_what_cannot_be_sent(live: Live, room: Room, text: str, problem: str) -> None:
    found = address(live, room, text, PLAIN)
    assert found.problem.startswith(problem)
    if text[0] in "@#":
        assert address(live, room, f" {text}", PLAIN).problem == ""


def test_nobody_is_there() -> None:
    found = address(Live("human", now()), EVERYTHING, "hi", PLAIN)
    assert found.problem == "Nobody else is here yet."


def test_speaking_as_an_agent(live: Live) -> None:
    as_alice = Options(speak_as="alice")
    assert address(live, OTHERS, "hi", as_alice) == Address("alice", "human", ("bob",))
    assert address(live, OTHERS, "hi", as_alice).who == "human as alice"
    assert address(live, EVERYTHING, "hi", as_alice).to == ("bob", "human", "Code Fixer")
    assert address(live, MINE, "hi", Options(speak_as="gone")).problem.startswith("Nobody is registered as")


def test_an_answer_goes_to_who_asked(store: Store, live: Live) -> None:
    asked = store.send("alice", "bob", "?")
    told = store.broadcast("alice", "dev", "!")
    live.advance(event for event in store.history() if event.seq > live.state.seq)
    assert address(live, EVERYTHING, "yes", Options(reply_to=asked.id)).to == ("alice",)
    assert address(live, OTHERS, "yes", Options(reply_to=asked.id, speak_as="alice")).to == ("bob",)
    assert address(live, EVERYTHING, "yes", Options(reply_to=told.id)).channel == "dev"
    assert address(live, EVERYTHING, "@bob yes", Options(reply_to=asked.id)).to == ("bob",)
    assert address(live, MINE, "yes", Options(reply_to=asked.id)).to == ("bob",)
