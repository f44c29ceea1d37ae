"""Real OpenCode in a test: a private home, `opencode serve` and the TUI, offline, with a scripted model."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections.abc import Callable
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

from tests.e2e.home import WAIT, Home, ProgramTerminal, npm_program

VERSION = "1.18.33"
"""The version whose installed plugin package `stub_install` pretends to be."""

Event = dict[str, Any]
"""What /event sends: `type` and `properties`."""


def binary() -> Path:
    """The program itself, not a link to it; a test that needs one where there is none is skipped.

    npm's postinstall has linked the build for this machine (with or without AVX2, glibc or musl) there, so no
    Node process stands between a test and OpenCode.
    """
    return npm_program("opencode", "OpenCode", f"opencode-ai@{VERSION}").resolve(strict=True)


def stub_install(folder: Path) -> None:
    """Make a configuration directory look as if OpenCode had installed its plugin package there.

    Without it, OpenCode starts by fetching 63 MB, or by waiting 70 s for a network that is not there.
    """
    wanted = {"dependencies": {"@opencode-ai/plugin": VERSION}}
    lock = {"name": "stub", "lockfileVersion": 3, "requires": True, "packages": {"": wanted}}
    (folder / "node_modules").mkdir(parents=True)
    (folder / "package.json").write_text(json.dumps(wanted))
    (folder / "package-lock.json").write_text(json.dumps(lock))


class OpenCodeHome(Home):
    """A home folder in which OpenCode knows the scripted model and nothing of the user.

    `config` is added to opencode.json.
    """

    def __init__(self, folder: Path, model_url: str, store: Path | str, **config: object) -> None:
        environment = {
            # Reading the catalogue of all providers' models takes OpenCode seconds and 300 MB.
            "OPENCODE_DISABLE_MODELS_FETCH": "1",
            "OPENCODE_MODELS_PATH": str(folder / "models.json"),
        }
        super().__init__("opencode", folder, store, environment)
        self.config = folder / ".config" / "opencode"
        provider = {
            "npm": "@ai-sdk/openai-compatible",
            "options": {"baseURL": f"{model_url}/v1", "apiKey": "none"},
            "models": {
                "scripted": {
                    "name": "scripted",
                    "tool_call": True,
                    "limit": {"context": 128000, "output": 4096},
                }
            },
        }
        stub_install(self.config)
        (folder / "models.json").write_text("{}")
        whole = {
            "autoupdate": False,
            "share": "disabled",
            "snapshot": False,
            "model": "fake/scripted",
            "small_model": "fake/scripted",
            "enabled_providers": ["fake"],
            "provider": {"fake": provider},
            **config,
        }
        (self.config / "opencode.json").write_text(json.dumps(whole, indent=2))

    def prepare(self, project: Path) -> None:
        """Make it look as if OpenCode had been there."""
        stub_install(project / ".opencode")


class OpenCodeServer:
    """One `opencode serve` in a project of a home. It is ready once made: its plugins are loaded."""

    def __init__(self, home: OpenCodeHome, project: str = "project") -> None:
        self.home = home
        self.project = home.project(project)
        self.output = home.folder / f"serve-{time.monotonic_ns()}.log"
        self._events: list[Event] = []
        self._prompted: dict[str, int] = {}
        self._changed = threading.Condition()
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [binary(), "serve", "--port", "0"],
                cwd=self.project,
                env=home.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            self._port = self._listening()
            connection, stream = self._open("GET", "/event")
            self._reader = threading.Thread(target=self._read, args=(connection, stream), daemon=True)
            self._reader.start()
            self.wait_for_event(lambda event: event["type"] == "server.connected")
        except BaseException:
            self.kill()
            raise

    def session(self, title: str | None = None) -> str:
        """The id of a new session."""
        body = {} if title is None else {"title": title}
        return str(self.call("POST", "/session", body)["id"])

    def prompt(
        self, session: str, text: str, *, agent: str | None = None, model: tuple[str, str] | None = None
    ) -> None:
        """Say something to a session, not waiting for what comes of it; `model` is (provider, its id)."""
        body: dict[str, object] = {"parts": [{"type": "text", "text": text}]}
        if agent is not None:
            body["agent"] = agent
        if model is not None:
            body["model"] = {"providerID": model[0], "modelID": model[1]}
        self._prompted[session] = len(self.events())
        self.call("POST", f"/session/{session}/prompt_async", body)

    def wait_until_idle(self, session: str, timeout: float = WAIT) -> None:
        """Wait until the turn that the last `prompt` began, or joined, has ended.

        The text's own event has to come first: an aborted turn says twice that it is idle, the second time a
        moment after the first.
        """
        said: list[Event] = []

        def ended(event: Event) -> bool:
            about = event["properties"]
            if about.get("sessionID") != session:
                return False
            if event["type"] == "message.updated" and about["info"]["role"] == "user":
                said.append(event)
            return event["type"] == "session.idle" and bool(said)

        self.wait_for_event(ended, since=self._prompted[session], timeout=timeout)

    def command(self, session: str, name: str, arguments: str = "") -> int:
        """Run a slash command to its end; the HTTP status, as a plugin that answers by itself refuses it."""
        connection, answer = self._open(
            "POST", f"/session/{session}/command", {"command": name, "arguments": arguments}
        )
        connection.close()
        return answer.status

    def abort(self, session: str) -> None:
        """End the session's running turn, as Escape does."""
        self.call("POST", f"/session/{session}/abort")

    def messages(self, session: str) -> list[dict[str, Any]]:
        """The session's messages, oldest first, each with `info` and `parts`."""
        return list(self.call("GET", f"/session/{session}/message"))

    def permissions(self) -> list[dict[str, Any]]:
        """The permissions asked for and not answered."""
        return list(self.call("GET", "/permission"))

    def answer_permission(self, permission: str, reply: str) -> None:
        """Answer one by its id: `once`, `always` or `reject`."""
        self.call("POST", f"/permission/{permission}/reply", {"reply": reply})

    def status(self) -> dict[str, Any]:
        """The sessions that are not idle, and what they are."""
        return dict(self.call("GET", "/session/status"))

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Any other request of its HTTP API: the JSON of the answer, None if it has none.

        Raises AssertionError if it is refused.
        """
        connection, answer = self._open(method, path, body)
        text = answer.read().decode()
        connection.close()
        assert answer.status < 300, f"{method} {path}: {answer.status} {text}"
        return json.loads(text) if text else None

    def events(self) -> list[Event]:
        """What /event sent so far, oldest first, from before the first session on."""
        with self._changed:
            return list(self._events)

    def wait_for_event(
        self, predicate: Callable[[Event], object], *, since: int = 0, timeout: float = WAIT
    ) -> Event:
        """The first event, of those that came after the first `since` and those to come, for which it holds.

        Raises AssertionError, which tells what there was, after `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                for event in self._events[since:]:
                    if predicate(event):
                        return event
                since = max(since, len(self._events))
                if not self._changed.wait(deadline - time.monotonic()):
                    types = ", ".join(event["type"] for event in self._events)
                    raise AssertionError(f"no such event in {timeout} s; there were:\n{types}\n{self.log()}")

    def log(self) -> str:
        """What it wrote to its stdout and stderr."""
        return f"opencode serve (pid {self.process.pid}) wrote:\n{self.output.read_text()}"

    def kill(self) -> None:
        """End it at once, itself only, as `kill -9` does."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """End it, and wait for what it started: a host says good-bye to the room after OpenCode has gone."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(WAIT)
            except subprocess.TimeoutExpired:
                self.kill()
                raise
        deadline = time.monotonic() + WAIT
        while self._group_lives():
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.01)

    def _group_lives(self) -> bool:
        try:
            os.killpg(self.process.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def _listening(self) -> int:
        deadline = time.monotonic() + WAIT
        while "listening on http://" not in (text := self.output.read_text()) or not text.endswith("\n"):
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < deadline, f"not listening after {WAIT} s; {self.log()}"
            time.sleep(0.005)
        return int(text.rstrip().rpartition(":")[2])

    def _open(self, method: str, path: str, body: object = None) -> tuple[HTTPConnection, HTTPResponse]:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=WAIT)
        given = None if body is None else json.dumps(body)
        connection.request(method, path, given, {"Content-Type": "application/json"})
        return connection, connection.getresponse()

    def _read(self, connection: HTTPConnection, stream: HTTPResponse) -> None:
        try:
            for line in stream:
                if line.startswith(b"data: "):
                    with self._changed:
                        self._events.append(json.loads(line.removeprefix(b"data: ")))
                        self._changed.notify_all()
        except OSError:
            pass  # It was killed.
        finally:
            connection.close()


class OpenCodeTerminal(ProgramTerminal):
    """OpenCode's TUI in a project of a home, ready to be typed into; `session` continues that session."""

    def __init__(self, home: OpenCodeHome, project: str = "project", session: str | None = None) -> None:
        words: list[str | Path] = [binary(), *([] if session is None else ["--session", session])]
        super().__init__(home, words, project, "ctrl+p")

    def say(self, text: str) -> None:
        """Paste the text and press Enter; OpenCode puts a space behind what is long or has many lines."""
        self.paste(text)
        self.type("Enter")
