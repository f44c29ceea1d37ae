"""Several processes that send at the same time into one folder: the plugin's, and ours beside them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from msgcode import Store
from msgcode.events import MessageSent
from msgcode.mirror.versions import is_kept
from tests.foreign.plugin import Plugin

_OURS = Path(__file__).with_name("ours.py")
_STARTS_WITHIN = 10.0
"""Seconds within which a process of ours has to be there."""

_ENDS_WITHIN = 30.0
"""Seconds within which one has to end."""


class Outcome(NamedTuple):
    """What became of the messages."""

    sent: int
    """By the plugin's processes."""
    lost: int
    """Of these, those that no file and no room has."""
    ours_sent: int = 0
    ours_lost: int = 0
    """Those of ours that were not delivered."""
    doubled: int = 0
    """Messages that were delivered twice, or are in the room twice."""

    @property
    def share(self) -> float:
        """Of the plugin's own messages, the share that is lost."""
        return self.lost / self.sent


def alone(home: Path, seconds: float, pause: float) -> Outcome:
    """Four processes of the plugin. pause: milliseconds after each send."""
    with ExitStack() as stack:
        plugins = _plugins(stack, home, 4)
        sent = _send(plugins, seconds, pause)
        kept = {entry["id"] for entry in plugins[0].read("messages.json")}
    return Outcome(len(sent), sum(id not in kept for id in sent))


def beside_ours(home: Path, seconds: float, pause: float, *, keeper: bool) -> Outcome:
    """Two processes of the plugin and two of ours, and one of ours that delivers.

    keeper: with `msgcode watch` in the room.
    """
    with ExitStack() as stack:
        plugins = _plugins(stack, home, 2)
        folder = plugins[0].folder
        if keeper:
            stack.enter_context(watching(folder))
        reader = stack.enter_context(deliverer(folder, "reader"))
        senders = [
            stack.enter_context(sender(folder, f"ours-{number}", seconds, pause)) for number in range(2)
        ]
        theirs = _send(plugins, seconds, pause)
        ours = [id for process in senders for id in process.end()]
        delivered = Counter(reader.end())
    with Store.open(folder) as store:
        facts = (event.fact for event in store.history())
        room = Counter(fact.id for fact in facts if isinstance(fact, MessageSent))
    return Outcome(
        len(theirs),
        sum(id not in room for id in theirs),
        len(ours),
        sum(id not in delivered for id in ours),
        sum(count - 1 for counts in (room, delivered) for count in counts.values()),
    )


@contextmanager
def watching(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`msgcode watch` is in the room, and keeps the files."""
    command = [sys.executable, "-m", "msgcode", "--store", str(folder), "watch"]
    watcher = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + _STARTS_WITHIN
        while not is_kept(str(folder)):
            assert watcher.poll() is None, f"msgcode watch ended with {watcher.returncode}"
            assert time.monotonic() < deadline, "msgcode watch does not keep the files"
            time.sleep(0.01)
        yield watcher
    finally:
        watcher.terminate()
        watcher.wait()


class Ours:
    """A process of ours, which says on its standard output which messages it has dealt with."""

    def __init__(self, *words: object) -> None:
        # No pipe, which it would have to wait for when it is full.
        self._output = tempfile.TemporaryFile()  # noqa: SIM115
        command = [sys.executable, "-P", str(_OURS), *map(str, words)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=self._output)

    def ids(self) -> list[str]:
        """Those of the messages until now."""
        size = os.fstat(self._output.fileno()).st_size
        *whole, _ = os.pread(self._output.fileno(), size, 0).decode().split("\n")
        return whole[1:]  # The first line says that it is there.

    def wait_for(self, count: int) -> None:
        """Wait until it is there and has dealt with so many messages."""
        deadline = time.monotonic() + _STARTS_WITHIN
        while os.fstat(self._output.fileno()).st_size == 0 or len(self.ids()) < count:
            assert self._process.poll() is None, f"it ended with {self._process.returncode}"
            assert time.monotonic() < deadline, f"it has dealt with {len(self.ids())} of {count} messages"
            time.sleep(0.005)

    def end(self) -> list[str]:
        """All of them, when it has ended by itself; a deliverer does when it is asked and all is done."""
        self._process.communicate(timeout=_ENDS_WITHIN)
        assert self._process.returncode == 0
        return self.ids()

    def kill(self) -> list[str]:
        """End it at once, as `kill -9` does; returns all of them."""
        self._process.kill()
        self._process.communicate()
        return self.ids()

    def __enter__(self) -> Ours:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._output.close()


def deliverer(folder: Path, agent: str) -> Ours:
    """A process of ours that hands over what comes for the agent."""
    process = Ours("deliver", folder, agent)
    process.wait_for(0)
    return process


def sender(folder: Path, agent: str, seconds: float, pause: float) -> Ours:
    """A process of ours that sends to `reader`. pause: milliseconds after each send."""
    return Ours("send", folder, agent, seconds, pause)


def _plugins(stack: ExitStack, home: Path, count: int) -> list[Plugin]:
    plugins = [stack.enter_context(Plugin(home)) for _ in range(count)]
    for number, plugin in enumerate(plugins):
        plugin.call("registerAgent", f"theirs-{number}", f"Theirs {number}")
    return plugins


def _send(plugins: list[Plugin], seconds: float, pause: float) -> list[str]:
    for number, plugin in enumerate(plugins):
        plugin.tell(
            "send", **{"from": f"theirs-{number}", "to": "reader", "seconds": seconds, "pause": pause}
        )
    return [id for plugin in plugins for id in plugin.answer()]
