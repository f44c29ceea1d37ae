"""The verbs that stop what agents say to each other, let it through one by one, and set it going again."""

from __future__ import annotations

from msgcode import decisions
from msgcode.checks import check_line, check_priority
from msgcode.debugger import holds
from msgcode.errors import BadInput, Refused
from msgcode.events import (
    BreakpointAdded,
    BreakpointRemoved,
    BreakpointSwitched,
    Fact,
    HoldPlaced,
    HoldReleased,
    MessagePassed,
    MessageRanked,
)
from msgcode.model import Breakpoint, Hold, Priority
from msgcode.verbs import Verbs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime

    from msgcode.debugger.holds import Held
    from msgcode.model import Message
    from msgcode.state import State


_URGENCY = list(Priority)


class Holding(Verbs):
    """Holds and breakpoints. What they keep from agents is in `debugger/holds.py`.

    by: who wants it, which must be a human.
    """

    def hold(
        self,
        by: str,
        *,
        agent: str | None = None,
        peer: str | None = None,
        thread: str | None = None,
        channel: str | None = None,
        message: str | None = None,
        reason: str | None = None,
    ) -> Hold:
        """Stop all that is on its way to an agent: everywhere, or within one scope.

        agent: what is sent to it, and by it. peer: only what is between it and `agent`. thread: the id of
        one. message: the id of a single one, which must still be to come. reason: why, in words.
        Holding what is held just so already changes nothing.
        """
        check_line("a reason", reason)
        scope = self._scope(by, agent, peer, thread, channel, message)
        placed: list[Hold] = []

        def decide(state: State, moment: datetime) -> list[Fact]:
            decisions.check_speaker(state, by)
            _check_scope(state, scope)
            placed[:] = holds.matching(state, scope)
            if placed:
                return []
            placed[:] = [scope._replace(number=state.next_hold(), at=moment, reason=reason)]
            return [HoldPlaced(placed[0])]

        self._journal.commit(decide)
        self._seen(by)
        return placed[0]

    def release(
        self,
        by: str,
        number: int | None = None,
        *,
        agent: str | None = None,
        peer: str | None = None,
        thread: str | None = None,
        channel: str | None = None,
        message: str | None = None,
    ) -> list[Hold]:
        """Take away the hold of this number, or those with exactly this scope; with nothing given, all.

        Returns them. What they kept goes on, even if its time to live has run out meanwhile.
        Raises Refused if there is no such hold.
        """
        scope = self._scope(by, agent, peer, thread, channel, message)
        released: list[Hold] = []

        def decide(state: State, moment: datetime) -> list[Fact]:
            decisions.check_speaker(state, by)
            if number is not None:
                released[:] = [holds.by_number(state, number)]
            elif holds.is_everything(scope):
                released[:] = holds.all_holds(state)
            else:
                released[:] = holds.matching(state, scope)
                if not released:
                    raise Refused(f"there is no hold on {holds.name(scope)}.")
            return _release(state, moment, released, by)

        self._journal.commit(decide)
        self._seen(by)
        return released

    def step(
        self,
        by: str,
        *,
        agent: str | None = None,
        peer: str | None = None,
        thread: str | None = None,
        channel: str | None = None,
        message: str | None = None,
    ) -> Message:
        """Let exactly one held message through, and keep the rest: this one, or the first within the scope.

        It goes to whichever of its recipients within the scope it is kept from. The first is the most
        urgent, and of these the oldest, unless a human has moved it. Raises Refused if none is held there.
        """
        scope = self._scope(by, agent, peer, thread, channel, message)
        chosen: list[Message] = []

        def decide(state: State, moment: datetime) -> list[Fact]:
            decisions.check_speaker(state, by)
            waiting = [held for held in holds.held(state) if message in (None, held.message.id)]
            for held in sorted(waiting, key=lambda held: _URGENCY.index(held.message.priority)):
                agents = [agent for agent in held.agents if holds.covers(scope, held.message, agent)]
                if agents:
                    chosen[:] = [held.message]
                    return [MessagePassed(held.message.id, agent, by) for agent in agents]
            where = "" if holds.is_everything(scope) else f" for {holds.name(scope)}"
            raise Refused(f"nothing is held{where}.")

        self._journal.commit(decide)
        self._seen(by)
        return self.message(chosen[0].id)

    def move(self, id: str, before: str, by: str) -> Message:
        """Put a message that is still to come right before another in the inboxes, at that one's priority."""

        def decide(state: State, moment: datetime) -> list[Fact]:
            message, other = self._to_come(state, id), self._to_come(state, before)
            decisions.check_may_change(state, message, by)
            if message.id == other.id:
                raise BadInput(f"message {id} cannot be moved before itself.")
            if not set(message.deliveries) & set(other.deliveries):
                raise Refused(f"messages {id} and {before} wait for nobody in common.")
            ranks = sorted(
                known.place for known in state.messages.values()
                if known.priority is other.priority and known.place < other.place and known.id != message.id
            )  # fmt: skip
            rank = (ranks[-1] + other.place) / 2 if ranks else other.place - 1
            urgency = decisions.prioritize(state, message, other.priority, by)
            return [*urgency, MessageRanked(id, rank, by)]

        self._journal.commit(decide)
        self._seen(by)
        return self.message(id)

    def holds(self) -> list[Hold]:
        """All holds, in the order in which they were placed."""
        return sorted(holds.all_holds(self._fresh()), key=lambda hold: hold.number)

    def held(self, *only: Hold) -> list[Held]:
        """What waits because it is held (by one of these, if any are given), in the order of sending."""
        return holds.held(self._fresh(), *only)

    def held_by(self, message: Message, agent: str) -> Hold | None:
        """The hold that keeps the message from the agent, if one does."""
        return holds.held_by(self._fresh(), message, agent)

    def add_breakpoint(
        self,
        by: str,
        *,
        sender: str | None = None,
        to: str | None = None,
        channel: str | None = None,
        thread: str | None = None,
        text: str | None = None,
        priority: str | None = None,
        hops: int | None = None,
        loops: bool = False,
        budget: int | None = None,
        once: bool = False,
    ) -> Breakpoint:
        """Stop each message that is all of this, now and from now on.

        thread: the id of one. text: a regular expression (RE2) to be found in the body or the subject.
        hops: so many, or more. loops: it goes round and round, which makes the rule a guard. budget: so many
        characters have been put into agents' contexts by what matches otherwise. once: it is disabled by
        its first hit.
        """
        from msgcode.debugger.breakpoints import check_rule

        urgency = check_priority(priority) if priority else None
        parts = (sender, to, channel, thread, text, urgency, hops, loops, budget)
        rule = Breakpoint(0, self._clock(), by, *parts, 0, once)
        check_rule(rule, self._fresh().agents)
        added: list[Breakpoint] = []

        def decide(state: State, moment: datetime) -> list[Fact]:
            decisions.check_speaker(state, by)
            added[:] = [rule._replace(number=1 + max(state.breakpoints, default=0), at=moment)]
            return [BreakpointAdded(added[0])]

        self._journal.commit(decide)
        self._seen(by)
        return added[0]

    def switch_breakpoint(self, number: int, enabled: bool, by: str) -> Breakpoint:
        """Enable the breakpoint, or disable it. Doing so twice is no error."""
        rule = self._change_breakpoint(number, by, BreakpointSwitched(number, enabled, by))
        return rule._replace(enabled=enabled)

    def remove_breakpoint(self, number: int, by: str) -> Breakpoint:
        """Forget the breakpoint. What it has stopped goes on waiting, until it is released."""
        return self._change_breakpoint(number, by, BreakpointRemoved(number, by))

    def breakpoints(self) -> list[Breakpoint]:
        """All breakpoints, in the order in which they were added."""
        return list(self._fresh().breakpoints.values())

    def _change_breakpoint(
        self, number: int, by: str, fact: BreakpointSwitched | BreakpointRemoved
    ) -> Breakpoint:
        found: list[Breakpoint] = []

        def decide(state: State, moment: datetime) -> list[Fact]:
            decisions.check_speaker(state, by)
            rule = state.breakpoints.get(number)
            if not rule:
                known = ", ".join(map(str, state.breakpoints)) or "none"
                raise Refused(f"there is no breakpoint {number}: there are {known}.")
            found[:] = [rule]
            return [] if isinstance(fact, BreakpointSwitched) and rule.enabled is fact.enabled else [fact]

        self._journal.commit(decide)
        self._seen(by)
        return found[0]

    def _scope(
        self,
        by: str,
        agent: str | None,
        peer: str | None,
        thread: str | None,
        channel: str | None,
        message: str | None,
    ) -> Hold:
        """A hold of no number, which stands for what it would cover."""
        if sum(part is not None for part in (agent, thread, channel, message)) > 1 or (peer and not agent):
            raise BadInput("name one of these: an agent, two agents, a thread, a channel, or a message.")
        return Hold(0, self._clock(), by, agent, peer, thread, channel, message)

    def _to_come(self, state: State, id: str) -> Message:
        message = state.messages.get(id) or self.message(id)
        if not any(delivery.to_come for delivery in message.deliveries.values()):
            raise Refused(f"message {id} cannot be moved: it waits for nobody.")
        return message


def _check_scope(state: State, scope: Hold) -> None:
    for agent in (scope.agent, scope.peer):
        if agent is not None and agent not in state.inboxes:
            decisions.known_agent(state, agent)
    if scope.channel is not None:
        decisions.known_channel(state, scope.channel)
    if scope.message is not None:
        message = state.messages.get(scope.message)
        if not message or not any(delivery.to_come for delivery in message.deliveries.values()):
            raise Refused(f"message {scope.message} cannot be held: it is not waiting to be delivered.")


def _release(state: State, now: datetime, released: list[Hold], by: str) -> list[Fact]:
    """What nothing holds any more is let through even if its time to live has run out meanwhile."""
    facts: list[Fact] = [HoldReleased(hold.number, by, hold.message) for hold in released]
    for message, agents, _ in holds.held(state, *released) if released else []:
        if message.expires_at is not None and message.expires_at <= now:
            free = [agent for agent in agents if not holds.held_by(state, message, agent, without=released)]
            facts += [MessagePassed(message.id, agent, by) for agent in free]
    return facts
