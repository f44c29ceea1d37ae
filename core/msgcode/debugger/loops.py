"""Finds exchanges that go round without getting anywhere, live and along the chain of causes.

    detector = LoopDetector()
    for message in messages:            # in the order in which they were sent
        for finding in detector.sent(message): ...      # new, or grown by this message

Each message is joined to the one that it answers. What counts is the run that ends with it: how many in a
row were bare courtesies, nearly identical to earlier ones, or brought nothing new. One message that does
bring something ends a run, so long exchanges that progress are none; a human who speaks to one of the
agents or in the thread ends it too. A broadcast that answers nobody and is worded like its sender's earlier
ones is a report (a status line), and belongs to no exchange.
"""

from __future__ import annotations

from collections import deque
from datetime import timedelta

from msgcode.debugger.findings import Cost, Ended, Finding, Kind, Limits
from msgcode.debugger.resemblance import Vocabulary, Wording, alike, reports, wording
from msgcode.model import PROBE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from typing import TypeVar

    from msgcode.model import Message

    K = TypeVar("K")
    V = TypeVar("V")

REMEMBERED = 2000
"""Messages that are remembered to join later ones to. A loop with more than that in between is not seen."""

LONGEST_CYCLE = 24
"""Messages in the longest round that is seen as one."""

MOST_FINDINGS = 200
"""Findings that are remembered, the newest."""

MOST_MESSAGES = 100
"""Messages that a finding names."""

MOST_THREADS = 20
"""Threads that a finding names."""

_VOCABULARY = 600
_OWN_WORDS = 100
_LOOK_BACK = 12
"""Messages of a conversation that a body is compared with."""
_IN_BURST = 5
"""Messages of a burst that are looked at, in multiples of those that make one."""
_ALL_PAIRS = 2 / 3
"""Everybody answers everybody if more than this part of the pairs of agents has spoken. A lead and its
workers are at most that."""
_REPORT = 0.5
"""A report shares at least this part of its words with its sender's earlier ones in the channel."""


class _Talk:
    """A conversation: all that follows from one message."""

    __slots__ = ("ongoing", "recent", "unread", "vocabulary")

    def __init__(self, burst: int) -> None:
        self.vocabulary = Vocabulary(_VOCABULARY)
        self.recent: deque[_Link] = deque(maxlen=_IN_BURST * burst)
        self.unread = 0
        """Messages since it was last looked whether the recent ones are a burst."""
        self.ongoing: list[_Loop] = []


class _Link:
    """A message, as one of a chain of causes."""

    __slots__ = (
        "at", "characters", "courtesies", "depth", "id", "like", "parent", "polite", "recipients", "repeats",
        "sender", "seq", "stale", "talk", "thread", "wording",
    )  # fmt: skip

    def __init__(self, message: Message, parent: _Link | None, talk: _Talk, said: Wording) -> None:
        self.id = message.id
        self.seq = message.seq
        self.sender = message.sender
        self.recipients = tuple(message.deliveries)
        self.thread = message.thread
        self.at = message.sent_at
        self.characters = len(message.body) * len(message.deliveries)
        self.parent = parent.id if parent else None
        self.talk = talk
        self.wording = said
        self.like: str | None = None
        """The earlier message to which its body is nearly identical."""
        # The runs that end with it, in messages.
        self.polite = self.repeats = self.stale = self.depth = 0
        self.courtesies = 0
        """Those of the `polite` ones that are bare."""


class _Loop:
    """A finding in the making."""

    def __init__(self, number: int, kind: Kind, agents: list[str], links: list[_Link]) -> None:
        self.number = number
        self.kind = kind
        self.agents = dict.fromkeys(agents)
        self.threads: dict[str, None] = {}
        self.messages: list[str] = []
        self.count = self.characters = 0
        self.since = links[0].at
        self.ended: Ended | None = None
        for link in links:
            self.add(link)

    def add(self, link: _Link) -> None:
        self.last, self.until = link.id, link.at
        self.count += 1
        self.characters += link.characters
        if self.kind is Kind.BURST:
            self.agents[link.sender] = None
        if len(self.messages) < MOST_MESSAGES:
            self.messages.append(link.id)
        if len(self.threads) < MOST_THREADS:
            self.threads[link.thread] = None

    def goes_on(self, link: _Link) -> bool:
        """Whether the message is one more of the loop's."""
        if link.sender not in self.agents and self.kind is not Kind.BURST:
            return False
        if not any(agent in self.agents for agent in link.recipients):
            return False
        if self.kind is Kind.HOPS:
            return link.thread in self.threads
        return self.kind is Kind.BURST or link.stale > 0 or (self.kind is Kind.THANKS and link.polite > 0)

    def finding(self) -> Finding:
        return Finding(
            self.number,
            self.kind,
            tuple(self.agents),
            tuple(self.threads),
            tuple(self.messages),
            self.last,
            self.since,
            self.until,
            Cost(self.count, self.characters),
            _EXPLAINED[self.kind].format(
                agents=", ".join(self.agents),
                round=" → ".join([*self.agents, next(iter(self.agents))]),
                count=self.count,
            ),
            self.ended,
        )


_EXPLAINED = {
    Kind.THANKS: "{agents} only thank each other or acknowledge, in {count} messages one after the other.",
    Kind.REPEAT: "{agents} say nearly the same over and over, in {count} messages that follow each other.",
    Kind.CYCLE: "It goes round ({round}), and nothing new was said in {count} messages.",
    Kind.HOPS: "{agents} have written {count} messages in one thread, and no human has spoken in it.",
    Kind.BURST: "Everybody answers everybody: {count} messages among {agents} follow from a single one.",
}


class LoopDetector:
    """Finds loops among messages that it is fed in the order in which they were sent.

    Needs a time per message that does not grow with their number, and a bounded memory.
    """

    def __init__(self, limits: Limits = Limits()) -> None:  # noqa: B008 - a record, which never changes
        self._limits = limits
        self._window = timedelta(seconds=limits.window)
        self._quiet = timedelta(seconds=limits.quiet)
        self._links: dict[str, _Link] = {}
        self._last: dict[tuple[str, str], str] = {}
        """The newest message from one agent to another alone."""
        self._spoken: dict[str, int] = {}
        """When (seq) a human last spoke to an agent or in a thread."""
        self._reports: dict[tuple[str, str], Vocabulary] = {}
        """What an agent has broadcast to a channel."""
        self._loops: deque[_Loop] = deque(maxlen=MOST_FINDINGS)
        self._found = 0

    def sent(self, message: Message) -> list[Finding]:
        """Take in the next message. Returns the loops that it makes or adds to.

        One that was taken in lately is not taken in again.
        """
        if message.id in self._links or PROBE in message.metadata:
            return []
        names = {message.sender.casefold(), *(agent.casefold() for agent in message.deliveries)}
        said = wording(message.body, names)
        if message.human:
            self._human_spoke(message)
            self._remember(_Link(message, None, _Talk(self._limits.burst), said))
            return []
        parent = self._parent(message, said)
        link = _Link(message, parent, parent.talk if parent else _Talk(self._limits.burst), said)
        new_words, new_marks = link.talk.vocabulary.learn(said)
        if parent and not self._is_fresh_start(link, parent):
            if link.thread == parent.thread:
                link.depth = parent.depth + 1
            bare = said.is_bare(new_words)
            if bare or (said.polite and parent.courtesies):
                link.courtesies, link.polite = parent.courtesies + bare, parent.polite + 1
            if bare or (not new_marks and new_words <= self._limits.novelty * len(said.words)):
                self._count_stale(link, parent)
        self._remember(link)
        link.talk.recent.append(link)
        if not parent:
            return []
        return [loop.finding() for loop in self._grown(link) or self._begun(link)]

    def findings(self, now: datetime) -> list[Finding]:
        """All loops so far, oldest first, those included that are over at the time `now`."""
        for loop in self._loops:
            self._goes_on(loop, now)
        return [loop.finding() for loop in self._loops]

    # Joining messages

    def _parent(self, message: Message, said: Wording) -> _Link | None:
        """The remembered message that this one answers."""
        cause = self._links.get(message.cause or "")
        if message.reply_to:
            return cause
        if message.channel:
            return None if self._is_report(message, said, cause) else cause
        recipient = next(iter(message.deliveries), "")
        if cause and cause.sender != recipient:
            # Somebody else's message came between. It does not end a loop.
            last = self._links.get(self._last.get((recipient, message.sender), ""))
            if last and last.stale and not cause.stale:
                return last
        return cause

    def _is_report(self, message: Message, said: Wording, cause: _Link | None) -> bool:
        """Whether what it says to a channel answers nobody, and is worded like what it said there before."""
        if not reports(message.body, said):
            return False
        key = (message.sender, message.channel or "")
        own = self._reports.get(key)
        if own is None:
            own = _kept(self._reports, key, Vocabulary(_OWN_WORDS))
        new, _ = own.learn(said._replace(marks=frozenset()))
        named = cause and cause.sender in message.body
        return not named and new <= (1 - _REPORT) * len(said.words)

    def _is_fresh_start(self, link: _Link, parent: _Link) -> bool:
        spoken = max(self._spoken.get(name, 0) for name in (link.sender, link.thread, parent.sender))
        return spoken >= parent.seq or link.at - parent.at > self._quiet

    def _count_stale(self, link: _Link, parent: _Link) -> None:
        link.stale = parent.stale + 1
        for other in self._back(parent, _LOOK_BACK):
            if alike(link.wording, other.wording):
                link.like = other.id
                link.repeats = parent.repeats + 1
                break

    def _back(self, link: _Link | None, count: int) -> Iterable[_Link]:
        """The link and those before it in its chain, newest first, at most `count`."""
        while link and count > 0:
            yield link
            link = self._links.get(link.parent or "")
            count -= 1

    def _run(self, link: _Link, count: int) -> list[_Link]:
        """The last `count` links of the chain, oldest first."""
        return [*self._back(link, count)][::-1]

    def _remember(self, link: _Link) -> None:
        _kept(self._links, link.id, link)
        if len(link.recipients) == 1:
            _kept(self._last, (link.sender, link.recipients[0]), link.id)

    def _human_spoke(self, message: Message) -> None:
        among = {message.sender, *message.deliveries, message.thread}
        for name in among:
            self._spoken.pop(name, None)
            _kept(self._spoken, name, message.seq)
        for loop in self._loops:
            if self._goes_on(loop, message.sent_at) and among & {*loop.agents, *loop.threads}:
                loop.ended = Ended.HUMAN

    # Finding loops

    def _goes_on(self, loop: _Loop, now: datetime) -> bool:
        if not loop.ended and now - loop.until > self._quiet:
            loop.ended = Ended.QUIET
        return loop.ended is None

    def _grown(self, link: _Link) -> list[_Loop]:
        talk = link.talk
        if not talk.ongoing:
            return []
        talk.ongoing = [loop for loop in talk.ongoing if self._goes_on(loop, link.at)]
        grown = [loop for loop in talk.ongoing if loop.goes_on(link)]
        if any(loop.kind is not Kind.BURST for loop in grown) and (burst := self._burst(link)):
            return [burst]  # It was the beginning of this.
        for loop in grown:
            loop.add(link)
        return grown

    def _begun(self, link: _Link) -> list[_Loop]:
        for find in (self._thanks, self._repeat, self._cycle, self._hops, self._burst):
            loop = find(link)
            if loop:
                return [loop]
        return []

    def _begin(self, kind: Kind, link: _Link, run: list[_Link]) -> _Loop:
        self._found += 1
        loop = _Loop(self._found, kind, [one.sender for one in run], run)
        self._loops.append(loop)
        link.talk.ongoing.append(loop)
        return loop

    def _thanks(self, link: _Link) -> _Loop | None:
        if link.courtesies < max(self._limits.thanks, link.polite / 2):
            return None
        run = self._run(link, link.polite)
        return self._begin(Kind.THANKS, link, run) if _each_speaks(run, 2) else None

    def _repeat(self, link: _Link) -> _Loop | None:
        if link.repeats < self._limits.repeats:
            return None
        run = self._run(link, link.repeats)
        if not _each_speaks(run, 2):
            return None
        ids = {one.id for one in run}
        first = {one.like: None for one in run if one.like not in ids}
        said_first = sorted((self._links[id] for id in first if id in self._links), key=lambda one: one.seq)
        kind = Kind.THANKS if link.courtesies >= link.repeats else Kind.REPEAT
        return self._begin(kind, link, [*said_first, *run])

    def _cycle(self, link: _Link) -> _Loop | None:
        rounds = self._limits.rounds
        if link.stale < 2 * rounds:
            return None
        run = self._run(link, min(link.stale, rounds * LONGEST_CYCLE))
        for length in range(2, len(run) // rounds + 1):
            last = run[-length * rounds :]
            if _each_speaks(last, rounds):
                return self._begin(Kind.CYCLE, link, last)
        return None

    def _hops(self, link: _Link) -> _Loop | None:
        if link.depth < self._limits.hops:
            return None
        return self._begin(Kind.HOPS, link, self._run(link, link.depth + 1))

    def _burst(self, link: _Link) -> _Loop | None:
        recent = link.talk.recent
        link.talk.unread += 1
        while recent and link.at - recent[0].at > self._window:
            recent.popleft()
        if len(recent) < self._limits.burst or link.talk.unread < self._limits.burst / 4:
            return None
        link.talk.unread = 0  # Not at each message: who speaks with whom takes a look at them all.
        agents = dict.fromkeys(one.sender for one in recent)
        if len(agents) < 3 or len(recent) <= 2 * len(agents):
            return None
        pairs = {(one.sender, agent) for one in recent for agent in one.recipients if agent in agents}
        if len(pairs) <= _ALL_PAIRS * len(agents) * (len(agents) - 1):
            return None
        for loop in [loop for loop in link.talk.ongoing if loop.agents.keys() <= agents.keys()]:
            link.talk.ongoing.remove(loop)
            self._loops.remove(loop)
        return self._begin(Kind.BURST, link, [*recent])


def judge(chain: Sequence[Message], limits: Limits = Limits()) -> Finding | None:  # noqa: B008
    """The loop that the last message of a single chain of causes, oldest first, belongs to; None if to none.

    What is not in the chain does not count: a thread has no more hops than it shows.
    """
    detector = LoopDetector(limits)
    found: list[Finding] = []
    for message in chain:
        found = detector.sent(message)
    return found[0] if found else None


def _each_speaks(run: list[_Link], times: int) -> bool:
    """Whether two agents or more sent the messages, and each of them so many at least."""
    counts: dict[str, int] = {}
    for link in run:
        counts[link.sender] = counts.get(link.sender, 0) + 1
    return len(counts) > 1 and min(counts.values()) >= times


def _kept(memory: dict[K, V], key: K, value: V) -> V:
    """Remembers the value under the key, and forgets what was put there first if that is too much."""
    memory[key] = value
    if len(memory) > REMEMBERED:
        del memory[next(iter(memory))]
    return value
