"""The commands that change what has been sent, pass it on, or answer it."""

from __future__ import annotations

from msgcode import answers
from msgcode.calls import PRIORITIES, Answer, Call, agent_id, argument, sent_answer
from msgcode.codec import encode_time, message_json
from msgcode.text import visible_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable
    from typing import Any

    from msgcode.model import Message
    from msgcode.questions import Question


def _edit(call: Call) -> Answer:
    args = call.args
    id = call.store.resolve(args.message)
    message = call.store.edit(id, " ".join(args.body), subject=args.subject, by=call.person)
    return Answer(f"Edited {_short([message])}.", message_json(message))


def _discard(call: Call) -> Answer:
    ids = [call.store.resolve(prefix) for prefix in call.args.message]
    done = call.store.discard(*ids, agent=agent_id(call.args.agent), by=call.person)
    where = f" for {agent_id(call.args.agent)}" if call.args.agent else ""
    return Answer(f"Discarded {_short(done)}{where}.", [message_json(message) for message in done])


def _expire(call: Call) -> Answer:
    ids = [call.store.resolve(prefix) for prefix in call.args.message]
    done = call.store.expire(*ids, by=call.person)
    return Answer(f"Expired {_short(done)}.", [message_json(message) for message in done])


def _prioritize(call: Call) -> Answer:
    id = call.store.resolve(call.args.message)
    (message,) = call.store.prioritize(id, priority=call.args.priority, by=call.person)
    return Answer(f"Made {_short([message])} {message.priority}.", message_json(message))


def _forward(call: Call) -> Answer:
    args = call.args
    to = args.to.removeprefix("@")
    id = call.store.resolve(args.message)
    note = " ".join(args.note) or None
    (message,) = call.store.forward(id, to=to, sender=call.somebody, note=note, by=call.by)
    return sent_answer(call, message, f"Forwarded to {to}")


def _resend(call: Call) -> Answer:
    (message,) = call.store.resend(call.store.resolve(call.args.message), by=call.person)
    return sent_answer(call, message, f"Sent again to {', '.join(message.recipients) or 'nobody'}")


def _questions(call: Call) -> Answer:
    me = agent_id(call.args.id) or call.person
    found = call.store.questions(me)
    blocks = [_question_block(question, call) for question in found]
    text = "\n\n".join(blocks) or f"Nobody waits for an answer of {visible_line(me)}."
    return Answer(text, [_question_json(question) for question in found])


def _question_block(question: Question, call: Call) -> str:
    choices = "   ".join(
        f"{call.paint(str(number), 'bold')} {visible_line(choice)}"
        for number, choice in enumerate(question.choices, 1)
    )
    lines = [answers.message_block(question.message, call.paint), choices]
    if question.deadline:
        then = f", then {visible_line(question.default)}" if question.default else ""
        lines.append(f"by {answers.clock_time(question.deadline)}{then}")
    return "\n    ".join(lines)


def _question_json(question: Question) -> dict[str, Any]:
    found: dict[str, Any] = {"message": message_json(question.message), "choices": question.choices}
    if question.deadline:
        found["deadline"] = encode_time(question.deadline)
    if question.default:
        found["default"] = question.default
    return found


def _answer(call: Call) -> Answer:
    args = call.args
    message = call.store.answer(call.store.resolve(args.message), " ".join(args.choice), call.person)
    return sent_answer(call, message, f"Answered {message.recipients[0]} with {visible_line(message.body)!r}")


def _short(messages: Iterable[Message]) -> str:
    return ", ".join(message.id[: answers.SHORT_ID] for message in messages)


# The grammar


def edit_arguments(parser: argparse.ArgumentParser) -> None:
    _message(parser)
    parser.add_argument(
        "body", nargs="+", metavar="BODY", help="the new text; in a shell, - reads standard input"
    )
    parser.add_argument("--subject", metavar="TEXT", help='another subject; "" for none')
    parser.set_defaults(run=_edit)


def discard_arguments(parser: argparse.ArgumentParser) -> None:
    _message(parser, nargs="+")
    argument(parser, "--agent", "agents", metavar="ID", help="only for this recipient")
    parser.set_defaults(run=_discard)


def expire_arguments(parser: argparse.ArgumentParser) -> None:
    _message(parser, nargs="+")
    parser.set_defaults(run=_expire)


def priority_arguments(parser: argparse.ArgumentParser) -> None:
    _message(parser)
    parser.add_argument("priority", choices=PRIORITIES)
    parser.set_defaults(run=_prioritize)


def forward_arguments(parser: argparse.ArgumentParser) -> None:
    _message(parser)
    argument(parser, "to", "agents", metavar="TO")
    parser.add_argument("note", nargs="*", default=[], metavar="NOTE", help="what you have to say about it")
    parser.set_defaults(run=_forward)


def resend_arguments(parser: argparse.ArgumentParser) -> None:
    _message(parser)
    parser.set_defaults(run=_resend)


def questions_arguments(parser: argparse.ArgumentParser) -> None:
    argument(parser, "id", "agents", nargs="?", metavar="ID", help="who is asked; you, if nobody is named")
    parser.set_defaults(run=_questions)


def answer_arguments(parser: argparse.ArgumentParser) -> None:
    _message(parser)
    parser.add_argument("choice", nargs="+", metavar="CHOICE", help="one of its choices, or its number")
    parser.set_defaults(run=_answer)


def _message(parser: argparse.ArgumentParser, **more: Any) -> None:
    argument(parser, "message", "messages", metavar="MESSAGE_ID", **more)
