"""Several machines in one room, and a cluster that loses a server: every message reaches one claimant, once."""

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
from typing import Any

import pytest

from msgcode import Store
from msgcode.events import MessageSent
from tests.core.nats.server import NatsCluster, NatsServer

SENDS = """
import json, sys
from msgcode import Store, Unavailable
name, count = sys.argv[1], int(sys.argv[2])
sent, unsure = [], []
with Store.open() as store:
    for number in range(count):
        try:
            sent.append(store.send("ann", "bob", f"{name} {number}").id)
        except Unavailable as error:
            if "may have been done" in str(error):
                unsure.append(str(error))
print(json.dumps({"sent": sent, "unsure": unsure}))
"""

CLAIMS = """
import json, sys, time
from msgcode import Store, Unavailable
name, wanted = sys.argv[1], int(sys.argv[2])
claimed, confirmed = [], []
deadline = time.monotonic() + 60
with Store.open() as store:
    while time.monotonic() < deadline:
        try:
            for message in store.claim("bob", name, limit=3, lease=600):
                claimed.append(message.id)
        except Unavailable:
            pass
        for id in claimed:
            if id not in confirmed:
                try:
                    store.confirm("bob", id, name)
                    confirmed.append(id)
                except Unavailable:
                    pass
        if sum(type(event.fact).__name__ == "MessageDelivered" for event in store.history()) >= wanted:
            break
        time.sleep(0.02)
print(json.dumps({"claimed": claimed, "confirmed": confirmed}))
"""


def start(script: str, target: str, cache: Path, *words: object) -> subprocess.Popen[str]:
    """A process of a machine whose copies are in `cache`."""
    environment = {**os.environ, "MSGCODE_STORE": target, "XDG_CACHE_HOME": str(cache)}
    command = [sys.executable, "-c", script, *map(str, words)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def result(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, _ = process.communicate(timeout=90)
    assert process.returncode == 0
    found: dict[str, Any] = json.loads(out)
    return found


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[NatsCluster]:
    cluster = NatsCluster(tmp_path / "cluster")
    try:
        yield cluster
    finally:
        cluster.stop()


def receive(target: str, tmp_path: Path, senders: int, count: int, *, one_cache: bool = False) -> list[Any]:
    """Send from so many processes, claim from three others; the processes of the senders, then the others."""

    def cache(name: str) -> Path:
        return tmp_path / ("machine" if one_cache else name)

    sending = [start(SENDS, target, cache(f"s{n}"), f"s{n}", count) for n in range(senders)]
    claiming = [start(CLAIMS, target, cache(f"c{n}"), f"c{n}", senders * count) for n in range(3)]
    return [sending, claiming]


def check_all(target: str, sending: list[Any], claiming: list[Any]) -> None:
    sent = [id for process in sending for id in result(process)["sent"]]
    claims = [result(process) for process in claiming]
    claimed = Counter(id for claim in claims for id in claim["claimed"])
    with Store.open(target) as store:
        there = [event.fact.id for event in store.history() if isinstance(event.fact, MessageSent)]
        assert not store.damage()
        delivered = Counter(
            event.fact.id for event in store.history() if type(event.fact).__name__ == "MessageDelivered"
        )
    assert len(there) == len(set(there)), "something is there twice"
    assert set(sent) <= set(there)
    assert set(claimed) == set(there)
    assert set(claimed.values()) == {1}, "something was claimed twice"
    assert set(delivered) == set(there)
    assert set(delivered.values()) == {1}


@pytest.mark.parametrize("one_cache", [False, True], ids=["a machine each", "one machine"])
def test_each_message_has_one_claimant(nats_server: NatsServer, tmp_path: Path, one_cache: bool) -> None:
    room = f"crew-{one_cache}"
    nats_server.make_room(room)
    target = f"{nats_server.url}/{room}"
    with Store.open(target) as store:
        store.register("ann")
        store.register("bob")
    sending, claiming = receive(target, tmp_path, 2, 15, one_cache=one_cache)
    check_all(target, sending, claiming)
    if one_cache:
        assert len(list((tmp_path / "machine" / "msgcode" / "rooms").iterdir())) == 1


def test_a_cluster_that_loses_a_server_loses_no_message(cluster: NatsCluster, tmp_path: Path) -> None:
    cluster.make_room("dev")
    target = f"{cluster.url}/dev"
    with Store.open(target) as store:
        store.register("ann")
        store.register("bob")
    sending, claiming = receive(target, tmp_path, 3, 60)
    time.sleep(1.5)
    for server in cluster.servers[:2]:
        server.stop(signal.SIGKILL)
        time.sleep(1)
        server.start()
        time.sleep(1)
    check_all(target, sending, claiming)
