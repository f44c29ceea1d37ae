"""Many processes at once in one folder, the real oh-my-msgcode's and ours: ours lose and double nothing."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import nullcontext
from pathlib import Path

import pytest

from msgcode import Refused, Store
from msgcode.events import MessageSent
from tests.foreign import race
from tests.foreign.plugin import Plugin

SECONDS = 4.0
"""How long everybody sends."""

ATTEMPTS = 2
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
        assert min(alone.sent, found.sent, found.ours_sent) > 200, (alone, found)
        assert (found.ours_lost, found.doubled) == (0, 0), found
        if found.share <= alone.share / 5:
            return
    pytest.fail(f"{found} is more than a fifth of {alone}")


def test_nothing_of_ours_is_lost_with_nobody_to_watch(npm_package: Path, tmp_path: Path) -> None:
    found = race.beside_ours(tmp_path / "home", SECONDS / 2, 0, keeper=False)
    assert found.ours_sent > 100, found
    assert (found.ours_lost, found.doubled) == (0, 0), found


@pytest.mark.parametrize("keeper", [True, False], ids=["watched", "unwatched"])
def test_one_side_injects_each_message(plugin: Plugin, keeper: bool) -> None:
    """An agent that lives in a session of either side, each of which looks for its messages all the time."""
    plugin.call("registerAgent", "reader", "Reader")
    plugin.call("registerAgent", "theirs", "Theirs")
    watcher = race.watching(plugin.folder) if keeper else nullcontext()
    with (
        watcher,
        Plugin(plugin.folder.parent) as sender,
        race.deliverer(plugin.folder, "reader") as ours,
        Store.open(plugin.folder) as store,
    ):
        store.register("ours")
        plugin.tell("consume", agent="reader", seconds=SECONDS, pause=30)
        sent = []
        for number in range(60):
            sent.append(store.send("ours", "reader", f"ours {number}").id)
            sent.append(sender.call("sendMessage", "theirs", "reader", f"theirs {number}")["id"])
        by_plugin = set(plugin.answer())  # It passes over what it has injected before.
        by_us = Counter(ours.end())
        # Two processes of the plugin may lose each other's.
        arrived = {id for id in sent if is_there(store, id)}
    assert len(arrived) > 60
    assert max(by_us.values(), default=0) <= 1
    assert by_plugin & by_us.keys() == set(), f"injected twice, of {len(by_us)} by us"
    assert by_plugin | by_us.keys() >= arrived


def is_there(store: Store, id: str) -> bool:
    """Whether the room has the message."""
    try:
        return store.message(id).id == id
    except Refused:
        return False


def test_killed_processes_lose_and_double_nothing(plugin: Plugin) -> None:
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
    theirs = plugin.answer()
    with Store.open(plugin.folder) as store:
        store.register("ours", "All is told by now.")
        facts = (event.fact for event in store.history())
        room = Counter(fact.id for fact in facts if isinstance(fact, MessageSent))
        damage = store.damage()
    assert kills > 5
    assert [id for id in ours if room[id] != 1] == []
    assert [id for id in theirs if room[id] != 1] == []
    assert max(room.values()) == 1
    assert damage == []
    assert list(plugin.folder.glob(".msgcode-*")) == []
    in_file = Counter(entry["id"] for entry in plugin.read("messages.json"))
    assert in_file == room
