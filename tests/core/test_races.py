"""Real processes and threads on one room: nothing is lost, nothing is done twice, nobody is stuck."""

from __future__ import annotations

import multiprocessing
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

from msgcode import Refused, Store, Unavailable
from msgcode.events import MessageClaimed, MessageDelivered, MessageSent
from msgcode.journal import file, lock
from tests.core.support import forget_snapshot, join_snapshots, picture

ROOT = Path(__file__).parents[2]


@pytest.fixture
def room(tmp_path: Path) -> Path:
    room = tmp_path / "room"
    with Store.open(room, sync=False) as store:
        store.register("reader")
        for number in range(8):
            store.register(f"writer-{number}")
    return room


class Crew:
    """Worker processes, which are ended with the test that started them."""

    def __init__(self, room: Path) -> None:
        self.room = room
        self.processes: list[subprocess.Popen[str]] = []

    def start(self, role: str, *arguments: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.core.workers", role, str(self.room), *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        self.processes.append(process)
        return process

    def ready(self) -> None:
        """Wait until all are about to begin."""
        for process in self.processes:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"

    def dismiss(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                assert pipe
                pipe.close()


@pytest.fixture
def crew(room: Path) -> Iterator[Crew]:
    crew = Crew(room)
    yield crew
    crew.dismiss()


def lines(process: subprocess.Popen[str], say: str = "", status: int = 0) -> list[str]:
    """What a worker prints until it ends, whole lines only; `say` is what it is told first."""
    assert process.stdin
    assert process.stdout
    process.stdin.write(say)
    process.stdin.close()
    output = process.stdout.read()
    process.stdout.close()
    assert process.wait() == status
    return output[: output.rfind("\n") + 1].splitlines()


def numbers_of(store: Store) -> list[int]:
    return [event.seq for event in store.history()]


def check_whole(store: Store, room: Path) -> None:
    """The journal is sound, and whoever reads it anew sees what the store sees."""
    numbers = numbers_of(store)
    assert numbers == list(range(1, len(numbers) + 1))
    assert store.damage() == []
    join_snapshots()
    for _ in ("with the snapshot", "without"):
        with Store.open(room, sync=False) as late:
            assert store.agents() == late.agents()
            assert picture(late._journal.state) == picture(store._journal.state)
        forget_snapshot(room)


def test_many_writers_and_followers(room: Path, crew: Crew) -> None:
    writers, each = 6, 250
    followers = [crew.start("follow", writers * each) for _ in range(2)]
    senders = [crew.start("send", f"writer-{number}", each, 300) for number in range(writers)]
    with Store.open(room, sync=False) as store:
        sent = [id for sender in senders for id in lines(sender)[1:]]
        assert len(set(sent)) == len(sent) == writers * each
        followed = [[line.split() for line in lines(follower)[1:]] for follower in followers]
        in_order = [[str(seq), id] for seq, id in sends(store)]
        assert followed == [in_order, in_order]
        assert Counter(id for _, id in in_order) == Counter(sent)
        assert [message.id for message in store.inbox("reader")] == [id for _, id in in_order]
        for number in range(writers):
            own = [m.body.split()[1] for m in store.inbox("reader", sender=f"writer-{number}")]
            assert own == [str(count) for count in range(each)], "each writer's own order is kept"
        check_whole(store, room)


def sends(store: Store) -> list[tuple[int, str]]:
    """The number and the message's id of each send, in order."""
    return [(event.seq, event.fact.id) for event in store.history() if isinstance(event.fact, MessageSent)]


@pytest.mark.parametrize("size", [200, 70_000])
def test_writers_killed_at_any_moment(room: Path, crew: Crew, size: int) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    reported: list[str] = []
    with Store.open(room, sync=False) as store:
        deadline = time.monotonic() + 3
        kills = 0
        while time.monotonic() < deadline:
            generation = [crew.start("send", f"writer-{number}", 100_000, size) for number in range(2)]
            crew.ready()
            time.sleep(chance.uniform(0, 0.05))
            for writer in generation:
                writer.kill()
            for writer in generation:
                # The last line may be cut off: then its writer had not yet reported it.
                reported += lines(writer, status=-signal.SIGKILL)
                kills += 1
            crew.processes.clear()
            begun = time.monotonic()
            reported.append(store.send("writer-7", "reader", "still works").id)
            assert time.monotonic() - begun < 2, "the lock is free"
        found = Counter(id for _, id in sends(store))
        assert set(found.values()) == {1}
        assert set(reported) <= set(found)
        assert len(found) - len(reported) <= kills, "at most one each that was not reported any more"
        assert all(
            len(message.body) == size for message in store.inbox("reader") if message.sender != "writer-7"
        )
        check_whole(store, room)


def test_claims_are_not_shared(room: Path, crew: Crew) -> None:
    count = 200
    with Store.open(room, sync=False) as store:
        for number in range(count):
            store.send("writer-0", "reader", str(number))
        deliverers = [crew.start("deliver", f"d-{number}", count, 30) for number in range(4)]
        crew.ready()
        claimed = [lines(deliverer) for deliverer in deliverers]
        assert sorted(chain(*claimed)) == sorted(message.id for message in store.messages())
        facts = [event.fact for event in store.history()]
        assert len([fact for fact in facts if isinstance(fact, MessageClaimed)]) == count
        assert len([fact for fact in facts if isinstance(fact, MessageDelivered)]) == count
        check_whole(store, room)


def test_a_suspended_writer(room: Path, crew: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "PATIENCE", 0.2)
    holder = crew.start("hold")
    crew.ready()
    holder.send_signal(signal.SIGSTOP)
    with Store.open(room, sync=False) as store:
        before = numbers_of(store)
        begun = time.monotonic()
        with pytest.raises(
            Unavailable, match=r"^another process has held .*/room/lock for .* Nothing was"
        ) as error:
            store.send("writer-0", "reader", "hello")
        assert 0.2 <= time.monotonic() - begun < 5
        assert "\n" not in str(error.value)
        assert store.inbox("reader") == [], "reading needs no lock"
        assert numbers_of(store) == before
        holder.send_signal(signal.SIGCONT)
        lines(holder)
        store.send("writer-0", "reader", "hello")
        assert len(store.inbox("reader")) == 1


def test_a_killed_holder_leaves_no_lock(room: Path, crew: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "PATIENCE", 5)
    holder = crew.start("hold")
    crew.ready()
    holder.kill()
    with Store.open(room, sync=False) as store:
        store.send("writer-0", "reader", "hello")


def in_child(store: Store, sender: str, count: int) -> None:
    for number in range(count):
        store.send(sender, "reader", f"{sender} {number}")


def test_forked_children_share_a_store_object(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file, "SEGMENT_BYTES", 20_000)
    context = multiprocessing.get_context("fork")
    with Store.open(room, sync=False) as store:
        store.send("writer-0", "reader", "opens all files before the fork")
        children = [context.Process(target=in_child, args=(store, f"writer-{n}", 100)) for n in range(3)]
        for child in children:
            child.start()
        in_child(store, "writer-3", 100)
        for child in children:
            child.join(20)
            assert child.exitcode == 0
            child.close()
        assert len(store.inbox("reader")) == 401
        check_whole(store, room)


def test_a_fork_while_another_thread_writes(room: Path) -> None:
    """The child may not find the store locked by a thread that it does not have."""
    context = multiprocessing.get_context("fork")
    with Store.open(room, sync=False) as store:
        stop = threading.Event()

        def chatter() -> None:
            while not stop.wait(0.0005):  # Unhindered it would write faster than a child can read it all.
                store.send("writer-0", "reader", "x" * 20_000)

        thread = threading.Thread(target=chatter)
        thread.start()
        try:
            for number in range(15):
                child = context.Process(target=in_child, args=(store, "writer-1", 2))
                child.start()
                child.join(10)
                if child.exitcode is None:
                    child.kill()
                    child.join()
                assert child.exitcode == 0, f"child {number}"
                child.close()
        finally:
            stop.set()
            thread.join()
        assert len(store.inbox("reader", sender="writer-1")) == 30
        check_whole(store, room)


def test_threads_share_a_store(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file, "SEGMENT_BYTES", 20_000)
    monkeypatch.setattr(file, "SNAPSHOT_BYTES", 20_000)
    switch = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    failures: list[BaseException] = []
    done = threading.Event()
    try:
        with Store.open(room, sync=False) as store:

            def guarded(work: object, *arguments: object) -> None:
                try:
                    work(*arguments)  # type: ignore[operator]
                except BaseException as error:
                    failures.append(error)

            def write(name: str) -> None:
                for number in range(60):
                    message = store.send(name, "reader", f"{number}")
                    if number % 2:
                        store.acknowledge("reader", message.id)

            def look() -> None:
                while not done.is_set():
                    store.inbox("reader")
                    store.messages()
                    store.agents()
                    store.check("reader", limit=3)
                    try:
                        store.resolve("0123")
                    except Refused:
                        pass

            writers = [threading.Thread(target=guarded, args=(write, f"writer-{n}")) for n in range(4)]
            lookers = [threading.Thread(target=guarded, args=(look,)) for _ in range(2)]
            for thread in writers + lookers:
                thread.start()
            for thread in writers:
                thread.join()
            done.set()
            for thread in lookers:
                thread.join()
            assert failures == []
            assert len(store.inbox("reader")) == 120
            check_whole(store, room)
    finally:
        sys.setswitchinterval(switch)


def test_deleting_under_writers(room: Path, crew: Crew, tmp_path: Path) -> None:
    """Writers whose room is deleted again and again do not crash, and end up in the same one."""
    stop = tmp_path / "stop"
    survivors = [crew.start("survive", f"writer-{number}", stop) for number in range(3)]
    crew.ready()
    for _ in range(30):
        time.sleep(0.01)
        shutil.rmtree(room, ignore_errors=True)
    stop.touch()
    for survivor in survivors:
        assert survivor.stdout
        assert survivor.stdout.readline() == "settled\n"
    seen = [lines(survivor, say="go\n") for survivor in survivors]
    with Store.open(room, sync=False) as store:
        fresh = [" ".join(x.id for x in store.agents()), " ".join(x.id for x in store.messages())]
    assert seen == [fresh] * 3
    assert {"writer-0", "writer-1", "writer-2"} <= set(fresh[0].split())
