"""A process of oh-my-msgcode: its own store, under node, in a home folder of the test's own."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tests.foreign.package import store_module

_DRIVER = Path(__file__).with_name("driver.mjs")
_ENDS_WITHIN = 10.0
"""Seconds within which it has to end by itself."""


class Plugin:
    """Answers questions in turn. A context manager that ends it. Making one may raise Missing."""

    def __init__(self, home: Path) -> None:
        home.mkdir(exist_ok=True)
        self.folder = home / ".oh-my-msgcode"
        """Its three files are here."""
        self._process = subprocess.Popen(
            ["node", str(_DRIVER), str(store_module())],
            env={**os.environ, "HOME": str(home)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def call(self, name: str, *arguments: object) -> Any:
        """What a function of its store returns. Raises PluginRefused with its words if it throws."""
        return self.ask("call", name=name, args=arguments)

    def ask(self, do: str, **question: object) -> Any:
        """Ask, and wait for the answer; what can be asked is in driver.mjs."""
        self.tell(do, **question)
        return self.answer()

    def tell(self, do: str, **question: object) -> None:
        """Ask without waiting for the answer, which `answer` then gives."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"do": do, **question}) + "\n")
        self._process.stdin.flush()

    def answer(self) -> Any:
        """The answer to the oldest question that is not answered yet."""
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, f"node ended with {self._process.wait()}"
        answer = json.loads(line)
        if "error" in answer:
            raise PluginRefused(answer["error"])
        return answer["answer"]

    def read(self, name: str) -> Any:
        """What one of its files says."""
        return json.loads((self.folder / name).read_bytes())

    def message(self, id: str) -> dict[str, Any]:
        """The one entry with this id in messages.json."""
        (found,) = [entry for entry in self.read("messages.json") if entry["id"] == id]
        return dict(found)

    def __enter__(self) -> Plugin:
        return self

    def __exit__(self, failure: object, *_: object) -> None:
        if failure:
            self._process.kill()
        try:
            self._process.communicate(timeout=_ENDS_WITHIN)  # The end of its input ends it.
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
            raise


class PluginRefused(Exception):
    """What oh-my-msgcode threw."""
