"""What a hook does once there is something to do, with the payloads of a program of our own."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from msgcode import Status, Store
from msgcode.harness import hook
from msgcode.harness.description import Harness, Role
from msgcode.harness.sessions import Conversation, Handed, SessionFolder
from msgcode.model import Activity, Session
from tests.core.harness.programs import Toy

TOY = Harness(
    "toy", "Toy", "toy", "toy", (), "toy.json", ("hooks",), (), "toy.json", ("servers",), hook_limit=9_000
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A room with `bob`, who lives in the toy's conversation c1, and `ann` elsewhere."""
    with Store.open(tmp_path / "room", sync=False) as store:
        store.register("bob", session=Session("c1", "toy", "here"))
        store.register("ann", session=Session("c2", "toy", "here"))
        yield store


@pytest.fixture
def folder(tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> SessionFolder:
    monkeypatch.setitem(sys.modules, "msgcode.harness.toy.payloads", Toy("payloads"))
    description = ModuleType("description")
    description.HARNESS = TOY  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "msgcode.harness.toy.description", description)
    folder = SessionFolder(tmp_path / "sessions" / str(os.getpid()))
    folder.serve(str(tmp_path / "room"))
    return folder


class Run:
    """Runs a hook in this process; `out`, `err` and `code` are of the last run."""

    def __init__(
        self, folder: SessionFolder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self._folder, self._monkeypatch, self._capsys = folder, monkeypatch, capsys

    def __call__(self, role: Role, payload: object = None, **fields: object) -> tuple[str, str, int]:
        text = payload if isinstance(payload, str) else json.dumps({"id": "c1", **fields})
        self._monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        code = hook.main([str(self._folder.path), "toy", role, "42"])
        return (*self._capsys.readouterr(), code)


@pytest.fixture
def run(folder: SessionFolder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return Run(folder, monkeypatch, capsys)


def test_the_beginning_is_noted(run: Run, folder: SessionFolder) -> None:
    folder.tell(Activity.OFFLINE)
    assert run(Role.START, transcript="/t") == ("", "", 0)
    assert folder.conversation == Conversation("c1", "/t")
    assert folder.process == 42
    assert folder.presence[0] is Activity.IDLE


def test_one_that_goes_on_is_as_busy_as_it_was(run: Run, folder: SessionFolder) -> None:
    folder.tell(Activity.BUSY)
    run(Role.START)
    assert folder.presence[0] is Activity.BUSY


def test_what_waits_is_flagged_before_there_is_a_companion(
    run: Run, folder: SessionFolder, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MSGCODE_STORE", str(tmp_path / "room"))
    (folder.path / "room").unlink()
    mail = folder.path / "mail"
    assert run(Role.START) == ("", "", 0)
    assert not mail.exists()
    store.send("ann", "bob", "good morning")
    assert run(Role.START) == ("", "", 0)
    assert mail.exists()
    assert "> good morning" in run(Role.PROMPT)[0]


def test_a_transcript_that_is_known_only_later_is_followed(run: Run, folder: SessionFolder) -> None:
    run(Role.START, transcript="/new")
    run(Role.TOOL, transcript="/resumed")
    assert folder.conversation == Conversation("c1", "/resumed")


def test_mail_is_handed_over_and_not_delivered_yet(run: Run, folder: SessionFolder, store: Store) -> None:
    first, second = store.send("ann", "bob", "one"), store.send("ann", "bob", "two", priority="urgent")
    out, err, code = run(Role.TOOL)
    assert out.startswith("[msgcode] 2 new messages for you, agent bob")
    assert out.index("> two") < out.index("> one")
    assert (err, code) == ("", 0)
    for message in (first, second):
        delivery = store.message(message.id).deliveries["bob"]
        assert (delivery.status, delivery.by) == (Status.CLAIMED, "toy c1")
    notes, _ = folder.handed()
    assert notes == [Handed("bob", second.id, "toy c1"), Handed("bob", first.id, "toy c1")]
    assert run(Role.TOOL) == ("", "", 0), "what is on its way is not handed over twice"


def test_a_turn_that_ends_with_nothing_to_say_leaves_it_idle(
    run: Run, folder: SessionFolder, store: Store
) -> None:
    folder.tell(Activity.BUSY)
    store.send("ann", "bob", "one more thing")
    run(Role.STOP)
    assert folder.presence == (Activity.BUSY, None), "it goes on, and need not be woken"
    run(Role.STOP)
    assert folder.presence == (Activity.IDLE, None)


def test_what_is_too_much_for_the_end_of_a_turn_waits_for_the_next(
    run: Run, folder: SessionFolder, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.tell(Activity.BUSY)
    message = store.send("ann", "bob", "too much")
    with monkeypatch.context() as patch:
        patch.setattr(Toy, "output", lambda *_: ("", "", 0))
        assert run(Role.STOP) == ("", "", 0)
    assert folder.presence[0] is Activity.IDLE
    assert store.message(message.id).deliveries["bob"].status is Status.QUEUED
    assert "> too much" in run(Role.PROMPT)[0]


def test_the_way_out_is_the_programs(run: Run, store: Store) -> None:
    store.send("ann", "bob", "wake up")
    out, err, code = run(Role.WAIT)
    assert (out, code) == ("", 2)
    assert "> wake up" in err


def test_no_more_is_handed_over_than_the_program_takes(run: Run, store: Store) -> None:
    for number in range(3):
        store.send("ann", "bob", f"{number} " + "word " * 1000)
    out, _, _ = run(Role.TOOL)
    assert out.startswith("[msgcode] 1 new message for you, agent bob; 2 more will follow")
    _, err, _ = run(Role.WAIT)
    assert err.startswith("[msgcode] 2 new messages for you, agent bob.")


def test_only_the_agents_of_the_conversation_get_theirs(run: Run, store: Store) -> None:
    message = store.send("bob", "ann", "for you")
    assert run(Role.TOOL) == ("", "", 0)
    assert store.message(message.id).deliveries["ann"].status is Status.QUEUED


def test_a_helper_inside_the_conversation_gets_none(run: Run, store: Store) -> None:
    message = store.send("ann", "bob", "for bob, not for his helper")
    assert run(Role.TOOL, helper=True) == ("", "", 0)
    assert store.message(message.id).deliveries["bob"].status is Status.QUEUED


def test_what_is_held_stays(run: Run, store: Store) -> None:
    store.register("eve", human=True)
    store.hold("eve", agent="bob")
    store.send("ann", "bob", "later")
    assert run(Role.TOOL) == ("", "", 0)


def test_what_the_model_was_told_before_is_not_said_again(run: Run, store: Store, tmp_path: Path) -> None:
    told, fresh = store.send("ann", "bob", "one"), store.send("ann", "bob", "two")
    store.claim("bob", "toy c1", limit=1)
    store.fail("bob", told.id, "toy c1", "the companion was killed")
    transcript = tmp_path / "transcript.jsonl"
    transcript.write_text(json.dumps({"text": f"(1/1) from ann, id {told.id}, 10:02"}))
    out, _, _ = run(Role.TOOL, transcript=str(transcript))
    assert "> two" in out
    assert "> one" not in out
    assert store.message(told.id).deliveries["bob"].status is Status.DELIVERED
    assert store.message(fresh.id).deliveries["bob"].status is Status.CLAIMED


def test_a_question_is_told_with_its_reason(run: Run, folder: SessionFolder, store: Store) -> None:
    store.send("ann", "bob", "x")
    assert run(Role.ASK, why="it wants to run ls") == ("", "", 0)
    assert folder.presence == (Activity.BLOCKED, "it wants to run ls")


def test_nobody_reads_it(
    run: Run, folder: SessionFolder, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = store.send("ann", "bob", "x")
    read, write = os.pipe()
    os.close(read)
    with monkeypatch.context() as patch:
        patch.setattr("sys.stdout", os.fdopen(write, "w"))
        run(Role.TOOL)
        with pytest.raises(BrokenPipeError):
            sys.stdout.close()
    delivery = store.message(message.id).deliveries["bob"]
    assert delivery.status is Status.QUEUED
    assert delivery.failures == ("the program did not read what its hook said",)


@pytest.mark.parametrize("payload", ["", "no JSON", "[]", '"text"'])
def test_a_payload_that_is_none(run: Run, payload: str) -> None:
    assert run(Role.TOOL, payload) == (
        "",
        "msgcode: a hook is given one JSON object on standard input.\n",
        1,
    ), "2 would stop the agent"


def test_a_room_that_is_not_there(run: Run, folder: SessionFolder, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    folder.serve(str(tmp_path / "file"))
    out, err, code = run(Role.TOOL)
    assert (out, code) == ("", 1)
    assert err.startswith("msgcode: ")
