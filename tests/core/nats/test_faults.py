"""Links that break, servers that are killed: a verb is in the stream once, or says why not in a sentence."""

from __future__ import annotations

import asyncio
import itertools
import json
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from msgcode import Store, Unavailable, cli
from msgcode.events import MessageSent
from msgcode.journal import jetstream
from msgcode.journal.jetstream import JetStreamJournal
from msgcode.nats.address import parse
from msgcode.nats.presence import NatsPresence
from tests.core.nats.server import NatsServer, Proxy

_NUMBERS = itertools.count(1)

SENDS, DECISIONS, BATCHES = "a plain send", "a decision", "a batch"


@pytest.fixture
def room(nats_server: NatsServer) -> str:
    name = f"faults-{next(_NUMBERS)}"
    nats_server.make_room(name)
    return name


@pytest.fixture
def proxy(nats_server: NatsServer) -> Iterator[Proxy]:
    with closing(Proxy(nats_server)) as proxy:
        yield proxy


def machine(url: str, room: str, cache: Path) -> Store:
    """The room as a machine of its own opens it."""
    cache.mkdir(exist_ok=True)
    address = parse(f"{url}/{room}")
    journal = JetStreamJournal(address, str(cache))
    return Store(str(address), journal, NatsPresence(journal.link))


def do(verb: str, store: Store) -> None:
    if verb == SENDS:
        store.send("ann", "bob", "hello")
    elif verb == DECISIONS:
        store.register("cy")
    else:
        store.create_channel("dev", "ann")


def count(verb: str, store: Store) -> int:
    """How often it has been done."""
    types = {SENDS: "MessageSent", DECISIONS: "AgentRegistered", BATCHES: "ChannelJoined"}
    kinds = Counter(type(event.fact).__name__ for event in store.history())
    return kinds[types[verb]] - (verb == DECISIONS)


def text_of(verb: str) -> bytes:
    """What a client says to the server when it comes to publish that."""
    return {SENDS: b"hello", DECISIONS: b'"id":"cy"', BATCHES: b"Nats-Batch-Commit"}[verb]


@pytest.mark.parametrize("verb", [SENDS, DECISIONS, BATCHES])
@pytest.mark.parametrize("broken", ["cut_at", "swallow_after"])
def test_a_link_that_breaks_under_a_publish_makes_it_neither_lost_nor_double(
    verb: str, broken: str, room: str, proxy: Proxy, nats_server: NatsServer, tmp_path: Path
) -> None:
    with machine(nats_server.url, room, tmp_path / "b") as other, machine(proxy.url, room, tmp_path) as store:
        store.register("ann")
        setattr(proxy, broken, text_of(verb))
        do(verb, store)
        assert getattr(proxy, broken) is None, "the link was not broken"
        for looking in (store, other):
            looking.agents()
            assert count(verb, looking) == 1


@pytest.mark.parametrize("verb", [SENDS, DECISIONS, BATCHES])
def test_what_another_does_meanwhile_does_not_hide_what_was_taken(
    verb: str, room: str, proxy: Proxy, nats_server: NatsServer, tmp_path: Path
) -> None:
    with machine(nats_server.url, room, tmp_path / "b") as other, machine(proxy.url, room, tmp_path) as store:
        store.register("ann")
        proxy.swallow_after = text_of(verb)
        restoring = threading.Timer(1.0, proxy.restore)

        def disturb() -> None:
            while proxy.swallow_after:
                time.sleep(0.001)
            proxy.cut()
            restoring.start()
            for number in range(3):
                other.register(f"other-{number}")

        with ThreadPoolExecutor(1) as helper:
            disturbing = helper.submit(disturb)
            do(verb, store)
            disturbing.result(30)
        restoring.join()
        store.agents()
        others = 3 if verb == DECISIONS else 0
        assert count(verb, store) == 1 + others


@pytest.mark.parametrize("verb", [SENDS, DECISIONS, BATCHES])
def test_a_link_that_stays_away_is_one_clear_sentence_and_nothing_was_changed(
    verb: str, room: str, proxy: Proxy, nats_server: NatsServer, tmp_path: Path, quick: None
) -> None:
    with machine(nats_server.url, room, tmp_path / "b") as other, machine(proxy.url, room, tmp_path) as store:
        store.register("ann")
        proxy.cut()
        with pytest.raises(Unavailable, match="Nothing was changed: try again"):
            do(verb, store)
        proxy.restore()
        other.agents()
        assert count(verb, other) == 0
        wait_for(lambda: not store.agents() or store.behind_since is None)
        do(verb, store)  # As it is told.
        other.agents()
        assert count(verb, other) == 1


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jetstream, "PATIENCE", 1.0)


def test_what_nobody_has_confirmed_says_how_to_see_whether_it_was_done(
    room: str, proxy: Proxy, nats_server: NatsServer, tmp_path: Path, quick: None
) -> None:
    with machine(nats_server.url, room, tmp_path / "b") as other, machine(proxy.url, room, tmp_path) as store:
        store.register("ann")
        proxy.swallow_after = b"hello"

        def cut() -> None:
            wait_for(lambda: not proxy.swallow_after)
            proxy.cut()

        down = threading.Thread(target=cut)
        down.start()
        with pytest.raises(Unavailable, match="it may have been done or not") as caught:
            do(SENDS, store)
        down.join()
        (message,) = other.messages()
        assert f"`msgcode show {message.id}`" in str(caught.value)


def test_a_stalled_link_is_told_as_one_that_nobody_answers(
    room: str, proxy: Proxy, tmp_path: Path, quick: None
) -> None:
    with machine(proxy.url, room, tmp_path) as store:
        store.register("ann")
        proxy.stalled = True
        with pytest.raises(Unavailable, match="NATS"):
            store.register("bob")
        assert [agent.id for agent in store.agents()] == ["ann"]
        assert store.behind_since
        proxy.stalled = False
        wait_for(lambda: store.behind_since is None if store.agents() else False)


def wait_for(condition: Callable[[], object], seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_reader_goes_on_with_what_it_knows_and_catches_up(
    room: str, proxy: Proxy, nats_server: NatsServer, tmp_path: Path
) -> None:
    async def read() -> None:
        seen: list[int] = []

        async def follow() -> None:
            async for events in reader.watch():
                seen.extend(event.seq for event in events)

        following = asyncio.create_task(follow())
        try:
            for number in range(60):
                await asyncio.to_thread(writer.send, "ann", "bob", f"{number}")
                if number == 20:
                    await reached(seen, 21)
                    proxy.cut()
                if number == 40:
                    await asyncio.to_thread(wait_for, lambda: reader.behind_since)
                    assert len(reader.agents()) == 1
                    assert len(reader.messages()) == 21
                    proxy.restore()
            await reached(seen, 60)
            assert seen == list(range(seen[0], seen[0] + 60))
            assert reader.behind_since is None
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    async def reached(seen: list[int], wanted: int) -> None:
        async with asyncio.timeout(30):
            while len(seen) < wanted:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    with (
        machine(nats_server.url, room, tmp_path / "b") as writer,
        machine(proxy.url, room, tmp_path / "a") as reader,
    ):
        writer.register("ann")
        reader.agents()
        asyncio.run(read())


def test_a_server_killed_under_writers_loses_nothing_that_it_confirmed(tmp_path: Path) -> None:
    server = NatsServer(tmp_path / "server")
    try:
        server.make_room("dev")
        with machine(server.url, "dev", tmp_path / "looker") as looker:
            looker.register("ann")
        stopping = threading.Event()

        def write(number: int) -> list[str]:
            sent = []
            with machine(server.url, "dev", tmp_path / f"writer-{number}") as store:
                while not stopping.is_set():
                    sent.append(store.send("ann", "bob", f"{number}").id)
                    store.register(f"w{number}-{len(sent)}")
            return sent

        with ThreadPoolExecutor(3) as writers:
            writing = [writers.submit(write, number) for number in range(3)]
            for _ in range(2):
                time.sleep(0.5)
                server.stop(signal.SIGKILL)
                server.start()
            time.sleep(0.5)
            stopping.set()
            sent = [id for one in writing for id in one.result(60)]
        with machine(server.url, "dev", tmp_path / "looker") as looker:
            looker.agents()
            found = [event.fact.id for event in looker.history() if isinstance(event.fact, MessageSent)]
            assert Counter(found) == Counter(sent)
            assert not looker.damage()
            assert len(looker.agents()) == len(sent) + 1
    finally:
        server.stop(signal.SIGKILL)


def test_who_looks_at_what_is_old_is_told_since_when(
    room: str,
    proxy: Proxy,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with machine(proxy.url, room, tmp_path) as store:
        store.register("ann")
        assert store.behind_since is None
        monkeypatch.setattr(Store, "open", lambda target: store)
        monkeypatch.setattr(store, "close", lambda: None)
        proxy.cut()
        assert cli.main(["agents"]) == 0
        shown = capsys.readouterr()
        assert "ann" in shown.out
        assert shown.err.count("\n") == 1
        assert "NATS cannot be reached since " in shown.err
        assert cli.main(["status"]) == 0
        assert "Behind: NATS cannot be reached since " in capsys.readouterr().out
        assert cli.main(["status", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["behindSince"]
        proxy.restore()
        wait_for(lambda: store.agents() and not store.behind_since)
        assert cli.main(["status"]) == 0
        shown = capsys.readouterr()
        assert "Behind" not in shown.out + shown.err
        monkeypatch.undo()


def test_what_a_server_has_lost_is_not_shown_as_being_there(tmp_path: Path) -> None:
    server = NatsServer(tmp_path / "server")
    try:
        server.make_room("dev")
        with (
            machine(server.url, "dev", tmp_path / "a") as store,
            machine(server.url, "dev", tmp_path / "b") as other,
        ):
            store.register("ann")
            server.stop()
            shutil.copytree(tmp_path / "server" / "streams", tmp_path / "aside")
            server.start()
            wait_for(lambda: store.agents() and not store.behind_since)
            store.register("bob")
            other.agents()
            server.stop()
            shutil.rmtree(tmp_path / "server" / "streams")
            shutil.copytree(tmp_path / "aside", tmp_path / "server" / "streams")  # As after a power cut.
            server.start()
            wait_for(lambda: store.agents() and not store.behind_since)
            assert [agent.id for agent in store.agents()] == ["ann"]
            store.register("cy")
            wait_for(lambda: other.agents() and not other.behind_since)
            for looking in (store, other):
                assert [agent.id for agent in looking.agents()] == ["ann", "cy"]
                assert not looking.damage()
    finally:
        server.stop(signal.SIGKILL)


def test_a_room_opens_though_nobody_tells_who_is_there_yet(
    room: str, proxy: Proxy, nats_server: NatsServer, tmp_path: Path
) -> None:
    with machine(nats_server.url, room, tmp_path / "b") as other:
        other.register("ann")
        other.set_presence("ann", "busy")
        proxy.swallow_after = b"CONSUMER.CREATE.KV"
        with machine(proxy.url, room, tmp_path / "a") as store:
            assert proxy.swallow_after is None
            assert [agent.id for agent in store.agents()] == ["ann"]
            wait_for(lambda: store.presence("ann").activity == "busy")
