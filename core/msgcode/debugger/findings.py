"""What the loop finder looks for, by which limits, and what it has found."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from msgcode.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from msgcode.model import Message

CHARACTERS_PER_TOKEN = 4
"""By which tokens are estimated: about right for English and for code."""


class Kind(StrEnum):
    """What goes round."""

    THANKS = "thanks"
    """Bare thanks and acknowledgements."""
    REPEAT = "repeat"
    """Bodies that are nearly identical to earlier ones."""
    CYCLE = "cycle"
    """Words that differ, of which nothing is new, among the same agents round after round."""
    HOPS = "hops"
    """A thread of too many replies with no human among them."""
    BURST = "burst"
    """A storm: everybody answers everybody."""


class Ended(StrEnum):
    """Why a loop goes on no more."""

    HUMAN = "human"
    """A human spoke to one of the agents or in the thread."""
    QUIET = "quiet"
    """Nothing was added for as long as `Limits.quiet`."""


class Limits(Record):
    """From where on an exchange is a loop.

    In a run of messages each one is caused by the one before it, and nothing but the loop's own is said.
    """

    hops: int = 100
    """A thread's replies, each to the one before, since a human spoke."""
    thanks: int = 5
    """A run of bare courtesies, in which each agent speaks twice or more."""
    repeats: int = 4
    """A run of bodies nearly identical to earlier ones, in which each agent speaks twice or more."""
    rounds: int = 3
    """A run of messages that bring nothing new, in which each agent speaks so often."""
    novelty: float = 0.25
    """The part of a body's words that must be new to the conversation for it to bring something new. A new
    path, name or number always does."""
    burst: int = 20
    """Messages in `window` among three agents or more that follow from the same one, over two for each
    agent, and most of the pairs among them speak."""
    window: float = 60.0
    """Seconds."""
    quiet: float = 1800.0
    """Seconds after which a loop to which nothing was added is over."""


class Cost(Record):
    """What a loop has put into agents' contexts so far."""

    messages: int
    characters: int
    """The lengths of the bodies, each times its recipients."""

    @property
    def tokens(self) -> int:
        """Estimated."""
        return self.characters // CHARACTERS_PER_TOKEN


class Finding(Record):
    """One loop. It stays the same finding, by `number`, while it grows."""

    number: int
    """Counts from 1 in the order of finding."""
    kind: Kind
    agents: tuple[str, ...]
    """Who is in it: in the order of the cycle, or in that of their first messages."""
    threads: tuple[str, ...]
    """The threads it goes through, the first ones where there are many (MOST_THREADS)."""
    messages: tuple[str, ...]
    """Ids of the messages that prove it, in order; of a long loop the first ones (MOST_MESSAGES)."""
    last: str
    """The newest message that belongs to it."""
    since: datetime
    until: datetime
    """When its first and its newest message were sent."""
    cost: Cost
    explain: str
    """Why it is one, in a sentence. Has ids of agents, so not safe to print as it stands."""
    ended: Ended | None = None
    """None: it is going on."""

    @property
    def thread(self) -> str | None:
        """The thread in which it goes round, if it keeps to one."""
        return self.threads[0] if len(self.threads) == 1 else None

    def holds(self, message: Message) -> bool:
        """Whether a guard that stops this loop holds the message: an agent of the loop says it to another,
        in the same thread if the loop keeps to one. Never what a human says."""
        return (
            not message.human
            and message.sender in self.agents
            and any(agent in self.agents for agent in message.deliveries)
            and self.thread in (None, message.thread)
        )
