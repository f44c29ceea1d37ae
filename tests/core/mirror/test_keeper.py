"""One of several keepers is at work; the others do not even look while it is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from msgcode import Store
from msgcode.journal.reader import Position
from msgcode.mirror import keeper as module
from msgcode.mirror.files import Version
from msgcode.mirror.keeper import Keeper, Post
from msgcode.mirror.mirror import Mirror
from msgcode.mirror.versions import KEEPER, KEPT_FOR, is_kept
from msgcode.model import now
from tests.core.mirror.support import agent, message, mirror_of, put, sent


def wait_for(true: Callable[[], object], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look and touch often, so that no test waits long."""
    monkeypatch.setattr(module, "_TEND_EVERY", 0.02)
    monkeypatch.setattr(module, "_TOUCH_EVERY", 0.02)


class Work:
    """Counts how often it is done, and keeps what was caught."""

    def __init__(self) -> None:
        self.done = 0
        self.caught: list[bytes] = []

    def __call__(self, caught: Sequence[Version]) -> Mirror | None:
        self.done += 1
        self.caught += [version.data for version in caught]
        return None


class TestPost:
    def test_one_has_it_until_it_leaves(self, tmp_path: Path) -> None:
        one, other = Post(str(tmp_path)), Post(str(tmp_path))
        assert one.take()
        assert not other.take()
        assert is_kept(str(tmp_path))
        one.leave()
        assert not is_kept(str(tmp_path))
        wait_for(other.take)
        other.leave()

    def test_it_is_kept_no_longer_when_it_is_not_touched(self, tmp_path: Path) -> None:
        """Its holder is suspended."""
        post = Post(str(tmp_path))
        assert post.take()
        long_ago = time.time() - KEPT_FOR - 1
        os.utime(tmp_path / KEEPER, (long_ago, long_ago))
        assert not is_kept(str(tmp_path))
        wait_for(lambda: post.take() and is_kept(str(tmp_path)))
        post.leave()

    def test_a_file_from_the_future_tells_nothing(self, tmp_path: Path) -> None:
        (tmp_path / KEEPER).touch()
        os.utime(tmp_path / KEEPER, (time.time() + 3600,) * 2)
        assert not is_kept(str(tmp_path))

    def test_where_its_file_was_deleted_it_is_taken_anew(self, tmp_path: Path) -> None:
        post = Post(str(tmp_path))
        assert post.take()
        (tmp_path / KEEPER).unlink()
        wait_for(lambda: post.take() and (tmp_path / KEEPER).exists())
        post.leave()

    def test_there_may_be_no_folder_yet(self, tmp_path: Path) -> None:
        post = Post(str(tmp_path / "room"))
        assert not post.take()
        assert not (tmp_path / "room").exists()
        (tmp_path / "room").mkdir()
        wait_for(post.take)
        post.leave()


class TestKeeper:
    def test_only_one_of_several_works_and_another_takes_over(self, tmp_path: Path) -> None:
        work = [Work() for _ in range(3)]
        with ExitStack() as others:
            with Keeper(str(tmp_path), work[0]):
                wait_for(lambda: work[0].done)
                for other in work[1:]:
                    others.enter_context(Keeper(str(tmp_path), other))
                before = work[0].done
                wait_for(lambda: work[0].done > before + 5)
                assert [other.done for other in work[1:]] == [0, 0]
            wait_for(lambda: sum(other.done for other in work[1:]) > 5)
            assert 0 in [other.done for other in work[1:]]
        assert not is_kept(str(tmp_path))

    def test_another_takes_over_from_one_that_was_killed(self, tmp_path: Path) -> None:
        script = """
            import sys, time
            from msgcode.mirror.keeper import Keeper
            with Keeper(sys.argv[1], lambda caught: print("at work", flush=True)):
                time.sleep(60)
        """
        child = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(script), str(tmp_path)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout
        assert child.stdout.readline() == "at work\n"
        work = Work()
        with Keeper(str(tmp_path), work):
            assert work.done == 0
            child.send_signal(signal.SIGKILL)
            child.wait()
            child.stdout.close()
            wait_for(lambda: work.done)

    def test_what_was_caught_last_is_taken_in_when_it_ends(self, tmp_path: Path) -> None:
        work = Work()
        with Keeper(str(tmp_path), work) as keeper:
            wait_for(lambda: work.done)
            wait_for(lambda: getattr(keeper._catcher, "_inotify", True))
            put(tmp_path, "messages.json", b"[7]")
            keeper._caught.append(Version("messages.json", b"last", (0, 0, 0)))
        assert b"last" in work.caught

    def test_it_leaves_no_thread_and_the_usual_turn(self, tmp_path: Path) -> None:
        usual = sys.getswitchinterval()
        keeper = Keeper(str(tmp_path), Work())
        with keeper:
            pass
        assert not any(thread.is_alive() for thread in keeper._threads)
        assert sys.getswitchinterval() == usual


class TestOthers:
    def test_they_do_not_look_while_one_is_at_work_and_do_when_it_is_suspended(self, tmp_path: Path) -> None:
        room = tmp_path / "room"
        put(room, "agents.json", [agent("bob")], now())
        post = Post(str(room))
        assert post.take()
        with Store.open(room, sync=False) as store:
            assert store.agents() == []
            store.register("ann")
            assert not (room / "messages.json").exists()
            os.utime(room / KEEPER, (1, 1))
            assert [agent.id for agent in store.agents()] == ["ann", "bob"]
            post.leave()

    async def test_whoever_follows_keeps_the_files(self, tmp_path: Path) -> None:
        room = tmp_path / "room"
        put(room, "agents.json", [agent("bob")], now())
        with Store.open(room, sync=False) as watcher, Store.open(room, sync=False) as store:
            store.register("ann")
            events = watcher.watch(Position())
            await anext(events)
            wait_for(lambda: is_kept(str(room)))
            put(room, "messages.json", [message("theirs")], now())
            wait_for(lambda: sent(store) == ["theirs"])
            ours = store.send("ann", "bob", "ours").id
            wait_for(lambda: ours in (room / "messages.json").read_text())
            wrote = mirror_of(watcher)._memory.wrote
            later = store.send("ann", "bob", "later").id
            wait_for(lambda: later in (room / "messages.json").read_text())
            assert mirror_of(watcher)._memory.wrote == wrote
            await events.aclose()  # type: ignore[attr-defined]
            assert not is_kept(str(room))
