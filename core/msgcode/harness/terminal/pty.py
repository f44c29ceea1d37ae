"""`msgcode run`: a program in a terminal of its own, through which everything passes unchanged."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import signal
import sys
import termios
import tty
from collections.abc import Sequence
from typing import Any

import psutil
from ptyprocess import PtyProcess

from msgcode.caller import AROUND
from msgcode.errors import BadInput
from msgcode.harness.terminal.keys import Typed
from msgcode.harness.terminal.modes import hides_input
from msgcode.harness.terminal.screen import Followed
from msgcode.harness.terminal.wake import View
from msgcode.harness.terminal.waker import Waker, session, wake_up
from msgcode.store import Store

CHUNK = 65536

SOON = 0.02
"""Seconds without output after which the screen is followed: passing on comes first."""

PATIENCE = 0.2
"""Seconds for which a look at the screen waits until it has been followed."""

ECHOES = 0.5
"""Seconds after a key for which output is taken for its echo."""

FORWARDED = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)


def main(store: Store, agent: str, command: Sequence[str], text: str | None) -> int:
    """Run the command for the agent until it ends. Returns its exit code, 128+n if signal n ended it.

    text: what is typed to wake it. Raises BadInput if there is no terminal or no such program, and
    what `Store.register` raises.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise BadInput("run needs a terminal: its standard input and output must not be redirected.")
    program = os.path.basename(command[0])
    text = wake_up(agent, program, text)
    if shutil.which(command[0]) is None:
        raise BadInput(f"there is no program {command[0]!r}.")
    here = session(program, os.getcwd())
    store.register(agent, session=here)
    own = Run(list(command), {"MSGCODE_AGENT": agent, "MSGCODE_STORE": store.name, AROUND: here.id})
    return own.go(Waker(store, agent, here, own, text))


class Run:
    """A program in a pseudo-terminal behind this one. Raises BadInput if it cannot be started."""

    tick = 0.25

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self._in, self._out = sys.stdin.fileno(), sys.stdout.fileno()
        self._saved = termios.tcgetattr(self._in)
        size = os.get_terminal_size(self._out)
        try:
            self._process = PtyProcess.spawn(
                command,
                env={**os.environ, **environment},
                preexec_fn=self._prepare,
                dimensions=(size.lines, size.columns),
            )
        except OSError as error:
            raise BadInput(f"{command[0]!r} cannot be started: {error.strerror or error}.") from None
        self._program: list[int] = []
        """The program's own process, once it is known: the one child of the process that stands by."""
        self._fd: int = self._process.fd
        os.set_blocking(self._fd, False)
        self._screen = Followed(size.columns or 80, size.lines or 24)
        self._typed = Typed()
        self._to_program = b""
        self._kept: list[bytes] | None = None
        self._moved = self._pressed = self._read_at = float("-inf")
        self._asked = False
        self._trouble: Exception | None = None
        self._followed = asyncio.Event()
        self._followed.set()
        self._ended: asyncio.Future[int]

    def go(self, waker: Waker) -> int:
        """Pass everything through until the program ends. Returns its exit code."""
        try:
            tty.setraw(self._in, termios.TCSADRAIN)
            return asyncio.run(self._pass(waker))
        finally:
            try:
                _write_all(self._out, self._screen.undo())
                termios.tcsetattr(self._in, termios.TCSADRAIN, self._saved)
            except (OSError, termios.error):
                pass  # The terminal has gone.
            if self._trouble:
                print(f"msgcode: the mail of this terminal was not watched: {self._trouble}", file=sys.stderr)

    # Waker's side

    async def view(self) -> View:
        try:
            async with asyncio.timeout(PATIENCE):
                await self._followed.wait()
        except TimeoutError:
            pass  # It moves, so nothing will be typed.
        now = asyncio.get_running_loop().time()
        return View(
            self._screen.screen(),
            now - self._moved,
            now - self._pressed,
            self._typed.pending,
            self._foreground(),
            hides_input(self._fd),
        )

    async def type(self, text: str) -> None:
        self._send(text.encode())

    def asks(self, asks: bool) -> None:
        self._asked = asks

    def hold_keys(self, held: bool) -> None:
        if held:
            self._kept = []
        elif self._kept is not None:
            kept, self._kept = self._kept, None
            for keys in kept:
                self._press(keys)

    def _foreground(self) -> bool:
        try:
            if not self._program:
                self._program = [child.pid for child in psutil.Process(self._process.pid).children()]
            return os.tcgetpgrp(self._fd) in self._program
        except (OSError, psutil.Error):
            return False

    # What passes

    async def _pass(self, waker: Waker) -> int:
        loop = asyncio.get_running_loop()
        self._ended = loop.create_future()
        self._moved = self._pressed = loop.time()
        loop.add_signal_handler(signal.SIGWINCH, self._resize)
        loop.add_signal_handler(signal.SIGCHLD, self._reap)
        for number in FORWARDED:
            loop.add_signal_handler(number, self._signal, number)
        loop.add_reader(self._in, self._from_user)
        loop.add_reader(self._fd, self._from_program)
        self._reap()
        self._resize()
        watching = asyncio.create_task(waker.run())
        try:
            return await self._ended
        finally:
            while self._from_program():
                pass
            watching.cancel()
            (outcome,) = await asyncio.gather(watching, return_exceptions=True)
            self._trouble = outcome if isinstance(outcome, Exception) else None

    def _from_user(self) -> None:
        try:
            keys = os.read(self._in, CHUNK)
        except OSError:
            keys = b""
        if not keys:
            asyncio.get_running_loop().remove_reader(self._in)
            self._hang_up()
        elif self._kept is not None:
            self._kept.append(keys)
        else:
            self._press(keys)

    def _press(self, keys: bytes) -> None:
        if self._asked:
            self._typed = Typed()  # It is an answer, which many take without Enter.
            self._pressed = asyncio.get_running_loop().time()
        elif self._typed.feed(keys):
            self._pressed = asyncio.get_running_loop().time()
        self._send(keys)

    def _send(self, keys: bytes) -> None:
        # Never waits: the program may not read before what it writes is read.
        self._to_program += keys
        self._write()

    def _write(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._to_program:
                self._to_program = self._to_program[os.write(self._fd, self._to_program) :]
        except BlockingIOError:
            loop.add_writer(self._fd, self._write)
            return
        except OSError:
            self._to_program = b""  # It has gone.
        loop.remove_writer(self._fd)

    def _from_program(self) -> bool:
        """Pass on what there is. Returns whether there may be more."""
        loop = asyncio.get_running_loop()
        data = b""
        try:
            while len(data) < CHUNK:
                some = os.read(self._fd, CHUNK)
                if not some:
                    raise OSError  # Nobody has the terminal open any more; Linux says so by itself.
                data += some
        except BlockingIOError:
            pass
        except OSError:
            loop.remove_reader(self._fd)
        if not data:
            return False
        try:
            _write_all(self._out, data)
        except OSError:
            self._hang_up()
        now = loop.time()
        self._read_at = now
        if now - self._pressed > ECHOES:
            self._moved = now
        self._screen.write(data)
        if self._followed.is_set():
            self._followed.clear()
            loop.call_later(SOON, self._follow)
        return True

    def _follow(self) -> None:
        loop = asyncio.get_running_loop()
        if loop.time() - self._read_at < SOON:
            loop.call_later(SOON, self._follow)
        elif self._screen.follow():
            loop.call_soon(self._follow)
        else:
            self._followed.set()

    def _resize(self) -> None:
        size = os.get_terminal_size(self._out)
        self._process.setwinsize(size.lines, size.columns)
        self._screen.resize(size.columns, size.lines)

    # Its life

    def _prepare(self) -> None:
        """In the child, before the program: a terminal like the user's, and somebody to watch over it."""
        termios.tcsetattr(0, termios.TCSANOW, self._saved)
        for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        program = os.fork()
        if program:
            _stand_by(program)
        os.setpgid(0, 0)
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        os.tcsetpgrp(0, os.getpid())
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)

    def _reap(self) -> None:
        pid, status = os.waitpid(self._process.pid, os.WNOHANG | os.WUNTRACED)
        if not pid or self._ended.done():
            return
        if os.WIFSTOPPED(status):
            self._suspend()
        else:
            code = os.waitstatus_to_exitcode(status)
            self._ended.set_result(code if code >= 0 else 128 - code)

    def _suspend(self) -> None:
        """Stop as the program did, and go on with it."""
        while self._from_program():
            pass
        raw = termios.tcgetattr(self._in)
        termios.tcsetattr(self._in, termios.TCSADRAIN, self._saved)
        os.kill(0, signal.SIGTSTP)
        termios.tcsetattr(self._in, termios.TCSADRAIN, raw)
        self._resize()
        self._signal(signal.SIGCONT)

    def _hang_up(self) -> None:
        """The terminal has gone: so does this one, whether or not the program ends with it."""
        self._signal(signal.SIGHUP)
        if not self._ended.done():
            self._ended.set_result(128 + signal.SIGHUP)

    def _signal(self, number: int) -> None:
        try:
            os.kill(self._process.pid, number)
        except ProcessLookupError:
            pass  # It has just ended.


def _stand_by(program: int) -> None:
    """Lead the terminal's session: stop and end as the program does, and pass signals on to it.

    Without it the program would be alone in its session, and such a one the system does not stop.
    """
    os.closerange(3, min(1 << 20, resource.getrlimit(resource.RLIMIT_NOFILE)[0]))

    def pass_on(number: int, _: Any) -> None:
        try:
            os.kill(program, number)
        except ProcessLookupError:
            pass

    for number in FORWARDED:
        signal.signal(number, pass_on)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    while True:
        _, status = os.waitpid(program, os.WUNTRACED)
        if os.WIFSTOPPED(status):
            os.kill(os.getpid(), signal.SIGSTOP)
            os.tcsetpgrp(0, program)
            os.killpg(program, signal.SIGCONT)
        elif os.WIFSIGNALED(status):
            os._exit(128 + os.WTERMSIG(status))
        else:
            os._exit(os.WEXITSTATUS(status))


def _write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]
