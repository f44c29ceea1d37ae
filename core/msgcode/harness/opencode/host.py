"""`msgcode host opencode`: what decides for one OpenCode, behind its plugin.

The plugin calls `hello`, `tool` and `command` and passes on OpenCode's events; the host calls the methods of
OpenCode's client by their names. It ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple, TypeVar

from msgcode import tools
from msgcode.commands import run_line
from msgcode.errors import BadInput, MsgcodeError
from msgcode.events import AgentBound, AgentUnregistered, JournalReset
from msgcode.harness.delivery import Deliverer, may_deliver
from msgcode.harness.opencode.conversation import EVENTS, Conversation
from msgcode.harness.opencode.injection import Injector
from msgcode.harness.opencode.opened import LAST, opened_session
from msgcode.model import Activity, Message, Session
from msgcode.presence import HEARTBEAT
from msgcode.rpc import LINE_LIMIT, Params, Peer
from msgcode.store import Store
from msgcode.text import visible_line

HARNESS = "opencode"

COMMAND = {"template": "/msg $ARGUMENTS", "description": "talk to other agents (alone, it says how)"}

ANSWERED = "msgcode has answered"
"""What the plugin breaks a command off with, so that OpenCode does not ask the model."""

T = TypeVar("T")


class Tenant(NamedTuple):
    """An agent that lives here: in which session, and who brings it its messages."""

    session: str
    deliverer: Deliverer
    task: asyncio.Task[None]


class Host:
    """The agents of one OpenCode, in the room `store`, with the plugin at `peer`."""

    def __init__(self, store: Store, peer: Peer) -> None:
        self._store = store
        self._peer = peer
        self._injector = Injector(peer)
        # Unlike any other host's, and than that of an earlier process with the same number.
        self._name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(2)}"
        self._directory: str | None = None
        self._conversations: dict[str, Conversation] = {}
        self._tenants: dict[str, Tenant] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        # One thread, so that what is told to the store is told in order.
        self._executor = ThreadPoolExecutor(1)
        peer.methods = {"hello": self._hello, "tool": self._tool, "command": self._command}
        peer.notices = {"event": self._event}

    async def run(self) -> None:
        """Serve until the plugin has gone; then its agents are offline. Raises Unavailable."""
        work = [asyncio.create_task(part()) for part in (self._peer.run, self._follow, self._beat)]
        try:
            done, _ = await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
        finally:
            leaving = list(self._tenants)
            work.extend(self._evict(agent) for agent in leaving)
            for task in [*work, *self._tasks]:
                task.cancel()
            await asyncio.gather(*work, *self._tasks, return_exceptions=True)
            for agent in leaving:
                self._tell_store(self._store.set_presence, agent, Activity.OFFLINE)
            self._executor.shutdown()
        for task in done:
            task.result()

    # What the plugin asks and tells

    async def _hello(self, params: Params) -> object:
        directory, sessions = params.get("directory"), params.get("sessions")
        self._directory = directory if isinstance(directory, str) else None
        for session in sessions if isinstance(sessions, list) else []:
            await self._take_up(str(session))
        self._spawn(self._take_up_opened())
        return {
            "tools": [
                {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
                for tool in tools.TOOLS.values()
            ],
            "events": EVENTS,
            "command": COMMAND,
            "answered": ANSWERED,
        }

    async def _tool(self, params: Params) -> object:
        match params:
            case {"session": str(session), "name": str(name)}:
                caller = tools.Caller(self._store, self._session(session))
                answer = await self._in_store(partial(tools.call, caller, name, params.get("arguments")))
                await self._sync()
                return {"text": answer.text, "ok": answer.ok}
        raise BadInput("tool needs a session and a name.")

    async def _command(self, params: Params) -> object:
        match params:
            case {"session": str(session), "line": str(line)}:
                actor = next((agent for agent, own in self._tenants.items() if own.session == session), None)
                here = self._session(session)
                answer = await self._in_store(partial(run_line, self._store, line, actor, here))
                await self._sync()
                conversation = self._conversation(session)
                showing = self._injector.show(conversation, answer.text)
                if conversation.busy:
                    self._spawn(showing)
                else:
                    await showing
                return {}
        raise BadInput("command needs a session and a line.")

    def _event(self, params: Params) -> None:
        match params:
            case {"type": str(type), "properties": {"sessionID": str(session)} as properties}:
                self._hear(self._conversation(session), type, properties)

    def _hear(self, conversation: Conversation, type: str, properties: dict[str, Any]) -> None:
        before, turns = conversation.presence, conversation.turns
        conversation.hear(type, properties)
        self._injector.hear()
        for agent, own in self._tenants.items():
            if own.session == conversation.id:
                own.deliverer.wake()
                if conversation.presence != before:
                    self._tell_store(self._store.set_presence, agent, *conversation.presence)
        if type == "session.idle" and conversation.unanswered:
            self._spawn(self._injector.nudge(conversation))
        if conversation.turns != turns:
            self._spawn(self._take_up(conversation.id))
        if conversation.deleted:
            self._spawn(self._sync())

    # Who lives here

    async def _take_up(self, session: str) -> None:
        """Bind the agents that live in a session which is open here, if another host had it last."""
        if not any(own.session == session for own in self._tenants.values()):
            await self._in_store(partial(self._bind_all, self._session(session)))
            await self._sync()

    async def _take_up_opened(self) -> None:
        """Take up the session that OpenCode was started to go on with."""
        session = await opened_session()
        if session == LAST:
            session = await self._injector.last_session(self._directory)
        if session:
            await self._take_up(session)

    def _bind_all(self, session: Session) -> None:
        for agent in self._store.agents_in(HARNESS, session.id):
            self._store.register(agent, session=session)

    async def _sync(self) -> None:
        """Let in the agents that are bound to this host, and out those that no longer are."""
        agents = await self._in_store(self._store.agents)
        living = {agent.id: agent.session for agent in agents if agent.session}
        here = {
            id: session
            for id, session in living.items()
            if session.host == self._name and not self._conversation(session.id).deleted
        }
        for id, own in list(self._tenants.items()):
            if id in here and here[id].id == own.session:
                continue
            self._evict(id)
            if self._conversation(own.session).deleted:
                self._tell_store(self._store.set_presence, id, Activity.OFFLINE)
            elif id in living and living[id].id != own.session:
                text = (
                    f"[msgcode] Agent {id} now lives in another session ({visible_line(living[id].place)}). "
                    "Its messages go there, and this session can no longer speak for it."
                )
                self._spawn(self._injector.tell(self._conversation(own.session), text))
        for id, session in here.items():
            if id not in self._tenants:
                self._admit(id, self._conversation(session.id))

    def _admit(self, agent: str, conversation: Conversation) -> None:
        deliverer = Deliverer(
            self._store,
            agent,
            f"{HARNESS} {conversation.id}",
            partial(self._inject, conversation, agent),
            lambda: conversation.ready,
            self._executor,
        )
        self._tenants[agent] = Tenant(conversation.id, deliverer, asyncio.create_task(deliverer.run()))
        self._tell_store(self._store.set_presence, agent, *conversation.presence)

    async def _inject(
        self, conversation: Conversation, agent: str, messages: Sequence[Message], more: int
    ) -> list[str]:
        taken = await self._injector.inject(conversation, agent, messages, more)
        self._spawn(self._injector.nudge(conversation))
        return taken

    def _evict(self, agent: str) -> asyncio.Task[None]:
        task = self._tenants.pop(agent).task
        task.cancel()
        return task

    async def _follow(self) -> None:
        """Wake a deliverer when there is something for it, and see who comes and goes."""
        async for events in self._store.watch():
            facts = [event.fact for event in events]
            for fact in facts:
                for agent in may_deliver(fact, self._tenants.keys()):
                    self._tenants[agent].deliverer.wake()
            if any(isinstance(fact, AgentBound | AgentUnregistered | JournalReset) for fact in facts):
                await self._sync()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT)
            for agent in self._tenants:
                self._tell_store(self._store.seen, agent)

    # Small things

    def _conversation(self, session: str) -> Conversation:
        return self._conversations.setdefault(session, Conversation(session))

    def _session(self, id: str) -> Session:
        return Session(id, HARNESS, self._name, self._directory)

    def _tell_store(self, hint: Callable[..., None], *of: object) -> None:
        """Let the store know who is there, after all that it is still to be told."""
        self._executor.submit(self._try, hint, *of)

    def _try(self, hint: Callable[..., None], *of: object) -> None:
        try:
            hint(*of)
        except MsgcodeError:
            pass  # The next change or heartbeat comes soon.

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finish)

    def _finish(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            print(f"msgcode: {error}", file=sys.stderr)

    async def _in_store(self, verb: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, verb)


def main(store: Store) -> None:
    """Serve the plugin on standard input and output until it has gone.

    Raises Unavailable, and BadInput if these are no pipes.
    """
    asyncio.run(_serve(store))


async def _serve(store: Store) -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=LINE_LIMIT)
    try:
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer)
        transport, protocol = await loop.connect_write_pipe(
            asyncio.streams.FlowControlMixin, sys.stdout.buffer
        )
    except (ValueError, PermissionError):
        raise BadInput("a host speaks over pipes with the plugin that starts it, not with files.") from None
    writer = asyncio.StreamWriter(transport, protocol, reader, loop)
    serving = asyncio.ensure_future(Host(store, Peer(reader, writer)).run())
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        # The terminal of OpenCode is closed, with all that runs in it.
        loop.add_signal_handler(number, serving.cancel)
    try:
        await serving
    except asyncio.CancelledError:
        pass
