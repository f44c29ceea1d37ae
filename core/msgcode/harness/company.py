"""Which session an MCP server is the companion of.

Mostly that of the program which has started it. Where conversations share a process, each has an MCP server
of its own, which is not told which it is for: it hears of it at the first call of a tool. A conversation that
is resumed, in which agents live already, may go on for long without one, so a server that knows of none takes
one which its program's hook has told of, and that has no companion.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from msgcode.harness.companion import Companion
from msgcode.harness.description import Harness
from msgcode.harness.sessions import SessionFolder, sessions_folder
from msgcode.model import Session
from msgcode.store import Store

_LOOK_AGAIN = 1.0
"""Seconds between two looks for a conversation without a companion."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")


class Company:
    """The company of the program that has started this process, in the room `store`."""

    def __init__(self, store: Store, harness: Harness) -> None:
        self._store = store
        self._harness = harness
        self._process = os.getppid()
        self._sessions = sessions_folder()
        self._changed = asyncio.Event()
        self._has_tools = False
        self._unnamed = self._of(SessionFolder(self._sessions / str(self._process)))
        self._companion = None if harness.shared else self._unnamed

    @property
    def session(self) -> Session:
        """The session in which agents that register here live."""
        return (self._companion or self._unnamed).session

    @property
    def delivers(self) -> bool:
        """Whether hooks bring mail by themselves; they have been heard of, then."""
        return self._companion is not None and self._companion.delivers

    def listed(self) -> None:
        """The program has asked for our tools."""
        self._has_tools = True
        if self._companion:
            self._companion.listed()

    def hear(self, meta: Mapping[str, Any]) -> None:
        """What the program says beside a call of a tool: in which conversation that is."""
        id = meta.get("threadId")
        if self._harness.shared and isinstance(id, str) and _ID.fullmatch(id):
            folder = SessionFolder(self._sessions / id)
            if not self._companion or self._companion.folder.path != folder.path:
                self._name(folder)

    async def run(self) -> None:
        """Be the companion until cancelled."""
        looking = asyncio.create_task(self._look()) if self._harness.shared else None
        work: asyncio.Task[None] | None = None
        try:
            while True:
                self._changed.clear()
                work = asyncio.create_task(self._companion.run()) if self._companion else None
                await self._changed.wait()
                if work:
                    work.cancel()
                    await asyncio.gather(work, return_exceptions=True)
        finally:
            for task in filter(None, (looking, work)):
                task.cancel()
            await asyncio.gather(*filter(None, (looking, work)), return_exceptions=True)

    def _name(self, folder: SessionFolder) -> None:
        if self._companion:
            self._companion.give_up()
        self._companion = self._of(folder, folder.path.name)
        if self._has_tools:
            self._companion.listed()
        self._changed.set()

    def _of(self, folder: SessionFolder, unnamed: str | None = None) -> Companion:
        return Companion(self._store, self._harness, self._process, folder, unnamed)

    async def _look(self) -> None:
        began = psutil.Process().create_time()
        since = psutil.Process(self._process).create_time()
        while not self._companion:
            for path in self._sessions.glob("*/session.json"):
                folder = SessionFolder(path.parent)
                if folder.process == self._process and _written(path) >= began and folder.occupy(since):
                    self._name(folder)
                    return
            await asyncio.sleep(_LOOK_AGAIN)


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
