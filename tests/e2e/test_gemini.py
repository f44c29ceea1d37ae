"""Real Gemini CLIs in a room: what reaches their sessions, and what the room knows of them."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from msgcode import Store
from msgcode.model import Activity, Delivery, Message, Session, Status
from tests.e2e.agents import Agent, Received, reply
from tests.e2e.conftest import wait_until
from tests.e2e.gemini import TOOLS, GeminiHome, GeminiTerminal, binary
from tests.e2e.gemini_api import GeminiStream, GeminiWhole
from tests.e2e.scripted import USER, Call, ModelServer
from tests.e2e.terminal import needs_tmux

pytestmark = needs_tmux

GATE = 20.0
"""Seconds for which a script's model thinks at most."""

LOOK = Call("list_directory", {"dir_path": "."})
"""A tool of Gemini CLI's own, for which it does not ask its user."""

SHELL = Call("run_shell_command", {"command": "echo done > made.txt", "description": "make a file"})
"""One for which it does."""


@pytest.fixture
def model() -> Iterator[ModelServer]:
    with ModelServer(GeminiStream(), GeminiWhole()) as server:
        yield server


@pytest.fixture
def home(tmp_path: Path, model: ModelServer) -> GeminiHome:
    """A home in which msgcode is installed."""
    binary()
    home = GeminiHome(tmp_path / "home", model.url, tmp_path / "room")
    home.msgcode("install", "gemini")
    return home


@pytest.fixture
def store(home: GeminiHome) -> Iterator[Store]:
    """The room, with somebody in it who sends."""
    with Store.open(home.store) as store:
        store.register("sender")
        yield store


@pytest.fixture
def start(home: GeminiHome, model: ModelServer) -> Iterator[Callable[..., GeminiTerminal]]:
    """Starts Gemini CLIs, which end with the test."""
    with ExitStack() as stack:

        def start(*options: str, before: tuple[str, ...] = ()) -> GeminiTerminal:
            terminal = GeminiTerminal(home, *options, before=before)
            stack.callback(terminal.close)
            stack.callback(lambda: print(terminal.screen() if terminal.runs() else "It has ended."))
            return terminal

        yield start


class Worker(Agent):
    """An agent that is told to work: it thinks until the gate is opened, and then makes these calls."""

    def __init__(
        self, id: str, *work: Call, react: Callable[[Received], list[Call]] = lambda message: []
    ) -> None:
        self.thinks, self.gate = threading.Event(), threading.Event()
        super().__init__(id, react=react, told=lambda text: self._think(work), prefix=TOOLS)

    def _think(self, work: tuple[Call, ...]) -> tuple[Call, ...]:
        self.thinks.set()
        assert self.gate.wait(GATE), "the gate was never opened"
        return work


def begin(model: ModelServer, terminal: GeminiTerminal, store: Store, agent: Agent) -> None:
    """Let the agent register in the terminal's session, and come to the end of its turn."""
    model.play(f"You are {agent.id}.", agent)
    terminal.say(f"You are {agent.id}.")
    terminal.wait_for("I wait for messages.")
    assert [tool for tool, _ in agent.results] == ["register_agent"]
    wait_for_activity(store, agent.id, Activity.IDLE)


def wait_for_activity(store: Store, agent: str, activity: Activity) -> None:
    wait_until(
        lambda: store.presence(agent).activity is activity,
        lambda: f"not {activity}: {store.presence(agent)}",
    )


def wait_for_status(store: Store, message: Message, status: Status) -> None:
    wait_until(
        lambda: delivery(store, message).status is status,
        lambda: (
            f"not {status}: {delivery(store, message)}; {[store.presence(one) for one in message.deliveries]}"
        ),
    )


def delivery(store: Store, message: Message) -> Delivery:
    """How far a message to one agent has come."""
    (found,) = store.message(message.id).deliveries.values()
    return found


def session_of(store: Store, agent: str) -> Session:
    """The session that the agent lives in."""
    (session,) = (one.session for one in store.agents() if one.id == agent)
    assert session is not None
    return session


def wait_for_mail(home: GeminiHome) -> None:
    """Wait until the companion has told the hooks that something waits."""
    sessions = home.folder / ".local" / "state" / "msgcode" / "sessions"
    wait_until(lambda: list(sessions.glob("*/mail")), lambda: f"no mail in {[*sessions.glob('*/*')]}")


Start = Callable[..., GeminiTerminal]


@pytest.mark.parametrize("tool", [LOOK, SHELL], ids=["file", "shell"])
def test_a_busy_session_is_given_it_at_its_next_tool_call(
    model: ModelServer, home: GeminiHome, start: Start, store: Store, tool: Call
) -> None:
    terminal = start("--approval-mode", "yolo")
    agent = Worker("busy", tool, react=lambda message: [reply(message, "I shall.")])
    begin(model, terminal, store, agent)
    terminal.say("Work.")
    assert agent.thinks.wait(GATE)
    wait_for_activity(store, "busy", Activity.BUSY)
    message = store.send("sender", "busy", "Mind the <step> & gap.\n> quoted")
    wait_for_mail(home)
    agent.gate.set()
    wait_for_status(store, message, Status.ACKNOWLEDGED)
    (got,) = agent.received
    assert (got.id, got.body) == (message.id, "Mind the <step> & gap.\n> quoted")
    turn = model.wait_for(lambda turn: message.id in turn.text)
    assert [entry.kind for entry in turn.new] == [tool.tool, USER], "it did not come with the tool's answer"
    (answer,) = store.inbox("sender")
    assert (answer.sender, answer.body, answer.reply_to) == ("busy", "I shall.", message.id)


def test_what_comes_while_it_thinks_begins_its_next_turn(
    model: ModelServer, home: GeminiHome, start: Start, store: Store
) -> None:
    terminal = start()
    agent = Worker("thinker")
    begin(model, terminal, store, agent)
    terminal.say("Work.")
    assert agent.thinks.wait(GATE)
    message = store.send("sender", "thinker", "One more thing.")
    wait_for_mail(home)
    agent.gate.set()
    wait_for_status(store, message, Status.ACKNOWLEDGED)
    turn = model.wait_for(lambda turn: message.id in turn.text)
    assert [entry.kind for entry in turn.new] == [USER]
    wait_for_activity(store, "thinker", Activity.IDLE)


def test_an_idle_session_is_given_it_with_its_users_next_words(
    model: ModelServer, home: GeminiHome, start: Start, store: Store
) -> None:
    terminal = start()
    agent = Agent("waiter", prefix=TOOLS)
    begin(model, terminal, store, agent)
    message = store.send("sender", "waiter", "When you have time.")
    wait_for_mail(home)
    terminal.say("What is new?")
    wait_for_status(store, message, Status.ACKNOWLEDGED)
    turn = model.wait_for(lambda turn: message.id in turn.text)
    assert turn.new[0].text == "What is new?"
    assert len(agent.received) == 1


def test_an_idle_session_is_woken_in_its_terminal(
    model: ModelServer, home: GeminiHome, start: Start, store: Store
) -> None:
    """Also when its user has said no to a tool, of which no hook tells."""
    terminal = start(before=(sys.executable, "-m", "msgcode", "run", "--as", "sleeper", "--"))
    agent = Agent(
        "sleeper",
        react=lambda message: [reply(message, "I am up.")],
        told=lambda text: [SHELL] if text == "Work." else [],
        prefix=TOOLS,
    )
    begin(model, terminal, store, agent)
    message = store.send("sender", "sleeper", "Wake up.")
    wait_for_status(store, message, Status.ACKNOWLEDGED)
    turn = model.wait_for(lambda turn: message.id in turn.text)
    assert [entry.kind for entry in turn.new] == [USER, USER], "the wake-up, and the mail with it"
    assert "Wake up." not in turn.new[0].text
    assert [got.body for got in agent.received] == ["Wake up."]
    (answer,) = store.inbox("sender")
    assert answer.body == "I am up."

    terminal.say("Work.")
    terminal.wait_for("Allow once")
    wait_for_activity(store, "sleeper", Activity.BLOCKED)
    again = store.send("sender", "sleeper", "Wake up again.")
    terminal.type("Escape")
    wait_for_status(store, again, Status.ACKNOWLEDGED)
    wait_for_activity(store, "sleeper", Activity.IDLE)


def test_the_room_sees_what_it_is_doing(model: ModelServer, start: Start, store: Store) -> None:
    terminal = start()
    agent = Worker("seen", SHELL)
    begin(model, terminal, store, agent)
    terminal.say("Work.")
    assert agent.thinks.wait(GATE)
    wait_for_activity(store, "seen", Activity.BUSY)
    agent.gate.set()
    wait_for_activity(store, "seen", Activity.BLOCKED)
    command = SHELL.arguments["command"]
    assert store.presence("seen").reason == f"permission for a shell command: {command}"
    terminal.wait_for("Allow once")
    terminal.type("Enter")
    wait_for_activity(store, "seen", Activity.IDLE)
    terminal.close()
    wait_for_activity(store, "seen", Activity.OFFLINE)


def test_an_agent_lives_on_when_its_session_is_resumed(
    model: ModelServer, home: GeminiHome, start: Start, store: Store
) -> None:
    terminal = start()
    agent = Agent("phoenix", prefix=TOOLS)
    begin(model, terminal, store, agent)
    (session,) = home.sessions()
    assert session_of(store, "phoenix").id == session
    terminal.close()
    wait_for_activity(store, "phoenix", Activity.OFFLINE)
    message = store.send("sender", "phoenix", "While you were away.")

    terminal = start("--resume", session)
    terminal.wait_for("I wait for messages.")
    wait_for_activity(store, "phoenix", Activity.IDLE)
    wait_for_mail(home)
    terminal.say("Go on.")
    wait_for_status(store, message, Status.ACKNOWLEDGED)
    assert [got.id for got in agent.received] == [message.id]


def test_an_agent_lives_on_when_its_session_is_cleared(
    model: ModelServer, home: GeminiHome, start: Start, store: Store
) -> None:
    terminal = start()
    agent = Agent("fresh", prefix=TOOLS)
    begin(model, terminal, store, agent)
    before = session_of(store, "fresh")
    terminal.say("/clear")
    terminal.wait_until(lambda: "I wait for messages." not in terminal.screen(), "it was not cleared")
    wait_until(lambda: session_of(store, "fresh") != before, lambda: str(session_of(store, "fresh")))
    wait_for_activity(store, "fresh", Activity.IDLE)
    message = store.send("sender", "fresh", "Do you hear me?")
    wait_for_mail(home)
    model.play("Go on.", Agent("fresh", prefix=TOOLS))
    terminal.say("Go on.")
    wait_for_status(store, message, Status.ACKNOWLEDGED)


def test_a_headless_run_is_given_it_too(model: ModelServer, home: GeminiHome, store: Store) -> None:
    store.register("script")
    message = store.send("sender", "script", "Before you end.")
    agent = Agent("script", prefix=TOOLS)
    model.play("You are script.", agent)
    home.ask("You are script.")
    assert delivery(store, message).status is Status.ACKNOWLEDGED
    assert store.presence("script").activity is Activity.OFFLINE


def test_uninstalling_leaves_the_files_as_they_were(home: GeminiHome, tmp_path: Path) -> None:
    """The program has run in between; what it has changed itself stays."""
    untouched = GeminiHome(tmp_path / "other", home.environment["GOOGLE_GEMINI_BASE_URL"], home.store)
    home.ask("Hello.")
    home.msgcode("uninstall", "gemini")
    assert home.settings.read_text() == untouched.settings.read_text()
    assert {path.name for path in home.settings.parent.glob("*msgcode*")} == set()
