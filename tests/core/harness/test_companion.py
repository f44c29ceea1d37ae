"""The companion between hooks: on a real store and a session's folder, with what hooks would write."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from msgcode import Status, Store
from msgcode.harness import companion
from msgcode.harness.companion import Companion
from msgcode.harness.description import Harness
from msgcode.harness.sessions import Conversation, Handed, SessionFolder
from msgcode.model import Activity, Delivery, Session
from tests.core.harness.programs import Toy

BY = "toy c1"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "room", sync=False) as store:
        store.register("ann")
        yield store


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SessionFolder:
    monkeypatch.setitem(sys.modules, "msgcode.harness.toy.payloads", Toy("payloads"))
    return SessionFolder(tmp_path / "sessions" / str(os.getpid()))


TOY = Harness("toy", "Toy", "toy", "toy", (), "toy.json", ("hooks",), (), "toy.json", ("servers",))


@asynccontextmanager
async def company(store: Store, folder: SessionFolder, harness: Harness = TOY) -> AsyncIterator[Companion]:
    """A companion at work, of this process."""
    one = Companion(store, harness, os.getpid(), folder)
    one.listed()
    work = asyncio.create_task(one.run())
    try:
        yield one
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - it is other threads that make it so
            await asyncio.sleep(0.005)


def has_mail(folder: SessionFolder) -> bool:
    return (folder.path / "mail").exists()


def delivery(store: Store, id: str) -> Delivery:
    return store.message(id).deliveries["bob"]


def session_of(store: Store, agent: str) -> Session:
    found = next(one.session for one in store.agents() if one.id == agent)
    assert found
    return found


def is_so(store: Store, activity: Activity, reason: str | None) -> bool:
    presence = store.presence("bob")
    return (presence.activity, presence.reason) == (activity, reason)


async def test_agents_live_in_the_open_conversation(store: Store, folder: SessionFolder) -> None:
    folder.begin(Conversation("c1", directory="/project"), os.getpid())
    async with company(store, folder) as one:
        await until(lambda: one.delivers)
        assert (one.session.id, one.session.harness, one.session.directory) == ("c1", "toy", "/project")
        store.register("bob", session=one.session)
        await until(lambda: store.presence("bob").activity is Activity.IDLE)
        assert folder.room == store.name
    assert store.presence("bob").activity is Activity.OFFLINE
    assert not folder.path.exists()


async def test_those_who_registered_before_the_conversation_was_known(
    store: Store, folder: SessionFolder
) -> None:
    async with company(store, folder) as one:
        store.register("bob", session=one.session)
        assert not one.delivers
        folder.begin(Conversation("c1"), os.getpid())
        await until(lambda: session_of(store, "bob").id == "c1")


async def test_a_conversation_that_is_taken_up_again(store: Store, folder: SessionFolder) -> None:
    store.register("bob", session=Session("c1", "toy", "an earlier process"))
    folder.begin(Conversation("c1"), os.getpid())
    async with company(store, folder) as one:
        await until(lambda: session_of(store, "bob") == one.session)


async def test_another_conversation_is_opened(store: Store, folder: SessionFolder) -> None:
    store.register("cy", session=Session("c2", "toy", "an earlier process"))
    folder.begin(Conversation("c1"), os.getpid())
    async with company(store, folder) as one:
        await until(lambda: one.delivers)
        store.register("bob", session=one.session)
        folder.begin(Conversation("c2"), os.getpid())
        await until(lambda: session_of(store, "cy") == one.session)
        await until(lambda: store.presence("bob").activity is Activity.OFFLINE)
        assert session_of(store, "bob").id == "c1"


async def test_a_conversation_that_goes_on_under_another_id(store: Store, folder: SessionFolder) -> None:
    folder.begin(Conversation("c1"), os.getpid())
    async with company(store, folder) as one:
        await until(lambda: one.delivers)
        store.register("bob", session=one.session)
        folder.begin(Conversation("c2", continues=True), os.getpid())
        await until(lambda: session_of(store, "bob").id == "c2")


async def test_presence_is_told(store: Store, folder: SessionFolder) -> None:
    folder.begin(Conversation("c1"), os.getpid())
    async with company(store, folder) as one:
        await until(lambda: one.delivers)
        store.register("bob", session=one.session)
        for activity, reason in (
            (Activity.BUSY, None),
            (Activity.BLOCKED, "it wants to run ls"),
            (Activity.OFFLINE, None),
            (Activity.IDLE, None),
        ):
            folder.tell(activity, reason)
            await until(partial(is_so, store, activity, reason))


async def test_a_turn_that_its_user_has_broken_off_is_seen_in_the_transcript(
    store: Store, folder: SessionFolder, tmp_path: Path
) -> None:
    transcript = tmp_path / "transcript"
    transcript.write_text("broken off\n")
    folder.begin(Conversation("c1", str(transcript)), os.getpid())
    store.register("bob", session=Session("c1", "toy", "before"))
    os.utime(transcript, (1, 1))
    folder.tell(Activity.BLOCKED, "a question")  # That was an earlier turn.
    async with company(store, folder, TOY._replace(interrupted="broken off")):
        await until(lambda: is_so(store, Activity.BLOCKED, "a question"))
        with transcript.open("a") as file:
            file.write("the model goes on\n")
        store.send("ann", "bob", "hello")
        await until(lambda: has_mail(folder))
        assert is_so(store, Activity.BLOCKED, "a question")
        with transcript.open("a") as file:
            file.write("broken off\n")
        await until(lambda: is_so(store, Activity.IDLE, None))


async def test_mail_is_flagged_as_long_as_there_is_some(store: Store, folder: SessionFolder) -> None:
    folder.begin(Conversation("c1"), os.getpid())
    async with company(store, folder) as one:
        await until(lambda: one.delivers)
        store.register("bob", session=one.session)
        store.register("eve", human=True)
        hold = store.hold("eve", agent="bob")
        message = store.send("ann", "bob", "x")
        folder.tell(Activity.BUSY)
        await until(lambda: store.presence("bob").activity is Activity.BUSY)
        assert not has_mail(folder), "what is held is not to be delivered"
        assert hold
        store.release("eve")
        await until(lambda: has_mail(folder))
        store.claim("bob", BY)
        await until(lambda: not has_mail(folder))
        store.fail("bob", message.id, BY, "not taken")
        await until(lambda: has_mail(folder))


async def test_nobody_is_woken_who_has_no_tools_to_answer_with(store: Store, folder: SessionFolder) -> None:
    folder.begin(Conversation("c1"), os.getpid())
    one = Companion(store, TOY, os.getpid(), folder)
    work = asyncio.create_task(one.run())
    try:
        await until(lambda: one.delivers)
        store.register("bob", session=one.session)
        waiting = asyncio.create_task(asyncio.to_thread(folder.wake.read_bytes))
        store.send("ann", "bob", "x")
        await until(lambda: has_mail(folder))
        await asyncio.sleep(3 * companion.CLOSE_LOOK)
        assert not waiting.done()
        one.listed()
        async with asyncio.timeout(5):
            assert await waiting == b"\n"
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


async def test_an_idle_session_is_woken(store: Store, folder: SessionFolder) -> None:
    folder.begin(Conversation("c1"), os.getpid())
    async with company(store, folder) as one:
        await until(lambda: one.delivers)
        store.register("bob", session=one.session)
        store.send("ann", "bob", "x")
        await until(lambda: has_mail(folder))
        async with asyncio.timeout(10):
            assert await asyncio.to_thread(folder.wake.read_bytes) == b"\n"


async def test_an_idle_session_is_woken_by_its_programs_own_words(
    store: Store, folder: SessionFolder, tmp_path: Path
) -> None:
    script = f"import sys; open({str(tmp_path / 'woken')!r}, 'w').write(' '.join(sys.argv[1:]))"
    folder.begin(Conversation("c1"), os.getpid())
    folder.tell(Activity.BUSY)
    # The program that is woken is the one that runs: this one.
    async with company(store, folder, TOY._replace(wake=("toy", "-c", script, "{session}", "{text}"))) as one:
        await until(lambda: one.delivers)
        store.register("bob", session=one.session)
        store.send("ann", "bob", "x")
        await until(lambda: has_mail(folder))
        assert not (tmp_path / "woken").exists(), "it is busy"
        folder.tell(Activity.IDLE)
        await until(lambda: (tmp_path / "woken").exists() and (tmp_path / "woken").read_text())
        assert (tmp_path / "woken").read_text() == f"c1 {companion.WAKE_TEXT}"


async def test_mail_that_waits_long_in_a_busy_session_wakes_it(
    store: Store, folder: SessionFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(companion, "PATIENCE", 0.2)
    folder.begin(Conversation("c1"), os.getpid())
    folder.tell(Activity.BUSY)
    async with company(store, folder) as one:
        await until(lambda: one.delivers)
        store.register("bob", session=one.session)
        store.send("ann", "bob", "x")
        async with asyncio.timeout(10):
            assert await asyncio.to_thread(folder.wake.read_bytes) == b"\n", "its user may have broken off"


async def test_who_is_given_up_is_left_as_he_is(store: Store, folder: SessionFolder) -> None:
    folder.begin(Conversation("c1"), os.getpid())
    async with company(store, folder) as one:
        await until(lambda: one.delivers)
        store.register("bob", session=one.session)
        one.give_up()
    assert store.presence("bob").activity is Activity.IDLE
    async with company(store, folder) as other:
        await until(lambda: other.delivers)


async def test_what_was_handed_over_is_delivered_once_it_is_in_the_transcript(
    store: Store, folder: SessionFolder, tmp_path: Path
) -> None:
    transcript = tmp_path / "transcript.jsonl"
    folder.begin(Conversation("c1", str(transcript)), os.getpid())
    async with company(store, folder) as one:
        await until(lambda: one.delivers)
        store.register("bob", session=one.session)
        first, second = store.send("ann", "bob", "one"), store.send("ann", "bob", "two")
        store.claim("bob", BY)
        folder.hand_over([Handed("bob", first.id, BY), Handed("bob", second.id, BY)])
        transcript.write_text(f"(1/2) from ann, id {first.id}, 10:02")
        await until(lambda: delivery(store, first.id).status is Status.DELIVERED)
        assert delivery(store, second.id).status is Status.CLAIMED
        with transcript.open("a") as file:
            file.write(f"(2/2) from ann, id {second.id}, 10:02")
        await until(lambda: delivery(store, second.id).status is Status.DELIVERED)
        assert delivery(store, second.id).by == BY


async def test_what_is_not_taken_in_time_waits_again(
    store: Store, folder: SessionFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(companion, "LEASE", 0.2)
    folder.begin(Conversation("c1"), os.getpid())
    async with company(store, folder) as one:
        await until(lambda: one.delivers)
        store.register("bob", session=one.session)
        message = store.send("ann", "bob", "x")
        store.claim("bob", BY)
        folder.hand_over([Handed("bob", message.id, BY)])
        await until(lambda: delivery(store, message.id).status is Status.QUEUED)
        assert delivery(store, message.id).failures == (companion.NOT_TAKEN,)


async def test_the_program_ends_with_a_message_on_its_way(store: Store, folder: SessionFolder) -> None:
    folder.begin(Conversation("c1"), os.getpid())
    async with company(store, folder) as one:
        await until(lambda: one.delivers)
        store.register("bob", session=one.session)
        message = store.send("ann", "bob", "x")
        store.claim("bob", BY)
        folder.hand_over([Handed("bob", message.id, BY)])
    assert delivery(store, message.id).status is Status.QUEUED
    assert delivery(store, message.id).failures == (companion.ENDED,)


async def test_a_program_has_one_companion(store: Store, folder: SessionFolder) -> None:
    folder.begin(Conversation("c1"), os.getpid())
    async with company(store, folder) as one:
        await until(lambda: one.delivers)
        async with company(store, SessionFolder(folder.path)) as other:
            assert other.session.id == "c1", "agents that register there live in the same conversation"
            await asyncio.sleep(0)
            assert not other.delivers
        assert folder.path.exists(), "it was not its own to take away"
        store.register("bob", session=one.session)
        await until(lambda: store.presence("bob").activity is Activity.IDLE)


async def test_what_an_earlier_process_of_that_number_left_goes(store: Store, folder: SessionFolder) -> None:
    folder.begin(Conversation("c0"), os.getpid())
    folder.hand_over([Handed("bob", "m1", BY)])
    for file in folder.path.iterdir():
        os.utime(file, (1, 1))
    async with company(store, folder) as one:
        await until(lambda: folder.room)
        assert folder.conversation is None
        assert not one.delivers
        assert folder.handed() == ([], 0)


def test_a_note_that_was_cut_short_is_passed_over(folder: SessionFolder) -> None:
    folder.make()
    (folder.path / "handed").write_text('["bob", "m1", "x"]\n["bob", "m\n["bob", "m3", "x"]\n["bob"')
    found, read = folder.handed()
    assert found == [Handed("bob", "m1", "x"), Handed("bob", "m3", "x")]
    with (folder.path / "handed").open("a") as file:
        file.write(', "m4", "x"]\n')
    assert folder.handed(read)[0] == [Handed("bob", "m4", "x")]
