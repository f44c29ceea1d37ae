"""The verbs by which a message comes to its recipient, and to its end there."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgcode import decisions
from msgcode.checks import check_line, check_priority
from msgcode.errors import BadInput
from msgcode.events import Fact
from msgcode.model import Message
from msgcode.state import State
from msgcode.verbs import Verbs, after, milliseconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

LEASE = 30.0
"""Seconds for which a claim holds."""

_AT_RISK = "oh-my-msgcode may have taken it for the same agent"


class Receiving(Verbs):
    """Reading an inbox, handing messages over, and being done with them."""

    def inbox(
        self,
        agent: str,
        *,
        channel: str | None = None,
        sender: str | None = None,
        priority: str | None = None,
        limit: int | None = None,
    ) -> list[Message]:
        """What waits for the agent, urgent first, then oldest first, without marking anything.

        channel, sender, priority: only such messages. limit: at most so many.
        """
        self._journal.refresh()
        return decisions.inbox(
            self._journal.state,
            agent,
            self._clock(),
            channel=channel,
            sender=sender,
            priority=check_priority(priority) if priority else None,
            limit=limit,
        )

    def check(
        self,
        agent: str,
        *,
        channel: str | None = None,
        sender: str | None = None,
        priority: str | None = None,
        limit: int | None = 50,
    ) -> list[Message]:
        """The agent reads its inbox: what is returned counts as delivered to it. Arguments as for `inbox`.

        What is held stays where it is.
        """
        wanted = check_priority(priority) if priority else None
        before: list[Message] = []

        def read(state: State, moment: datetime) -> list[Message]:
            return decisions.inbox(
                state, agent, moment, channel=channel, sender=sender, priority=wanted, limit=limit, held=False
            )

        shared = self._mirrored is not None and self._mirrored.shared

        def decide(state: State, moment: datetime) -> list[Fact]:
            decisions.known_agent(state, agent)
            # Beside oh-my-msgcode, only what that cannot inject, too: what we hold, or was delivered.
            found = [
                message
                for message in read(state, moment)
                if not shared or not decisions.is_queued(message, agent)
            ]
            stops = decisions.stops(state, moment, found)
            held = {stop.hold.message for stop in stops}
            before[:] = [message for message in found if message.id not in held]
            delivered = [fact for message in before for fact in decisions.confirm(message, agent, agent)]
            return [*decisions.expire_due(state, moment, agent), *stops, *delivered]

        if shared:
            self._claim(agent, agent, read, LEASE)
        events = self._journal.commit(decide)
        self._seen(agent)
        return after(before, events)

    def claim(self, agent: str, by: str, *, limit: int | None = None, lease: float = LEASE) -> list[Message]:
        """Lease the agent's undelivered messages to the deliverer `by`, which is about to inject them.

        limit: at most so many. lease: seconds until they are offered again. Returns them in the order
        of the inbox. Nobody else is given them until then.
        """
        check_line("a deliverer", by)
        if not 0 < lease <= 24 * 3600:
            raise BadInput("a lease must be more than 0 seconds and at most a day.")
        return self._claim(
            agent, by, lambda state, moment: decisions.offered(state, agent, moment, limit), lease
        )

    def _claim(
        self, agent: str, by: str, choose: Callable[[State, datetime], list[Message]], lease: float
    ) -> list[Message]:
        before: list[Message] = []

        def decide(state: State, moment: datetime) -> list[Fact]:
            before[:] = choose(state, moment)
            until = milliseconds(timedelta(seconds=lease) + moment)
            return decisions.claim(state, moment, agent, by, before, until)

        decided = after(before, self._journal.commit(decide))
        # Without what a breakpoint has stopped at this moment.
        claimed = [message for message in decided if decisions.has_claimed(message, agent, by)]
        return self._withdrawn(agent, claimed, by) if self._mirrored else claimed

    def _withdrawn(self, agent: str, claimed: list[Message], by: str) -> list[Message]:
        """Those of the claimed messages that oh-my-msgcode cannot take any more."""
        assert self._mirrored
        at_risk = self._mirrored.withdraw(agent, claimed)
        self._move([*at_risk], lambda found, *_: decisions.give_back(found, agent, by, _AT_RISK))
        live = self._fresh().messages
        mine = (live.get(message.id) for message in claimed)
        return [message for message in mine if message and decisions.has_claimed(message, agent, by)]

    def undelivered(self, agent: str) -> list[Message]:
        """What a deliverer may claim for the agent, in the order of its inbox."""
        self._journal.refresh()
        return decisions.offered(self._journal.state, agent, self._clock(), None)

    def next_offer(self, agent: str) -> datetime | None:
        """When the first lease on a message for the agent runs out, which is then offered again, if any."""
        self._journal.refresh()
        return decisions.next_offer(self._journal.state, agent, self._clock())

    def confirm(self, agent: str, message: str, by: str) -> Message:
        """The agent's harness accepted the message from the deliverer `by`. Saying so twice is no error."""
        check_line("a deliverer", by)
        return self._move([message], lambda found, *_: decisions.confirm(found, agent, by))[0]

    def fail(self, agent: str, message: str, by: str, reason: str) -> Message:
        """The deliverer `by` could not inject the message it had claimed: it waits again.

        reason: why, in words.
        """
        check_line("a reason", reason)
        return self._move([message], lambda found, *_: decisions.fail(found, agent, by, reason))[0]

    def acknowledge(self, agent: str, *messages: str, by: str | None = None) -> list[Message]:
        """The agent is done with these messages, all or none. Saying so twice is no error.

        by: the human who says so for it.
        """
        for_other = by if by != agent else None
        moved = self._move(
            messages, lambda found, *_: decisions.acknowledge(found, agent, for_other), for_other
        )
        self._seen(for_other or agent)
        return moved

    def expire(self, *messages: str, by: str | None = None) -> list[Message]:
        """End these messages wherever they have not been delivered; with none given, all that are due.

        by: who wants it, where it is not time that ends them.
        """
        check_line("who wants it", by)
        if messages:
            return self._move(messages, lambda found, *_: decisions.expire(found, by))
        before: dict[str, Message] = {}

        def decide(state: State, moment: datetime) -> list[Fact]:
            facts = decisions.expire_due(state, moment)
            before.update({fact.id: state.messages[fact.id] for fact in facts})
            return [*facts]

        events = self._journal.commit(decide)
        return after(list(before.values()), events)
