"""Machines in one room, and a cluster that loses a server: each message comes to one claimant, once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from msgcode import Store
from msgcode.events import Event, MessageClaimed, MessageDelivered, MessageSent
from tests.core.nats.server import NatsCluster, NatsServer

SENDS = """
import json, sys
from msgcode import Store
name, count = sys.argv[1], int(sys.argv[2])
with Store.open() as store:
    print(json.dumps([store.send("ann", "bob", f"{name} {number}").id for number in range(count)]))
"""

CLAIMS = """
import json, sys, time
from msgcode import Store, Unavailable
name, wanted = sys.argv[1], int(sys.argv[2])
mine = set()
deadline = time.monotonic() + 60
with Store.open() as store:
    def delivered():
        return sum(type(event.fact).__name__ == "MessageDelivered" for event in store.history())
    while delivered() < wanted and time.monotonic() < deadline:
        try:
            mine.update(message.id for message in store.claim("bob", name, limit=3, lease=600))
        except Unavailable:
            pass  # Perhaps it was done all the same, which the next look tells.
        for message in store.messages():
            delivery = message.deliveries["bob"]
            if delivery.status == "claimed" and delivery.by == name:
                mine.add(message.id)
                try:
                    store.confirm("bob", message.id, name)
                except Unavailable:
                    pass
        time.sleep(0.02)
print(json.dumps(sorted(mine)))
"""


_STARTED: list[subprocess.Popen[str]] = []


def start(script: str, target: str, cache: Path, *words: object) -> subprocess.Popen[str]:
    """A process of a machine whose copies are in `cache`."""
    environment = {**os.environ, "MSGCODE_STORE": target, "XDG_CACHE_HOME": str(cache)}
    command = [sys.executable, "-c", script, *map(str, words)]
    _STARTED.append(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True))
    return _STARTED[-1]


def result(process: subprocess.Popen[str]) -> list[str]:
    out, _ = process.communicate(timeout=90)
    assert process.returncode == 0
    found: list[str] = json.loads(out)
    return found


@pytest.fixture(autouse=True)
def nobody_left() -> Iterator[None]:
    yield
    while _STARTED:
        with _STARTED.pop() as process:
            process.kill()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[NatsCluster]:
    cluster = NatsCluster(tmp_path / "cluster")
    try:
        yield cluster
    finally:
        cluster.stop()


def check(target: str, sending: list[subprocess.Popen[str]], claiming: list[subprocess.Popen[str]]) -> None:
    """What was sent is what was received: each message once, by one claimant."""
    sent = [id for process in sending for id in result(process)]
    received = [id for process in claiming for id in result(process)]
    with Store.open(target) as store:
        assert not store.damage()
        facts = [event.fact for event in store.history()]
    for kind in (MessageSent, MessageClaimed, MessageDelivered):
        assert Counter(fact.id for fact in facts if isinstance(fact, kind)) == Counter(sent), kind
    assert Counter(received) == Counter(sent)


def begin(target: str) -> None:
    with Store.open(target) as store:
        store.register("ann")
        store.register("bob")


def test_each_message_has_one_claimant(nats_server: NatsServer, tmp_path: Path) -> None:
    nats_server.make_room("crew")
    target = f"{nats_server.url}/crew"
    begin(target)
    here, there = tmp_path / "here", tmp_path / "there"
    sending = [start(SENDS, target, here, "s", 30)]
    claiming = [
        start(CLAIMS, target, cache, name, 30) for name, cache in (("a", here), ("b", here), ("c", there))
    ]
    check(target, sending, claiming)
    for machine in (here, there):
        copies = [each for each in (machine / "msgcode" / "rooms").iterdir() if each.is_dir()]
        assert len(copies) == 1, "processes of one machine share a copy"


def test_a_cluster_that_loses_a_server_loses_no_message(cluster: NatsCluster, tmp_path: Path) -> None:
    cluster.make_room("dev")
    target = f"{cluster.url}/dev"
    begin(target)
    sending = [start(SENDS, target, tmp_path / f"s{n}", f"s{n}", 100) for n in range(2)]
    claiming = [start(CLAIMS, target, tmp_path / f"c{n}", f"c{n}", 200) for n in range(2)]
    with Store.open(target) as store:
        for server, wanted in zip(cluster.servers[:2], (30, 110), strict=True):
            deadline = time.monotonic() + 40
            while sum(isinstance(event.fact, MessageSent) for event in fresh(store)) < wanted:
                assert time.monotonic() < deadline
                time.sleep(0.02)
            server.stop(signal.SIGKILL)
            time.sleep(0.5)
            server.start()
    check(target, sending, claiming)


def fresh(store: Store) -> Iterator[Event]:
    store.agents()
    return store.history()
