"""`/msg` in real OpenCode: every form, answered without the model, and nothing that a shell would obey."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from msgcode import Store
from msgcode.model import Activity
from tests.e2e.agents import Agent
from tests.e2e.conftest import OpenCodes, wait_until
from tests.e2e.opencode import OpenCodeHome, OpenCodeServer
from tests.e2e.scripted import ModelServer
from tests.e2e.terminal import needs_tmux


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, module_model: ModelServer) -> OpenCodeHome:
    folder = tmp_path_factory.mktemp("msg")
    home = OpenCodeHome(folder / "home", module_model.url, folder / "room")
    home.install_msgcode()
    return home


@pytest.fixture(scope="module")
def server(home: OpenCodeHome, module_opencodes: OpenCodes) -> OpenCodeServer:
    return module_opencodes.serve(home)


@pytest.fixture
def store(home: OpenCodeHome) -> Iterator[Store]:
    with Store.open(home.store) as store:
        yield store


def shown(server: OpenCodeServer, session: str) -> list[str]:
    """What was put into the session for its user alone, oldest first."""
    parts = [part for item in server.messages(session) for part in item["parts"]]
    return [part["text"] for part in parts if part.get("ignored")]


def test_every_form(model: ModelServer, server: OpenCodeServer, store: Store) -> None:
    """The eleven forms of oh-my-msgcode, and ours, typed into one session by its user."""
    store.register("mate")
    session = server.session()
    asked = [
        ("register typist The Typist", "Registered typist (The Typist)."),
        ("agents", "typist  idle     The Typist"),
        ("status", "You: typist"),
        ('send mate it\'s; touch "x" `y` $(z)', "Sent to mate: "),
        ("channel create typing Typing", "Created #typing. Members: typist."),
        ("channel join typing", "Joined #typing. Members: typist."),
        ("channel list", "#typing Typing: typist"),
        ("broadcast typing to nobody", "nobody else is in channel 'typing'"),
        ("channel leave typing", "Left #typing. Members: nobody."),
        ("check mate", 'it\'s; touch "x" `y` $(z)'),
        ("log --limit 1", "left #typing"),
        ("", "usage: /msg"),
        ("nonsense", "'nonsense' is no command"),
        ("unregister typist", "Unregistered typist."),
    ]
    for number, (line, answer) in enumerate(asked, 1):
        server.command(session, "msg", line)
        texts = shown(server, session)
        assert len(texts) == number, f"/msg {line} showed nothing"
        assert answer in texts[-1], f"/msg {line} said: {texts[-1]}"
    assert [request for request in model.requests if request.session == session] == []
    (message,) = store.inbox("mate")
    assert (message.sender, message.by, message.human) == ("typist", "human", True)
    assert message.body == 'it\'s; touch "x" `y` $(z)'


def test_as_plain_text(model: ModelServer, server: OpenCodeServer) -> None:
    """As OpenCode passes it on when it did not take it for a command."""
    session = server.session()
    for text in ("/msg status", '"/msg status"'):  # `opencode run` adds quotes.
        before = len(server.events())
        server.prompt(session, text)
        server.wait_for_event(lambda event: event["type"] == "session.error", since=before)
    assert [text.startswith("Store: ") for text in shown(server, session)] == [True, True]
    assert [request for request in model.requests if request.session == session] == []
    server.prompt(session, "What is /msg for?")
    server.wait_until_idle(session)
    assert len([request for request in model.requests if request.session == session]) == 1


@needs_tmux
def test_two_terminals(model: ModelServer, home: OpenCodeHome, opencodes: OpenCodes, store: Store) -> None:
    """Two people's terminals: registered by hand, a message from one wakes the other."""
    left = opencodes.terminal(home, "left")
    left.say("/msg register lefty")
    left.wait_for("Registered lefty.")
    right = opencodes.terminal(home, "right")
    right.say("/msg register righty")
    right.wait_for("Registered righty.")
    righty = Agent("righty")
    model.play("for you, agent righty", righty)
    before = len(model.requests)
    left.say("/msg send righty it's; echo 'yours'")
    left.wait_for("Sent to righty: ")
    right.wait_for("> it's; echo 'yours'")
    right.wait_for("I wait for messages.")
    wait_until(lambda: store.waiting("righty") == 0, lambda: str(store.inbox("righty")))
    assert [message.body for message in righty.received] == ["it's; echo 'yours'"]
    assert {request.session for request in model.requests[before:]} == righty.sessions
    assert [message.head.split(",")[0] for message in righty.received] == [
        "(1/1) from lefty (spoken by a human: human)"
    ]
    left.say("/msg agents")
    left.wait_for("righty  idle")

    right.kill()
    wait_until(
        lambda: store.presence("righty").activity is Activity.OFFLINE, lambda: "it is still there when killed"
    )
    left.say("/msg send righty are you there?")
    left.wait_for("'righty' is offline")
    again = opencodes.terminal(home, "right", session=righty.sessions.copy().pop())
    again.wait_for("> are you there?")
    wait_until(lambda: len(righty.received) == 2, lambda: str(righty.received))


def test_uninstall_leaves_nothing(tmp_path: Path, model: ModelServer) -> None:
    home = OpenCodeHome(tmp_path / "home", model.url, tmp_path / "room")
    before = snapshot(home.folder)
    assert "Installed: " in home.install_msgcode()
    assert set(snapshot(home.folder)) - set(before) == {
        ".config/opencode/plugin",
        ".config/opencode/plugin/msgcode.js",
    }
    assert "in place already" in home.install_msgcode()
    assert "Removed: " in home.msgcode("uninstall", "opencode")
    assert snapshot(home.folder) == before


def snapshot(folder: Path) -> dict[str, bytes | None]:
    """All that is in the folder, with what the files hold."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }
