"""What rules would have done to what was said."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from msgcode import Message, Store
from msgcode.debugger.backtest import backtest_breakpoint, backtest_loops, sent_messages
from msgcode.debugger.findings import Ended, Kind, Limits
from msgcode.events import AgentRegistered, Event, LineDamaged, MessageSent, Unknown
from msgcode.model import Breakpoint, Priority
from tests.core.debugger.support import chain, taking_turns
from tests.core.support import START, Ids
from tests.troubles import HEALTHY, TROUBLES

OFFERS = ["Please go ahead with the rebase, I wait.", "No, please, go ahead with the rebase, I wait."]


def events(messages: list[Message]) -> list[Event]:
    """The journal of these messages, and of what else may be in one."""
    found = [
        Event(1, START, AgentRegistered("ann", "ann")),
        Event(1, START, LineDamaged("a", 1, "torn")),
        Event(2, START, Unknown("new", {})),
    ]
    for message in messages:
        fact = MessageSent(
            message.id,
            message.sender,
            message.recipients,
            message.body,
            message.thread,
            cause=message.cause,
            reply_to=message.reply_to,
            human=message.human,
        )
        found.append(Event(message.seq, message.sent_at, fact))
    return found


def test_a_guard_holds_from_where_it_fires() -> None:
    messages = chain(taking_turns(OFFERS, 20))
    tested = backtest_loops(events(messages))
    assert tested.messages == 20
    (firing,) = tested.firings
    place = [message.id for message in messages].index(firing.message)
    assert 4 <= place <= 8
    assert firing.at == messages[place].sent_at
    assert firing.held == tuple(message.id for message in messages[place:]) == tested.held
    assert firing.finding
    assert (firing.finding.kind, firing.finding.agents) == (Kind.REPEAT, ("ann", "bob"))


def test_what_does_not_repeat_is_held_too() -> None:
    messages = chain(taking_turns(OFFERS, 14))
    news = messages[11]._replace(body="core/config.py has both keys in 9f31c2e.")
    aside = messages[12]._replace(id="aside", sender="eve", cause=None)
    tested = backtest_loops(events([*messages[:11], news, aside, *messages[12:]]))
    assert news.id in tested.held, "it is among the agents of a loop that is held"
    assert aside.id not in tested.held


def test_a_human_lets_them_go() -> None:
    messages = chain(taking_turns(OFFERS, 12))
    human = messages[-1]._replace(id="human", seq=13, sender="human", human=True, cause=None)
    news = messages[-1]._replace(id="news", seq=14, body="core/config.py is rebased.", cause="human")
    (firing,) = backtest_loops(events([*messages, human, news])).firings
    assert firing.held[-1] == messages[-1].id
    assert firing.finding
    assert firing.finding.ended is Ended.HUMAN


def test_time_lets_them_go() -> None:
    messages = chain(taking_turns(OFFERS, 12))
    late = messages[-1]._replace(
        id="late",
        seq=13,
        body="core/config.py is rebased.",
        sent_at=messages[-1].sent_at + timedelta(hours=2),
    )
    (firing,) = backtest_loops(events([*messages, late])).firings
    assert "late" not in firing.held
    assert firing.finding
    assert firing.finding.ended is Ended.QUIET


def test_limits_are_obeyed() -> None:
    journal = events(chain(taking_turns(OFFERS, 20)))
    assert backtest_loops(journal, Limits(repeats=99, rounds=99)).firings == ()
    early, late = (backtest_loops(journal, Limits(repeats=repeats, rounds=99)).held for repeats in (4, 10))
    assert early[-len(late) :] == late
    assert len(early) == len(late) + 6


@pytest.mark.parametrize("name", HEALTHY)
def test_a_guard_leaves_healthy_rooms_alone(name: str, tmp_path: Path) -> None:
    with HEALTHY[name](tmp_path / "room").open() as store:
        tested = backtest_loops(store.history())
    assert tested.messages > 50
    assert (tested.firings, tested.held) == ((), ())


@pytest.mark.parametrize("name", ["ping-pong thanks", "triangle", "polite waiting", "storm"])
def test_a_guard_would_have_stopped_recorded_loops(name: str, tmp_path: Path) -> None:
    recorded = TROUBLES[name](tmp_path / "room")
    with recorded.open() as store:
        tested = backtest_loops(store.history())
    assert len(tested.firings) == 1
    assert set(tested.held) <= set(recorded.messages)
    assert len(tested.held) >= len(recorded.messages) / 3


RULE = Breakpoint(0, START, "eve")


def test_a_breakpoint() -> None:
    messages = chain(taking_turns(["Deploy {turn}", "Wait"], 6))
    tested = backtest_breakpoint(lambda: events(messages), RULE._replace(text="^Deploy"))
    assert tested.messages == 6
    assert tested.held == ("m0001", "m0003", "m0005")
    assert [(firing.message, firing.at) for firing in tested.firings] == [
        (message.id, message.sent_at) for message in messages[::2]
    ]
    once = backtest_breakpoint(lambda: events(messages), RULE._replace(text="^Deploy", once=True))
    assert once.held == ("m0001",)


def test_a_guard_for_one_agent() -> None:
    messages = chain(taking_turns(OFFERS, 20))
    whole = backtest_breakpoint(lambda: events(messages), RULE._replace(loops=True))
    assert whole == backtest_loops(events(messages))
    (firing,) = backtest_breakpoint(lambda: events(messages), RULE._replace(loops=True, to="bob")).firings
    assert firing.held == tuple(id for id in whole.held if int(id[1:]) % 2)
    assert firing.message == firing.held[0]
    assert firing.finding == whole.firings[0].finding
    nobody = backtest_breakpoint(lambda: events(messages), RULE._replace(loops=True, to="eve"))
    assert (nobody.messages, nobody.firings) == (20, ())


def test_the_same_as_a_breakpoint_does(tmp_path: Path) -> None:
    """Whatever the rule: what it would have stopped in one room is what it stops in another."""
    rules: list[dict[str, Any]] = [
        {"to": "bob", "budget": 25},
        {"budget": 25},
        {"sender": "ann", "text": "x{5}"},
        {"to": "human"},
        {"hops": 1},
        {"priority": Priority.HIGH, "once": True},
    ]
    for number, parts in enumerate(rules):
        with Store.open(tmp_path / f"{number}", sync=False, new_id=Ids()) as live:
            play(live, **parts)
            stopped = [held.message.id for held in live.held()]
        with Store.open(tmp_path / "past", sync=False, new_id=Ids()) as past:
            if number == 0:
                play(past)
            tested = backtest_breakpoint(past.history, RULE._replace(**parts))
        assert sorted(tested.held) == stopped, parts
        assert bool(stopped) == ("human" not in parts.values())


def play(store: Store, **parts: Any) -> None:
    """A small exchange, in which what waits is read as it comes; with a breakpoint, if one is given."""
    store.register("human", human=True)
    for agent in ("ann", "bob", "cy"):
        store.register(agent)
    if parts:
        store.add_breakpoint("human", **parts)
    for count in range(4):
        store.send("ann", "bob", "x" * (3 * count + 2), priority="high" if count % 2 else "normal")
        store.send("cy", "bob", "y" * 5)
        for message in [*store.claim("bob", "host"), *store.check("bob")]:
            store.confirm("bob", message.id, "host")
        store.send("cy", "human", "Is that right?")
    store.check("human")
    store.send("human", "ann", "Go on.")
    store.check("ann")
    store.send("ann", "cy", "Told to.")
    store.check("cy")
    store.send("cy", "ann", "So was I.")


def test_messages_are_as_they_were_sent(tmp_path: Path) -> None:
    with TROUBLES["lost recipient"](tmp_path / "room").open() as store:
        store.register("eve", human=True)
        (lost,) = [message for message in store.messages() if message.recipients == ("reveiwer",)]
        store.edit(lost.id, "Another text", by="eve")
        bodies = [message.body for message in sent_messages(store.history())]
    assert lost.body in bodies
    assert "Another text" not in bodies
