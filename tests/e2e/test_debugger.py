"""Agents in real OpenCodes that thank each other for ever, and a human who stops them and sets them going."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator

import pytest

from msgcode import Store
from msgcode.events import HoldPlaced, MessageSent
from msgcode.model import Activity, Message, Status
from tests.e2e.agents import Agent, Received, received, reply, send
from tests.e2e.conftest import OpenCodes, wait_until
from tests.e2e.opencode import OpenCodeHome, OpenCodeServer
from tests.e2e.scripted import Call, ModelServer
from tests.e2e.terminal import Terminal, needs_tmux

THANKS = "Thanks, great work!"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, module_model: ModelServer) -> OpenCodeHome:
    folder = tmp_path_factory.mktemp("debugger")
    home = OpenCodeHome(folder / "home", module_model.url, folder / "room")
    home.install_msgcode()
    return home


@pytest.fixture(scope="module")
def servers(home: OpenCodeHome, module_opencodes: OpenCodes) -> list[OpenCodeServer]:
    """Two OpenCodes of one user; at once they would both make the database of their home."""
    return [module_opencodes.serve(home) for _ in range(2)]


@pytest.fixture
def store(home: OpenCodeHome) -> Iterator[Store]:
    """The room, with a human in it, and at its end with nothing that stops anybody."""
    with Store.open(home.store) as store:
        store.register("human", human=True)
        yield store
        for rule in store.breakpoints():
            store.remove_breakpoint(rule.number, "human")
        store.release("human")


class Polite(Agent):
    """An agent that thanks for whatever its friend says, and tells its friend what a human says.

    Once `over` it only acknowledges.
    """

    def __init__(self, id: str, friend: str) -> None:
        super().__init__(id, react=self._thank)
        self.friend = friend
        self.over = False

    def _thank(self, message: Received) -> list[Call]:
        if self.over or message.sender not in (self.friend, "human"):
            return []
        if message.sender == "human":
            return [send(self.id, self.friend, f"The human says: {message.body}")]
        return [reply(message, THANKS)]


class Pair:
    """Two polite agents, each in an OpenCode of its own. They are over at the end of the `with`."""

    def __init__(self, model: ModelServer, servers: list[OpenCodeServer], store: Store, name: str) -> None:
        names = (f"{name}-ann", f"{name}-bob")
        self.agents = [Polite(names[0], names[1]), Polite(names[1], names[0])]
        self._model, self._store = model, store
        for server, agent in zip(servers, self.agents, strict=True):
            start(model, server, agent)

    def __enter__(self) -> Pair:
        return self

    def __exit__(self, *error: object) -> None:
        for agent in self.agents:
            agent.over = True

    @property
    def ids(self) -> list[str]:
        return [agent.id for agent in self.agents]

    @property
    def received(self) -> list[str]:
        """The ids of the messages that have come to their models."""
        return [message.id for agent in self.agents for message in agent.received]

    def begin(self, body: str) -> Message:
        """Let the human say something that is passed on, and thanked for, and so on."""
        return self._store.send("human", self.ids[0], body)

    def wait_for(self, count: int) -> None:
        """Wait until so many messages have come to their models."""
        wait_until(lambda: len(self.received) >= count, lambda: f"only {self.received} came")

    def sent(self) -> list[str]:
        """The ids of what they have said, in order."""
        facts = [event.fact for event in self._store.history()]
        return [fact.id for fact in facts if isinstance(fact, MessageSent) and fact.sender in self.ids]

    def wait_until_all_is_held(self, count: int = 1) -> list[Message]:
        """Wait until all that has not been dealt with is held, which are so many; returns it, in order."""

        def rest() -> list[str]:
            waiting = [message for id in self.ids for message in self._store.inbox(id)]
            return sorted(message.id for message in waiting)

        def held() -> list[Message]:
            return [item.message for item in self._store.held()]

        wait_until(
            lambda: len(held()) == count and sorted(message.id for message in held()) == rest(),
            lambda: f"{rest()} wait, {held()} are held",
        )
        return held()

    def reached_model_at(self, id: str) -> float:
        """When the message came to a model, as `time.time()` tells it."""
        turn = self._model.wait_for(
            lambda turn: any(message.id == id for entry in turn.new for message in received(entry.text))
        )
        return turn.at + time.time() - time.monotonic()


def start(model: ModelServer, server: OpenCodeServer, agent: Agent) -> str:
    """The agent's session, after its first turn."""
    model.play(f"You are {agent.id}.", agent)
    session = server.session()
    server.prompt(session, f"You are {agent.id}.")
    server.wait_until_idle(session)
    return session


def status(store: Store, message: Message) -> Status:
    """How far a message to one agent has come."""
    (found,) = store.message(message.id).deliveries.values()
    return found.status


@pytest.fixture
def screen(home: OpenCodeHome) -> Iterator[Terminal]:
    """The TUI on the room, beside the OpenCodes."""
    terminal = Terminal(f"{sys.executable} -m msgcode_tui --store {home.store} --as human")
    try:
        terminal.wait_for("you are human")
        yield terminal
    finally:
        terminal.close()


@needs_tmux
def test_frozen_by_a_key_then_stepped_edited_and_released(
    model: ModelServer, servers: list[OpenCodeServer], store: Store, screen: Terminal
) -> None:
    with Pair(model, servers, store, "frozen") as pair:
        store.register("cheerer")
        pair.begin("Well done, both.")
        pair.wait_for(4)
        screen.type("F")
        screen.wait_for("‖ Held: everything.")
        (last,) = pair.wait_until_all_is_held()
        (frozen,) = [event.at.timestamp() for event in store.history() if isinstance(event.fact, HoldPlaced)]
        late = [id for id in pair.received if pair.reached_model_at(id) > frozen]
        assert len(late) <= 1, "more came to a model than what was being handed over"

        cheers = [store.send("cheerer", last.recipients[0], f"Three cheers! {count}") for count in "123"]
        before = pair.received
        assert pair.wait_until_all_is_held(4) == [last, *cheers], "what is said meanwhile waits, in order"
        screen.wait_for("4 wait")
        screen.type("s")
        screen.wait_for("sent a message because of it.")
        *rest, answer = pair.wait_until_all_is_held(4)
        assert sorted(pair.received) == sorted([*before, last.id]), "just the first of them"
        assert rest == cheers
        assert (answer.body, answer.cause) == (THANKS, last.id)

        screen.type("Tab", "Up", "Up", "Up", "Up", "e")
        screen.wait_for("Edit: cheerer")
        in_field = "│ Three cheers! 1"  # In the thread something stands between it and the edge.
        screen.wait_for(in_field)

        def is_cleared() -> bool:
            screen.type("C-u")  # Not heard before the field has the focus, which does not show.
            return in_field not in screen.screen()

        screen.wait_until(is_cleared, "its text cannot be deleted")
        screen.paste("Now please stop.")
        screen.type("Enter")
        wait_until(lambda: store.message(cheers[0].id).edited, lambda: screen.screen())
        assert [message.body for message in pair.wait_until_all_is_held(4)] == [
            "Now please stop.", "Three cheers! 2", "Three cheers! 3", THANKS,
        ]  # fmt: skip
        count = len(pair.received)
        screen.type("F")
        pair.wait_for(count + len(cheers) + 4)
        screen.wait_until(lambda: "‖ Held" not in screen.screen(), "it still says that all is held")
    got = [message for agent in pair.agents for message in agent.received]
    bodies = {message.id: message.body for message in got}
    assert [bodies[message.id] for message in cheers] == [
        "Now please stop.", "Three cheers! 2", "Three cheers! 3",
    ]  # fmt: skip
    assert len(bodies) == len(got), "each came once"


def test_a_guard_stops_them_until_a_human_speaks(
    model: ModelServer, servers: list[OpenCodeServer], home: OpenCodeHome, store: Store
) -> None:
    added = home.msgcode("break", "add", "--loops")
    assert added.startswith("Added breakpoint")
    with Pair(model, servers, store, "guarded") as pair:
        pair.begin("Well done, both.")
        (first,) = pair.wait_until_all_is_held()
        sent = pair.sent()
        assert 4 <= len(sent) <= 10
        assert sent[-1] == first.id
        assert sorted(sent[:-1]) == sorted(set(pair.received) & set(sent)), "all others have come, once"
        assert "--loops" in home.msgcode("held")

        asked = pair.begin("The build is green again.")
        second = pair.wait_until_all_is_held(2)[1]
        assert asked.id in pair.received
        again = pair.sent()[len(sent) :]
        assert len(again) == len(sent), "as many as the first time"
        assert again[-1] == second.id
        home.msgcode("break", "remove", str(store.breakpoints()[0].number))
        for agent in pair.agents:
            agent.over = True
        home.msgcode("release")
        wait_until(lambda: set(pair.sent()) <= set(pair.received), lambda: "what was held did not come")
        assert len(pair.received) == len(set(pair.received))


def test_a_hold_outlives_a_killed_opencode(
    model: ModelServer,
    servers: list[OpenCodeServer],
    module_opencodes: OpenCodes,
    home: OpenCodeHome,
    store: Store,
) -> None:
    agent = Agent("outlived")
    session = start(model, servers[0], agent)
    store.register("sender")
    store.register("other")
    home.msgcode("hold", "--agent", "outlived", "--agent", "sender")
    held = store.send("sender", "outlived", "Held.")
    servers[0].kill()
    wait_until(lambda: not store.presence("outlived").online, lambda: "its host lives on")
    servers[0] = module_opencodes.serve(home)
    servers[0].prompt(session, "Go on.")
    servers[0].wait_until_idle(session)
    free = store.send("other", "outlived", "Free.")
    wait_until(lambda: status(store, free) is Status.ACKNOWLEDGED, lambda: str(store.message(free.id)))
    assert status(store, held) is Status.QUEUED
    assert [message.body for message in agent.received] == ["Free."]
    home.msgcode("release")
    wait_until(lambda: status(store, held) is Status.ACKNOWLEDGED, lambda: str(store.message(held.id)))
    assert [message.body for message in agent.received] == ["Free.", "Held."]


def test_a_step_tells_what_comes_of_it(
    model: ModelServer, servers: list[OpenCodeServer], home: OpenCodeHome, store: Store
) -> None:
    with Pair(model, servers, store, "stepped") as pair:
        home.msgcode("hold")
        first = pair.begin("Well done, both.")
        wait_until(
            lambda: store.presence(pair.ids[1]).activity is Activity.IDLE,
            lambda: f"{store.presence(pair.ids[1])}",
        )
        told = json.loads(home.msgcode("step", "--wait", "20", "--json"))
        (second,) = pair.wait_until_all_is_held()
        assert told["id"] == first.id
        # It is acknowledged after that, which may be told too.
        assert [(one["agent"], one["what"]) for one in told["outcomes"][:2]] == [
            (pair.ids[0], "delivered"),
            (pair.ids[0], "sent"),
        ]
        assert told["outcomes"][1]["detail"] == second.id
        words = home.msgcode("step", "--wait", "20")
        (third,) = pair.wait_until_all_is_held()
        assert f"{pair.ids[1]} has it" in words
        assert f"{pair.ids[1]} sent a message because of it: {third.id[:8]}" in words
        assert sorted(pair.received) == sorted([first.id, second.id])
