"""What an account, or a user of it, is let do in a room on NATS, by the configuration of `crew.conf`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from msgcode import Activity, Refused, Store
from msgcode.events import MessageSent
from msgcode.nats import layout
from msgcode.nats.address import parse
from msgcode.nats.link import Link
from tests.core.nats.server import NatsServer

CREW = Path(__file__).with_name("crew.conf")

USERS = {"lead": "change-me-1", "dev": "change-me-2", "screen": "change-me-3", "other": "change-me-4"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    server = NatsServer(tmp_path_factory.mktemp("crew"), CREW.read_text())
    try:
        for user, room in (("lead", "dev"), ("lead", "ops"), ("other", "dev")):
            link = Link(parse(url(server, user, room)))
            assert layout.make(link)
            link.close()
        with opened(server, "dev") as store:
            store.register("ann")
            store.send("ann", "ann", "of the crew")
            store.set_presence("ann", "busy")
        yield server
    finally:
        server.stop()


def url(server: NatsServer, user: str, room: str = "dev") -> str:
    return f"nats://{user}:{USERS[user]}@127.0.0.1:{server.port}/{room}"


def opened(server: NatsServer, user: str, room: str = "dev") -> Store:
    return Store.open(url(server, user, room))


def bodies(store: Store) -> list[str]:
    return [message.body for message in store.messages()]


def test_a_user_comes_into_his_room_only(server: NatsServer) -> None:
    for user in ("dev", "screen"):
        with pytest.raises(Refused, match=r"your NATS account may not do that in room 'ops'") as refused:
            opened(server, user, "ops")
        assert refused.value.exit_code == 1
    with opened(server, "lead", "ops") as store:
        assert store.agents() == []


def test_accounts_have_rooms_of_their_own(server: NatsServer) -> None:
    with opened(server, "dev") as ours, opened(server, "other") as theirs:
        assert not theirs.agents()
        theirs.register("zoe")
        theirs.send("zoe", "zoe", "of the others")
        assert "of the others" not in bodies(ours)
        assert bodies(theirs) == ["of the others"]
        assert [agent.id for agent in ours.agents()] == ["ann"]
        assert theirs.presence("ann").activity is Activity.OFFLINE


def test_a_user_of_the_room_can_do_everything_there(server: NatsServer) -> None:
    with opened(server, "dev") as store:
        store.register("bob")
        sent = store.send("ann", "bob", "hello")
        assert [message.id for message in store.claim("bob", "x")] == [sent.id]
        store.confirm("bob", sent.id, "x")
        store.acknowledge("bob", sent.id)
        store.create_channel("bobs", "bob")
        store.set_presence("bob", "blocked", "by a test")
        assert store.presence("bob").reason == "by a test"
        store.unregister("bob")
        store.purge()
        assert "of the crew" in bodies(store)


VERBS: dict[str, Callable[[Store], object]] = {
    "register": lambda store: store.register("eve"),
    "send": lambda store: store.send("ann", "ann", "from the screen"),
    "read an inbox": lambda store: store.check("ann"),
    "claim": lambda store: store.claim("ann", "screen"),
    "tell presence": lambda store: store.set_presence("ann", "idle"),
    "purge": lambda store: store.purge(waiting=True),
    "open a channel": lambda store: store.create_channel("eves", "ann"),
}


@pytest.mark.parametrize("verb", VERBS)
def test_a_reader_is_refused_what_writes_in_one_sentence(server: NatsServer, verb: str) -> None:
    with opened(server, "dev") as other, opened(server, "screen") as store:
        before = list(other.history()), other.presence("ann").activity
        started = time.monotonic()
        with pytest.raises(
            Refused, match=r"^your NATS account may not do that in room 'dev': .* Nothing was changed\.$"
        ):
            VERBS[verb](store)
        assert time.monotonic() - started < 3, "the refusal was waited for"
        other.agents()
        assert before == (list(other.history()), other.presence("ann").activity)


def test_a_reader_sees_what_there_is_and_what_comes(server: NatsServer) -> None:
    async def watch(reader: Store, writer: Store) -> None:
        async for events in reader.watch():
            if any(isinstance(event.fact, MessageSent) for event in events):
                return
            await asyncio.to_thread(writer.send, "ann", "ann", "news")

    async def within() -> None:
        with opened(server, "screen") as reader, opened(server, "dev") as writer:
            assert "ann" in [agent.id for agent in reader.agents()]
            assert "of the crew" in bodies(reader)
            assert reader.presence("ann").activity is Activity.BUSY
            assert not reader.damage()
            async with asyncio.timeout(20):
                watching = asyncio.create_task(watch(reader, writer))
                await asyncio.sleep(0.2)
                await asyncio.to_thread(writer.register, "ann", "Ann")
                await watching

    asyncio.run(within())


def test_a_reader_need_not_be_let_see_presence(tmp_path: Path) -> None:
    lines = [line for line in CREW.read_text().splitlines() if "KV_msgcode-dev-presence.*" not in line]
    server = NatsServer(
        tmp_path / "server", "\n".join(lines).replace(', "$JS.API.STREAM.INFO.KV_msgcode-dev-presence"', "")
    )
    try:
        link = Link(parse(url(server, "lead")))
        layout.make(link)
        link.close()
        with opened(server, "lead") as writer:
            writer.register("ann")
            started = time.monotonic()
            with opened(server, "screen") as reader:
                assert [agent.id for agent in reader.agents()] == ["ann"]
                assert not reader.presence("ann").online
            assert time.monotonic() - started < 4
    finally:
        server.stop()
