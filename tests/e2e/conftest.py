"""What the end-to-end tests share: a scripted model, and real OpenCodes that end with the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.chat_completions import ChatCompletions
from tests.e2e.opencode import OpenCodeHome, OpenCodeServer, OpenCodeTerminal
from tests.e2e.scripted import ModelServer


@pytest.fixture
def model() -> Iterator[ModelServer]:
    """A scripted model."""
    with ModelServer(ChatCompletions()) as server:
        yield server


@pytest.fixture
def opencode_home(tmp_path: Path, model: ModelServer) -> OpenCodeHome:
    """A home whose OpenCode speaks with `model`; the room is `tmp_path`/room."""
    return OpenCodeHome(tmp_path / "home", model.url, tmp_path / "room")


@pytest.fixture
def serve() -> Iterator[Callable[..., OpenCodeServer]]:
    """Starts an `OpenCodeServer` with the arguments given; what they wrote is shown when the test fails."""
    with ExitStack() as stack:

        def start(home: OpenCodeHome, project: str = "project") -> OpenCodeServer:
            server = OpenCodeServer(home, project)
            stack.callback(lambda: print(server.log()))
            stack.callback(server.stop)
            return server

        yield start


@pytest.fixture
def open_terminal() -> Iterator[Callable[..., OpenCodeTerminal]]:
    """Opens an `OpenCodeTerminal` with the arguments given."""
    with ExitStack() as stack:

        def start(
            home: OpenCodeHome, project: str = "project", session: str | None = None
        ) -> OpenCodeTerminal:
            terminal = OpenCodeTerminal(home, project, session)
            stack.callback(terminal.close)
            return terminal

        yield start
