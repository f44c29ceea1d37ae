"""The words that hold, step, release and break, in a shell and as lines of a chat."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from msgcode import Store
from msgcode.cli import main
from msgcode.commands import run_line
from msgcode.events import MessagePassed
from tests.core.support import Ids
from tests.troubles import TROUBLES


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "room", sync=False, new_id=Ids()) as store:
        for agent in ("ann", "bob", "cy"):
            store.register(agent)
        store.create_channel("api", "ann")
        yield store


def say(store: Store, line: str) -> str:
    answer = run_line(store, line, None)
    assert answer.ok, answer.text
    return answer.text


def refused(store: Store, line: str) -> str:
    before = len(list(store.history()))
    answer = run_line(store, line, None)
    assert not answer.ok
    assert "\n" not in answer.text
    assert [event.fact for event in store.history()][before:] == []
    return answer.text


def test_the_whole_room(store: Store) -> None:
    assert say(store, "/msg held") == "Nothing is held. Hold everything: msgcode hold"
    assert say(store, "/msg hold --reason enough") == "Holding everything (1). 0 messages wait behind it."
    message = store.send("ann", "bob", "hi")
    assert store.warnings(message)[0] == "messages to 'bob' are held: it waits until a human lets it through."
    holding, waiting, by = say(store, "/msg held").splitlines()
    assert holding.endswith("hold 1 on everything, placed by human: enough")
    assert waiting.endswith("m0001-00 ann → bob: hi")
    assert by.strip() == "kept from bob by hold 1 on everything, placed by human: enough"
    assert "Held: 1 (msgcode held tells by what)" in say(store, "/msg status")
    assert say(store, "/msg step").endswith("ann → bob: hi\nNothing else is held.")
    assert say(store, "/msg release 1") == "Released hold 1 on everything, placed by human: enough."
    assert say(store, "/msg release") == "Nothing was held."


def test_each_scope(store: Store) -> None:
    message = store.send("ann", "bob", "hi", channel="api")
    for option, named in (
        ("--agent @bob", "bob"),
        ("--agent ann --agent bob", "ann and bob"),
        ("--thread m0001", "thread m0001-00"),
        ("--channel #api", "#api"),
        ("--message m0001", "message m0001-00"),
    ):
        assert say(store, f"/msg hold {option}") == f"Holding {named} (1). 1 message waits behind it."
        assert [held.message.id for held in store.held()] == [message.id]
        assert say(store, f"/msg release {option}").startswith("Released ")
        assert store.holds() == []


def test_moved(store: Store) -> None:
    for body in "12":
        store.send("ann", "bob", body)
    assert say(store, "/msg move m0002 --before m0001") == "Moved m0002-00 before m0001."
    assert [message.body for message in store.inbox("bob")] == ["2", "1"]


def test_breakpoints(store: Store) -> None:
    assert say(store, "/msg break list") == "There are no breakpoints. Add one: msgcode break add --from ID"
    added = say(store, '/msg break add --from @ann --text "rm -rf" --once')
    assert added == "Added breakpoint 1: --from ann --text rm -rf --once (0 hits)"
    assert say(store, "/msg break disable 1").startswith("Disabled breakpoint 1")
    assert say(store, "/msg break list").endswith("(0 hits, disabled)")
    assert say(store, "/msg break enable 1").startswith("Enabled breakpoint 1")
    store.send("ann", "bob", "rm -rf /")
    assert say(store, "/msg break list").endswith("(1 hit, disabled)")
    assert say(store, "/msg held").endswith("by breakpoint 1, set by human: --from ann --text rm -rf --once")
    assert say(store, "/msg break remove 1").startswith("Removed breakpoint 1")


def test_a_breakpoint_is_tried_out_before_it_is_set(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    for count in range(12):
        store.send("ann", "bob", f"Deploy {count}")
        store.send("bob", "ann", "Wait")
    assert (
        say(store, "/msg break test --to cy")
        == "This breakpoint would have fired never, and held 0 of 24 messages."
    )
    head, *lines, last = say(store, "/msg break test --from @ann --text ^Deploy").split("\n")
    assert head == "This breakpoint would have fired 12 times, and held 12 of 24 messages."
    assert [line.split(": ")[1] for line in lines] == [f"Deploy {count}" for count in range(10)]
    assert last == "and 2 more; --json has all"
    assert store.breakpoints() == []
    assert main(["break", "test", "--text", "Deploy 1", "--once", "--store", store.name, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["messages"], len(answer["held"])) == (24, 1)
    assert [firing["message"] for firing in answer["firings"]] == answer["held"]


def test_a_guard_is_tried_out(tmp_path: Path) -> None:
    recorded = TROUBLES["triangle"](tmp_path / "troubles")
    with recorded.open() as store:
        alone = say(store, "/msg backtest loops").removeprefix("A guard")
        assert say(store, "/msg break test --loops").removeprefix("This breakpoint") == alone
        head, line = say(store, "/msg break test --loops --to infra").split("\n")
        answer = run_line(store, "/msg break test --loops --to infra", None)
        held = answer.data["held"]
        assert {store.message(id).recipients for id in held} == {("infra",)}
    assert 0 < len(held) < 10
    assert head == f"This breakpoint would have fired once, and held {len(held)} of 18 messages."
    assert f"repeat, api, billing, infra: would have held {len(held)}, {held[0][:8]}" in line


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("/msg hold --agent bo", "agent 'bo' is not registered"),
        ("/msg hold --agent a --agent b --agent c", "name one agent, or the two"),
        ("/msg hold --agent ann --channel api", "name one of these"),
        ("/msg hold --as ann", "agent 'ann' is not a human"),
        ("/msg step", "nothing is held"),
        ("/msg release 3", "there is no hold 3: nothing is held"),
        ("/msg release x", "'x' is not a number above 0"),
        ("/msg break add", "a breakpoint must say what it stops"),
        ("/msg break add --text (", "is not a regular expression"),
        ("/msg break test", "a breakpoint must say what it stops"),
        ("/msg break test --text (", "is not a regular expression"),
        ("/msg break test --budget x", "'x' is not a number above 0"),
        ("/msg break remove 1", "there is no breakpoint 1"),
    ],
)
def test_bad_input(store: Store, line: str, sentence: str) -> None:
    store.register("human", human=True)
    assert sentence in refused(store, line)


def test_a_step_in_a_shell_waits_for_what_comes_of_it(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    store.register("eve", human=True)
    store.hold("eve")
    message = store.send("ann", "bob", "hi")

    def answer_when_it_comes() -> None:
        while not any(isinstance(event.fact, MessagePassed) for event in store.history()):
            pass
        (got,) = store.check("bob")
        store.send("bob", "ann", "hello", reply_to=got.id)

    agent = threading.Thread(target=answer_when_it_comes)
    agent.start()
    assert main(["step", "--as", "eve", "--store", store.name, "--json"]) == 0
    agent.join()
    answer = json.loads(capsys.readouterr().out)
    assert answer["id"] == message.id
    assert [(one["agent"], one["what"]) for one in answer["outcomes"]] == [
        ("bob", "delivered"),
        ("bob", "sent"),
    ]
    assert answer["held"] == 1, "the answer is held in its turn"


def test_a_step_of_which_nothing_comes(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    store.register("eve", human=True)
    store.hold("eve")
    store.send("ann", "bob", "hi")
    assert main(["step", "--as", "eve", "--store", store.name, "--wait", "0.05"]) == 0
    assert "nothing came of it yet" in capsys.readouterr().out
    assert main(["step", "--wait", "x"]) == 2
    assert "'x' is not a number of seconds" in capsys.readouterr().err


def test_why_names_what_holds_a_message(store: Store) -> None:
    say(store, "/msg break add --to bob")
    store.send("ann", "bob", "hi")
    text = say(store, "/msg why m0001")
    assert "held by breakpoint 1, set by human: --to bob" in text
    assert "msgcode step --message m0001-00" in text
    say(store, "/msg step --message m0001")
    assert "let through" in say(store, "/msg why m0001")
