"""`msgcode run` in a real terminal, around a program like a shell (`prompt_box.py`)."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from msgcode.model import Activity, Session
from msgcode.store import Store
from tests.e2e.conftest import wait_until
from tests.e2e.in_pty import InPty
from tests.e2e.terminal import Terminal, needs_tmux

BOX = str(Path(__file__).with_name("prompt_box.py"))
MARKER = "msgcode: mail for ann (msgcode check --as ann)"
LONG_ENOUGH = 5.0
"""Seconds within which a wake-up that is safe has long been typed."""


MCP_CLIENT = """
import asyncio, os, sys
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

async def main():
    words = ["-m", "msgcode", "mcp"]
    server = StdioServerParameters(command=sys.executable, args=words, env=dict(os.environ))
    async with stdio_client(server) as pipes, ClientSession(*pipes) as session:
        await session.initialize()
        await session.list_tools()
        print("registered", flush=True)
        await asyncio.to_thread(input)

asyncio.run(main())
"""


class Running:
    """`msgcode run --as ann -- prompt_box.py`, and the room."""

    def __init__(self, terminal: InPty, store: Store, log: Path) -> None:
        self.terminal = terminal
        self.store = store
        self._log = log

    @property
    def sent(self) -> list[str]:
        """The lines that the program was sent."""
        return [json.loads(line) for line in self._log.read_text().splitlines()] if self._log.exists() else []

    def mail(self, body: str = "hello") -> str:
        """A message for ann; returns its id."""
        self.store.register("bob")
        return self.store.send("bob", "ann", body).id

    def woken(self, times: int = 1) -> None:
        """Wait until the program has been sent the wake-up so many times."""
        self.terminal.wait_until(lambda: self.sent.count(MARKER) >= times, f"not woken, but {self.sent}")

    def presence(self, activity: Activity, reason: str | None = None) -> None:
        """Wait until ann does this, for this reason."""

        def told() -> bool:
            known = self.store.presence("ann")
            return known.activity is activity and (reason is None or reason in (known.reason or ""))

        wait_until(told, lambda: f"{self.store.presence('ann')}, on:\n{self.terminal.screen()}")

    def told(self, reason: str) -> None:
        """Wait until the room is told this reason."""

        def is_told() -> bool:
            return reason in (self.store.presence("ann").reason or "")

        wait_until(is_told, lambda: f"{self.store.presence('ann')}, on:\n{self.terminal.screen()}")

    def not_woken(self, reason: str) -> None:
        """Wait until the room is told why, and see that nothing has been typed by then, and after."""
        wait_until(
            lambda: reason in (self.store.presence("ann").reason or ""),
            lambda: str(self.store.presence("ann")),
        )
        seen = self.terminal.bytes
        time.sleep(LONG_ENOUGH / 2)
        assert b"msgcode" not in self.terminal.bytes[len(seen) :]
        assert MARKER not in self.sent


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The environment of what a test runs."""
    kept = {key: value for key, value in os.environ.items() if key not in ("TMUX", "MSGCODE_AGENT")}
    own = {"MSGCODE_STORE": str(tmp_path / "room"), "HOME": str(tmp_path), "TERM": "xterm-256color"}
    return {**kept, **own, "PS1": "ready$ "}


def msgcode(*words: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """What the command says, whose input and output are no terminal."""
    command = [sys.executable, "-m", "msgcode", *words]
    return subprocess.run(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


Start = Callable[..., Running]


@pytest.fixture
def start(tmp_path: Path, environment: dict[str, str]) -> Iterator[Start]:
    """Starts prompt_box.py with `msgcode run`, around which nothing is left after the test."""
    with ExitStack() as stack:

        def run(*command: str) -> Running:
            log = tmp_path / "sent"
            inner = command or (sys.executable, BOX, str(log))
            words = [sys.executable, "-m", "msgcode", "run", "--as", "ann", "--", *inner]
            terminal = stack.enter_context(InPty(words, environment))
            store = stack.enter_context(Store.open(tmp_path / "room", sync=False))
            return Running(terminal, store, log)

        yield run


@pytest.fixture
def box(start: Start) -> Running:
    """prompt_box.py at its prompt."""
    running = start()
    running.terminal.wait_for(">")
    return running


def test_an_idle_program_is_woken_once_for_all_that_waits(box: Running) -> None:
    box.mail("first")
    box.mail("second")
    box.woken()
    box.presence(Activity.IDLE, "woken, and has not looked")
    time.sleep(LONG_ENOUGH)
    assert box.sent == [MARKER]
    box.store.check("ann")
    box.mail("third")
    box.woken(2)


def test_what_is_half_typed_is_let_be(box: Running) -> None:
    box.terminal.type("git commit -m 'half")
    box.mail()
    box.not_woken("something was typed in its terminal and not sent")
    box.terminal.type(" done'\r")
    box.woken()
    assert box.sent == ["git commit -m 'half done'", MARKER]


def test_an_approval_is_left_to_the_user(box: Running) -> None:
    box.terminal.type("ask\r")
    box.terminal.wait_for("(y/n)")
    box.mail()
    box.presence(Activity.BLOCKED, "Do you want to delete everything? (y/n)")
    box.not_woken("(y/n)")
    box.terminal.type("n\x0d")
    box.woken()
    assert "you said 'n'" in box.terminal.screen()


def test_all_bytes_pass_and_the_exit_code(start: Start) -> None:
    whole = b"\x1b[38:2::1:2:3mcolour\x1b[0m\x1b]0;title\x07\x1b[?1000h\xff\xfe\x00"
    running = start(sys.executable, "-c", f"import os; os.write(1, {whole!r}); raise SystemExit(42)")
    assert running.terminal.end() == 42
    assert running.terminal.bytes == whole + b"\x1b[?1000l"  # The mouse it has left behind is put back.
    running.presence(Activity.OFFLINE)


def test_a_signal_that_ended_the_program_is_told(box: Running) -> None:
    box.terminal.type("die SIGKILL\r")
    assert box.terminal.end() == 128 + 9


def test_a_menu_is_left_to_the_user(box: Running) -> None:
    box.terminal.type("menu\r")
    box.terminal.wait_for("2. No")
    box.mail()
    box.presence(Activity.BLOCKED, "Do you want to run rm -rf /?")
    box.not_woken("Do you want to run")
    box.terminal.type("2")
    box.woken()


def test_output_that_moves_is_busy(box: Running) -> None:
    box.mail()
    box.woken()
    box.store.check("ann")
    box.terminal.type("tick\r")
    box.presence(Activity.BUSY)
    box.mail()
    time.sleep(LONG_ENOUGH / 2)
    assert box.sent == [MARKER, "tick"]
    box.terminal.type("q")  # It is not sent with Enter, but after a while the prompt is seen to be empty.
    box.woken(2)
    assert box.store.presence("ann").activity is Activity.IDLE


def test_a_flood_passes_whole_and_fast_and_the_wake_up_follows(box: Running) -> None:
    box.mail()
    box.terminal.type("flood 50000\r")
    started = time.monotonic()
    box.terminal.wait_until(
        lambda: b"line 49999\x1b[0m and some more of it\r\n" in box.terminal.bytes, "not all"
    )
    assert time.monotonic() - started < 20
    lines = [f"\x1b[3{n % 8}mline {n}\x1b[0m and some more of it\r\n".encode() for n in range(50000)]
    assert b"".join(lines) in box.terminal.bytes
    box.woken()


def test_another_screen_than_the_usual_is_let_be(box: Running) -> None:
    box.mail()
    box.woken()  # So it is known what is usual.
    box.store.check("ann")
    box.terminal.type("editor\r")
    box.terminal.wait_for("~ editor")
    box.mail()
    box.told("another screen, such as an editor or a pager")
    box.terminal.type("q\x03")
    box.woken(2)
    assert box.sent == [MARKER, "editor", MARKER]


def test_the_prompt_for_the_rest_of_a_command_is_let_be(box: Running) -> None:
    box.store.register("bob")
    box.mail()
    box.woken()
    box.store.check("ann")
    box.terminal.type("more\r")
    box.terminal.wait_for("...")
    box.mail()
    box.told("shows the prompt '...' and not '>'")
    box.terminal.type("rest\r")
    box.woken(2)
    assert box.sent == [MARKER, "more", "rest", MARKER]


@pytest.mark.parametrize("how", ["garble", "mute"])
def test_a_wake_up_that_is_not_shown_as_typed_is_taken_out_again(box: Running, how: str) -> None:
    box.terminal.type(f"{how}\r")
    box.mail()
    box.presence(Activity.IDLE, "did not show just what was typed, which was taken out again")
    box.terminal.type("after\r")
    box.terminal.wait_until(lambda: "after" in box.sent, f"{box.sent}")
    assert box.sent == [how, "after"]


def test_keys_that_come_while_it_types_follow_afterwards(box: Running) -> None:
    box.mail()
    box.terminal.wait_until(lambda: MARKER[:8].encode() in box.terminal.bytes, "not typed")
    box.terminal.type("user's own\r")
    box.terminal.wait_until(lambda: len(box.sent) == 2, f"{box.sent}")
    assert box.sent == [MARKER, "user's own"]


def test_what_is_held_wakes_nobody(box: Running) -> None:
    box.store.register("human", human=True)
    box.store.hold("human", agent="ann")
    box.mail()
    time.sleep(LONG_ENOUGH)
    assert box.sent == []
    box.store.release("human", agent="ann")
    box.woken()


def test_why_tells_it(box: Running, environment: dict[str, str]) -> None:
    box.terminal.type("half")
    id = box.mail()
    wait_until(lambda: box.store.presence("ann").reason, lambda: "no reason")
    told = msgcode("why", id, environment=environment).stdout
    assert "ann is idle: not woken, as something was typed in its terminal and not sent" in told


def test_the_size_follows(box: Running) -> None:
    box.terminal.type("size\r")
    box.terminal.wait_for("100x24")
    box.terminal.resize(90, 30)
    box.terminal.wait_for("[resized]")
    box.terminal.type("\x03size\r")
    box.terminal.wait_for("90x30")


def test_a_program_that_stops_stops_it_and_goes_on_with_it(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    inner = shlex.join([sys.executable, BOX, str(tmp_path / "sent")])
    command = f"{shlex.quote(sys.executable)} -m msgcode run --as ann -- {inner}"
    with InPty(["bash", "--norc"], {**environment, "PS1": "outer$ "}) as terminal:
        terminal.wait_for("outer$")
        terminal.type(f"{command}; echo ended with $?\r")
        terminal.wait_for("\n>")
        terminal.type("stop\r")
        terminal.wait_for("Stopped")
        terminal.type("echo in be''tween\r")
        terminal.wait_for("in between")
        terminal.type("fg\r")
        terminal.wait_for("here again")
        terminal.type("exit 3\r")
        terminal.wait_until(lambda: (tmp_path / "sent").read_text().endswith('"exit 3"\n'), "not sent")
        terminal.wait_for("outer$")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 128 + 15), (signal.SIGHUP, 128 + 1)])
def test_signals_are_passed_on_and_the_terminal_is_put_back(start: Start, number: int, code: int) -> None:
    running = start(sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)")
    before = termios.tcgetattr(running.terminal.process.fd)
    running.terminal.wait_for("up")
    os.kill(running.terminal.process.pid, number)
    assert running.terminal.end() == code
    assert termios.tcgetattr(running.terminal.process.fd)[:4] == before[:4]


@needs_tmux
def test_it_ends_with_its_terminal_even_if_the_program_does_not(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    command = f"exec {shlex.quote(sys.executable)} -m msgcode run --as ann --"
    terminal = Terminal(f"{command} sh -c \"trap '' HUP INT; echo up; sleep 25\"", environment=environment)
    try:
        terminal.wait_for("up")
        pid = terminal.pid()
    finally:
        terminal.close()
    gone = time.monotonic()
    wait_until(lambda: not psutil.pid_exists(pid), lambda: "it is still there")
    assert time.monotonic() - gone < 15  # Else it has waited for the program.
    with Store.open(tmp_path / "room", sync=False) as store:
        assert store.presence("ann").activity is Activity.OFFLINE


def test_an_interrupt_is_the_programs(start: Start) -> None:
    running = start("sh", "-c", "trap 'echo caught; exit 7' INT; echo up; while :; do sleep 0.1; done")
    running.terminal.wait_for("up")
    running.terminal.type("\x03")
    running.terminal.wait_for("caught")
    assert running.terminal.end() == 7


def test_without_a_terminal_or_a_program_it_is_refused(environment: dict[str, str], tmp_path: Path) -> None:
    piped = msgcode("run", "--as", "ann", "--", "true", environment=environment)
    assert (piped.returncode, piped.stderr) == (
        2,
        "msgcode: run needs a terminal: its standard input and output must not be redirected.\n",
    )
    for words, error in (
        (["--", "no-such-program"], "there is no program 'no-such-program'"),
        (["--wake", "two\nlines", "--", "true"], "a wake-up must be a single line of text"),
    ):
        with InPty([sys.executable, "-m", "msgcode", "run", "--as", "ann", *words], environment) as terminal:
            assert terminal.end() == 2
            assert error in terminal.screen()
    with Store.open(tmp_path / "room", sync=False) as store:
        assert store.agents() == []


def test_hidden_input_is_left_to_the_user(start: Start) -> None:
    running = start("bash", "--norc", "-c", "read -s -p 'Code> ' x; echo; echo got $x")
    running.terminal.wait_for("Code>")
    running.mail()
    running.presence(Activity.BLOCKED, "Code>")
    time.sleep(LONG_ENOUGH / 2)
    running.terminal.type("secret\r")
    running.terminal.wait_for("got secret")


def test_what_a_shell_starts_is_let_be(start: Start) -> None:
    running = start("bash", "--norc")
    running.terminal.wait_for("ready$")
    running.mail()
    running.terminal.type(f"{shlex.quote(sys.executable)} -q\r")
    running.terminal.wait_for(">>>")
    running.told("another program has its terminal")
    running.terminal.type("exit()\r")
    running.terminal.wait_for("msgcode check --as ann")


def test_a_companion_of_the_program_tells_what_it_does(box: Running) -> None:
    box.presence(Activity.IDLE)
    moved = Session("conversation", "claude", "companion")
    box.store.register("ann", session=moved, takeover=True)
    box.store.set_presence("ann", Activity.BLOCKED, "may it run rm?")
    box.mail()
    time.sleep(LONG_ENOUGH)
    assert box.sent == []
    assert box.store.presence("ann").reason == "may it run rm?"
    box.store.set_presence("ann", Activity.IDLE)
    box.woken()
    box.store.set_presence("ann", Activity.OFFLINE)  # The program has ended, and the terminal goes on.
    wait_until(lambda: box.store.agents()[0].session != moved, lambda: "it has not moved back")


def test_an_mcp_server_in_it_takes_the_agent_over(start: Start, tmp_path: Path) -> None:
    running = start(sys.executable, "-c", MCP_CLIENT)
    running.terminal.wait_for("registered")

    def lives() -> str:
        return next(str(agent.session and agent.session.harness) for agent in running.store.agents())

    wait_until(lambda: lives() != "terminal", lives)
    running.terminal.type("\r")
    assert running.terminal.end() == 0
