"""Real Claude Codes as agents: their mail, whatever they are doing when it comes."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import psutil
import pytest

from msgcode import Store
from msgcode.model import Activity, Delivery, Message, Presence, Status
from tests.e2e.agents import Agent, received
from tests.e2e.anthropic_messages import AnthropicMessages
from tests.e2e.claude import OURS, ClaudeHome, ClaudeTerminal, with_tools
from tests.e2e.conftest import wait_until
from tests.e2e.scripted import USER, Answer, Call, ModelServer, Say, Turn
from tests.e2e.terminal import needs_tmux

pytestmark = needs_tmux

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


def wait_until_nobody_waits(home: ClaudeHome) -> None:
    """Wait until all processes of hooks in this home have ended."""

    def running() -> list[str]:
        lines = [" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])]
        return [line for line in lines if "hook" in line and str(home.folder) in line]

    wait_until(lambda: not running(), lambda: f"there still are: {running()}")


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

    def wait_until_told(self, count: int) -> None:
        """Wait until so many messages have come."""
        wait_until(lambda: len(self.told()) >= count, lambda: f"not {count}: {self.told()}")

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
    busy.wait_until_told(2)
    assert busy.told() == [(2, "Stop that."), (2, "And this.")]
    wait_for_presence(store, "busy-one", Activity.IDLE)
    assert len(busy.turns) == 3


def test_a_turn_goes_on_for_what_has_come_at_its_end(model: ModelServer, start: Start, store: Store) -> None:
    busy = Busy("last-one")
    start_busy(model, start(), busy)
    message = store.send("sender", "last-one", "One more thing.")
    busy.gate.set()
    wait_for_status(store, message, Status.DELIVERED)
    busy.wait_until_told(1)
    wait_for_presence(store, "last-one", Activity.IDLE)
    assert busy.told() == [(2, "One more thing.")]


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


def test_what_is_too_much_for_one_hook_comes_in_parts(model: ModelServer, start: Start, store: Store) -> None:
    """Claude Code would keep what is longer from the model, and say in which file it is."""
    busy = Busy("flooded-one", FAILS, FAILS)
    start_busy(model, start(), busy)
    bodies = [f"{number} " + "word " * 1000 for number in range(3)]
    sent = [store.send("sender", "flooded-one", body) for body in bodies]
    busy.gate.set()
    for message in sent:
        wait_for_status(store, message, Status.DELIVERED)
    busy.wait_until_told(3)
    assert [body for _, body in busy.told()] == bodies
    assert len({turn for turn, _ in busy.told()}) > 1


def test_a_turn_that_its_user_has_broken_off(model: ModelServer, start: Start, store: Store) -> None:
    terminal, agent = start("broken"), Agent("broken-one", [ASKS], prefix=OURS)
    model.play("You are broken-one.", with_tools(agent))
    terminal.say("You are broken-one.")
    wait_for_presence(store, "broken-one", Activity.BLOCKED)
    terminal.wait_for("Do you want to proceed?")
    terminal.type("Escape")
    wait_for_presence(store, "broken-one", Activity.IDLE)
    message = store.send("sender", "broken-one", "Are you there?")
    wait_for_status(store, message, Status.ACKNOWLEDGED)
    assert [got.id for got in agent.received] == [message.id]


def test_the_agents_of_a_conversation_live_on_after_clear(
    model: ModelServer, start: Start, store: Store
) -> None:
    terminal, agent = start(), Agent("clear-one", prefix=OURS)
    agent_in(model, store, terminal, agent)
    before = conversation(store, "clear-one")
    model.play("[msgcode]", agent)
    terminal.say("/clear")
    wait_until(lambda: conversation(store, "clear-one") != before, lambda: "it stays where it was")
    message = store.send("sender", "clear-one", "A fresh start.")
    wait_for_status(store, message, Status.ACKNOWLEDGED)
    assert [got.id for got in agent.received] == [message.id]
    assert agent.sessions == {before, conversation(store, "clear-one")}


def test_an_agent_lives_on_in_a_resumed_conversation(
    model: ModelServer, start: Start, store: Store, home: ClaudeHome
) -> None:
    terminal, agent = start(), Agent("resumed-one", prefix=OURS)
    agent_in(model, store, terminal, agent)
    session = conversation(store, "resumed-one")
    terminal.leave()
    wait_for_presence(store, "resumed-one", Activity.OFFLINE)
    wait_until_nobody_waits(home)
    message = store.send("sender", "resumed-one", "While you were away.")
    start(session=session)
    wait_for_status(store, message, Status.ACKNOWLEDGED)
    assert [got.id for got in agent.received] == [message.id]
    assert conversation(store, "resumed-one") == session
    wait_for_presence(store, "resumed-one", Activity.IDLE)


def test_what_a_killed_session_has_not_taken_comes_again(
    model: ModelServer, start: Start, store: Store, home: ClaudeHome
) -> None:
    terminal, agent = start(), Agent("killed-one", prefix=OURS)
    agent_in(model, store, terminal, agent)
    session = conversation(store, "killed-one")
    with terminal.stopped() as pid:
        message = store.send("sender", "killed-one", "Did you get this?")
        wait_for_status(store, message, Status.CLAIMED)
        wait_until_nobody_waits(home)
        os.kill(pid, signal.SIGKILL)
    wait_for_status(store, message, Status.QUEUED)
    (failure,) = delivery(store, message).failures
    assert failure == "the program ended before it had taken the message"
    wait_for_presence(store, "killed-one", Activity.OFFLINE)
    wait_until_nobody_waits(home)
    start(session=session)
    wait_for_status(store, message, Status.ACKNOWLEDGED)
    assert [got.id for got in agent.received] == [message.id]
    assert delivery(store, message).claims == 2


def test_without_a_terminal_it_takes_its_mail_and_ends(
    model: ModelServer, store: Store, home: ClaudeHome
) -> None:
    calls = [Call(f"{OURS}send_message", {"from": "script-one", "to": "script-one", "body": "To myself."})]
    busy = Busy("script-one", *calls)
    busy.gate.set()
    model.play("You are script-one.", with_tools(busy))
    home.ask("You are script-one.")
    assert [body for _, body in busy.told()] == ["To myself."]
    wait_for_presence(store, "script-one", Activity.OFFLINE)
    wait_until_nobody_waits(home)
    store.send("sender", "script-one", "And now?")
    home.ask("Go on.", "--resume", conversation(store, "script-one"))
    assert [body for _, body in busy.told()] == ["To myself.", "And now?"]


def test_uninstall_leaves_the_files_as_they_were(model: ModelServer, home: ClaudeHome) -> None:
    settings = {"permissions": {"allow": ["Bash(ls:*)"]}, "hooks": {"Stop": []}}
    other = ClaudeHome(home.folder.parent / "other", model.url, home.store, **settings)
    before = (other.settings.read_bytes(), other.state.read_bytes())
    other.install_msgcode()
    assert (other.settings.read_bytes(), other.state.read_bytes()) != before
    other.msgcode("uninstall", "claude")
    assert (other.settings.read_bytes(), other.state.read_bytes()) == before
    other.install_msgcode()
    other.ask("Hello.")  # Claude Code writes into its state.
    other.msgcode("uninstall", "claude")
    assert other.settings.read_bytes() == before[0]
    assert "msgcode" not in other.state.read_text()
