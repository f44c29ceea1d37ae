"""The verbs that change what has been sent: those of humans, and of senders who think better of it."""

from __future__ import annotations

from msgcode import decisions
from msgcode.checks import check_line, check_message, check_priority
from msgcode.codec import encode_time
from msgcode.errors import Refused
from msgcode.events import Fact, MessageSent
from msgcode.model import FORWARDED, RESENT, Status
from msgcode.questions import ANSWER, DEFAULTED, KEYS, open_questions, question_of
from msgcode.sending import Sending, sent_by
from msgcode.state import State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from msgcode.model import Message
    from msgcode.questions import Question


class Steering(Sending):
    """Editing, ranking and discarding what waits; passing it on; answering questions.

    by: who wants it, which must be a human or the message's sender.
    """

    def edit(self, id: str, body: str, *, subject: str | None = None, by: str) -> Message:
        """Put another text in the message's place, and another subject if one is given ("" for none).

        Refused once a recipient has had it, and while one is being given it. What was first written stays
        known (`Message.edited`). A deliverer that was too slow for its lease may still bring the old text,
        and so may an oh-my-msgcode that had read it already.
        """
        check_message(body)
        check_line("a subject", subject)

        def title(message: Message) -> str | None:
            return message.subject if subject is None else subject or None

        (message,) = self._move(
            [id],
            lambda found, state, moment: decisions.edit(state, moment, found, body, title(found), by),
        )
        self._seen(by)
        return message

    def prioritize(self, *ids: str, priority: str, by: str) -> list[Message]:
        """Give the messages another priority, all or none, while each waits for somebody.

        Inboxes are read in that order.
        """
        urgency = check_priority(priority)
        messages = self._move(ids, lambda found, state, _: decisions.prioritize(state, found, urgency, by))
        self._seen(by)
        return messages

    def acknowledge_for(self, agents: Mapping[str, Iterable[str]], by: str) -> list[Message]:
        """Acknowledge messages for several agents, all or none.

        agents: for whom each message is acknowledged, by its id. by: the human who says so for them.
        """

        def decide(found: Message, *_: object) -> list[Fact]:
            return [
                fact
                for agent in agents[found.id]
                for fact in decisions.acknowledge(found, agent, by if by != agent else None)
            ]

        messages = self._move(list(agents), decide, by)
        self._seen(by)
        return messages

    def discard(self, *ids: str, agent: str | None = None, by: str) -> list[Message]:
        """Clear the messages away, all or none: for the agent, or wherever they have not ended."""
        messages = self._move(ids, lambda found, state, _: decisions.discard(state, found, agent, by))
        self._seen(by)
        return messages

    def forward(
        self, *ids: str, to: str, sender: str, note: str | None = None, by: str | None = None
    ) -> list[Message]:
        """Send the messages' texts on to another agent, all or none, each as a message of its own.

        sender: who forwards them. note: what stands above each. by: the human who speaks as the sender. A new
        message has the other's subject, priority and metadata, and its id as metadata `forwarded`.
        """
        self._check_recipients((to,))
        found = [self.message(id) for id in ids]
        return self._send_all([(self._forwarded(each, to, sender, note, by), None) for each in found])

    def _forwarded(
        self, found: Message, to: str, sender: str, note: str | None, by: str | None
    ) -> MessageSent:
        kept = {key: value for key, value in found.metadata.items() if key not in KEYS}
        text = f"From {found.sender}, forwarded:\n\n{found.body}"
        return self._draft(
            sender,
            (to,),
            f"{note}\n\n{text}" if note else text,
            found.subject,
            None,
            found.priority,
            {**kept, FORWARDED: found.id},
            by,
        )

    def resend(self, *ids: str, by: str) -> list[Message]:
        """Send the messages again, all or none, each as a new one, wherever it ended undelivered; to all if
        it did nowhere.

        Each has the other's thread and everything else, and its id as metadata `resent`.
        """
        return self._send_all([self._again(self.message(id), by) for id in ids])

    def _again(self, found: Message, by: str) -> tuple[MessageSent, float | None]:
        missed = [
            agent
            for agent, delivery in found.deliveries.items()
            if delivery.status in (Status.EXPIRED, Status.DISCARDED) and not delivery.delivered_at
        ]
        draft = self._draft(
            found.sender,
            tuple(missed) or found.recipients,
            found.body,
            found.subject,
            found.channel,
            found.priority,
            {**found.metadata, RESENT: found.id},
            by,
        )._replace(thread=found.thread, reply_to=found.reply_to)
        ttl = (found.expires_at - found.sent_at).total_seconds() if found.expires_at else None
        return draft, ttl

    def questions(self, me: str) -> list[Question]:
        """The questions to me that wait for an answer, in the order in which to answer them."""
        now = self._clock()
        return open_questions(decisions.inbox(self._fresh(), me, now), me, now)

    def answer(self, id: str, choice: str, by: str) -> Message:
        """Answer a question that `by` was asked, and acknowledge it.

        choice: one of its choices, or the number of one. Returns the answer. Refused if another program has
        been quicker.
        """
        found = self.message(id)
        question = question_of(found)
        if not question:
            raise Refused(f"message {id} is no question with choices: reply to it.")
        draft = self._answer(question, question.choose(choice), by)

        def decide(state: State, moment: datetime) -> list[Fact]:
            return decisions.stopped(state, moment, decisions.answer(state, draft, found))

        (answer,) = sent_by(self._journal.commit(decide))
        self._seen(by)
        return answer

    def answer_due(self, me: str) -> list[Message]:
        """Give my questions whose deadline has come their defaults. Returns the answers.

        For a human's programs to call now and then: whichever is open does it, once. An answer says so
        in its metadata (`questions.py`), and does not count as written by a human.
        """

        def decide(state: State, moment: datetime) -> list[Fact]:
            facts: list[Fact] = []
            for question in _due(state, me, moment):
                draft = self._answer(question, question.default or "", me, question.deadline)
                facts += decisions.answer(state, draft, question.message, by_default=True)
            return decisions.stopped(state, moment, facts)

        if not _due(self._fresh(), me, self._clock()):
            return []
        return sent_by(self._journal.commit(decide))

    def _answer(
        self, question: Question, choice: str, sender: str, deadline: datetime | None = None
    ) -> MessageSent:
        message = question.message
        metadata = {ANSWER: choice, **({DEFAULTED: encode_time(deadline)} if deadline else {})}
        to = (message.sender,)
        return self._draft(sender, to, choice, None, message.channel, message.priority, metadata, None)


def _due(state: State, me: str, now: datetime) -> list[Question]:
    asked = open_questions(decisions.inbox(state, me, now), me, now)
    return [question for question in asked if question.default and question.is_past(now)]
