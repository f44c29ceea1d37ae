"""Where the scripted agents play: a real store, a clock and ids that can be foretold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from msgcode import Message, Store
from msgcode.model import Presence
from tests.core.support import Clock, Ids


class Trouble(StrEnum):
    """What can be wrong in a recorded room."""

    THANKS = "thanks"
    """Agents thank each other without end."""
    CYCLE = "cycle"
    """The same goes round and round among the same agents."""
    STORM = "storm"
    """Everybody answers everybody."""
    DEADLOCK = "deadlock"
    """Each waits for the next one's answer, and the last for the first's."""
    LOST = "lost recipient"
    """Nobody is registered under the name."""
    DEAD_HOST = "dead host"
    """Whoever claimed the message died before the agent had it."""
    BLOCKED = "permission block"
    """The agent waits at a prompt for a human's leave."""


LOOPS = frozenset({Trouble.THANKS, Trouble.CYCLE, Trouble.STORM})
"""The troubles that the loop finder is for."""


@dataclass(frozen=True)
class Recorded:
    """A room as the script left it.

    `agents` has those who are in the trouble, in the order of the cycle or the waiting where there is one;
    `messages` the ids, in order, of the messages that prove it: all that belong to it. Both are empty where
    `trouble` is None. `presence` is what PresenceBoard says of each agent at `now`.
    """

    folder: Path
    now: datetime
    presence: dict[str, Presence]
    trouble: Trouble | None = None
    agents: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()

    def open(self) -> Store:
        """The room's store, at whose clock it is `now`."""
        return Store.open(self.folder, sync=False, clock=lambda: self.now)


class Stage:
    """A room in the making. Its agents' deliverers are called `opencode-NAME`."""

    def __init__(self, folder: Path, *agents: str, humans: tuple[str, ...] = ()) -> None:
        self.folder = folder
        self.clock = Clock()
        self.store = Store.open(folder, sync=False, clock=self.clock, new_id=Ids())
        self.names = [*agents, *humans]
        for agent in agents:
            self.store.register(agent)
        for human in humans:
            self.store.register(human, human=True)

    def wait(self, seconds: float) -> None:
        """Time passes, and nothing happens."""
        self.clock.advance(seconds)

    def say(
        self, sender: str, to: str, body: str, *, reply_to: Message | None = None, after: float = 20
    ) -> Message:
        """`sender` says it `after` so many seconds, to an agent, or to `#channel` and all its members."""
        self.wait(after)
        answered = reply_to.id if reply_to else None
        if to.startswith("#"):
            return self.store.broadcast(sender, to[1:], body, reply_to=answered)
        return self.store.send(sender, to, body, reply_to=answered)

    def read(self, agent: str, *, acknowledge: bool = False, after: float = 1) -> list[Message]:
        """The agent's deliverer puts what waits for it into its session."""
        self.wait(after)
        host = f"opencode-{agent}"
        found = self.store.claim(agent, host)
        for message in found:
            self.store.confirm(agent, message.id, host)
            if acknowledge:
                self.store.acknowledge(agent, message.id)
        return found

    def hand_over(
        self,
        sender: str,
        to: str,
        body: str,
        *,
        reply_to: Message | None = None,
        after: float = 20,
        acknowledge: bool = True,
    ) -> Message:
        """`say` it to one agent, which reads it at once; it is done with it then, or not yet."""
        message = self.say(sender, to, body, reply_to=reply_to, after=after)
        self.read(to, acknowledge=acknowledge)
        return message

    def channel(self, id: str, *members: str) -> None:
        """Open a channel with these members."""
        self.store.create_channel(id, members[0])
        for member in members[1:]:
            self.store.join(id, member)

    def alive(self, *agents: str) -> None:
        """These agents were seen just now."""
        for agent in agents:
            self.clock.advance(1)
            self.store.seen(agent)

    def end(
        self,
        trouble: Trouble | None = None,
        agents: tuple[str, ...] = (),
        messages: list[Message] | None = None,
    ) -> Recorded:
        """The room as it is now."""
        presence = {agent: self.store.presence(agent) for agent in self.names}
        self.store.close()
        ids = tuple(message.id for message in messages or ())
        return Recorded(self.folder, self.clock.now, presence, trouble, agents, ids)
