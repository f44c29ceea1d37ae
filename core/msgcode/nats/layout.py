"""How a room lies on its servers: one stream with the events, one key-value bucket with the presence."""

from __future__ import annotations

import json

from nats.errors import Error as NatsError
from nats.errors import NoRespondersError

from msgcode.errors import Refused, Unavailable
from msgcode.nats.address import Address
from msgcode.nats.link import Link, refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

DOUBLES = 120
"""Seconds within which the servers know a repeated publish again."""

PRESENCE = 24 * 3600
"""Seconds for which the presence of an agent that was not seen again is kept."""

NO_STREAM = 10059
_NO_MESSAGE = 10037


def make(link: Link, *, replicas: int = 1, memory: bool = False) -> bool:
    """Make the room, or see that it is there and as it should be; False if it was there already.

    replicas: on how many servers of a cluster it is kept: 1, 3 or 5. memory: not on disks. Raises Refused if
    there is another thing of its name, Unavailable if the servers cannot make it.
    """
    address = link.address
    wanted = [_stream(address, replicas, memory), _bucket(address, replicas, memory)]
    found = [ask(link, f"STREAM.INFO.{config['name']}", missing=NO_STREAM) for config in wanted]
    for config, there in zip(wanted, found, strict=True):
        if there:
            check(config, there["config"])
    for config, there in zip(wanted, found, strict=True):
        if not there:
            ask(link, f"STREAM.CREATE.{config['name']}", config)
    return not all(found)


def check(wanted: dict[str, Any], there: dict[str, Any]) -> None:
    """Raise Refused if a stream that is there is not laid out as a room's has to be."""
    for name in ("subjects", "retention", "allow_atomic", "allow_direct", "max_msgs_per_subject"):
        if name in wanted and wanted[name] != there.get(name):
            raise Refused(
                f"the stream {wanted['name']} is there, but it is no room of this msgcode: its {name} is "
                f"{json.dumps(there.get(name))}, not {json.dumps(wanted[name])}. Take another name."
            )


def info(link: Link) -> dict[str, Any]:
    """What the servers say of the room's stream. Raises Unavailable if there is none, Refused if it is none
    of ours."""
    address = link.address
    found = ask(link, f"STREAM.INFO.{address.stream}", missing=NO_STREAM)
    if not found:
        raise Unavailable(
            f"there is no room {address.room!r} on {', '.join(address.servers)}: make it with "
            f"`msgcode store init {address}`."
        )
    check(_stream(address, 1, False), found["config"])
    return found


def ask(link: Link, what: str, data: object = None, *, missing: int = _NO_MESSAGE) -> dict[str, Any]:
    """The answer of JetStream to a request; empty if its error is `missing`.

    Raises Unavailable or BadInput, with what is wrong in words.
    """
    address = link.address
    body = b"" if data is None else json.dumps(data).encode()
    try:
        answer: dict[str, Any] = json.loads(link.call(link.request(f"$JS.API.{what}", body)))
    except NoRespondersError:
        raise Unavailable(
            f"the NATS server at {', '.join(address.servers)} has no JetStream: start it with -js."
        ) from None
    except NatsError as error:
        raise refused(address, error) from None
    return checked(address, answer, missing)


def checked(address: Address, answer: dict[str, Any], missing: int = _NO_MESSAGE) -> dict[str, Any]:
    """The answer of JetStream; empty if its error is `missing`. Raises Unavailable if it is another."""
    if wrong := answer.get("error"):
        if wrong.get("err_code") == missing:
            return {}
        raise Unavailable(f"NATS at {', '.join(address.servers)}: {wrong.get('description')}.")
    return answer


def _stream(address: Address, replicas: int, memory: bool) -> dict[str, Any]:
    return {
        "name": address.stream,
        "description": "a room of msgcode",
        "subjects": [address.send, f"{address.fact}.*"],
        "retention": "limits",
        "storage": "memory" if memory else "file",
        "num_replicas": replicas,
        "allow_atomic": True,
        "allow_direct": True,
        "duplicate_window": DOUBLES * 10**9,
    }


def _bucket(address: Address, replicas: int, memory: bool) -> dict[str, Any]:
    """A key-value bucket as nats-py would make it, which has its settings but a client may not see them."""
    return {
        "name": f"KV_{address.bucket}",
        "description": "who is there in a room of msgcode",
        "subjects": [f"$KV.{address.bucket}.>"],
        "retention": "limits",
        "storage": "memory" if memory else "file",
        "num_replicas": replicas,
        "max_msgs_per_subject": 1,
        "max_age": PRESENCE * 10**9,
        "discard": "new",
        "allow_direct": True,
        "allow_rollup_hdrs": True,
        "deny_delete": True,
    }
