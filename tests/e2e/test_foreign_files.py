"""The files of the real oh-my-msgcode: imported once, never taken for empty, and left alone without need."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from msgcode import Store
from msgcode.events import MessageDiscarded
from msgcode.model import Status
from tests.foreign.plugin import Plugin

FILES = ("agents.json", "channels.json", "messages.json")


def say(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """What a command of ours says about the room in the folder."""
    command = [sys.executable, "-m", "msgcode", "--store", str(folder), *words]
    return subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=20
    )


def age(path: Path, seconds: float) -> None:
    """Let the file have been written so long ago."""
    moment = time.time() - seconds
    os.utime(path, (moment, moment))


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    """The bytes and the time of change of each of the plugin's files."""
    paths = [folder / name for name in FILES]
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in paths if path.exists()}


def fill(plugin: Plugin) -> dict[str, dict[str, Any]]:
    """Agents, channels, and a message in each status; returns the messages by what became of them."""
    for id in ("ann", "bob", "carol"):
        plugin.call("registerAgent", id, id.title(), f"is {id}")
    plugin.call("createChannel", "dev", "Developers", "ann", "all of them")
    for id in ("bob", "carol"):
        plugin.call("joinChannel", "dev", id)
    plugin.call("createChannel", "empty", "Nobody", "ann")
    plugin.call("leaveChannel", "empty", "ann")
    sent = {}
    for what in ("expired", "acknowledged", "delivered"):
        ttl = {"ttlMinutes": 1e-6} if what == "expired" else {}
        sent[what] = plugin.call("sendMessage", "ann", "bob", what, {"subject": f"on {what}", **ttl})
    plugin.call("checkMessages", "bob")
    plugin.call("acknowledgeMessage", "bob", sent["acknowledged"]["id"])
    sent["queued"] = plugin.call(
        "sendMessage", "bob", "ann", "queued",
        {"priority": "urgent", "ttlMinutes": 60, "metadata": {"file": "a.py"}, "channel": "dev"},
    )  # fmt: skip
    sent["broadcast"], _ = plugin.call("broadcastMessage", "carol", "dev", "broadcast", {"subject": "all"})
    return sent


def test_a_folder_that_only_the_plugin_has_used(plugin: Plugin) -> None:
    sent = fill(plugin)
    agents, channels, messages = (plugin.read(name) for name in FILES)
    with Store.open(plugin.folder) as store:
        for raw, agent in zip(agents, store.agents(), strict=True):
            assert (agent.id, agent.name, agent.description) == (raw["id"], raw["name"], raw["description"])
            assert agent.registered_at == datetime.fromisoformat(raw["registeredAt"])
            assert store.presence(agent.id).online
        dev, empty = store.channels()
        assert (dev.name, dev.created_by, dev.description) == ("Developers", "ann", "all of them")
        assert (dev.members, empty.members) == (("ann", "bob", "carol"), ())
        assert dev.created_at == datetime.fromisoformat(channels[0]["createdAt"])
        found = {message.id: message for message in store.messages(ended=True)}
        assert list(found) == [raw["id"] for raw in messages]
        for raw in messages:
            message, delivery = found[raw["id"]], found[raw["id"]].deliveries[raw["to"]]
            assert (message.sender, message.body, delivery.status) == (
                raw["from"],
                raw["body"],
                raw["status"],
            )
            assert (message.priority, message.subject) == (raw["priority"], raw.get("subject"))
            assert (message.channel, message.metadata) == (raw.get("channel"), raw.get("metadata", {}))
            assert message.sent_at == datetime.fromisoformat(raw["createdAt"])
        queued = found[sent["queued"]["id"]]
        assert queued.expires_at == datetime.fromisoformat(sent["queued"]["expiresAt"])
        assert {
            message.deliveries["bob"].status for message in found.values() if message.sender == "ann"
        } == {
            Status.EXPIRED,
            Status.ACKNOWLEDGED,
            Status.DELIVERED,
        }
        events = len(list(store.history()))
    with Store.open(plugin.folder) as store:
        assert len(store.messages(ended=True)) == len(messages)
        assert len(list(store.history())) == events, "imported twice"
    os.unlink(plugin.folder / "mirror.json")
    with Store.open(plugin.folder) as store:
        assert store.agents()
        assert len(list(store.history())) == events, "imported twice, when what was seen is forgotten"
    assert [plugin.read(name) for name in FILES] == [agents, channels, messages]


def test_nothing_is_written_where_no_plugin_ever_was(tmp_path: Path) -> None:
    with Store.open(tmp_path / "room") as store:
        store.register("ann")
        store.create_channel("dev", "ann")
        store.send("ann", "bob", "Hello.")
        assert store.peers() is None
    assert {path.name for path in (tmp_path / "room").iterdir()} <= {"journal", "presence", "lock"}


def test_nothing_is_written_when_the_plugin_has_been_gone_for_a_minute(plugin: Plugin) -> None:
    plugin.call("registerAgent", "bob", "Bob")
    plugin.call("createChannel", "dev", "Developers", "bob")
    plugin.call("sendMessage", "bob", "ann", "Hello.")
    for name in FILES:
        age(plugin.folder / name, 61)
    before = contents(plugin.folder)
    with Store.open(plugin.folder) as store:
        store.register("ann")
        store.join("dev", "ann")
        store.acknowledge("ann", *(message.id for message in store.check("ann")))
        message = store.send("ann", "bob", "You are gone.")
        peers = store.peers()
        assert peers
        assert not peers.active
    assert contents(plugin.folder) == before
    assert "oh-my-msgcode: not active, last wrote" in say(plugin.folder, "status").stdout
    plugin.call("touchAgent", "bob")
    assert "oh-my-msgcode: active, last wrote" in say(plugin.folder, "status").stdout
    with Store.open(plugin.folder) as store:
        store.register("ann", "Ann")
    assert [entry["id"] for entry in plugin.call("consumeNewMessages", "bob")] == [message.id]
    assert plugin.call("getChannel", "dev")["members"] == ["bob", "ann"]


def test_the_user_may_want_the_files_always(plugin: Plugin) -> None:
    wish = {"MSGCODE_MIRROR": "on"}
    assert say(plugin.folder, "register", "ann", **wish).returncode == 0
    assert say(plugin.folder, "--as", "ann", "channel", "create", "dev", **wish).returncode == 0
    assert say(plugin.folder, "--as", "ann", "send", "bob", "Hello.", **wish).returncode == 0
    assert [agent["id"] for agent in plugin.call("listAgents")] == ["ann"]
    assert [channel["id"] for channel in plugin.call("listChannels")] == ["dev"]
    assert [message["body"] for message in plugin.call("consumeNewMessages", "bob")] == ["Hello."]
    for name in FILES:
        age(plugin.folder / name, 3600)
    assert say(plugin.folder, "--as", "ann", "send", "bob", "Again.", **wish).returncode == 0
    assert [message["body"] for message in plugin.call("consumeNewMessages", "bob")] == ["Again."]


def test_a_wish_that_is_none_is_refused(tmp_path: Path) -> None:
    done = say(tmp_path / "room", "agents", MSGCODE_MIRROR="offf")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.strip().endswith("MSGCODE_MIRROR is 'offf': it must be auto or on.")
    assert done.stderr.count("\n") == 1


def test_deleting_messages_json_is_a_purge(plugin: Plugin) -> None:
    fill(plugin)
    with Store.open(plugin.folder) as store:
        assert len(store.messages()) == 4
        os.unlink(plugin.folder / "messages.json")
        assert store.messages() == []
        discarded = [event.fact for event in store.history() if isinstance(event.fact, MessageDiscarded)]
        assert len(discarded) == 4
        assert {fact.by for fact in discarded} == {"the deletion of messages.json"}
        assert store.messages() == []
        assert len(store.agents()) == 3
    assert "by the deletion of messages.json" in say(plugin.folder, "log").stdout
    plugin.call("sendMessage", "ann", "bob", "A new beginning.")
    with Store.open(plugin.folder) as store:
        assert [message.body for message in store.messages()] == ["A new beginning."]
        store.send("ann", "bob", "And on.")
    assert {message["body"] for message in plugin.call("consumeNewMessages", "bob")} == {
        "A new beginning.",
        "And on.",
    }


GARBAGE = {
    "garbage": b"\x00\x01 not JSON at all",
    "half a file": b"",  # Made of the file itself.
    "an object": b'{"agents": []}',
    "null": b"null",
    "nothing": b"",
    "spaces": b" \n",
    "invalid UTF-8": b'[\n  {\n    "id": "\xff\xfe"\n  }\n]',
    "nested too deep": b"[" * 100_000,
    "UTF-16": "[]".encode("utf-16"),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("kind", GARBAGE)
def test_what_is_no_array_is_set_aside(plugin: Plugin, name: str, kind: str) -> None:
    fill(plugin)
    with Store.open(plugin.folder) as store:
        before = (store.agents(), store.channels(), store.messages())
    path = plugin.folder / name
    was = plugin.read(name)
    garbage = path.read_bytes()[: path.stat().st_size // 2] if kind == "half a file" else GARBAGE[kind]
    path.write_bytes(garbage)
    age(path, 2)
    told = say(plugin.folder, "status").stdout
    (line,) = [line for line in told.splitlines() if line.startswith("Not understood:")]
    kept = plugin.folder / line.rpartition("A copy is in ")[2].removesuffix(".")
    assert name in line
    assert kept.parent.name == "set-aside"
    assert kept.read_bytes() == garbage
    with Store.open(plugin.folder) as store:
        assert (store.agents(), store.channels(), store.messages()) == before
        store.send("ann", "bob", "It goes on.")
    now = plugin.read(name)
    assert {entry["id"] for entry in was} <= {entry["id"] for entry in now}
    os.unlink(kept)
    assert "Not understood" not in say(plugin.folder, "status").stdout


def test_a_file_that_is_just_being_written_is_waited_for(plugin: Plugin) -> None:
    fill(plugin)
    with Store.open(plugin.folder) as store:
        waiting = store.messages()
        path = plugin.folder / "messages.json"
        whole = path.read_bytes()
        path.write_bytes(whole[:-100])
        assert store.messages() == waiting
        store.send("ann", "bob", "Meanwhile.")
        assert path.read_bytes() == whole[:-100]
        path.write_bytes(whole)
        assert len(store.messages()) == len(waiting) + 1
        store.send("ann", "bob", "And on.")
    assert not (plugin.folder / "set-aside").exists()
    bodies = [message["body"] for message in plugin.call("consumeNewMessages", "bob")]
    assert bodies == ["broadcast", "Meanwhile.", "And on."]


def test_garbage_from_the_beginning(plugin: Plugin) -> None:
    """What cannot be read is set aside also when the room has never seen the files, and the rest imported."""
    fill(plugin)
    path = plugin.folder / "messages.json"
    path.write_bytes(path.read_bytes()[:-5])
    age(path, 2)
    with Store.open(plugin.folder) as store:
        assert [agent.id for agent in store.agents()] == ["ann", "bob", "carol"]
        assert store.messages() == []
        assert not any(isinstance(event.fact, MessageDiscarded) for event in store.history())
    assert len(list((plugin.folder / "set-aside").iterdir())) == 1


ODD: dict[str, object] = {
    "a number": 7,
    "null": None,
    "no id": {"from": "ann", "to": "bob", "body": "x"},
    "an id that is a number": {"id": 7},
    "no sender": {"id": "odd-1", "to": "bob", "body": "x", "priority": "normal", "status": "queued"},
    "a status that is none": {"status": "lost"},
    "a priority that is none": {"priority": "loud"},
    "a body that is a list": {"body": ["x"]},
    "metadata of numbers": {"metadata": {"line": 7}},
    "a time that is none": {"createdAt": "yesterday"},
    "a time without a zone": {"createdAt": "2026-01-01T00:00:00"},
    "a recipient that is a whole line": {"to": "bob\nand carol"},
    "half a surrogate pair": {"body": "\ud83d"},
    "half a surrogate pair in a key": {"\ud83d": 7},
}


@pytest.mark.parametrize("kind", ODD)
def test_an_ill_typed_message_is_reported_and_kept(plugin: Plugin, kind: str) -> None:
    fill(plugin)
    path = plugin.folder / "messages.json"
    entries = plugin.read("messages.json")
    odd, whole = ODD[kind], {**entries[-1], "id": "odd-2"}
    # All that lacks nothing but what is said here is otherwise a good message.
    item = {**whole, **odd} if isinstance(odd, dict) and not odd.keys() >= {"to", "body"} else odd
    path.write_text(json.dumps([*entries[:2], item, *entries[2:]], indent=2))
    told = say(plugin.folder, "status").stdout
    assert told.count("Not understood: messages.json") == 1, told
    with Store.open(plugin.folder) as store:
        assert {message.id for message in store.messages(ended=True)} == {entry["id"] for entry in entries}
        store.send("ann", "bob", "It goes on.")
    left = json.loads(path.read_bytes())
    assert item in left
    assert len(left) == len(entries) + 2
    (kept,) = (plugin.folder / "set-aside").iterdir()
    assert item in json.loads(kept.read_bytes())


@pytest.mark.parametrize("name", FILES)
def test_unknown_keys_are_reported_and_kept(plugin: Plugin, name: str) -> None:
    fill(plugin)
    entries = plugin.read(name)
    more = {"mood": ["fine", {"really": None, "n": 1.5, "no": [], "nor": {}}]}
    entries[-1].update(more)
    (plugin.folder / name).write_text(json.dumps(entries, indent=2, ensure_ascii=False))
    told = say(plugin.folder, "status").stdout
    assert f"{name}: the key 'mood' is not known here." in told
    with Store.open(plugin.folder) as store:
        assert len(store.messages(ended=True)) == 6
        store.register("ann", "Another name")
        store.create_channel("new", "ann")
        store.send("ann", "carol", "It goes on.")
    (found,) = [entry for entry in plugin.read(name) if entry["id"] == entries[-1]["id"]]
    assert found["mood"] == more["mood"]
    text = (plugin.folder / name).read_bytes().decode()
    assert text == plugin.ask("rewritten", text=text)


def test_ill_typed_agents_and_channels(plugin: Plugin) -> None:
    fill(plugin)
    agents, channels = plugin.read("agents.json"), plugin.read("channels.json")
    odd = [{"id": "odd"}, {**channels[0], "id": "odder", "members": "ann"}]
    (plugin.folder / "agents.json").write_text(json.dumps([odd[0], *agents]))
    (plugin.folder / "channels.json").write_text(json.dumps([odd[1], *channels]))
    told = say(plugin.folder, "status").stdout
    assert told.count("Not understood:") == 2
    with Store.open(plugin.folder) as store:
        assert [agent.id for agent in store.agents()] == ["ann", "bob", "carol"]
        assert [channel.id for channel in store.channels()] == ["dev", "empty"]
        store.register("dave")
        store.create_channel("new", "dave")
    assert odd[0] in plugin.read("agents.json")
    assert odd[1] in plugin.read("channels.json")
    assert len(plugin.read("agents.json")) == 5
