"""The companion of a running agent program: its MCP server, which lives as long as the program does.

Hooks come and go; the companion sees to what lies between them. It binds the agents that live in the open
conversation, tells the room what they are doing, lets hooks know when there is mail, wakes the idle session,
and confirms what hooks have handed over once the program has written down that its model was told.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import psutil

from msgcode.errors import MsgcodeError, Unavailable
from msgcode.harness.delivery import BACK_OFF
from msgcode.harness.description import Harness
from msgcode.harness.hook import LEASE, seen
from msgcode.harness.sessions import Conversation, Handed, SessionFolder
from msgcode.model import Activity, Session
from msgcode.presence import HEARTBEAT
from msgcode.store import Store
from msgcode.text import visible_line
from msgcode.watch import changes

CLOSE_LOOK = 0.05
"""Seconds between two looks while something is about to happen, ..."""

CLOSE_LOOKS_FOR = 2.0
"""... for so many seconds after the last change; then once a second does (watch.RESCAN_MS)."""

TAIL = 4 * 1024 * 1024
"""Bytes at the end of a transcript in which what has just been handed over is looked for."""

LAST = 8 * 1024
"""Bytes at the end of a transcript that are read for its last line."""

PATIENCE = 10.0
"""Seconds for which mail may wait in a busy session before it is woken like an idle one: when its user breaks
a turn off, no hook tells that it is idle."""

WAKE_TEXT = "[msgcode] You have mail. If it does not follow by itself, call check_messages."
"""What the user reads in a conversation that is woken by a prompt."""

ENDED = "the program ended before it had taken the message"
NOT_TAKEN = "the program did not take what its hook said"


class Companion:
    """The companion of a running program, in the room `store`.

    process: the program's process. folder: that of its session. unnamed: what stands for the conversation's
    id as long as no hook has told it.
    """

    def __init__(
        self,
        store: Store,
        harness: Harness,
        process: int,
        folder: SessionFolder,
        unnamed: str | None = None,
    ) -> None:
        self._store = store
        self._harness = harness
        self._process = psutil.Process(process)
        self.folder = folder
        # Unlike that of an earlier companion of the same program.
        self._host = f"{socket.gethostname()}:{process}:{secrets.token_hex(2)}"
        self._unnamed = unnamed or f"process-{self._host}"
        self._directory = os.getcwd()
        self._conversation: Conversation | None = None
        self._told: tuple[list[str], Activity, str | None] | None = None
        self._given_up = False
        self._has_tools = False
        self._seen_at = 0.0
        self._mail: bool | None = None
        self._wake_at = 0.0
        self._wakes = 0
        self._noted = 0
        """Bytes of the notes of what was handed over that have been read."""
        self._handed: dict[Handed, float] = {}
        """What is to be taken, and until when."""
        self._transcript: object = None
        """The transcript as it was when it was last looked into."""
        self._changed = asyncio.Event()
        self._changed_at = 0.0
        # One thread, so that what is told to the store is told in order.
        self._executor = ThreadPoolExecutor(1)

    @property
    def session(self) -> Session:
        """The session in which agents that register here live."""
        conversation = self._conversation or self.folder.conversation
        id = conversation.id if conversation else self._unnamed
        directory = conversation.directory if conversation else None
        return Session(id, self._harness.id, self._host, directory or self._directory)

    @property
    def delivers(self) -> bool:
        """Whether hooks bring mail by themselves; they have been heard of, then."""
        return self._conversation is not None

    async def run(self) -> None:
        """Keep company until cancelled; then the agents are offline, and the session's folder goes.

        After `give_up` they are left as they are, for another companion.
        """
        # A program may start several MCP servers, for helpers of its own: one of them does this.
        while not self.folder.occupy(self._process.create_time()):  # noqa: ASYNC110 - it is a lock of another process's
            await asyncio.sleep(1)
        watching = [
            asyncio.create_task(self._watch(changes(str(self.folder.path)))),
            asyncio.create_task(self._watch(self._store.watch())),
        ]
        try:
            self.folder.serve(self._store.target)
            while True:
                self._changed.clear()
                pause = await asyncio.get_running_loop().run_in_executor(self._executor, self._look)
                try:
                    async with asyncio.timeout(pause):
                        await self._changed.wait()
                except TimeoutError:
                    pass
        finally:
            for task in watching:
                task.cancel()
            await asyncio.gather(*watching, return_exceptions=True)
            self._executor.submit(self.folder.vacate if self._given_up else self._leave)
            self._executor.shutdown()

    def listed(self) -> None:
        """The program has asked for our tools: from now on its model can answer what it is told."""
        self._has_tools = True
        self._changed.set()

    def give_up(self) -> None:
        """Be the companion of this session no longer, once `run` is cancelled: it is another's."""
        self._given_up = True

    async def _watch(self, happenings: AsyncIterable[object]) -> None:
        async for _ in happenings:
            self._changed.set()

    def _look(self) -> float | None:
        """See to all that there is to do. Returns in how many seconds to look again, if nobody wakes it."""
        try:
            return self._do()
        except (MsgcodeError, OSError, psutil.Error, subprocess.TimeoutExpired) as error:
            print(f"msgcode: {error}", file=sys.stderr)
            return HEARTBEAT

    def _do(self) -> float | None:
        conversation = self.folder.conversation
        if conversation and conversation != self._conversation:
            self._move_in(conversation)
        agents = self._store.agents_in(self._harness.id, self.session.id)
        self._see_interrupted()
        presence = self.folder.presence
        self._tell(agents, presence)
        self._see_taken()
        waits = presence[0] is not Activity.OFFLINE and any(map(self._store.undelivered, agents))
        if waits is not self._mail:
            self.folder.flag_mail(waits)
            self._mail, self._changed_at = waits, time.monotonic()
            self._wake_at, self._wakes = time.monotonic(), 0
        if waits:
            self._wake(presence[0])
        lately = time.monotonic() - self._changed_at < CLOSE_LOOKS_FOR
        return CLOSE_LOOK if lately and (waits or self._handed) else None

    def _wake(self, activity: Activity) -> None:
        """Wake the session that has mail, if that is to be done now."""
        now = time.monotonic()
        if activity is Activity.BLOCKED:
            return  # It would take it, and its model would hear of it after its user's answer.
        if not self._has_tools and now < self._changed_at + PATIENCE:
            return  # Its model could not answer yet.
        if not self._harness.wake:
            if activity is Activity.IDLE or now >= self._changed_at + PATIENCE:
                self.folder.wake_up()
        elif activity is Activity.IDLE and self._conversation and now >= self._wake_at:
            self._wake_at = now + BACK_OFF[min(self._wakes, len(BACK_OFF) - 1)] + PATIENCE
            self._wakes += 1
            given = {"session": self._conversation.id, "text": WAKE_TEXT}
            words = [word.format(**given) for word in self._harness.wake[1:]]
            done = subprocess.run(
                [self._process.exe(), *words], stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE
            )
            if done.returncode:
                why = visible_line(done.stderr.decode(errors="replace"))
                raise Unavailable(f"{self._harness.title} cannot be woken: {why}")

    def _move_in(self, conversation: Conversation) -> None:
        """Bind the agents that live in the conversation, which is open here from now on."""
        known, self._conversation = self._conversation, conversation
        before = known.id if known else self._unnamed
        for agent in self._store.agents_in(self._harness.id, before) if before != conversation.id else ():
            if conversation.continues or not known:
                self._store.register(agent, session=self.session, takeover=True)
            else:
                self._store.set_presence(agent, Activity.OFFLINE)
        for agent in self._store.agents_in(self._harness.id, conversation.id):
            self._store.register(agent, session=self.session)
        self._told = None

    def _tell(self, agents: list[str], presence: tuple[Activity, str | None]) -> None:
        now, telling = time.monotonic(), (agents, *presence)
        if telling != self._told:
            for agent in agents:
                self._store.set_presence(agent, *presence)
            self._changed_at = now
        elif now - self._seen_at >= HEARTBEAT and presence[0] is not Activity.OFFLINE:
            for agent in agents:
                self._store.seen(agent)
        else:
            return
        self._told, self._seen_at = telling, now

    def _see_interrupted(self) -> None:
        """See that the user has broken the turn off, if the program's hooks do not tell."""
        transcript = self._conversation.transcript if self._conversation else None
        if not self._harness.interrupted or not transcript:
            return
        busy = self.folder.presence[0] in (Activity.BUSY, Activity.BLOCKED)
        if busy and self._harness.interrupted in last_line(transcript, self.folder.told_at):
            self.folder.tell(Activity.IDLE)

    def _see_taken(self) -> None:
        """Confirm what the program's model has been told, and give up what it was not told in time."""
        now = time.monotonic()
        fresh, self._noted = self.folder.handed(self._noted)
        if fresh:
            self._handed.update(dict.fromkeys(fresh, now + LEASE))
            self._changed_at = now
        for handed in self._taken():
            del self._handed[handed]
            self._try(partial(self._store.confirm, *handed))
        for handed in [handed for handed, until in self._handed.items() if until < now]:
            del self._handed[handed]
            self._try(partial(self._store.fail, *handed, NOT_TAKEN))

    def _taken(self) -> list[Handed]:
        transcript = self._conversation.transcript if self._conversation else None
        if not self._handed or not transcript:
            return []
        try:
            found = os.stat(transcript)
        except OSError:
            return []
        as_it_is = (transcript, found.st_size, found.st_mtime_ns, list(self._handed))
        if as_it_is == self._transcript:
            return []
        self._transcript = as_it_is
        ids = [handed.message for handed in self._handed]
        there = seen(self._harness.id, transcript, ids, found.st_size - TAIL)
        return [handed for handed in self._handed if handed.message in there]

    def _leave(self) -> None:
        try:
            self._see_taken()
            for handed in self._handed:
                self._try(partial(self._store.fail, *handed, ENDED))
            for agent in self._store.agents_in(self._harness.id, self.session.id):
                self._store.set_presence(agent, Activity.OFFLINE)
        except MsgcodeError:
            pass  # The leases lapse, and so does their presence.
        self.folder.remove()

    def _try(self, verb: Callable[[], object]) -> None:
        try:
            verb()
        except MsgcodeError:
            pass  # Forgotten or taken by another meanwhile, or offered again when the lease runs out.


def last_line(path: str, since: float) -> str:
    """The last line of a file, if it has been written after that time; only the end of a long one."""
    try:
        with open(path, "rb") as file:
            if os.stat(file.fileno()).st_mtime <= since:
                return ""
            file.seek(max(0, os.stat(file.fileno()).st_size - LAST))
            return file.read().rstrip(b"\n").rpartition(b"\n")[2].decode(errors="replace")
    except OSError:
        return ""
