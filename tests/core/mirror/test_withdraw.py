"""Exactly one side injects each message."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from msgcode import Store
from msgcode.mirror import mirror
from msgcode.mirror.mirror import Mirror
from tests.core.mirror.support import (
    Shifted,
    listed,
    peer,
    put,
    settle,
    statuses,
)


class TestWhoInjects:
    def test_what_is_claimed_is_taken_from_the_file(self, room: Path, store: Store, clock: Shifted) -> None:
        peer(room, "cy")
        store.register("ann")
        store.register("bob")
        id = store.send("ann", "bob", "hello").id
        settle(store, clock)
        assert statuses(room) == {id: "queued"}
        assert [message.id for message in store.claim("bob", "host")] == [id]
        assert statuses(room) == {}
        store.confirm("bob", id, "host")
        settle(store, clock)
        assert statuses(room) == {id: "delivered"}

    def test_what_the_plugin_took_is_not_given_to_ours(
        self, room: Path, store: Store, clock: Shifted, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It takes it between our claim and our writing."""
        peer(room, "bob")
        store.register("ann")
        id = store.send("ann", "bob", "hello").id
        settle(store, clock)
        taken = [entry | {"status": "delivered"} for entry in listed(room).values()]
        real = Mirror.withdraw

        def withdraw(self: Mirror, *arguments: object) -> set[str]:
            put(room, "messages.json", taken)
            return real(self, *arguments)  # type: ignore[arg-type]

        slept: list[float] = []
        monkeypatch.setattr(time, "sleep", slept.append)
        monkeypatch.setattr(Mirror, "withdraw", withdraw)
        assert store.claim("bob", "host") == []
        assert store.message(id).deliveries["bob"].by == "oh-my-msgcode"
        assert len(slept) == 1  # It is taken, so there is nothing to wait for.

    def test_what_stale_writes_put_back_is_handed_back(
        self, room: Path, store: Store, clock: Shifted, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        peer(room, "bob")
        store.register("ann")
        id = store.send("ann", "bob", "hello").id
        settle(store, clock)
        stale, slept = (room / "messages.json").read_bytes(), [0]

        def sleep(_: float) -> None:
            slept[0] += 1
            put(room, "messages.json", stale)

        monkeypatch.setattr(mirror, "SETTLE", 0)
        monkeypatch.setattr(time, "sleep", sleep)
        assert store.claim("bob", "host") == []
        assert slept == [mirror.TRIES]
        delivery = store.message(id).deliveries["bob"]
        assert delivery.status == "queued"
        assert "oh-my-msgcode" in delivery.failures[0]

    def test_put_back_once_it_is_taken_again(
        self, room: Path, store: Store, clock: Shifted, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        peer(room, "bob")
        store.register("ann")
        id = store.send("ann", "bob", "hello").id
        settle(store, clock)
        stale, slept = (room / "messages.json").read_bytes(), [0]

        def sleep(_: float) -> None:
            slept[0] += 1
            if slept == [1]:
                put(room, "messages.json", stale)

        monkeypatch.setattr(time, "sleep", sleep)
        assert [message.id for message in store.claim("bob", "host")] == [id]
        assert slept == [2]
        assert statuses(room) == {}

    def test_what_has_been_delivered_is_not_waited_for(
        self, room: Path, store: Store, clock: Shifted, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        peer(room, "bob")
        store.register("ann")
        store.send("ann", "bob", "hello")
        store.check("bob")
        slept: list[float] = []
        monkeypatch.setattr(time, "sleep", slept.append)
        assert len(store.check("bob")) == 1
        assert slept == []
