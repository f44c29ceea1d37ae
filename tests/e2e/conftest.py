"""What the end-to-end tests share: a scripted model, nats-server, and OpenCodes that end with the test."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.core.conftest import nats_server as nats_server
from tests.e2e.chat_completions import ChatCompletions
from tests.e2e.opencode import OpenCodeHome, OpenCodeServer, OpenCodeTerminal
from tests.e2e.scripted import ModelServer
from tests.foreign.package import Missing, store_module
from tests.foreign.plugin import Plugin

WAIT = 40.0
"""Seconds within which what a test waits for has to be so."""


def wait_until(condition: Callable[[], object], otherwise: Callable[[], str]) -> None:
    """Wait until the condition holds; if it never does, the test fails with what `otherwise` says."""
    deadline = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < deadline, otherwise()
        time.sleep(0.01)


class OpenCodes:
    """Starts OpenCodes, which end with it, and whose output is shown when the test fails."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def serve(self, home: OpenCodeHome, project: str = "project") -> OpenCodeServer:
        """An `OpenCodeServer` with these arguments."""
        server = OpenCodeServer(home, project)
        self._stack.callback(lambda: print(server.log()))
        self._stack.callback(server.stop)
        return server

    def serve_all(self, *homes: OpenCodeHome) -> list[OpenCodeServer]:
        """One in each home, started at the same time, which takes less than one after the other."""
        for home in homes:
            home.project()
        with ThreadPoolExecutor() as pool:
            return list(pool.map(self.serve, homes))

    def terminal(
        self, home: OpenCodeHome, project: str = "project", session: str | None = None
    ) -> OpenCodeTerminal:
        """An `OpenCodeTerminal` with these arguments."""
        terminal = OpenCodeTerminal(home, project, session)
        self._stack.callback(terminal.close)
        return terminal


@pytest.fixture(scope="module")
def module_model() -> Iterator[ModelServer]:
    """The scripted model of a module; tests use `model`."""
    with ModelServer(ChatCompletions()) as server:
        yield server


@pytest.fixture
def model(module_model: ModelServer) -> Iterator[ModelServer]:
    """A scripted model, shared by the tests of a module; a test fails when its script does."""
    yield module_model
    module_model.raise_failure()


@pytest.fixture
def opencode_home(tmp_path: Path, model: ModelServer) -> OpenCodeHome:
    """A home whose OpenCode speaks with `model`; the room is `tmp_path`/room."""
    return OpenCodeHome(tmp_path / "home", model.url, tmp_path / "room")


@pytest.fixture
def opencodes() -> Iterator[OpenCodes]:
    """Starts OpenCodes for one test."""
    with ExitStack() as stack:
        yield OpenCodes(stack)


@pytest.fixture(scope="module")
def module_opencodes() -> Iterator[OpenCodes]:
    """Starts OpenCodes that the tests of a module share, for those that use a session each."""
    with ExitStack() as stack:
        yield OpenCodes(stack)


@pytest.fixture(scope="session")
def npm_package() -> Path:
    """The store module of oh-my-msgcode; a test that needs it where it is missing is skipped."""
    try:
        return store_module()
    except Missing as missing:
        pytest.skip(str(missing))


@pytest.fixture
def plugin(npm_package: Path, tmp_path: Path) -> Iterator[Plugin]:
    """A process of oh-my-msgcode; the room that it shares is `plugin.folder`."""
    with Plugin(tmp_path / "home") as process:
        yield process
