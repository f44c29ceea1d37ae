"""The kit itself: the scripted model, and real OpenCode that plays along."""

from __future__ import annotations

import threading
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.e2e.chat_completions import ChatCompletions
from tests.e2e.conftest import OpenCodes
from tests.e2e.opencode import Event, OpenCodeHome, OpenCodeServer
from tests.e2e.scripted import USER, Answer, Call, Calls, Entry, Fail, ModelServer, Say, Turn, since
from tests.e2e.terminal import needs_tmux

WAIT = 20.0


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, module_model: ModelServer, module_opencodes: OpenCodes
) -> OpenCodeServer:
    """One that asks before it runs a command."""
    folder = tmp_path_factory.mktemp("kit")
    home = OpenCodeHome(folder / "home", module_model.url, folder / "room", permission={"bash": "ask"})
    return module_opencodes.serve(home)


def last_text(server: OpenCodeServer, session: str) -> str:
    """What the model said last in the session."""
    parts = server.messages(session)[-1]["parts"]
    return "".join(part["text"] for part in parts if part["type"] == "text")


def error_of(event: Event, session: str) -> str | None:
    """The name of the error with which a session's turn ended, if the event says that."""
    about = event["properties"]
    if event["type"] != "session.error" or about["sessionID"] != session:
        return None
    return str(about["error"]["name"])


def test_a_session_calls_a_tool_and_ends(model: ModelServer, server: OpenCodeServer) -> None:
    path = server.project / "note.txt"

    def writer(turn: Turn) -> Answer:
        if turn.tool is None:
            return Call("write", {"filePath": str(path), "content": "written by a script"})
        return Say(f"{turn.tool} is done")

    model.play("note this", writer)
    session = server.session()
    server.prompt(session, "Please note this.")
    server.wait_until_idle(session)
    assert path.read_text() == "written by a script"
    assert last_text(server, session) == "write is done"


def test_several_calls_at_once(model: ModelServer, server: OpenCodeServer) -> None:
    def reader(turn: Turn) -> Answer:
        if turn.tool is None:
            assert "filePath" in turn.tools["read"]["properties"]
            return Calls(*(Call("read", {"filePath": str(path)}) for path in paths))
        return Say(" ".join(found for found in ("apple", "pear") if found in str(turn.results)))

    paths = [server.project / "first.txt", server.project / "second.txt"]
    for path, text in zip(paths, ("apple", "pear"), strict=True):
        path.write_text(text)
    model.play("read both", reader)
    session = server.session()
    server.prompt(session, "read both")
    server.wait_until_idle(session)
    assert last_text(server, session) == "apple pear"


def test_a_busy_session_gets_what_was_posted_in_its_next_request(
    model: ModelServer, server: OpenCodeServer
) -> None:
    posted = threading.Event()

    def worker(turn: Turn) -> Answer:
        if turn.tool is None:
            assert posted.wait(WAIT)
            return Call("todowrite", {"todos": []})
        return Say("done")

    model.play("work slowly", worker)
    busy, other = server.session(), server.session()
    server.prompt(busy, "work slowly")
    model.wait_for(lambda turn: turn.session == busy)
    assert server.status()[busy]["type"] == "busy"
    server.prompt(other, "meanwhile")
    server.wait_until_idle(other)
    assert last_text(server, other) == "ok"
    server.prompt(busy, "one more thing")
    posted.set()
    turn = model.wait_for(lambda turn: turn.session == busy and turn.results)
    assert [entry.kind for entry in turn.new] == ["todowrite", USER]
    assert "one more thing" in turn.text
    assert [text.count("work slowly") for text in turn.texts] == [1, 0]
    server.wait_until_idle(busy)
    assert busy not in server.status()


def test_an_aborted_turn_ends(model: ModelServer, server: OpenCodeServer) -> None:
    aborted = threading.Event()

    def sleeper(turn: Turn) -> Answer:
        assert aborted.wait(WAIT)
        return Say("too late")

    model.play("sleep", sleeper)
    session = server.session()
    server.prompt(session, "sleep")
    model.wait_for(lambda turn: turn.session == session)
    server.abort(session)
    server.wait_until_idle(session)
    aborted.set()
    assert server.wait_for_event(lambda event: error_of(event, session) == "MessageAbortedError")


def test_an_agent_other_than_the_default(model: ModelServer, server: OpenCodeServer) -> None:
    session = server.session()
    server.prompt(session, "make a plan", agent="plan", model=("fake", "scripted"))
    assert model.wait_for(lambda turn: turn.session == session).texts == ["make a plan"]
    server.wait_until_idle(session)
    assert server.messages(session)[-1]["info"]["agent"] == "plan"


@pytest.mark.parametrize(("reply", "result"), [("once", "hello"), ("reject", "reject")])
def test_a_permission_is_asked_and_answered(
    model: ModelServer, server: OpenCodeServer, reply: str, result: str
) -> None:
    def runner(turn: Turn) -> Answer:
        if turn.tool is None:
            return Call("bash", {"command": "echo hello", "description": "greet"})
        return Say(turn.text)

    model.play("greet", runner)
    session = server.session()
    server.prompt(session, "greet")
    asked = server.wait_for_event(
        lambda event: event["type"] == "permission.asked" and event["properties"]["sessionID"] == session
    )
    (permission,) = server.permissions()
    assert permission["id"] == asked["properties"]["id"]
    server.answer_permission(permission["id"], reply)
    server.wait_until_idle(session)
    assert server.permissions() == []
    parts = [part for message in server.messages(session) for part in message["parts"]]
    (state,) = (part["state"] for part in parts if part["type"] == "tool")
    assert result in str(state)


def test_a_refused_request_is_tried_again(model: ModelServer, server: OpenCodeServer) -> None:
    answers: list[Answer] = [Fail(500, "out of order"), Say("repaired")]
    model.play("try", lambda turn: answers.pop(0))
    session = server.session()
    server.prompt(session, "try")
    server.wait_for_event(
        lambda event: event["type"] == "session.status" and event["properties"]["status"]["type"] == "retry"
    )
    server.wait_until_idle(session)
    assert last_text(server, session) == "repaired"


@needs_tmux
def test_the_tui_shows_what_the_script_says(
    model: ModelServer, opencode_home: OpenCodeHome, opencodes: OpenCodes
) -> None:
    model.play("first line", lambda turn: Say(f"{len(turn.text.splitlines())} lines came"))
    terminal = opencodes.terminal(opencode_home)
    terminal.say("first line; it's\n!second\n/third")
    terminal.wait_for("3 lines came")


def test_a_killed_server_leaves_its_sessions_to_the_next(
    model: ModelServer, opencode_home: OpenCodeHome, opencodes: OpenCodes
) -> None:
    killed = opencodes.serve(opencode_home)
    session = killed.session("left behind")
    killed.kill()
    assert killed.process.returncode == -9
    server = opencodes.serve(opencode_home)
    server.prompt(session, "Still there?")
    server.wait_until_idle(session)
    assert last_text(server, session) == "ok"


def test_nothing_of_the_user_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "secret")
    monkeypatch.setenv("XDG_CONFIG_HOME", "/elsewhere")
    home = OpenCodeHome(tmp_path / "home", "http://127.0.0.1:9", tmp_path / "room")
    assert "secret" not in home.environment.values()
    assert not [name for name in home.environment if name.startswith("XDG_")]
    assert home.environment["HOME"] == str(tmp_path / "home")


def test_a_script_that_raises_fails_the_test() -> None:
    def broken(turn: Turn) -> Answer:
        raise AssertionError("the agent saw nonsense")

    body = b"""{"messages": [{"role": "user", "content": "hi"}],
                "tools": [{"function": {"name": "t", "parameters": {}}}]}"""
    with ModelServer(ChatCompletions()) as model:
        model.play("hi", broken)
        connection = HTTPConnection(model.url.removeprefix("http://"), timeout=WAIT)
        connection.request("POST", "/v1/chat/completions", body, {"x-session-id": "s"})
        assert connection.getresponse().status == 400
        connection.close()
        with pytest.raises(AssertionError, match="saw nonsense"):
            model.wait_for(lambda turn: False)


def entries(*texts: str) -> tuple[Entry, ...]:
    """Tools' results are written in capitals."""
    return tuple(Entry("tool" if text.isupper() else USER, text) for text in texts)


@pytest.mark.parametrize(
    ("before", "now", "new"),
    [
        ("", "a", "a"),
        ("a", "a A", "A"),
        ("a", "a A b c", "A b c"),
        ("a A", "a A", ""),
        ("a A", "a A b B", "b B"),
        ("a A", "a b A B", "b B"),
        ("a A", "a A A a", "A a"),
        ("a A b B", "z b", "z"),
    ],
)
def test_what_is_new(before: str, now: str, new: str) -> None:
    assert since(entries(*now.split()), entries(*before.split())) == entries(*new.split())
