"""Holds, steps, releases and breakpoints: each verb, on a store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from msgcode import BadInput, Message, Refused, Status, Store
from msgcode.debugger.holds import name, words
from msgcode.journal import file
from tests.core.support import Clock, Ids, forget_snapshot, unchanged


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def room(tmp_path: Path) -> Path:
    return tmp_path / "room"


@pytest.fixture
def store(room: Path, clock: Clock) -> Iterator[Store]:
    with Store.open(room, sync=False, clock=clock, new_id=Ids()) as store:
        for agent in ("ann", "bob", "cy"):
            store.register(agent)
        store.register("eve", human=True)
        store.create_channel("api", "ann")
        store.join("api", "bob")
        store.join("api", "cy")
        yield store


def claimed(store: Store, agent: str) -> list[str]:
    """What a deliverer gets for the agent."""
    return [message.id for message in store.claim(agent, "host")]


def held(store: Store) -> dict[str, tuple[str, ...]]:
    return {item.message.id: item.agents for item in store.held()}


class TestHolding:
    def test_the_whole_room_stops_and_nothing_is_lost(self, store: Store, room: Path, clock: Clock) -> None:
        before = store.send("ann", "bob", "sent before")
        clock.advance(1)
        hold = store.hold("eve", reason="they thank each other")
        after = store.broadcast("ann", "api", "sent after")
        assert claimed(store, "bob") == claimed(store, "cy") == []
        assert store.check("bob") == []
        assert store.undelivered("bob") == []
        assert [message.id for message in store.inbox("bob")] == [before.id, after.id], "they can be seen"
        assert held(store) == {before.id: ("bob",), after.id: ("bob", "cy")}
        assert store.holds() == [hold]
        assert words(hold) == "hold 1 on everything, placed by eve: they thank each other"

        store.close()
        with Store.open(room, sync=False, clock=clock) as again:
            assert claimed(again, "bob") == []
            assert again.release("eve") == [hold]
            assert claimed(again, "bob") == [before.id, after.id]
            assert claimed(again, "cy") == [after.id]
            assert again.holds() == []

    def test_a_snapshot_and_a_clean_up_keep_it(self, store: Store, room: Path, clock: Clock) -> None:
        rule = store.add_breakpoint("eve", sender="cy")
        hold = store.hold("eve", agent="bob")
        stopped = store.send("cy", "ann", "stopped")
        store.purge()
        forget_snapshot(room)
        with Store.open(room, sync=False, clock=clock) as again:
            assert again.holds() == store.holds()
            assert hold in again.holds()
            assert again.breakpoints() == [rule._replace(hits=1)]
            assert held(again) == {stopped.id: ("ann",)}

    def test_a_clean_up_of_what_is_old_keeps_the_order(
        self, store: Store, room: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(file, "SEGMENT_BYTES", 300)
        rule = store.add_breakpoint("eve", sender="cy")
        hold = store.hold("eve", agent="bob")
        clock.advance(100)
        younger, later = store.add_breakpoint("eve", sender="cy"), store.hold("eve", agent="ann")
        store.purge(older_than=50)
        forget_snapshot(room)
        with Store.open(room, sync=False, clock=clock) as again:
            assert again.breakpoints() == [rule, younger]
            assert again.holds() == [hold, later]

    def test_an_agent(self, store: Store) -> None:
        store.hold("eve", agent="bob")
        to, by, others = (store.send(*pair, "x") for pair in (("ann", "bob"), ("bob", "ann"), ("ann", "cy")))
        assert held(store) == {to.id: ("bob",), by.id: ("ann",)}
        assert claimed(store, "cy") == [others.id]

    def test_a_pair(self, store: Store) -> None:
        hold = store.hold("eve", agent="ann", peer="bob")
        assert store.hold("eve", agent="bob", peer="ann") == hold, "it is the same pair"
        there, back = store.send("ann", "bob", "x"), store.send("bob", "ann", "x")
        store.send("ann", "cy", "x")
        assert list(held(store)) == [there.id, back.id]

    def test_a_thread(self, store: Store) -> None:
        first = store.send("ann", "bob", "x")
        answer = store.send("bob", "ann", "x", reply_to=first.id)
        store.send("ann", "bob", "another")
        store.hold("eve", thread=first.id)
        assert list(held(store)) == [first.id, answer.id]

    def test_a_channel(self, store: Store) -> None:
        posted = store.broadcast("ann", "api", "x")
        store.send("ann", "bob", "x")
        store.hold("eve", channel="api")
        assert held(store) == {posted.id: ("bob", "cy")}

    def test_one_message(self, store: Store) -> None:
        first, second = store.send("ann", "bob", "x"), store.send("ann", "bob", "y")
        hold = store.hold("eve", message=first.id)
        assert claimed(store, "bob") == [second.id]
        store.discard(first.id, by="eve")
        assert store.holds() == [], "a hold on what has ended is none"
        assert name(hold) == f"message {first.id[:8]}"

    def test_what_is_being_handed_over_is_not_called_back(self, store: Store) -> None:
        message = store.send("ann", "bob", "x")
        store.claim("bob", "host")
        store.hold("eve")
        assert store.confirm("bob", message.id, "host").deliveries["bob"].status is Status.DELIVERED

    def test_a_human_hears_all_the_same(self, store: Store) -> None:
        store.hold("eve")
        asked = store.send("ann", "eve", "may I?")
        assert [message.id for message in store.check("eve")] == [asked.id]

    def test_what_is_held_does_not_expire(self, store: Store, clock: Clock) -> None:
        message = store.send("ann", "bob", "x", ttl=60)
        store.hold("eve")
        clock.advance(600)
        assert store.expire() == []
        assert claimed(store, "bob") == []
        store.release("eve")
        assert claimed(store, "bob") == [message.id], "it was the human who kept it for so long"

    def test_to_hold_twice_changes_nothing(self, store: Store) -> None:
        hold = store.hold("eve", agent="bob")
        before = len(list(store.history()))
        assert store.hold("eve", agent="bob") == hold
        assert len(list(store.history())) == before

    @pytest.mark.parametrize(
        ("scope", "kind", "sentence"),
        [
            ({"agent": "bo"}, Refused, "agent 'bo' is not registered .did you mean 'bob'"),
            ({"agent": "ann", "peer": "bo"}, Refused, "agent 'bo' is not registered"),
            ({"channel": "apis"}, Refused, "there is no channel 'apis'"),
            ({"message": "nope"}, Refused, "message nope cannot be held"),
            ({"agent": "ann", "channel": "api"}, BadInput, "name one of these"),
            ({"peer": "ann"}, BadInput, "name one of these"),
            ({"reason": "two\nlines"}, BadInput, "a reason"),
        ],
    )
    def test_bad_input(
        self, store: Store, scope: dict[str, str], kind: type[Refused | BadInput], sentence: str
    ) -> None:
        unchanged(store, lambda: store.hold("eve", **scope), kind, sentence)

    @pytest.mark.parametrize("verb", ["hold", "release", "step"])
    def test_only_humans_may(self, store: Store, verb: str) -> None:
        unchanged(store, lambda: getattr(store, verb)("ann"), Refused, "'ann' is not a human")
        unchanged(store, lambda: getattr(store, verb)("nobody"), Refused, "'nobody' is not registered")


class TestStepping:
    def test_exactly_one_goes(self, store: Store) -> None:
        store.hold("eve")
        first, second = store.send("ann", "bob", "x"), store.send("ann", "cy", "y")
        assert store.step("eve").id == first.id
        assert claimed(store, "bob") == [first.id]
        assert claimed(store, "cy") == []
        assert held(store) == {second.id: ("cy",)}

    def test_the_most_urgent_goes_first(self, store: Store) -> None:
        store.hold("eve")
        store.send("ann", "bob", "x")
        urgent = store.send("ann", "bob", "y", priority="urgent")
        assert store.step("eve").id == urgent.id

    def test_within_a_scope(self, store: Store) -> None:
        store.hold("eve")
        posted = store.broadcast("ann", "api", "x")
        store.step("eve", agent="cy")
        assert claimed(store, "cy") == [posted.id]
        assert claimed(store, "bob") == []

    def test_one_that_is_chosen(self, store: Store) -> None:
        store.hold("eve")
        store.send("ann", "bob", "x")
        chosen = store.send("ann", "bob", "y")
        store.step("eve", message=chosen.id)
        assert claimed(store, "bob") == [chosen.id]

    def test_it_stays_let_through_after_a_failure(self, store: Store) -> None:
        store.hold("eve")
        message = store.send("ann", "bob", "x", ttl=60)
        store.step("eve")
        store.claim("bob", "host")
        store.fail("bob", message.id, "host", "busy")
        assert claimed(store, "bob") == [message.id]

    def test_a_later_hold_stops_it_again(self, store: Store, clock: Clock) -> None:
        store.hold("eve")
        message = store.send("ann", "bob", "x")
        store.step("eve")
        clock.advance(1)
        store.hold("eve", agent="bob")
        assert held(store) == {message.id: ("bob",)}

    def test_nothing_is_held(self, store: Store) -> None:
        store.send("ann", "bob", "x")
        unchanged(store, lambda: store.step("eve"), Refused, "nothing is held")
        store.hold("eve", agent="cy")
        unchanged(store, lambda: store.step("eve", agent="bob"), Refused, "nothing is held for bob")


class TestReleasing:
    def test_one_of_several(self, store: Store) -> None:
        everything, one = store.hold("eve"), store.hold("eve", agent="bob")
        message = store.send("ann", "bob", "x")
        store.send("ann", "cy", "y")
        assert store.release("eve", everything.number) == [everything]
        assert list(held(store)) == [message.id]
        assert store.release("eve", agent="bob") == [one]
        assert held(store) == {}

    def test_edited_before(self, store: Store) -> None:
        store.hold("eve")
        message = store.send("ann", "bob", "rm -rf /")
        store.edit(message.id, "rm -rf build/", by="eve")
        store.release("eve")
        (given,) = store.claim("bob", "host")
        assert given.body == "rm -rf build/"
        assert given.edited
        assert given.edited.body == "rm -rf /"

    def test_what_is_late_goes_when_nothing_else_holds_it(self, store: Store, clock: Clock) -> None:
        message = store.send("ann", "bob", "x", ttl=60)
        everything = store.hold("eve")
        store.hold("eve", agent="bob")
        clock.advance(600)
        store.release("eve", everything.number)
        assert claimed(store, "bob") == []
        store.release("eve")
        assert claimed(store, "bob") == [message.id]

    def test_no_such_hold(self, store: Store) -> None:
        assert store.release("eve") == []
        unchanged(store, lambda: store.release("eve", 4), Refused, "no hold 4: nothing is held")
        store.hold("eve")
        unchanged(store, lambda: store.release("eve", 4), Refused, "no hold 4: there are 1")
        unchanged(store, lambda: store.release("eve", agent="bob"), Refused, "there is no hold on bob")


class TestMoving:
    def send(self, store: Store, *bodies: str, priority: str = "normal") -> list[Message]:
        return [store.send("ann", "bob", body, priority=priority) for body in bodies]

    def order(self, store: Store) -> list[str]:
        return [message.body for message in store.inbox("bob")]

    def test_before_another(self, store: Store, room: Path) -> None:
        one, _, three = self.send(store, "1", "2", "3")
        store.move(three.id, one.id, by="eve")
        assert self.order(store) == ["3", "1", "2"]
        store.move(one.id, three.id, by="ann")
        assert self.order(store) == ["1", "3", "2"]
        store.hold("eve")
        assert store.step("eve").body == "1"
        assert [item.message.body for item in store.held()] == ["3", "2"]
        store.close()
        with Store.open(room, sync=False) as again:
            assert self.order(again) == ["1", "3", "2"]

    def test_to_another_priority(self, store: Store) -> None:
        (low,) = self.send(store, "low", priority="low")
        _, second = self.send(store, "1", "2")
        assert store.move(low.id, second.id, by="eve").priority == "normal"
        assert self.order(store) == ["1", "low", "2"]

    def test_refused(self, store: Store) -> None:
        one, two = self.send(store, "1", "2")
        other = store.send("ann", "cy", "3")
        unchanged(store, lambda: store.move(one.id, two.id, by="bob"), Refused, "only a human or its sender")
        unchanged(store, lambda: store.move(one.id, other.id, by="eve"), Refused, "nobody in common")
        unchanged(store, lambda: store.move(one.id, one.id, by="eve"), BadInput, "before itself")
        store.check("bob", limit=1)
        unchanged(store, lambda: store.move(one.id, two.id, by="eve"), Refused, "it waits for nobody")


class TestBreakpoints:
    def test_stops_what_is_sent_from_now_on(self, store: Store) -> None:
        rule = store.add_breakpoint("eve", text="rm -rf")
        fine, bad = store.send("ann", "bob", "make clean"), store.send("ann", "bob", "now rm -rf /")
        (hold,) = store.holds()
        assert (hold.message, hold.breakpoint) == (bad.id, rule.number)
        assert words(hold) == "breakpoint 1, set by eve: --text rm -rf"
        assert claimed(store, "bob") == [fine.id]
        assert store.breakpoints()[0].hits == 1

    def test_stops_what_waits_already_when_it_is_handed_over(self, store: Store) -> None:
        early, fine = store.send("ann", "bob", "x"), store.send("cy", "bob", "y")
        store.add_breakpoint("eve", sender="ann")
        assert claimed(store, "bob") == [fine.id]
        assert held(store) == {early.id: ("bob",)}

    def test_stops_what_the_agent_would_read(self, store: Store) -> None:
        store.send("ann", "bob", "x")
        store.add_breakpoint("eve", to="bob")
        assert store.check("bob") == []

    def test_released_it_is_not_stopped_again(self, store: Store) -> None:
        store.add_breakpoint("eve", to="bob")
        one, two = store.send("ann", "bob", "x"), store.send("ann", "bob", "y")
        store.release("eve", message=one.id)
        assert claimed(store, "bob") == [one.id]
        store.step("eve", message=two.id)
        assert claimed(store, "bob") == [two.id]

    def test_a_release_does_not_lift_other_holds(self, store: Store) -> None:
        store.add_breakpoint("eve", to="bob")
        message = store.send("ann", "bob", "x")
        store.hold("eve")
        store.release("eve", message=message.id)
        assert claimed(store, "bob") == []
        store.release("eve")
        assert claimed(store, "bob") == [message.id]

    def test_once(self, store: Store) -> None:
        store.add_breakpoint("eve", to="bob", once=True)
        first, second = store.send("ann", "bob", "x"), store.send("ann", "bob", "y")
        assert list(held(store)) == [first.id]
        assert claimed(store, "bob") == [second.id]
        (rule,) = store.breakpoints()
        assert (rule.enabled, rule.hits) == (False, 1)

    def test_disabled_and_removed(self, store: Store) -> None:
        rule = store.add_breakpoint("eve", to="bob")
        store.switch_breakpoint(rule.number, False, "eve")
        passes = store.send("ann", "bob", "x")
        assert claimed(store, "bob") == [passes.id]
        store.switch_breakpoint(rule.number, True, "eve")
        stopped = store.send("ann", "bob", "y")
        store.remove_breakpoint(rule.number, "eve")
        assert list(held(store)) == [stopped.id], "what was stopped waits on"
        assert store.breakpoints() == []

    def test_a_budget_for_an_agent(self, store: Store, room: Path) -> None:
        store.add_breakpoint("eve", to="bob", budget=100)
        store.broadcast("ann", "api", "x" * 60)
        store.check("cy")
        assert store.breakpoints()[0].spent == 0, "only what has reached bob counts"
        store.check("bob")
        assert store.breakpoints()[0].spent == 60
        fits = store.send("ann", "bob", "x" * 40)
        store.check("bob")
        beyond = store.send("ann", "bob", "x")
        assert list(held(store)) == [beyond.id]
        assert store.message(fits.id).deliveries["bob"].status is Status.DELIVERED
        store.purge()
        forget_snapshot(room)
        with Store.open(room, sync=False) as again:
            assert again.breakpoints()[0].spent == 100

    def test_a_budget_for_a_thread_counts_each_recipient(self, store: Store) -> None:
        first = store.broadcast("ann", "api", "x" * 10)
        store.add_breakpoint("eve", thread=first.id, budget=25)
        assert claimed(store, "bob") == [first.id]
        store.confirm("bob", first.id, "host")
        store.check("cy")
        answer = store.send("bob", "ann", "x" * 6, reply_to=first.id)
        assert list(held(store)) == [answer.id]

    def test_a_guard_holds_the_message_that_makes_a_loop(self, store: Store) -> None:
        store.add_breakpoint("eve", loops=True)
        asked = store.send("eve", "ann", "Please tell bob that the build is green.")
        store.check("ann")
        sent = [asked]
        for count in range(20):
            sender, to = ("ann", "bob") if count % 2 == 0 else ("bob", "ann")
            sent.append(
                store.send(sender, to, "Thanks, great work!", reply_to=sent[-1].id if count else None)
            )
            if store.holds():
                break
            store.acknowledge(to, store.check(to)[0].id)
        assert 4 <= len(sent) < 12
        assert held(store) == {sent[-1].id: (to,)}
        store.send("eve", to, "Now fix core/api.py line 15, it leaks a file handle.")
        store.check(to)
        free = store.send(to, sender, "It was opened twice in read_config; both are closed now.")
        assert free.id not in held(store)

    def test_a_message_to_humans_alone_is_not_stopped(self, store: Store) -> None:
        store.add_breakpoint("eve", sender="ann")
        store.send("ann", "eve", "x")
        assert store.holds() == []

    @pytest.mark.parametrize(
        ("rule", "sentence"),
        [
            ({}, "a breakpoint must say what it stops"),
            ({"text": "(a"}, "'.a' is not a regular expression: missing ."),
            ({"text": "(?=a)b"}, "is not a regular expression: invalid perl operator"),
            ({"text": ""}, "a pattern must have 1 to 1000 characters"),
            ({"text": "a" * 1001}, "a pattern must have 1 to 1000 characters"),
            ({"budget": 0}, "a budget must be 1 character"),
            ({"hops": 0}, "a number of hops must be 1 or more"),
            ({"sender": "a b"}, "an agent"),
            ({"priority": "very"}, "very"),
        ],
    )
    def test_bad_input(self, store: Store, rule: dict[str, str], sentence: str) -> None:
        unchanged(store, lambda: store.add_breakpoint("eve", **rule), BadInput, sentence)  # type: ignore[arg-type]

    def test_no_such_breakpoint(self, store: Store) -> None:
        unchanged(
            store, lambda: store.remove_breakpoint(2, "eve"), Refused, "no breakpoint 2: there are none"
        )
        store.add_breakpoint("eve", to="bob")
        unchanged(store, lambda: store.switch_breakpoint(2, True, "eve"), Refused, "there are 1")
        unchanged(store, lambda: store.remove_breakpoint(1, "ann"), Refused, "'ann' is not a human")
