"""The verbs that send."""

from __future__ import annotations

from datetime import timedelta

from msgcode import decisions
from msgcode.checks import check_body, check_id, check_line, check_message, check_priority, is_id
from msgcode.debugger.holds import held_by
from msgcode.errors import BadInput
from msgcode.events import Event, Fact, MessageSent
from msgcode.model import Message, Priority
from msgcode.questions import flaw, question_of
from msgcode.state import State, new_message
from msgcode.verbs import Verbs, milliseconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime


class Sending(Verbs):
    """Saying something to one agent, or to all in a channel."""

    def send(
        self,
        sender: str,
        to: str | Iterable[str],
        body: str,
        *,
        subject: str | None = None,
        channel: str | None = None,
        priority: str = Priority.NORMAL,
        ttl: float | None = None,
        metadata: Mapping[str, str] | None = None,
        reply_to: str | None = None,
        by: str | None = None,
    ) -> Message:
        """Send a message to an agent. It is stored even if nobody of that name is there (`warnings`).

        to: the agent, or several, each with a delivery of its own. body: at most 1 MiB of UTF-8.
        channel: a topic that it belongs to. priority: low, normal, high or urgent. ttl: seconds after
        which it expires if it has not been delivered. metadata: texts by name, such as a file and line;
        `questions.py` says how to ask by it. reply_to: the id of the message that it answers; a question
        closes so. by: the human who speaks as `sender`.
        """
        recipients = (to,) if isinstance(to, str) else tuple(dict.fromkeys(to))
        self._check_recipients(recipients)
        draft = self._draft(sender, recipients, body, subject, channel, priority, metadata, by)
        return self._send(draft, ttl, reply_to)

    def _check_recipients(self, recipients: tuple[str, ...]) -> None:
        for agent in recipients:
            if not is_id(agent) and agent not in self._fresh().agents:  # oh-my-msgcode's may have any id.
                check_id("agent", agent)
        if not recipients:
            raise BadInput("the message is to nobody: name an agent.")

    def broadcast(
        self,
        sender: str,
        channel: str,
        body: str,
        *,
        subject: str | None = None,
        priority: str = Priority.NORMAL,
        ttl: float | None = None,
        metadata: Mapping[str, str] | None = None,
        reply_to: str | None = None,
        by: str | None = None,
    ) -> Message:
        """Send one message to all members of a channel but the sender, each with a delivery of its own.

        The arguments are those of `send`.
        """
        draft = self._draft(sender, (), body, subject, channel, priority, metadata, by)
        return self._send(draft, ttl, reply_to, to_members_of=channel)

    def _draft(
        self,
        sender: str,
        to: tuple[str, ...],
        body: str,
        subject: str | None,
        channel: str | None,
        priority: str,
        metadata: Mapping[str, str] | None,
        by: str | None,
    ) -> MessageSent:
        """The message before it is known what led to it, and who hears it if it is a broadcast."""
        check_message(body)
        check_line("a subject", subject)
        if channel is not None and not is_id(channel) and channel not in self._fresh().channels:
            check_id("channel", channel)
        if metadata:
            for key, value in metadata.items():
                check_line("metadata", key)
                check_body(value)
        id, urgency, notes = self._new_id(), check_priority(priority), dict(metadata or {})
        # In the order of the fields, since a record takes twice as long to make with names.
        return MessageSent(
            id, sender, to, body, id, urgency, channel, subject or None, None, None, None, 0, notes, False,
            by if by != sender else None,
        )  # fmt: skip

    def _send(
        self, draft: MessageSent, ttl: float | None, reply_to: str | None, to_members_of: str | None = None
    ) -> Message:
        if ttl is not None and not 0 < ttl <= 366 * 24 * 3600:
            raise BadInput("a time to live must be more than 0 and at most a year.")
        origin = self.message(reply_to) if reply_to is not None else None
        question = origin if origin and question_of(origin) else None

        def decide(state: State, moment: datetime) -> list[Fact]:
            message = draft
            if to_members_of is not None:
                message = draft._replace(to=decisions.audience(state, draft, to_members_of))
            message = _expiring(message, ttl, moment)
            closing = decisions.close(state, question, draft.sender, draft.by) if question else []
            return decisions.stopped(state, moment, [decisions.send(state, message, origin), *closing])

        blind = ttl is None and not question and not self._journal.state.breakpoints
        event, *_ = self._journal.commit(decide, blind=blind)
        self._seen(draft.by or draft.sender)
        assert isinstance(event.fact, MessageSent)
        return new_message(event.seq, event.at, event.fact)

    def _send_all(self, drafts: list[tuple[MessageSent, float | None]]) -> list[Message]:
        """Send all of these or none, each with its time to live in seconds if it has one."""

        def decide(state: State, moment: datetime) -> list[Fact]:
            sent: list[Fact] = [
                decisions.send(state, _expiring(draft, ttl, moment), None) for draft, ttl in drafts
            ]
            return decisions.stopped(state, moment, sent)

        messages = sent_by(self._journal.commit(decide))
        for agent in {message.by or message.sender for message in messages}:
            self._seen(agent)
        return messages

    def warnings(self, message: Message) -> list[str]:
        """What its sender should know: a sentence for each recipient that is not there, and for a flaw."""
        moment = self._clock()
        if not message.deliveries:
            return [f"nobody else is in channel {message.channel!r}, so nobody will read this."]
        flawed = flaw(message)
        found = [flawed] if flawed else []
        state = self._journal.state
        for agent in message.deliveries:
            if held_by(state, state.messages.get(message.id, message), agent):
                found.append(f"messages to {agent!r} are held: it waits until a human lets it through.")
            if agent not in self._journal.state.agents:
                near = decisions.nearest(agent, self._journal.state.agents)
                found.append(f"nobody is registered as {agent!r}{near}: the message waits until somebody is.")
            elif not self._presence.get(agent, moment).online:
                found.append(f"{agent!r} is offline: the message waits until it is back.")
        return found


def _expiring(draft: MessageSent, ttl: float | None, moment: datetime) -> MessageSent:
    """The message with the time at which it expires, if it has a time to live."""
    return draft._replace(expires_at=milliseconds(moment + timedelta(seconds=ttl))) if ttl else draft


def sent_by(events: list[Event]) -> list[Message]:
    """The messages that these events sent."""
    return [
        new_message(event.seq, event.at, event.fact)
        for event in events
        if isinstance(event.fact, MessageSent)
    ]
