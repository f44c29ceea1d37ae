"""Many processes at once in one folder, the real oh-my-msgcode's and ours: ours lose and double nothing."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import nullcontext
from pathlib import Path

import pytest

from msgcode import Store
from msgcode.events import MessageSent
from msgcode.mirror.versions import is_kept
from tests.e2e.conftest import wait_until
from tests.foreign import race
from tests.foreign.plugin import Plugin

SECONDS = 4.0
"""How long everybody sends."""

ATTEMPTS = 4
"""A machine that is busy with something else may see a version of a file too late."""

HANDFUL = 5
"""So many messages may be lost inside the plugin at a gentle pace, in this time."""


def test_a_gentle_pace(npm_package: Path, tmp_path: Path) -> None:
    found = race.beside_ours(tmp_path / "home", SECONDS, 100, keeper=True)
    assert min(found.sent, found.ours_sent) > 30, found
    assert (found.ours_lost, found.doubled) == (0, 0), found
    assert found.lost <= HANDFUL, found


def test_as_fast_as_they_can(npm_package: Path, tmp_path: Path) -> None:
    alone = race.alone(tmp_path / "alone", SECONDS / 2, 0)
    for attempt in range(ATTEMPTS):
        found = race.beside_ours(tmp_path / f"shared-{attempt}", SECONDS, 0, keeper=True)
        assert min(alone.sent, found.sent, found.ours_sent) > 60, (alone, found)
        assert (found.ours_lost, found.doubled) == (0, 0), found
        if found.share <= alone.share / 5:
            return
    pytest.fail(f"{found} is more than a fifth of {alone}")


def test_nothing_of_ours_is_lost_with_nobody_to_watch(npm_package: Path, tmp_path: Path) -> None:
    found = race.beside_ours(tmp_path / "home", SECONDS / 2, 0, keeper=False)
    assert found.ours_sent > 30, found
    assert (found.ours_lost, found.doubled) == (0, 0), found


def test_no_agent_or_member_is_lost_to_a_stale_writer(plugin: Plugin) -> None:
    """The plugin writes agents.json all the time, from what it has read before, for presence alone."""
    with Plugin(plugin.folder.parent) as other, Store.open(plugin.folder) as store:
        for id, process in (("one", plugin), ("two", other)):
            process.call("registerAgent", id, id.title())
        store.register("ours")
        store.create_channel("dev", "ours")
        for id, process in (("one", plugin), ("two", other)):
            process.tell("consume", agent=id, seconds=SECONDS, pause=1)
        ids = [f"agent-{number}" for number in range(20)]
        for number, id in enumerate(ids):
            store.register(id, f"Number {number}")
            store.join("dev", id)
            if number % 4 == 3:
                store.unregister(ids[number - 1])
            if number % 4 == 2:
                store.leave("dev", ids[number - 1])
        plugin.answer()
        other.answer()
        stay = {id for number, id in enumerate(ids) if number % 4 != 2}
        assert {agent.id for agent in store.agents()} == {"one", "two", "ours", *stay}
        (channel,) = store.channels()
        members = {id for number, id in enumerate(ids) if number % 4 not in (1, 2)}
        assert set(channel.members) == {"ours", *members}
        store.register("ours", "All is told by now.")
    assert {agent["id"] for agent in plugin.read("agents.json")} == {"one", "two", "ours", *stay}
    assert set(plugin.call("getChannel", "dev")["members"]) == {"ours", *members}


def test_both_sides_change_a_channel_at_the_same_time(plugin: Plugin) -> None:
    plugin.call("registerAgent", "theirs", "Theirs")
    plugin.call("createChannel", "dev", "Developers", "theirs")
    with Plugin(plugin.folder.parent) as other, Store.open(plugin.folder) as store:
        store.register("ours")
        for number in range(20):
            plugin.tell("call", name="joinChannel", args=["dev", f"theirs-{number}"])
            store.register(f"ours-{number}")
            store.join("dev", f"ours-{number}")
            plugin.answer()
            other.call("touchAgent", "theirs")
        members = set(store.channels()[0].members)
    assert members == {"theirs", *(f"{side}-{number}" for side in ("ours", "theirs") for number in range(20))}


@pytest.mark.parametrize("keeper", [True, False], ids=["watched", "unwatched"])
def test_one_side_injects_each_message(plugin: Plugin, keeper: bool) -> None:
    """An agent that lives in a session of either side, each of which looks for its messages all the time.

    One process of the plugin: of two, one may overwrite unseen what the other has taken.
    """
    plugin.call("registerAgent", "reader", "Reader")
    watcher = race.watching(plugin.folder) if keeper else nullcontext()
    with (
        watcher,
        race.deliverer(plugin.folder, "reader") as ours,
        Store.open(plugin.folder) as store,
    ):
        store.register("ours")
        plugin.tell("consume", agent="reader", seconds=SECONDS, pause=30)
        sent: list[str] = []
        deadline = time.monotonic() + SECONDS - 1
        while time.monotonic() < deadline:
            sent.append(store.send("ours", "reader", f"message {len(sent)}").id)
            time.sleep(0.02)  # The pace at which they are sent.
        by_plugin = Counter(plugin.answer())
        by_us = Counter(ours.end())
    assert len(sent) > 30
    assert by_plugin + by_us == Counter(sent), f"{len(by_plugin)} by the plugin, {len(by_us)} by us"


def test_killed_senders_lose_and_double_nothing(plugin: Plugin) -> None:
    plugin.call("registerAgent", "theirs", "Theirs")
    plugin.tell("send", **{"from": "theirs", "to": "reader", "seconds": SECONDS, "pause": 5})
    ours: list[str] = []
    kills = 0
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        with race.sender(plugin.folder, "ours", seconds=60, pause=1) as sender:
            # Each is killed at another moment, some of them while they write.
            sender.wait_for(1 + 7 * kills % 40)
            ours += sender.kill()
            kills += 1
    assert kills > 3
    check_all_is_there(plugin, plugin.answer(), ours)


def test_killed_keepers_lose_and_double_nothing(plugin: Plugin) -> None:
    plugin.call("registerAgent", "theirs", "Theirs")
    seconds = 2 * SECONDS  # Five watchers have come up within half of that.
    plugin.tell("send", **{"from": "theirs", "to": "reader", "seconds": seconds, "pause": 5})
    with race.sender(plugin.folder, "ours", seconds=seconds, pause=5) as sender:
        for kills in range(5):
            with race.watching(plugin.folder) as watcher:
                sender.wait_for(len(sender.ids()) + 1 + 7 * kills)
                watcher.kill()
        ours = sender.end()
    check_all_is_there(plugin, plugin.answer(), ours)


def check_all_is_there(plugin: Plugin, theirs: list[str], ours: list[str]) -> None:
    """All messages are once in the room and once in the file, and nothing is left lying about."""
    wait_until(lambda: not is_kept(str(plugin.folder)), lambda: "a killed keeper counts as one at work")
    with Store.open(plugin.folder) as store:
        store.register("ours", "All is told by now.")
        facts = (event.fact for event in store.history())
        room = Counter(fact.id for fact in facts if isinstance(fact, MessageSent))
        assert store.damage() == []
        peers = store.peers()
        assert peers
        assert peers.problems == ()
    assert [id for id in ours if room[id] != 1] == []
    assert [id for id in theirs if room[id] != 1] == []
    assert max(room.values()) == 1
    assert list(plugin.folder.glob(".msgcode-*")) == []
    assert Counter(entry["id"] for entry in plugin.read("messages.json")) == room
