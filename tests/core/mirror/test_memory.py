"""What is remembered of the files, and what becomes of it when it is lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from msgcode import Store
from msgcode.journal.seal import sealed
from msgcode.mirror.memory import FORGET_AFTER, Memory, load
from tests.core.mirror.support import agent, message, mirror_of, put, sent
from tests.core.support import Clock


def full() -> Memory:
    memory = Memory()
    memory.signatures = {"messages.json": (1, 2, 3)}
    memory.agents, memory.channels = {"bob": {"id": "bob"}}, {"api": {"members": ["é"]}}
    memory.messages = {"m1", "with space", "é\u3000ü"}
    memory.was_message, memory.gone, memory.touched = {"m2": 5.0}, {"api/bob": 6.0}, {"cy": 7.0}
    memory.cleared = {"m2": 5.0}
    memory.problems = {"set-aside/x.json": ["broken."]}
    memory.wrote, memory.published, memory.since = 8.0, 9.0, 10.0
    return memory


class TestFile:
    def test_round_trip(self, tmp_path: Path) -> None:
        full().save(str(tmp_path))
        assert vars(load(str(tmp_path))) == vars(full())

    def test_an_empty_one(self, tmp_path: Path) -> None:
        Memory().save(str(tmp_path))
        assert vars(load(str(tmp_path))) == vars(Memory())

    @pytest.mark.parametrize("data", [b"", b"[]", b"nonsense", b"\xff", b"{}", b"[" * 100_000, b"null"])
    def test_one_that_cannot_be_read_is_a_new_one(self, tmp_path: Path, data: bytes) -> None:
        (tmp_path / "mirror.json").write_bytes(data)
        assert vars(load(str(tmp_path))) == vars(Memory())

    @pytest.mark.parametrize("key", [*vars(Memory()), "version"])
    @pytest.mark.parametrize("value", ["x", ["x"], {"x": "y"}])
    def test_nor_one_of_another_shape(self, tmp_path: Path, key: str, value: object) -> None:
        full().save(str(tmp_path))
        content: dict[str, Any] = json.loads((tmp_path / "mirror.json").read_bytes())
        del content[key]
        (tmp_path / "mirror.json").write_bytes(sealed(json.dumps(content).encode()))
        assert vars(load(str(tmp_path))) == vars(Memory())
        if key != "problems" and (key, value) != ("messages", "x"):
            (tmp_path / "mirror.json").write_bytes(sealed(json.dumps({**content, key: value}).encode()))
            assert vars(load(str(tmp_path))) == vars(Memory())

    def test_nor_one_in_which_anything_has_changed(self, tmp_path: Path) -> None:
        """Such as an agent that was never seen, with which nothing else reckons."""
        full().save(str(tmp_path))
        file = tmp_path / "mirror.json"
        file.write_bytes(file.read_bytes().replace(b'"bob":{"id":', b'"bob":{"ix":'))
        assert vars(load(str(tmp_path))) == vars(Memory())


class TestForgetting:
    def test_after_an_hour(self) -> None:
        memory = full()
        memory.forget(5 + FORGET_AFTER)
        assert (memory.was_message, memory.cleared) == ({"m2": 5.0}, {"m2": 5.0})
        memory.forget(7.5 + FORGET_AFTER)
        assert not any((memory.was_message, memory.cleared, memory.gone, memory.touched))
        assert memory.messages == full().messages

    def test_what_began_before_that_is_no_longer_all_remembered_whatever_the_clock_does(self) -> None:
        memory = Memory()
        memory.forget(1000.0)
        assert memory.since == 1000
        memory.forget(2000.0)
        assert memory.since == 1000
        memory.forget(9000.0)
        assert memory.since == 9000 - FORGET_AFTER
        memory.forget(10.0)
        assert memory.since == 9000 - FORGET_AFTER

    def test_what_comes_back_is_there_again(self) -> None:
        memory = Memory()
        for ids in ({"m1", "m2"}, {"m2"}, {"m1", "m2"}, {"m1"}):
            memory.saw_messages(ids, 5.0)
        assert (memory.messages, memory.was_message) == ({"m1"}, {"m2": 5.0})


@pytest.mark.parametrize("lost", ["deleted", "corrupt"])
def test_a_lost_memory_imports_nothing_twice(tmp_path: Path, lost: str) -> None:
    room, clock = tmp_path / "room", Clock()
    put(room, "agents.json", [agent("bob"), agent("cy")], clock())
    put(
        room,
        "messages.json",
        [message("waits"), message("ends"), message("ended", status="expired")],
        clock(),
    )
    with Store.open(room, sync=False, clock=clock) as store:
        store.acknowledge("bob", "ends")
        ours = store.send("cy", "bob", "ours").id
        both = store.register("ann") and store.create_channel("api", "ann")
        for name in ("bob", "cy"):
            store.join(both.id, name)
        shout = store.broadcast("ann", "api", "all")
        clock.advance(1)
        mirror_of(store).publish(at_once=True)
        store.acknowledge("bob", ours, shout.id)
        before = sorted(sent(store))
    if lost == "deleted":
        (room / "mirror.json").unlink()
    else:
        (room / "mirror.json").write_bytes(b"{")
    for _ in range(2):
        with Store.open(room, sync=False, clock=clock) as store:
            assert [message.id for message in store.inbox("bob")] == ["waits"]
            assert sorted(sent(store)) == before
            clock.advance(1)
            mirror_of(store).publish(at_once=True)
