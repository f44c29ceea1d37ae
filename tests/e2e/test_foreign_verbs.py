"""What either side does, the other sees: our verbs, and those of the real oh-my-msgcode, in one folder."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest

from msgcode import Store
from msgcode.model import Status, now
from tests.e2e.conftest import wait_until
from tests.foreign.plugin import Plugin, PluginRefused

FILES = ("agents.json", "channels.json", "messages.json")


@contextmanager
def ours(plugin: Plugin) -> Iterator[Store]:
    """The room, opened by us. What is done there is in the plugin's files once it is closed."""
    with Store.open(plugin.folder) as store:
        yield store


def ids(entries: list[dict[str, Any]]) -> list[str]:
    return [entry["id"] for entry in entries]


def same_moment(text: str, moment: datetime) -> bool:
    return datetime.fromisoformat(text) == moment


def status(store: Store, id: str, agent: str) -> Status:
    return store.message(id).deliveries[agent].status


@pytest.fixture
def pair(plugin: Plugin) -> Plugin:
    """A room with `theirs`, an agent of the plugin's, and `ours`, one of ours."""
    plugin.call("registerAgent", "theirs", "Theirs")
    with ours(plugin) as store:
        store.register("ours", "Ours")
    return plugin


def test_their_agents(plugin: Plugin) -> None:
    agent = plugin.call("registerAgent", "bob", "Bob", "reads code")
    with ours(plugin) as store:
        (found,) = store.agents()
        assert (found.id, found.name, found.description) == ("bob", "Bob", "reads code")
        assert same_moment(agent["registeredAt"], found.registered_at)
        plugin.call("registerAgent", "bob", "Bobby", "writes code")
        (found,) = store.agents()
        assert (found.name, found.description) == ("Bobby", "writes code")
        plugin.call("registerAgent", "carol", "Carol")
        assert [agent.id for agent in store.agents()] == ["bob", "carol"]
        plugin.call("unregisterAgent", "bob")
        assert [agent.id for agent in store.agents()] == ["carol"]
        plugin.call("registerAgent", "bob", "Bob again")
        assert [agent.name for agent in store.agents()] == ["Bob again", "Carol"]


def test_our_agents(pair: Plugin) -> None:
    with ours(pair) as store:
        agent = store.register("alice", "Alice", "builds")
    assert ids(pair.call("listAgents")) == ["theirs", "ours", "alice"]
    found = pair.call("listAgents")[2]
    assert (found["name"], found["description"]) == ("Alice", "builds")
    assert same_moment(found["registeredAt"], agent.registered_at)
    with ours(pair) as store:
        store.register("alice", "Alicia")
    assert pair.call("listAgents")[2]["name"] == "Alicia"
    with ours(pair) as store:
        store.unregister("alice")
    assert ids(pair.call("listAgents")) == ["theirs", "ours"]
    # One of its writers may still have had her in what it read.
    pair.call("touchAgent", "theirs")
    with ours(pair) as store:
        assert [agent.id for agent in store.agents()] == ["ours", "theirs"]


def test_we_unregister_their_agent(pair: Plugin) -> None:
    with ours(pair) as store:
        store.unregister("theirs")
    assert ids(pair.call("listAgents")) == ["ours"]
    pair.call("unregisterAgent", "ours")
    with ours(pair) as store:
        assert store.agents() == []


def test_their_presence(pair: Plugin) -> None:
    later = now() + timedelta(seconds=40)
    with Store.open(pair.folder, clock=lambda: later) as store:
        assert not store.presence("theirs").online
    pair.call("touchAgent", "theirs")
    touched = pair.call("listAgents")[0]["lastSeenAt"]
    with ours(pair) as store:
        assert store.agents()
        seen = store.presence("theirs")
    assert seen.online
    assert seen.last_seen
    assert abs(seen.last_seen - datetime.fromisoformat(touched)) < timedelta(milliseconds=2)


def test_our_presence(pair: Plugin) -> None:
    def is_online() -> bool:
        (agent,) = [agent for agent in pair.call("listAgents") if agent["id"] == "back"]
        return bool(pair.call("isAgentOnline", agent))

    before = now() - timedelta(seconds=45)
    with Store.open(pair.folder, clock=lambda: before) as store:
        store.register("back")
    assert not is_online()
    with ours(pair) as store:
        store.send("back", "theirs", "I am back.")
    assert is_online()


def test_their_channels(pair: Plugin) -> None:
    channel = pair.call("createChannel", "dev", "Developers", "theirs", "all of them")
    with ours(pair) as store:
        (found,) = store.channels()
        assert (found.id, found.name, found.description) == ("dev", "Developers", "all of them")
        assert (found.created_by, found.members) == ("theirs", ("theirs",))
        assert same_moment(channel["createdAt"], found.created_at)
        pair.call("joinChannel", "dev", "ours")
        assert store.channels()[0].members == ("theirs", "ours")
        pair.call("leaveChannel", "dev", "theirs")
        assert store.channels()[0].members == ("ours",)
        pair.call("joinChannel", "dev", "theirs")
        assert store.channels()[0].members == ("ours", "theirs")


def test_our_channels(pair: Plugin) -> None:
    with ours(pair) as store:
        channel = store.create_channel("dev", "ours", "Developers", "all of them")
    (found,) = pair.call("listChannels")
    created = found.pop("createdAt")
    assert same_moment(created, channel.created_at)
    assert found == {
        "id": "dev",
        "name": "Developers",
        "description": "all of them",
        "createdBy": "ours",
        "members": ["ours"],
    }
    with ours(pair) as store:
        store.join("dev", "theirs")
    assert pair.call("getChannel", "dev")["members"] == ["ours", "theirs"]
    with ours(pair) as store:
        store.leave("dev", "ours")
    assert pair.call("getChannel", "dev")["members"] == ["theirs"]
    pair.call("createChannel", "ops", "ops", "theirs")
    with ours(pair) as store:
        assert [channel.id for channel in store.channels()] == ["dev", "ops"]
        assert store.channels()[0].members == ("theirs",)


def test_they_send_and_we_read(pair: Plugin) -> None:
    options = {
        "subject": "the lock",
        "priority": "high",
        "channel": "dev",
        "ttlMinutes": 5,
        "metadata": {"file": "lock.py", "line": "7"},
    }
    sent = pair.call("sendMessage", "theirs", "ours", "Look at line 7.", options)
    with ours(pair) as store:
        (found,) = store.inbox("ours")
        assert (found.id, found.sender, found.body) == (sent["id"], "theirs", "Look at line 7.")
        assert (found.subject, found.priority, found.channel) == ("the lock", "high", "dev")
        assert found.metadata == {"file": "lock.py", "line": "7"}
        assert same_moment(sent["createdAt"], found.sent_at)
        assert found.expires_at
        assert same_moment(sent["expiresAt"], found.expires_at)
        (checked,) = store.check("ours")
        assert checked.id == sent["id"]
    assert pair.message(sent["id"])["status"] == "delivered"
    assert pair.call("consumeNewMessages", "ours") == []
    with ours(pair) as store:
        store.acknowledge("ours", sent["id"])
    assert pair.message(sent["id"])["status"] == "acknowledged"
    assert pair.message(sent["id"])["acknowledgedAt"]
    with pytest.raises(PluginRefused, match="already acknowledged"):
        pair.call("acknowledgeMessage", "ours", sent["id"])


def test_we_send_and_they_read(pair: Plugin) -> None:
    with ours(pair) as store:
        sent = store.send(
            "ours",
            "theirs",
            "Look at line 7.",
            subject="the lock",
            priority="urgent",
            channel="dev",
            ttl=300,
            metadata={"file": "lock.py", "line": "7"},
        )
    (found,) = pair.call("checkMessages", "theirs")
    assert found.pop("deliveredAt")
    assert same_moment(found.pop("createdAt"), sent.sent_at)
    assert sent.expires_at
    assert same_moment(found.pop("expiresAt"), sent.expires_at)
    assert found == {
        "id": sent.id,
        "from": "ours",
        "to": "theirs",
        "channel": "dev",
        "subject": "the lock",
        "body": "Look at line 7.",
        "priority": "urgent",
        "status": "delivered",
        "metadata": {"file": "lock.py", "line": "7"},
    }
    with ours(pair) as store:
        assert status(store, sent.id, "theirs") is Status.DELIVERED
        pair.call("acknowledgeMessage", "theirs", sent.id)
        assert status(store, sent.id, "theirs") is Status.ACKNOWLEDGED
        assert store.waiting("theirs") == 0


def test_they_consume_as_when_they_inject(pair: Plugin) -> None:
    with ours(pair) as store:
        sent = [store.send("ours", "theirs", f"message {number}") for number in range(3)]
    assert ids(pair.call("consumeNewMessages", "theirs")) == [message.id for message in sent]
    with ours(pair) as store:
        assert store.claim("theirs", "a host of ours") == []
        assert {status(store, message.id, "theirs") for message in sent} == {Status.DELIVERED}


def test_what_we_are_handing_over_they_do_not_find(pair: Plugin) -> None:
    sent = pair.call("sendMessage", "theirs", "ours", "Are you there?")
    with ours(pair) as store:
        (claimed,) = store.claim("ours", "a host of ours")
        assert claimed.id == sent["id"]
        assert pair.call("consumeNewMessages", "ours") == []
        store.fail("ours", claimed.id, "a host of ours", "the session is gone")
    assert ids(pair.call("consumeNewMessages", "ours")) == [sent["id"]]


def test_their_broadcast(pair: Plugin) -> None:
    with ours(pair) as store:
        store.register("third")
        store.create_channel("dev", "ours")
        store.join("dev", "third")
        store.join("dev", "theirs")
    sent = pair.call("broadcastMessage", "theirs", "dev", "The build is green.", {"priority": "high"})
    with ours(pair) as store:
        for agent in ("ours", "third"):
            (found,) = store.check(agent, channel="dev")
            assert (found.body, found.sender, found.priority) == ("The build is green.", "theirs", "high")
            assert found.id in ids(sent)
            store.acknowledge(agent, found.id)
    assert {entry["status"] for entry in pair.read("messages.json")} == {"acknowledged"}


def test_our_broadcast(pair: Plugin) -> None:
    pair.call("registerAgent", "third", "Third")
    with ours(pair) as store:
        store.create_channel("dev", "ours")
        for member in ("theirs", "third"):
            store.join("dev", member)
        sent = store.broadcast("ours", "dev", "The build is green.", subject="CI")
    copies = {}
    for agent in ("theirs", "third"):
        (copy,) = pair.call("checkMessages", agent, {"channel": "dev"})
        assert (copy["body"], copy["subject"], copy["to"]) == ("The build is green.", "CI", agent)
        copies[agent] = copy["id"]
    assert copies["theirs"] != copies["third"]
    pair.call("acknowledgeMessage", "third", copies["third"])
    with ours(pair) as store:
        assert status(store, sent.id, "theirs") is Status.DELIVERED
        assert status(store, sent.id, "third") is Status.ACKNOWLEDGED
        pair.call("acknowledgeMessage", "theirs", copies["theirs"])
        assert store.messages() == []
        assert len(store.messages(ended=True)) == 1, "no copy was imported"


def test_their_time_runs_out(pair: Plugin) -> None:
    sent = pair.call("sendMessage", "theirs", "ours", "Quick!", {"ttlMinutes": 0.001})
    expires = datetime.fromisoformat(sent["expiresAt"])
    wait_until(lambda: now() > expires, lambda: "time stands still")
    with ours(pair) as store:
        assert store.inbox("ours") == []
        store.expire()
        assert status(store, sent["id"], "ours") is Status.EXPIRED
    assert pair.message(sent["id"])["status"] == "expired"
    assert pair.call("consumeNewMessages", "ours") == []


def test_our_time_runs_out(pair: Plugin) -> None:
    with ours(pair) as store:
        sent = store.send("ours", "theirs", "Quick!", ttl=0.05)
    assert sent.expires_at
    expires = sent.expires_at
    wait_until(lambda: now() > expires, lambda: "time stands still")
    assert pair.call("checkMessages", "theirs") == []
    with ours(pair) as store:
        assert status(store, sent.id, "theirs") is Status.EXPIRED


def test_what_we_discard_or_edit_is_so_there(pair: Plugin) -> None:
    with ours(pair) as store:
        kept, dropped = (store.send("ours", "theirs", body) for body in ("Wait.", "Never mind."))
    with ours(pair) as store:
        store.discard(dropped.id, by="ours")
        store.edit(kept.id, "Go on.", by="ours")
        store.prioritize(kept.id, priority="urgent", by="ours")
    (found,) = pair.call("checkMessages", "theirs")
    assert (found["id"], found["body"], found["priority"]) == (kept.id, "Go on.", "urgent")


def test_what_they_clear_away_stays_away(pair: Plugin) -> None:
    """Half an hour after its end it removes a message; ours must not bring it back, nor import it anew."""
    with ours(pair) as store:
        sent = store.send("ours", "theirs", "Done soon.")
    pair.call("checkMessages", "theirs")
    pair.call("acknowledgeMessage", "theirs", sent.id)
    path = pair.folder / "messages.json"
    before = path.read_bytes()
    with ours(pair) as store:
        assert status(store, sent.id, "theirs") is Status.ACKNOWLEDGED
    path.write_bytes(b"[]")
    with ours(pair) as store:
        store.register("ours", "Another name")
    assert pair.read("messages.json") == []
    path.write_bytes(before)  # Its check writes back what its own clean-up removed.
    with ours(pair) as store:
        assert len(store.messages(ended=True)) == 1


def hard_words() -> list[str]:
    return [
        '\u2028 and \u2029, \x7f, \x00, \x1b[2J, \b\f\n\r\t, \\ and "quotes" / and \U0001f600',
        "naïve 漢字 \u0301 \ufeff \ufffe \ue000",
        '  },\n  {\n    "id": "no"\n  },',
    ]


def test_our_files_are_those_that_node_would_write(pair: Plugin) -> None:
    pair.call("sendMessage", "theirs", "ours", hard_words()[0], {"subject": hard_words()[1]})
    with ours(pair) as store:
        store.create_channel("dev", "ours")
        store.register("third", "Ünï", "漢字")
        for words in hard_words():
            store.send("ours", "theirs", words, metadata={"b": words, "a": words})
        store.acknowledge("ours", *(message.id for message in store.check("ours")))
    for name in FILES:
        text = (pair.folder / name).read_bytes().decode()
        assert text == pair.ask("rewritten", text=text)
    read = pair.call("checkMessages", "theirs")
    assert [message["body"] for message in read] == hard_words()
    assert [message["metadata"] for message in read] == [{"b": words, "a": words} for words in hard_words()]


def test_our_own_writing_is_not_taken_for_theirs(pair: Plugin) -> None:
    last = max(path.stat().st_mtime_ns for path in pair.folder.glob("*.json") if path.name in FILES)
    pair.call("touchAgent", "theirs")
    wrote = set()
    for number in range(3):
        with ours(pair) as store:
            store.send("ours", "theirs", f"message {number}")
            store.create_channel(f"channel-{number}", "ours")
            peers = store.peers()
            assert peers
            wrote.add(peers.wrote)
    (moment,) = wrote
    assert moment
    assert moment.timestamp() * 1e9 >= last
    assert len(pair.read("messages.json")) == len(pair.read("channels.json")) == 3


def test_a_long_lived_process_of_ours_needs_no_closing(pair: Plugin) -> None:
    with ours(pair) as store:
        deadline = time.monotonic() + 10
        sent = 0
        while not pair.call("consumeNewMessages", "theirs"):
            assert time.monotonic() < deadline
            store.send("ours", "theirs", f"message {sent}")
            sent += 1
