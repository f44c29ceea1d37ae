"""Putting messages into a room's stream: all of a change or nothing of it, once.

Each change has an id by which the server knows it again, and by which it is found in the stream, so that it
can be published again when the link breaks before the answer has come.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Any

import nats.errors

from msgcode.errors import Unavailable
from msgcode.nats.link import Link, LinkDown
from msgcode.record import Record

MOST = 1000
"""Messages of one change: what a JetStream server takes in an atomic batch."""

AGAIN = 0.05
"""Seconds between two tries."""

WRONG_LAST = (10071, 10164)
"""Error codes of JetStream: somebody has published meanwhile; or is about to, in a cluster."""

_PASSING = (10158, 10176, 10201)
"""Errors that go away when it is asked again: it is being taken; a part of the batch was lost on its way; the
batch has been taken, and cannot be read yet."""

_NOT_SENT = (nats.errors.OutboundBufferLimitError, nats.errors.NoRespondersError)
"""Of the errors of a publish, those by which nothing can have come to the stream."""


class Outdated(Exception):
    """Another decision has come first."""


class Unconfirmed(Unavailable):
    """Nobody can say whether it is in the stream."""


class Outgoing(Record):
    """A message on its way into the stream."""

    subject: str
    payload: bytes
    expected: int | None = None
    """The number of the last message of this subject, if there must be no newer one; 0: there is none."""


Find = Callable[[str], int | None]
"""The number of the last message of a change that was published with this id, if it is in the stream."""


def publish(link: Link, messages: Sequence[Outgoing], find: Find, deadline: float) -> int:
    """Publish a change, and return the number of its last message; again, until it is known to be there.

    deadline: until when, by the monotonic clock. Raises Outdated if a message is newer than expected,
    Unconfirmed if nobody can say whether it was taken, and Unavailable if it was not.
    """
    if len(messages) > MOST:
        raise Unavailable(f"a change of {len(messages)} facts is too long for one batch of {MOST}.")
    token = secrets.token_hex(8)
    headers = heads(token, len(messages))
    headers[0]["Nats-Msg-Id"] = token
    for head, message in zip(headers, messages, strict=True):
        if message.expected is not None:
            head["Nats-Expected-Last-Subject-Sequence"] = str(message.expected)
    unsure = False
    while True:
        try:
            answer = link.call(say(link, messages, headers))
            code = answer.get("error", {}).get("err_code")
            if not code:
                return int(answer["seq"])
            found = find(token) if unsure else None
            if found:
                return found
            if code in WRONG_LAST:
                raise Outdated
            if not unsure and not _may_pass(answer):
                break
        except nats.errors.MaxPayloadError:
            raise Unavailable(
                f"the message is larger than the NATS server takes ({link.client.max_payload} "
                "bytes): its setting max_payload says so. Nothing was changed."
            ) from None
        except (LinkDown, nats.errors.Error) as error:
            unsure = unsure or not isinstance(error, _NOT_SENT)
        if time.monotonic() > deadline:
            where = ", ".join(link.address.servers)
            if unsure:
                raise Unconfirmed(f"NATS at {where} has not confirmed it")
            raise LinkDown(f"NATS at {where} cannot be reached. Nothing was changed: try again.")
        time.sleep(AGAIN)
    raise Unavailable(
        f"the stream {link.address.stream} refuses it: {answer['error'].get('description')}. "
        "Nothing was changed."
    )


async def say(link: Link, messages: Sequence[Outgoing], headers: Sequence[dict[str, str]]) -> dict[str, Any]:
    """Publish the messages with these headers; what the server answers to the last one."""
    for message, head in zip(messages[:-1], headers, strict=False):
        await link.client.publish(message.subject, message.payload, headers=head)
    last = messages[-1]
    answer: dict[str, Any] = json.loads(await link.request(last.subject, last.payload, headers[-1]))
    return answer


def heads(token: str, count: int) -> list[dict[str, str]]:
    """The headers that make so many messages one change."""
    if count == 1:
        return [{}]
    batch = [{"Nats-Batch-Id": token, "Nats-Batch-Sequence": str(index)} for index in range(1, count + 1)]
    batch[-1]["Nats-Batch-Commit"] = "1"
    return batch


def _may_pass(answer: dict[str, Any]) -> bool:
    """Whether the stream may take it when it is asked again: it is busy, or just electing a leader."""
    error = answer["error"]
    return error.get("code") in (429, 503) or error.get("err_code") in _PASSING
