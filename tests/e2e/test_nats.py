"""A room on NATS: two OpenCodes of different users in it, and the TUI. Each machine has a copy of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from msgcode import Store
from msgcode.model import Activity, Status
from tests.core.nats.server import NatsServer
from tests.e2e.agents import Agent, Received, reply, send
from tests.e2e.conftest import OpenCodes, wait_until
from tests.e2e.opencode import OpenCodeHome, OpenCodeServer
from tests.e2e.scripted import Call, ModelServer
from tests.e2e.terminal import Terminal, needs_tmux


@pytest.fixture
def room(nats_server: NatsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a new room, of which the test has a copy in a home of its own."""
    monkeypatch.setenv("HOME", str(tmp_path / "mine"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    name = f"e2e-{os.getpid()}-{tmp_path.name}"[:64]
    nats_server.make_room(name)
    return f"{nats_server.url}/{name}"


def start(model: ModelServer, server: OpenCodeServer, agent: Agent) -> str:
    """The agent's session, after its first turn."""
    model.play(f"You are {agent.id}.", agent)
    session = server.session()
    server.prompt(session, f"You are {agent.id}.")
    server.wait_until_idle(session)
    return session


def copies(home: Path) -> list[Path]:
    """The copies of rooms that a user has."""
    return [path for path in home.rglob("rooms/*") if (path / "journal").is_dir()]


def test_two_opencodes_on_two_machines_talk(
    room: str, tmp_path: Path, model: ModelServer, opencodes: OpenCodes
) -> None:
    homes = [OpenCodeHome(tmp_path / name, model.url, room) for name in ("home-a", "home-b")]
    for home in homes:
        home.install_msgcode()
    first, second = opencodes.serve_all(*homes)

    def answer(message: Received) -> Iterable[Call]:
        return [reply(message, "I am well, thanks.")] if message.body == "How are you?" else []

    bob = Agent("bob", react=answer)
    start(model, second, bob)
    with Store.open(room) as store:
        store.register("sender")
        wait_until(
            lambda: store.presence("bob").activity is Activity.IDLE,
            lambda: f"bob is {store.presence('bob')}",
        )
        alice = Agent("alice", [send("alice", "bob", "How are you?")])
        start(model, first, alice)
        # Bob was idle: he is woken, and so is Alice by his answer.
        wait_until(lambda: alice.received, lambda: f"bob has {bob.received}, alice nothing")
        assert [(message.sender, message.body) for message in bob.received] == [("alice", "How are you?")]
        assert [(message.sender, message.body) for message in alice.received] == [
            ("bob", "I am well, thanks.")
        ]
        message = store.send("sender", "alice", "Well done.")
        wait_until(
            lambda: store.message(message.id).deliveries["alice"].status is Status.ACKNOWLEDGED,
            lambda: f"alice: {store.message(message.id)}",
        )
        wait_until(
            lambda: not [item for item in store.messages() if item.sender != "sender"],
            lambda: f"{store.messages()}",
        )
        assert [message.body for message in alice.received] == ["I am well, thanks.", "Well done."]
    assert [len(copies(home)) for home in (tmp_path / "home-a", tmp_path / "home-b", tmp_path / "mine")] == [
        1, 1, 1
    ]  # fmt: skip


@needs_tmux
def test_the_tui_on_a_room_on_nats(room: str, tmp_path: Path) -> None:
    other = {**os.environ, "HOME": str(tmp_path / "other"), "MSGCODE_STORE": room, "MSGCODE_AGENT": "alice"}

    def msgcode(*words: str) -> str:
        command = [sys.executable, "-m", "msgcode", *words]
        return subprocess.run(command, env=other, capture_output=True, text=True, check=True).stdout

    msgcode("register", "alice")
    terminal = Terminal(f"{sys.executable} -m msgcode_tui --store {room} --as human")
    try:
        terminal.wait_for("you are human")
        terminal.wait_for("alice")
        msgcode("send", "human", "May I merge?")
        terminal.wait_for("May I merge?")
        terminal.type("Down", "Enter")
        terminal.wait_for("human → alice")
        terminal.type("-l", "Yes, merge.")
        terminal.type("Enter")
        terminal.wait_for("▎ Yes, merge.")
        assert "Yes, merge." in msgcode("check")
        terminal.wait_for("delivered ✓")
    finally:
        terminal.close()
