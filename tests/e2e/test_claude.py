"""Real Claude Codes as agents: their mail, whatever they are doing when it comes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace

import psutil
import pytest

from msgcode import Store
from msgcode.model import Activity, Delivery, Message, Presence, Status
from tests.e2e.agents import Agent, received
from tests.e2e.anthropic_messages import AnthropicMessages
from tests.e2e.claude import ClaudeHome, ClaudeTerminal
from tests.e2e.conftest import wait_until
from tests.e2e.scripted import USER, Answer, Call, ModelServer, Say, Script, Turn
from tests.e2e.terminal import needs_tmux

pytestmark = needs_tmux

OURS = "mcp__msgcode__"
"""What Claude Code puts before the names of our tools."""

GATE = 20.0
"""Seconds for which a script holds its session busy at most."""

FAILS = Call("Bash", {"command": "ls nothing-there", "description": "look for nothing"})
"""A call that needs no permission, and fails."""

ASKS = Call("Bash", {"command": "touch here", "description": "make a file"})
"""A call that needs a permission."""

Start = Callable[..., ClaudeTerminal]


@pytest.fixture(scope="module")
def module_model() -> Iterator[ModelServer]:
    with ModelServer(AnthropicMessages()) as server:
        yield server


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, module_model: ModelServer) -> ClaudeHome:
    folder = tmp_path_factory.mktemp("claude")
    home = ClaudeHome(folder / "home", module_model.url, folder / "room")
    home.install_msgcode()
    return home


@pytest.fixture
def start(home: ClaudeHome) -> Iterator[Start]:
    """Starts Claude Codes, with the arguments of `ClaudeTerminal` after the home; they end with the test."""
    with ExitStack() as stack:

        def started(project: str = "project", session: str | None = None) -> ClaudeTerminal:
            terminal = ClaudeTerminal(home, project, session)
            stack.callback(terminal.close)
            stack.callback(lambda: print(terminal.screen()) if terminal.runs() else None)
            return terminal

        yield started


@pytest.fixture
def store(home: ClaudeHome) -> Iterator[Store]:
    """The room, with somebody in it who sends."""
    with Store.open(home.store) as store:
        store.register("sender")
        yield store


def with_tools(script: Script) -> Script:
    """The script, once Claude Code has our tools: it does not wait for them, but brings them amid a turn."""
    begun = threading.Event()

    def answer(turn: Turn) -> Answer:
        if begun.is_set():
            return script(turn)
        if f"{OURS}register_agent" not in turn.tools:
            return Call("Bash", {"command": "sleep 0.1", "description": "wait"})
        begun.set()
        return script(replace(turn, new=turn.entries))

    return answer


def agent_in(model: ModelServer, store: Store, terminal: ClaudeTerminal, agent: Agent) -> None:
    """Let the terminal's session be the agent, and wait until its first turn is over."""
    model.play(f"You are {agent.id}.", with_tools(agent))
    terminal.say(f"You are {agent.id}.")
    terminal.wait_for_rest()
    wait_for_presence(store, agent.id, Activity.IDLE)


def delivery(store: Store, message: Message) -> Delivery:
    """How far a message to one agent has come."""
    (found,) = store.message(message.id).deliveries.values()
    return found


def wait_for_status(store: Store, message: Message, status: Status) -> None:
    wait_until(
        lambda: delivery(store, message).status is status,
        lambda: f"not {status}: {delivery(store, message)}",
    )


def wait_for_presence(store: Store, agent: str, activity: Activity) -> Presence:
    wait_until(
        lambda: (
            agent in {known.id for known in store.agents()} and store.presence(agent).activity is activity
        ),
        lambda: f"not {activity}: {agent} of {store.agents()}",
    )
    return store.presence(agent)


def conversation(store: Store, agent: str) -> str:
    """The conversation in which the agent lives."""
    (session,) = [known.session for known in store.agents() if known.id == agent]
    assert session
    assert session.harness == "claude"
    return session.id


def hooks_running(home: ClaudeHome) -> list[str]:
    """The processes of hooks in this home that have not ended."""
    lines = [" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])]
    return [line for line in lines if "hook" in line and str(home.folder) in line]


class Busy:
    """A script that registers its agent, and makes the calls one by one, once the gate is open."""

    def __init__(self, id: str, *calls: Call) -> None:
        self.id = id
        self.gate = threading.Event()
        self.turns: list[Turn] = []
        self._calls = list(calls)

    def __call__(self, turn: Turn) -> Answer:
        self.turns.append(turn)
        if len(self.turns) == 1:
            return Call(f"{OURS}register_agent", {"agent_id": self.id})
        assert self.gate.wait(GATE)
        return self._calls.pop(0) if self._calls else Say("That was it.")

    def told(self) -> list[tuple[int, str]]:
        """The messages that came, each with the number of the turn in which it did."""
        return [
            (number, message.body)
            for number, turn in enumerate(self.turns)
            for entry in turn.new
            if entry.kind == USER
            for message in received(entry.text)
        ]


def start_busy(model: ModelServer, terminal: ClaudeTerminal, busy: Busy) -> None:
    """Let the terminal's session be busy, and wait until it is."""
    model.play(f"You are {busy.id}.", with_tools(busy))
    terminal.say(f"You are {busy.id}.")
    wait_until(lambda: len(busy.turns) == 2, lambda: "it did not come to its second turn")


def test_an_idle_session_is_woken(model: ModelServer, start: Start, store: Store) -> None:
    terminal, agent = start(), Agent("idle-one", prefix=OURS)
    agent_in(model, store, terminal, agent)
    assert store.presence("idle-one").online
    terminal.paste("half a sentence")
    message = store.send("sender", "idle-one", "Wake up.", subject="a subject", priority="high")
    wait_for_status(store, message, Status.ACKNOWLEDGED)
    (got,) = agent.received
    assert (got.id, got.body, got.sender) == (message.id, "Wake up.", "sender")
    assert wait_for_presence(store, "idle-one", Activity.IDLE)
    terminal.wait_for("half a sentence")
    assert "Messages from msgcode" in terminal.screen()
    again = store.send("sender", "idle-one", "And again.")
    wait_for_status(store, again, Status.ACKNOWLEDGED)
    assert [got.body for got in agent.received] == ["Wake up.", "And again."]
    assert delivery(store, again).claims == 1


def test_a_busy_session_is_given_it_at_its_next_tool_call(
    model: ModelServer, start: Start, store: Store
) -> None:
    busy = Busy("busy-one", FAILS)
    start_busy(model, start(), busy)
    assert wait_for_presence(store, "busy-one", Activity.BUSY).online
    first, second = (store.send("sender", "busy-one", body) for body in ("Stop that.", "And this."))
    busy.gate.set()
    wait_for_status(store, first, Status.DELIVERED)
    wait_for_status(store, second, Status.DELIVERED)
    assert busy.told() == [(2, "Stop that."), (2, "And this.")]
    wait_for_presence(store, "busy-one", Activity.IDLE)
    assert len(busy.turns) == 3


def test_a_turn_goes_on_for_what_has_come_at_its_end(model: ModelServer, start: Start, store: Store) -> None:
    busy = Busy("last-one")
    start_busy(model, start(), busy)
    message = store.send("sender", "last-one", "One more thing.")
    busy.gate.set()
    wait_for_status(store, message, Status.DELIVERED)
    wait_for_presence(store, "last-one", Activity.IDLE)
    assert busy.told() == [(3, "One more thing.")]


def test_a_session_that_waits_for_a_permission(model: ModelServer, start: Start, store: Store) -> None:
    terminal, agent = start("asking"), Agent("asking-one", [ASKS], prefix=OURS)
    model.play("You are asking-one.", with_tools(agent))
    terminal.say("You are asking-one.")
    assert (
        wait_for_presence(store, "asking-one", Activity.BLOCKED).reason == "permission for Bash: touch here"
    )
    message = store.send("sender", "asking-one", "When you can.")
    terminal.wait_for("Do you want to proceed?")
    assert delivery(store, message).status is Status.QUEUED
    terminal.type("Enter")
    wait_for_status(store, message, Status.ACKNOWLEDGED)
    assert wait_for_presence(store, "asking-one", Activity.IDLE).reason is None
    assert [got.id for got in agent.received] == [message.id]
