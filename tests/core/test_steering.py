"""What humans and senders do to messages that are there: each verb, on a store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from msgcode import BadInput, Message, Refused, Status, Store
from msgcode.events import MessageEdited
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


def statuses(message: Message) -> dict[str, str]:
    return {agent: delivery.status.value for agent, delivery in message.deliveries.items()}


class TestEditing:
    def test_the_text_changes_and_the_first_is_kept(self, store: Store, clock: Clock, room: Path) -> None:
        sent = store.send("ann", "bob", "teh build", subject="CI")
        clock.advance(5)
        edited = store.edit(sent.id, "the build", by="ann")
        assert (edited.body, edited.subject) == ("the build", "CI"), "a subject that is not given stays"
        assert edited.edited
        assert edited.edited == (clock(), "ann", "teh build", "CI")
        again = store.edit(sent.id, "the build is red", subject="", by="eve")
        assert (again.body, again.subject) == ("the build is red", None)
        assert again.edited == (clock(), "eve", "teh build", "CI")
        assert store.inbox("bob") == [again]
        assert store.edit(sent.id, "the build is red", by="eve") == again
        assert [type(event.fact) for event in store.history()].count(MessageEdited) == 2, (
            "no change, no event"
        )
        forget_snapshot(room)
        with Store.open(room, clock=clock) as other:
            assert other.message(sent.id) == again

    def test_it_survives_a_clean_up(self, store: Store, clock: Clock, room: Path) -> None:
        sent = store.send("ann", "bob", "x")
        edited = store.edit(sent.id, "y", by="eve")
        clock.advance(60)
        store.purge()
        with Store.open(room, clock=clock) as other:
            assert other.message(sent.id) == edited

    def test_nobody_may_have_had_it(self, store: Store, clock: Clock) -> None:
        sent = store.broadcast("ann", "api", "x")
        store.claim("bob", "d")
        unchanged(
            store, lambda: store.edit(sent.id, "y", by="ann"), Refused, "being handed to 'bob' just now"
        )
        clock.advance(30)
        store.edit(sent.id, "y", by="ann")
        store.confirm("bob", sent.id, "d")
        unchanged(store, lambda: store.edit(sent.id, "z", by="ann"), Refused, "edited: 'bob' has had it")
        store.discard(sent.id, agent="bob", by="eve")
        unchanged(store, lambda: store.edit(sent.id, "z", by="ann"), Refused, "edited: 'bob' has had it")

    def test_nor_may_it_have_ended(self, store: Store) -> None:
        expired, done = store.send("ann", "bob", "x"), store.send("ann", "bob", "x")
        store.expire(expired.id)
        store.acknowledge("bob", done.id, by="eve")
        unchanged(store, lambda: store.edit(expired.id, "y", by="ann"), Refused, "it has ended")
        unchanged(store, lambda: store.edit(done.id, "y", by="ann"), Refused, "'bob' has had it")

    def test_only_the_sender_and_humans(self, store: Store) -> None:
        sent = store.send("ann", "bob", "x")
        for verb in (
            lambda: store.edit(sent.id, "y", by="bob"),
            lambda: store.prioritize(sent.id, priority="high", by="bob"),
            lambda: store.discard(sent.id, by="bob"),
        ):
            unchanged(store, verb, Refused, f"only a human or its sender may change message {sent.id}")
        unchanged(store, lambda: store.edit(sent.id, "y", by="nobody"), Refused, "'nobody' is not registered")

    def test_what_is_no_text(self, store: Store) -> None:
        sent = store.send("ann", "bob", "x")
        unchanged(store, lambda: store.edit(sent.id, " \n", by="ann"), BadInput, "is empty")
        unchanged(store, lambda: store.edit(sent.id, "x" * 2**20 + "x", by="ann"), BadInput, "1 MiB")
        unchanged(store, lambda: store.edit(sent.id, "y", subject="a\nb", by="ann"), BadInput, "single line")
        unchanged(store, lambda: store.edit("m9999", "y", by="ann"), Refused, "no message 'm9999'")


class TestPriority:
    def test_the_inbox_follows(self, store: Store, room: Path) -> None:
        first, second, third = (store.send("ann", "bob", text) for text in "123")
        store.prioritize(third.id, priority="urgent", by="eve")
        assert [message.body for message in store.inbox("bob")] == ["3", "1", "2"]
        store.prioritize(first.id, priority="urgent", by="ann")
        assert [message.body for message in store.inbox("bob")] == ["1", "3", "2"]
        assert [message.id for message in store.claim("bob", "d", limit=2)] == [first.id, third.id]
        with Store.open(room) as other:
            assert [message.body for message in other.undelivered("bob")] == ["2"]
        assert store.prioritize(second.id, priority="normal", by="ann")[0].priority == "normal"

    def test_not_when_everybody_has_it(self, store: Store) -> None:
        sent = store.broadcast("ann", "api", "x")
        store.check("bob")
        store.prioritize(sent.id, priority="high", by="eve")
        store.check("cy")
        unchanged(
            store, lambda: store.prioritize(sent.id, priority="low", by="eve"), Refused, "waits for nobody"
        )
        unchanged(
            store, lambda: store.prioritize(sent.id, priority="asap", by="eve"), BadInput, "choose urgent"
        )


class TestDiscarding:
    def test_for_one_or_for_all(self, store: Store) -> None:
        sent = store.broadcast("ann", "api", "x")
        (found,) = store.discard(sent.id, agent="bob", by="eve")
        assert statuses(found) == {"bob": "discarded", "cy": "queued"}
        assert found.deliveries["bob"].by == "eve"
        unchanged(store, lambda: store.discard(sent.id, agent="bob", by="eve"), Refused, "ended for 'bob'")
        unchanged(store, lambda: store.discard(sent.id, agent="eve", by="eve"), Refused, "not addressed to")
        (found,) = store.discard(sent.id, by="ann")
        assert statuses(found) == {"bob": "discarded", "cy": "discarded"}
        unchanged(store, lambda: store.discard(sent.id, by="ann"), Refused, "it has ended")

    def test_several_or_none(self, store: Store) -> None:
        mine, read, others = (
            store.send("ann", "bob", "x"),
            store.send("ann", "cy", "x"),
            store.send("bob", "cy", "x"),
        )
        store.check("cy", sender="ann")
        unchanged(store, lambda: store.discard(mine.id, others.id, by="ann"), Refused, "only a human")
        assert [message.ended for message in store.discard(mine.id, read.id, by="ann")] == [True, True]


class TestPassingOn:
    def test_forwarding(self, store: Store) -> None:
        sent = store.send(
            "ann", "bob", "look", subject="S", priority="high", metadata={"file": "a.py:3", "choices": "a|b"}
        )
        (message,) = store.forward(sent.id, to="cy", sender="eve", note="Is that so?")
        assert message.body == "Is that so?\n\nFrom ann, forwarded:\n\nlook"
        assert (message.sender, message.recipients, message.human) == ("eve", ("cy",), True)
        assert (message.subject, message.priority) == ("S", "high")
        assert message.metadata == {"file": "a.py:3", "forwarded": sent.id}, "its question stays behind"
        (message,) = store.forward(sent.id, to="cy", sender="bob", by="eve")
        assert message.body == "From ann, forwarded:\n\nlook"
        unchanged(store, lambda: store.forward("m9999", to="cy", sender="eve"), Refused, "no message 'm9999'")
        unchanged(
            store, lambda: store.forward(sent.id, to="c y", sender="eve"), BadInput, "cannot be an agent id"
        )

    def test_resending_to_those_who_missed_it(self, store: Store, clock: Clock) -> None:
        question = store.send("bob", "ann", "?")
        store.join("api", "eve")
        sent = store.broadcast(
            "ann", "api", "x", ttl=60, subject="S", metadata={"k": "v"}, reply_to=question.id
        )
        store.check("bob")
        store.discard(sent.id, agent="bob", by="eve")
        store.discard(sent.id, agent="cy", by="eve")
        clock.advance(60)
        (again,) = store.resend(sent.id, by="eve")
        assert again.recipients == ("cy",), "bob has had it, and eve's waits to be ended"
        store.expire()
        (again,) = store.resend(sent.id, by="eve")
        assert again.recipients == ("cy", "eve")
        assert (again.sender, again.by, again.human) == ("ann", "eve", True)
        assert (again.body, again.subject, again.channel, again.thread) == ("x", "S", "api", question.id)
        assert (again.reply_to, again.metadata) == (question.id, {"k": "v", "resent": sent.id})
        assert again.expires_at
        assert (again.expires_at - again.sent_at).total_seconds() == 60
        assert store.message(again.id) == again

    def test_resending_to_all_when_nobody_missed_it(self, store: Store) -> None:
        sent = store.broadcast("ann", "api", "x")
        assert store.resend(sent.id, by="ann")[0].recipients == ("bob", "cy")
        unchanged(store, lambda: store.resend(sent.id, by="bob"), Refused, "'bob' is not a human")
        assert Status.QUEUED in statuses(store.message(sent.id)).values()


class TestSeveral:
    def test_all_or_none(self, store: Store) -> None:
        one, two, ended = (store.send("ann", to, "x", ttl=60) for to in ("bob", "cy", "bob"))
        store.discard(ended.id, by="eve")
        ids, all = (one.id, two.id), (one.id, two.id, ended.id)
        agents = {one.id: ["bob"], two.id: ["cy"]}
        for verb, why in (
            (lambda: store.prioritize(*all, priority="low", by="eve"), "waits for nobody"),
            (lambda: store.acknowledge_for({**agents, ended.id: ["bob"]}, "eve"), "it is discarded"),
            (lambda: store.acknowledge_for(agents, "ann"), "'ann' is not a human"),
            (lambda: store.forward(*ids, "m9999", to="cy", sender="eve"), "no message 'm9999'"),
            (lambda: store.resend(*ids, "m9999", by="eve"), "no message 'm9999'"),
        ):
            unchanged(store, verb, Refused, why)
        assert [each.priority for each in store.prioritize(*ids, priority="low", by="eve")] == ["low", "low"]
        forwarded = store.forward(*ids, to="cy", sender="eve")
        assert [each.metadata["forwarded"] for each in forwarded] == [*ids]
        again = store.resend(*ids, by="eve")
        assert [(each.metadata["resent"], each.recipients) for each in again] == [
            (one.id, ("bob",)),
            (two.id, ("cy",)),
        ]
        assert [store.message(each.id) for each in again] == again
        done = store.acknowledge_for(agents, "eve")
        assert [statuses(each) for each in done] == [{"bob": "acknowledged"}, {"cy": "acknowledged"}]
        assert {delivery.by for each in done for delivery in each.deliveries.values()} == {"eve"}
