"""The recipes of the README and the guide, word for word, on real OpenCodes, with nobody's help."""

from __future__ import annotations

from pathlib import Path

import pytest

from msgcode import Message, Store
from msgcode.events import MessageSent
from tests.docs.pages import block
from tests.e2e.agents import Agent, Received, reply, send
from tests.e2e.conftest import OpenCodes, wait_until
from tests.e2e.opencode import OpenCodeHome, OpenCodeServer
from tests.e2e.scripted import Call, ModelServer


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("recipes") / "room"


@pytest.fixture(scope="module")
def terminals(room: Path, module_model: ModelServer, module_opencodes: OpenCodes) -> list[OpenCodeServer]:
    """Three OpenCodes of one user in one project."""
    home = OpenCodeHome(room.parent / "home", module_model.url, room)
    home.install_msgcode()
    return [module_opencodes.serve(home) for _ in range(3)]


def start(model: ModelServer, terminal: OpenCodeServer, agent: Agent, recipe: str = "") -> str:
    """Give the agent its recipe in a session of its own, and wait until its first turn has ended.

    recipe: if not the one that bears the agent's name.
    """
    model.play(f'You are an agent named "{agent.id}"', agent)
    session = terminal.session()
    terminal.prompt(session, recipe or block(f"recipe: {agent.id}"))
    terminal.wait_until_idle(session)
    return session


def settled(room: Path, count: int, *agents: Agent) -> list[Message]:
    """All messages between the agents, when so many were sent and each recipient is done with them."""
    ids = {agent.id for agent in agents}
    with Store.open(room) as store:

        def sent() -> list[Message]:
            facts = [event.fact for event in store.history()]
            sent = [fact for fact in facts if isinstance(fact, MessageSent) and fact.sender in ids]
            return [store.message(fact.id) for fact in sent]

        def done() -> bool:
            messages = sent()
            return len(messages) == count and all(message.ended for message in messages)

        wait_until(done, lambda: f"{[(m.sender, m.body, m.deliveries) for m in sent()]}")
        return sent()


def test_two_agents_that_talk(model: ModelServer, terminals: list[OpenCodeServer], room: Path) -> None:
    """The README's."""
    told = block("recipe: two agents").splitlines()
    ben = Agent("ben", react=lambda message: [reply(message, "A parser.")])
    ann = Agent("ann", [send("ann", "ben", "What are you working on?")])
    start(model, terminals[0], ben, told[0])
    start(model, terminals[1], ann, told[1])
    messages = settled(room, 2, ann, ben)
    assert [message.body for message in messages] == ["What are you working on?", "A parser."]
    assert [got.body for got in ann.received] == ["A parser."]


def test_casual_chat(model: ModelServer, terminals: list[OpenCodeServer], room: Path) -> None:
    answers = {"bob": iter(["A parser. And you?", "Good luck with it!"]), "alice": iter(["The lexer, alas."])}

    def chat(message: Received) -> list[Call]:
        answer = next(answers[message.to], None)
        return [reply(message, answer)] if answer else []

    hello = "Hey bob, I'm alice. What are you working on?"
    bob, alice = Agent("bob", react=chat), Agent("alice", [send("alice", "bob", hello)], chat)
    start(model, terminals[0], bob)
    start(model, terminals[1], alice)
    messages = settled(room, 4, alice, bob)
    said = [(message.sender, message.body, message.hops) for message in messages]
    assert said == [
        ("alice", hello, 0),
        ("bob", "A parser. And you?", 1),
        ("alice", "The lexer, alas.", 2),
        ("bob", "Good luck with it!", 3),
    ]
    assert {message.thread for message in messages} == {messages[0].id}
    assert len(alice.sessions) == len(bob.sessions) == 1


def test_review_until_it_looks_good(model: ModelServer, terminals: list[OpenCodeServer], room: Path) -> None:
    path = terminals[0].project / "greet.py"
    good = 'def greet(name: str) -> str:\n    return f"Hello, {name}!"\n'

    def write(text: str) -> Call:
        return Call("write", {"filePath": str(path), "content": text})

    def fix(message: Received) -> list[Call]:
        if message.body == "LGTM":
            return []
        return [
            Call("read", {"filePath": str(path)}),
            write(good),
            reply(message, "I have added the types. Please look again."),
        ]

    def review(message: Received) -> list[Call]:
        verdict = "LGTM" if path.read_text() == good else "greet.py, line 1: say the types."
        return [Call("read", {"filePath": str(path)}), reply(message, verdict)]

    ask = send("coder", "reviewer", "Please review greet.py.")
    coder = Agent("coder", [write("def greet(name):\n    return name\n"), ask], fix)
    reviewer = Agent("reviewer", react=review)
    start(model, terminals[1], reviewer)
    start(model, terminals[0], coder)
    messages = settled(room, 4, coder, reviewer)
    assert [message.body for message in messages][-1] == "LGTM"
    assert path.read_text() == good


def test_audit_and_fix(model: ModelServer, terminals: list[OpenCodeServer], room: Path) -> None:
    path = terminals[0].project / "config.py"
    path.write_text('DEBUG = False\nKEY = "hunter2-hunter2"\n')

    def fix(message: Received) -> list[Call]:
        assert "URGENT" in message.head
        assert "file: config.py:2" in message.body
        text = 'import os\n\nDEBUG = False\nKEY = os.environ["KEY"]\n'
        return [
            Call("read", {"filePath": str(path)}),
            Call("write", {"filePath": str(path), "content": text}),
            reply(message, "Done: the key comes from the environment now."),
        ]

    found = send(
        "security-auditor", "code-fixer", "A key stands in the source.",
        priority="urgent", subject="leaked key", metadata={"file": "config.py:2"},
    )  # fmt: skip
    auditor = Agent(
        "security-auditor",
        [Call("grep", {"pattern": "KEY = "}), found],
        lambda message: [Call("read", {"filePath": str(path)})],
    )
    fixer = Agent("code-fixer", react=fix)
    start(model, terminals[1], fixer)
    start(model, terminals[2], auditor)
    settled(room, 2, auditor, fixer)
    assert "hunter2" not in path.read_text()
    assert 'os.environ["KEY"]' in next(text for tool, text in auditor.results if tool == "read")


def test_one_to_many(model: ModelServer, terminals: list[OpenCodeServer], room: Path) -> None:
    news = "POST /users now returns firstName and lastName instead of name."

    def told(text: str) -> list[Call]:
        assert text.strip() == block("recipe: change").strip()
        return [Call("broadcast_message", {"from": "backend", "channel": "api-changes", "body": news})]

    backend = Agent("backend", [Call("create_channel", {"channel_id": "api-changes"})], told=told)
    join = Call("join_channel", {"channel_id": "api-changes"})
    frontend, tester = Agent("frontend", [join]), Agent("tester", [join])
    session = start(model, terminals[0], backend)
    start(model, terminals[1], frontend)
    start(model, terminals[2], tester)
    terminals[0].prompt(session, block("recipe: change"))
    (message,) = settled(room, 1, backend)
    assert set(message.deliveries) == {"frontend", "tester"}
    assert [got.body for got in frontend.received] == [got.body for got in tester.received] == [news]
    assert backend.received == []
    assert len(frontend.sessions) == len(tester.sessions) == 1
