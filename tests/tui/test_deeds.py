"""What the user does in a store, and what is left of it once it has been undone."""

from __future__ import annotations

import pytest

from msgcode import Message, Priority, Refused, Status, Store
from msgcode.model import Session
from msgcode_tui import deeds
from msgcode_tui.deeds import Deed


@pytest.fixture(autouse=True)
def me(store: Store) -> str:
    store.register("human", human=True)
    return "human"


def back(deed: Deed) -> str:
    assert not isinstance(deed.back, str)
    return deed.back()


def statuses(store: Store, message: Message) -> dict[str, Status]:
    return {agent: each.status for agent, each in store.message(message.id).deliveries.items()}


def test_a_sending_is_undone_where_it_waits(store: Store) -> None:
    message = store.broadcast("human", "dev", "hello")
    store.check("alice")
    undone = back(deeds.sent(store, "human", [message]))
    assert undone == "Undone: the sending to bob. For alice it was too late."
    assert statuses(store, message) == {"alice": Status.DELIVERED, "bob": Status.DISCARDED}


def test_a_sending_that_is_under_way_may_arrive(store: Store) -> None:
    message = store.send("human", "bob", "hello")
    store.claim("bob", "host")
    undone = back(deeds.sent(store, "human", [message]))
    assert "It was just being handed to bob, and may arrive all the same." in undone


def test_what_has_arrived_cannot_be_withdrawn(store: Store) -> None:
    message = store.send("human", "bob", "hello")
    store.check("bob")
    with pytest.raises(Refused, match="past waiting for bob"):
        back(deeds.sent(store, "human", [message]))
    assert statuses(store, message) == {"bob": Status.DELIVERED}


def test_forwarding_and_sending_again_are_undone(store: Store) -> None:
    first = store.send("alice", "bob", "hello")
    deed = deeds.forward(store, "human", [first], "alice", "look")
    assert deed.said == "Forwarded to alice: 1 message."
    assert store.messages()[-1].body == "look\n\nFrom alice, forwarded:\n\nhello"
    assert back(deed) == "Undone: the sending to alice."
    deed = deeds.resend(store, "human", [first])
    (again,) = [message for message in store.messages() if message.id != first.id]
    assert (again.sender, again.by, again.metadata) == ("alice", "human", {"resent": first.id})
    assert back(deed) == "Undone: the sending to bob."
    assert statuses(store, first) == {"bob": Status.QUEUED}


def test_what_ends_a_message_stays(store: Store) -> None:
    one, two, three = (store.send("alice", "bob", text) for text in "123")
    deed = deeds.acknowledge(store, "human", [(one, "bob")])
    assert deed.said == "Acknowledged for bob: 1 message."
    assert store.message(one.id).deliveries["bob"].by == "human"
    ends = (deed, deeds.discard(store, "human", [two]), deeds.expire(store, "human", [three]))
    assert all(isinstance(each.back, str) for each in ends)
    assert [*statuses(store, two).values(), *statuses(store, three).values()] == ["discarded", "expired"]


def test_a_priority_is_undone_unless_it_was_changed_since(store: Store) -> None:
    one, two = (store.send("alice", "bob", text) for text in "12")
    deed = deeds.prioritize(store, "human", [one, two], Priority.URGENT)
    store.prioritize(two.id, priority="low", by="alice")
    assert back(deed) == "Undone: the priority is normal again."
    assert [store.message(each.id).priority for each in (one, two)] == ["normal", "low"]
    with pytest.raises(Refused, match="changed again"):
        back(deed)


def test_an_edit_is_undone_unless_it_was_changed_since(store: Store) -> None:
    one = store.send("alice", "bob", "old", subject="S")
    deed = deeds.edit(store, "human", one, "new", "")
    edited = store.message(one.id)
    assert (edited.body, edited.subject) == ("new", None)
    assert back(deed) == "Undone: the message is as it was before."
    undone = store.message(one.id)
    assert (undone.body, undone.subject) == ("old", "S")
    deed = deeds.edit(store, "human", undone, "newer", "S")
    store.edit(one.id, "newest", by="alice")
    with pytest.raises(Refused, match="changed again"):
        back(deed)
    assert store.message(one.id).body == "newest"


def test_joining_and_leaving_are_undone(store: Store) -> None:
    assert back(deeds.join(store, "human", "dev", "human")) == "Undone: human is no longer in #dev."
    assert back(deeds.leave(store, "human", "dev", "bob")) == "Undone: bob is in #dev again."
    assert store.channels()[0].members == ("alice", "bob")


def test_a_registration_is_undone_until_a_session_lives_there(store: Store) -> None:
    deed = deeds.register(store, "human", "carol", "tests")
    assert back(deed) == "Undone: carol is no longer registered."
    deed = deeds.register(store, "human", "carol", "")
    assert not store.presence("carol").online, "it was the user who was here"
    store.register("carol", session=Session("s1", "opencode", "h"))
    with pytest.raises(Refused, match="a session lives as carol"):
        back(deed)
    with pytest.raises(Refused, match="registered already"):
        deeds.register(store, "human", "carol", None)


def test_an_agent_comes_back_with_its_channels(store: Store) -> None:
    store.register("bob", "Bob", "builds", session=Session("s1", "opencode", "h"))
    deed = deeds.unregister(store, "human", "bob")
    assert [agent.id for agent in store.agents()] == ["alice", "human"]
    assert "opencode has to register its session again." in back(deed)
    bob = store.agents()[1]
    assert (bob.name, bob.description, bob.session) == ("Bob", "builds", None)
    assert "bob" in store.channels()[0].members
    with pytest.raises(Refused, match="again already"):
        back(deed)


def test_a_channel_stays(store: Store) -> None:
    deed = deeds.create_channel(store, "human", "ops", "")
    assert store.channels()[1].members == ("human",)
    assert deed.back == "#ops cannot be deleted any more: leave it."


def test_an_answer_is_withdrawn_and_its_question_stays_closed(store: Store) -> None:
    asked = store.send("alice", "human", "May I?", metadata={"choices": "yes|no"})
    deed = deeds.answer(store, "human", asked.id, "yes")
    assert deed.said == "Answered alice: yes"
    (given,) = store.messages()
    assert given.metadata == {"answer": "yes"}
    assert back(deed) == (
        "Undone: the sending to alice. What alice asked stays closed all the same: write another answer."
    )
    assert statuses(store, given) == {"alice": Status.DISCARDED}
    assert statuses(store, asked) == {"human": Status.ACKNOWLEDGED}


def test_so_is_a_reply_to_a_question(store: Store) -> None:
    asked, other = (
        store.send("alice", "human", text, metadata={"choices": "yes|no"}) for text in ("May I?", "And?")
    )
    replies = [store.send("human", "alice", "later", reply_to=each.id) for each in (asked, other)]
    store.check("alice", limit=1)
    with pytest.raises(Refused, match="past waiting for alice"):
        back(deeds.sent(store, "human", replies[:1]))
    assert "What alice asked stays closed" in back(deeds.sent(store, "human", replies[1:]))
    assert store.questions("human") == []


def test_what_is_done_to_several_is_done_to_all_or_none(store: Store) -> None:
    store.register("carol")
    one, two, gone = (store.send("alice", to, "x") for to in ("bob", "carol", "bob"))
    store.discard(gone.id, by="human")
    before = list(store.history())
    with pytest.raises(Refused, match="cannot be acknowledged"):
        deeds.acknowledge(store, "human", [(one, "bob"), (two, "carol"), (gone, "bob")])
    with pytest.raises(Refused, match="means nothing any more"):
        deeds.prioritize(store, "human", [one, two, gone], Priority.URGENT)
    assert list(store.history()) == before
    deed = deeds.acknowledge(store, "human", [(one, "bob"), (two, "carol")])
    assert deed.said == "Acknowledged for bob and carol: 2 messages."
    assert [statuses(store, each) for each in (one, two)] == [
        {"bob": Status.ACKNOWLEDGED},
        {"carol": Status.ACKNOWLEDGED},
    ]
