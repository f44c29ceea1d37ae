"""Agents in real Codex: its background server with several conversations, its TUI, and `codex exec`."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from msgcode import Store
from msgcode.model import Activity, Message, Presence, Status
from tests.e2e.agents import Agent, Received, received, reply, send
from tests.e2e.codex import CodexHome, CodexTerminal
from tests.e2e.conftest import wait_until
from tests.e2e.openai_responses import OpenAIResponses
from tests.e2e.scripted import USER, Answer, Call, ModelServer, Say, Turn
from tests.e2e.terminal import needs_tmux

PREFIX = "mcp__msgcode__"
GATE = 20.0
"""Seconds for which a script holds its session busy at most."""


@pytest.fixture(scope="module")
def module_model() -> Iterator[ModelServer]:
    with ModelServer(OpenAIResponses()) as server:
        yield server


class Codexes:
    """Starts Codexes in one home, which end with it."""

    def __init__(self, home: CodexHome, stack: ExitStack) -> None:
        self.home = home
        self._stack = stack

    def terminal(self, *words: str, trust: bool = True) -> CodexTerminal:
        """A `CodexTerminal` with these arguments."""
        terminal = CodexTerminal(self.home, *words, trust=trust)
        self._stack.callback(terminal.close)
        return terminal


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory: pytest.TempPathFactory, module_model: ModelServer) -> Iterator[CodexHome]:
    """A home with msgcode in it, whose tests use a conversation each."""
    folder = tmp_path_factory.mktemp("codex")
    home = CodexHome(folder / "home", module_model.url, folder / "room")
    home.install_msgcode()
    yield home
    home.stop()


@pytest.fixture
def codexes(shared_home: CodexHome) -> Iterator[Codexes]:
    with ExitStack() as stack:
        yield Codexes(shared_home, stack)


@pytest.fixture
def store(shared_home: CodexHome) -> Iterator[Store]:
    """The room, with somebody in it who sends."""
    with Store.open(shared_home.store) as store:
        store.register("sender")
        yield store


@pytest.fixture
def own_home(tmp_path: Path, model: ModelServer) -> Iterator[CodexHome]:
    """A home of one test, without msgcode."""
    home = CodexHome(tmp_path / "home", model.url, tmp_path / "room")
    home.project()
    yield home
    home.stop()


def start(model: ModelServer, codexes: Codexes, agent: Agent, *words: str) -> CodexTerminal:
    """A terminal in which the agent's first turn is over."""
    model.play(f"You are {agent.id}.", agent)
    terminal = codexes.terminal(*words)
    terminal.say(f"You are {agent.id}.")
    wait_until(lambda: agent.results, lambda: f"it did not register:\n{terminal.screen()}")
    terminal.wait_until_idle()
    return terminal


def agent(id: str, *begin: Call) -> Agent:
    """One that answers each message with its text in capitals."""
    return Agent(id, begin, lambda message: [reply(message, message.body.upper())], prefix=PREFIX)


def status(store: Store, message: Message) -> Status:
    """How far a message to one agent has come."""
    (found,) = store.message(message.id).deliveries.values()
    return found.status


def wait_for_status(store: Store, message: Message, wanted: Status) -> None:
    wait_until(
        lambda: status(store, message) is wanted,
        lambda: f"not {wanted}: {store.message(message.id)}",
    )


def wait_for_presence(store: Store, agent: str, activity: Activity) -> Presence:
    wait_until(
        lambda: store.presence(agent).activity is activity,
        lambda: f"not {activity}: {store.presence(agent)}",
    )
    return store.presence(agent)


def bodies(messages: list[Received]) -> list[str]:
    return [message.body for message in messages]


@needs_tmux
def test_an_idle_agent_is_woken(model: ModelServer, codexes: Codexes, store: Store) -> None:
    mia = agent("mia", send("mia", "sender", "here I am"))
    terminal = start(model, codexes, mia)
    wait_for_presence(store, "mia", Activity.IDLE)
    assert [message.body for message in store.inbox("sender")] == ["here I am"]
    terminal.type("half")
    terminal.wait_for("half")

    body = 'are you there?\n> <b> & "so"'
    message = store.send("sender", "mia", body)
    wait_for_status(store, message, Status.ACKNOWLEDGED)

    assert bodies(mia.received) == [body]
    assert body.upper() in [message.body for message in store.inbox("sender")]
    wait_for_presence(store, "mia", Activity.IDLE)
    assert "half" in terminal.screen()


@needs_tmux
def test_a_busy_agent_gets_mail_with_the_answer_of_a_tool(
    model: ModelServer, codexes: Codexes, store: Store
) -> None:
    gate = threading.Event()
    told: list[Turn] = []

    def script(turn: Turn) -> Answer:
        told.append(turn)
        if len(told) == 1:
            return Call(f"{PREFIX}register_agent", {"agent_id": "ned", "name": "Ned"})
        if len(told) == 2:
            assert gate.wait(GATE)
            return Call("exec_command", {"cmd": "echo done"})
        return Say("ok")

    model.play("You are ned.", script)
    codexes.terminal().say("You are ned.")
    wait_until(lambda: len(told) == 2, lambda: "it did not register")
    wait_for_presence(store, "ned", Activity.BUSY)
    message = store.send("sender", "ned", "x" * 20_000)
    wait_until(mail_flag(codexes.home, told).exists, lambda: "the hooks are not told that there is mail")
    gate.set()
    wait_for_status(store, message, Status.DELIVERED)
    wait_until(lambda: len(told) > 2, lambda: "the model is not told")

    kinds = [entry.kind for entry in told[2].new]
    assert sorted(kinds) == ["exec_command", USER]
    assert [found.id for entry in told[2].new for found in received(entry.text)] == [message.id]


@needs_tmux
@pytest.mark.parametrize(
    ("id", "body"), [("ola", "> a <b> & c"), ("tim", "too much for Codex at this moment " * 500)]
)
def test_a_turn_goes_on_with_mail_that_came_before_its_end(
    model: ModelServer, codexes: Codexes, store: Store, id: str, body: str
) -> None:
    gate = threading.Event()
    told: list[Turn] = []

    def script(turn: Turn) -> Answer:
        told.append(turn)
        if len(told) == 1:
            return Call(f"{PREFIX}register_agent", {"agent_id": id})
        if len(told) == 2:
            assert gate.wait(GATE)
        return Say("ok")

    model.play(f"You are {id}.", script)
    codexes.terminal().say(f"You are {id}.")
    wait_until(lambda: len(told) == 2, lambda: "it did not register")
    wait_for_presence(store, id, Activity.BUSY)
    message = store.send("sender", id, body)
    wait_until(mail_flag(codexes.home, told).exists, lambda: "the hooks are not told that there is mail")
    gate.set()
    wait_for_status(store, message, Status.DELIVERED)
    wait_until(lambda: len(told) > 2, lambda: "the model is not told")

    (found,) = [found for entry in told[2].new for found in received(entry.text)]
    assert (found.id, found.body) == (message.id, body)
    wait_for_presence(store, id, Activity.IDLE)
    assert len(told) == 3, "it was woken besides"


def mail_flag(home: CodexHome, told: list[Turn]) -> Path:
    """The file that tells the conversation's hooks of mail."""
    return home.folder / ".local/state/msgcode/sessions" / told[0].session / "mail"


@needs_tmux
def test_conversations_of_one_process_get_their_own_mail(
    model: ModelServer, codexes: Codexes, store: Store
) -> None:
    pia, rob = agent("pia"), agent("rob")
    for one in (pia, rob):
        start(model, codexes, one)
    sessions = [found.session for found in store.agents() if found.id in ("pia", "rob")]
    processes = {session.host.rpartition(":")[0] for session in sessions if session}
    assert len(processes) == 1, "they are not in the same process"

    messages = [store.send("sender", to, f"for {to}") for to in ("pia", "rob", "pia")]
    for message in messages:
        wait_for_status(store, message, Status.ACKNOWLEDGED)

    assert sorted(bodies(pia.received)) == ["for pia", "for pia"]
    assert bodies(rob.received) == ["for rob"]


@needs_tmux
def test_an_agent_goes_on_without_its_terminal(model: ModelServer, codexes: Codexes, store: Store) -> None:
    kim = agent("kim")
    start(model, codexes, kim).close()
    message = store.send("sender", "kim", "still there?")
    wait_for_status(store, message, Status.ACKNOWLEDGED)
    assert bodies(kim.received) == ["still there?"]


@needs_tmux
def test_presence(model: ModelServer, codexes: Codexes, store: Store) -> None:
    asking = {"cmd": "touch asked", "sandbox_permissions": "require_escalated", "justification": "may I?"}
    gate = threading.Event()
    told: list[Turn] = []

    def script(turn: Turn) -> Answer:
        told.append(turn)
        if len(told) == 1:
            return Call(f"{PREFIX}register_agent", {"agent_id": "sue", "name": "Sue"})
        if len(told) == 2:
            return Call("exec_command", asking)
        if len(told) == 3:
            gate.wait(GATE)
        return Say("ok")

    model.play("You are sue.", script)
    terminal = codexes.terminal()
    terminal.say("You are sue.")
    presence = wait_for_presence(store, "sue", Activity.BLOCKED)
    assert presence.reason == "permission for Bash: touch asked"
    terminal.wait_for("Would you like to run")
    terminal.press("Enter", until=lambda: "Would you like to run" not in terminal.screen())
    wait_for_presence(store, "sue", Activity.BUSY)
    terminal.wait_for("esc to interrupt")
    terminal.type("Escape")
    wait_for_presence(store, "sue", Activity.IDLE)
    gate.set()


@needs_tmux
def test_an_agent_outlives_its_program(model: ModelServer, own_home: CodexHome) -> None:
    own_home.install_msgcode()
    with ExitStack() as stack, Store.open(own_home.store) as store:
        codexes = Codexes(own_home, stack)
        tom = agent("tom")
        terminal = start(model, codexes, tom, "--no-daemon")
        (session,) = tom.sessions
        store.register("sender")
        wait_for_presence(store, "tom", Activity.IDLE)
        terminal.leave()
        wait_for_presence(store, "tom", Activity.OFFLINE)
        message = store.send("sender", "tom", "good morning")

        terminal = codexes.terminal("--no-daemon", "resume", session)
        terminal.say("go on")
        wait_for_status(store, message, Status.ACKNOWLEDGED)
        assert bodies(tom.received) == ["good morning"]
        wait_for_presence(store, "tom", Activity.IDLE)
        assert tom.sessions == {session}

    own_home.msgcode("uninstall", "codex")
    assert "msgcode" not in own_home.config.read_text().partition("[hooks.state]")[0]
    assert not (own_home.codex / "hooks.json").exists()


def test_without_a_terminal(model: ModelServer, own_home: CodexHome) -> None:
    own_home.install_msgcode()
    with Store.open(own_home.store) as store:
        store.register("sender")
        una = agent("una", send("una", "sender", "begun"))
        model.play("You are una.", una)
        own_home.execute("You are una.")
        (session,) = una.sessions
        message = store.send("sender", "una", "go on")
        own_home.execute("resume", session, "Anything new?")
        assert bodies(una.received) == ["go on"]
        assert status(store, message) is Status.ACKNOWLEDGED
        assert [message.body for message in store.inbox("sender")] == ["begun", "GO ON"]


@needs_tmux
def test_hooks_that_are_not_trusted_lose_nothing(model: ModelServer, own_home: CodexHome) -> None:
    own_home.install_msgcode()
    with ExitStack() as stack, Store.open(own_home.store) as store:
        store.register("sender")
        check = Call("check_messages", {"agent_id": "vic"})
        vic = Agent("vic", told=lambda text: [check], prefix=PREFIX)
        model.play("You are vic.", vic)
        terminal = Codexes(own_home, stack).terminal("--no-daemon", trust=False)
        terminal.say("You are vic.")
        wait_until(lambda: vic.results, lambda: terminal.screen())
        terminal.wait_until_idle()
        message = store.send("sender", "vic", "by hand")
        terminal.say("Is there anything?")
        wait_until(lambda: len(vic.results) == 2, lambda: terminal.screen())
        assert message.id in vic.results[-1][1]


def test_uninstall_leaves_the_files_as_they_were(own_home: CodexHome) -> None:
    before = files(own_home)
    own_home.install_msgcode()
    assert files(own_home) != before
    own_home.msgcode("uninstall", "codex")
    assert files(own_home) == before


def files(home: CodexHome) -> dict[str, str]:
    return {path.name: path.read_text() for path in home.codex.iterdir() if path.is_file()}
