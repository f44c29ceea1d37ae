"""hcom, found on the PATH or installed into a virtual environment that is kept for later runs."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ptyprocess import PtyProcess

from tests.bench import claude_hook
from tests.bench.progress import progress

_PACKAGE = "hcom==0.7.31"

_FAKE_CLAUDE = """\
#!/bin/sh
[ "$1" = --version ] && exec echo "2.1.197 (Claude Code)"
env >"$HOME/env.new" && mv "$HOME/env.new" "$HOME/env"
exec sleep 600
"""

_WAIT = 20.0
"""Seconds within which hcom must have started its program."""


@functools.cache
def program() -> Path | None:
    """Where hcom is; None if it is nowhere and cannot be installed."""
    found = shutil.which("hcom")
    if found:
        return Path(found)
    home = Path(tempfile.gettempdir(), f"msgcode-bench-{os.getuid()}", "hcom")
    installed = home / "bin" / "hcom"
    if not installed.exists():
        progress(f"installing {_PACKAGE}")
        home.parent.mkdir(mode=0o700, exist_ok=True)
        try:
            subprocess.run([sys.executable, "-m", "venv", home], check=True, capture_output=True)
            pip = [str(home / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", _PACKAGE]
            subprocess.run(pip, check=True, capture_output=True, timeout=120)
        except (subprocess.SubprocessError, OSError):
            return None
    return installed


@contextmanager
def temporary_home() -> Iterator[str]:
    """A folder that is removed, though hcom still writes there for a moment after it has been told to end."""
    home = tempfile.mkdtemp()
    try:
        yield home
    finally:
        for _ in range(10):
            shutil.rmtree(home, ignore_errors=True)
            time.sleep(0.1)


class HcomSession:
    """A session of Claude Code that hcom has started; in its place is a program that only waits."""

    hook = ("hcom", "post")
    """What Claude Code runs after a tool call."""

    def __init__(self, env: dict[str, str]) -> None:
        self.env = env
        """What the program and its hooks run with."""
        self.shell_env = {name: env[name] for name in ("HOME", "PATH")}
        """What a shell beside it runs with."""

    @classmethod
    @contextmanager
    def started(cls, hcom: Path) -> Iterator[HcomSession]:
        """One with a home of its own. A context manager that ends it."""
        with temporary_home() as home:
            claude = Path(home, "bin", "claude")
            claude.parent.mkdir()
            claude.write_text(_FAKE_CLAUDE)
            claude.chmod(0o755)
            path = f"{claude.parent}:{hcom.parent}:{os.environ['PATH']}"
            env = {"HOME": home, "PATH": path, "TERM": "xterm-256color"}
            terminal = PtyProcess.spawn([str(hcom), "1", "claude"], env=env)
            try:
                session = cls(_written(Path(home, "env")))
                for event in ("sessionstart", "userpromptsubmit", "post"):
                    claude_hook.run(["hcom", event], session.env)
                yield session
            finally:
                subprocess.run([hcom, "kill", "all"], env=env, capture_output=True, check=False)
                terminal.terminate(force=True)

    def sending(self, text: str) -> list[str]:
        """The command that sends it the text, for a shell beside it."""
        return ["hcom", "send", f"@{self.env['HCOM_INSTANCE_NAME']}", "--from", "bench", "--", text]

    def messages(self) -> int:
        """How many messages there are in its room."""
        command = ["hcom", "events", "--type", "message", "--last", "1000000"]
        events = subprocess.run(command, env=self.shell_env, check=True, capture_output=True, text=True)
        return len(events.stdout.splitlines())


def _written(file: Path) -> dict[str, str]:
    """The environment that hcom has given its program, once it has started it."""
    deadline = time.monotonic() + _WAIT
    while not file.exists():
        if time.monotonic() > deadline:
            raise TimeoutError("hcom has not started its program")
        time.sleep(0.05)
    return dict(line.split("=", 1) for line in file.read_text().splitlines() if "=" in line)
