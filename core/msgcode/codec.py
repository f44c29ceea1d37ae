"""Records to and from JSON: the lines of the journal, its snapshot, and what `--json` prints.

A field's name in JSON is its Python name in camelCase, save that `sender` is `from`, as oh-my-msgcode
has it. Optional fields that are empty are left out, not null. Times are ISO 8601 in UTC with
milliseconds and `Z`. What is read is checked against the record's own annotations.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from msgcode.events import FACTS, TYPES, Event, Unknown
from msgcode.model import Activity, Breakpoint, Delivery, Edited, Hold, Priority, Session, Status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from enum import StrEnum
    from typing import Any, TypeVar

    from msgcode.events import Fact, JournalReset, LineDamaged
    from msgcode.model import Message

    E = TypeVar("E", bound=StrEnum)
    R = TypeVar("R", bound=tuple[Any, ...])

_TOO_MANY = 10**18
"""More events than any room will have. An index keeps their numbers in 64 bits."""

encode_json: Callable[[object], str] = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""One JSON value as compact text, non-ASCII characters as they are."""


class IllTyped(ValueError):
    """JSON that is not the record it should be; the text names the field."""


def encode_facts(facts: list[Fact]) -> list[str]:
    """The facts of one change as JSON, each without the number and the time that begin its line.

    All but the last say `"more":true`: a reader takes a change whole or, when its writer was
    killed half-way, not at all. Each fact must be one that FACTS names.
    """
    last = facts[-1] if facts else None
    return [encode_json(_fact_json(fact, more=fact is not last))[1:] for fact in facts]


def encode_line(seq: int, at: datetime, fact: str) -> bytes:
    """A line of the journal, with its newline, for a fact that `encode_facts` has encoded."""
    return f'{{"seq":{seq},"at":"{encode_time(at)}",{fact}\n'.encode()


def event_json(event: Event) -> dict[str, Any]:
    """The event as a JSON object: `seq`, `at`, `type`, and the fact's own fields."""
    head = {"seq": event.seq, "at": encode_time(event.at)}
    if isinstance(event.fact, Unknown):
        return {**head, "type": event.fact.type, **event.fact.fields}
    return {**head, **_fact_json(event.fact)}


def _fact_json(fact: Fact | LineDamaged | JournalReset, *, more: bool = False) -> dict[str, Any]:
    fields: dict[str, Any] = {"type": TYPES[type(fact)]}
    if more:
        fields["more"] = True
    fields.update(to_json(fact))
    return fields


def decode_line(line: bytes) -> tuple[Event, bool]:
    """The event that one line holds, and whether more of the same change follows.

    The fact is an Unknown where its type is not known. Raises ValueError (IllTyped, or that of json
    or UTF-8) if the line is no event.
    """
    try:
        fields = json.loads(line.decode())
        if b"\\u" in line:
            encode_json(fields).encode()  # An escape can smuggle in half a surrogate pair, which is no text.
    except RecursionError:
        raise IllTyped("nested too deeply") from None
    if type(fields) is not dict:
        raise IllTyped("not a JSON object")
    seq, kind, more = fields.pop("seq", None), fields.pop("type", None), fields.pop("more", False)
    if type(seq) is not int or not 1 <= seq < _TOO_MANY:
        raise IllTyped("'seq' is not a positive number")
    if type(kind) is not str:
        raise IllTyped("'type' is not a text")
    at = _time(fields.pop("at", None))
    record = FACTS.get(kind)
    fact = from_json(record, fields) if record else Unknown(kind, fields)
    return Event(seq, at, fact), more is True


def to_json(record: tuple[Any, ...]) -> dict[str, Any]:
    """The record as a JSON object."""
    shape = _shapes.get(type(record)) or _shape(type(record))
    json_object: dict[str, Any] = {}
    for (key, _, default), value in zip(shape, record, strict=True):
        if value is None or (default is not _REQUIRED and (value == () or value == {})):
            continue
        kind = type(value)
        if kind is datetime:
            value = encode_time(value)
        elif kind is dict:
            value = {name: to_json(item) if isinstance(item, tuple) else item for name, item in value.items()}
        elif kind in _NESTED:
            value = to_json(value)
        json_object[key] = value
    return json_object


def message_json(message: Message) -> dict[str, Any]:
    """A message as `--json` prints it: the keys of oh-my-msgcode, and `deliveries` by recipient.

    `to` is the one recipient, or a list of them for a broadcast; `status` is that of the delivery
    that has come least far.
    """
    found = to_json(message)
    recipients = list(message.deliveries)
    statuses = [delivery.status for delivery in message.deliveries.values()]
    found["createdAt"] = found.pop("sentAt")
    found["to"] = recipients[0] if len(recipients) == 1 else recipients
    found["status"] = min(statuses, key=list(Status).index, default=Status.ACKNOWLEDGED)
    return found


def from_json(record: type[R], json_object: dict[str, Any]) -> R:
    """The record that a JSON object holds. Keys that it does not know are ignored.

    Raises IllTyped if a field is missing or of the wrong type.
    """
    values: list[Any] = []
    for key, check, default in _shapes.get(record) or _shape(record):
        value = json_object.get(key)
        if value is not None:
            try:
                values.append(check(value))
            except (ValueError, TypeError) as error:
                raise IllTyped(f"{key!r} is {error}") from None
        elif default is _REQUIRED:
            raise IllTyped(f"{key!r} is missing")
        else:
            values.append(default)
    return tuple.__new__(record, values)


def encode_time(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds and `Z`. `moment` must be in UTC."""
    return moment.isoformat(timespec="milliseconds")[:-6] + "Z"


def _text(value: Any) -> str:
    if type(value) is not str:
        raise IllTyped("not a text")
    return value


def _number(value: Any) -> int:
    if type(value) is not int:
        raise IllTyped("not a whole number")
    return value


def _real(value: Any) -> float:
    if type(value) not in (int, float) or value != value:
        raise IllTyped("not a number")
    return float(value)


def _truth(value: Any) -> bool:
    if type(value) is not bool:
        raise IllTyped("not true or false")
    return value


def _time(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise IllTyped("not a time") from None
    if moment.utcoffset() != _UTC_OFFSET:
        raise IllTyped("not a time in UTC")
    return moment


def _texts(value: Any) -> tuple[str, ...]:
    if type(value) is not list:
        raise IllTyped("not a list")
    return tuple(map(_text, value))


def _text_map(value: Any) -> dict[str, str]:
    if type(value) is not dict:
        raise IllTyped("not an object")
    return {key: _text(item) for key, item in value.items()}


def _deliveries(value: Any) -> dict[str, Delivery]:
    if type(value) is not dict or not all(type(delivery) is dict for delivery in value.values()):
        raise IllTyped("not an object of objects")
    return {agent: from_json(Delivery, delivery) for agent, delivery in value.items()}


def _nested(record: type[R]) -> Callable[[Any], R]:
    def check(value: Any) -> R:
        if type(value) is not dict:
            raise IllTyped("not an object")
        return from_json(record, value)

    return check


def _choice(kind: type[E]) -> Callable[[Any], E]:
    known: dict[str, E] = {member.value: member for member in kind}

    def check(value: Any) -> E:
        # The enum itself takes ten times as long.
        found = known.get(value) if type(value) is str else None
        if found is None:
            raise IllTyped("none of " + ", ".join(known))
        return found

    return check


_REQUIRED = object()
_NESTED = (Breakpoint, Edited, Hold, Session)
_UTC_OFFSET = timedelta(0)
# A record's annotations are texts (PEP 563), so a field's check is found by how its type is spelt.
_CHECKS: dict[str, Callable[[Any], Any]] = {
    "str": _text,
    "int": _number,
    "bool": _truth,
    "float": _real,
    "datetime": _time,
    "tuple[str, ...]": _texts,
    "dict[str, str]": _text_map,
    "dict[str, Delivery]": _deliveries,
    "Activity": _choice(Activity),
    "Priority": _choice(Priority),
    "Status": _choice(Status),
    **{record.__name__: _nested(record) for record in _NESTED},
}
_shapes: dict[type, list[tuple[str, Callable[[Any], Any], Any]]] = {}


def _shape(record: type[Any]) -> list[tuple[str, Callable[[Any], Any], Any]]:
    """For each field of `record`: its key in JSON, its check, its default. Made at first use."""
    shape = []
    for name, spelling in record.__annotations__.items():
        first, *rest = name.split("_")
        key = "from" if name == "sender" else first + "".join(map(str.capitalize, rest))
        check = _CHECKS[spelling.removesuffix(" | None")]
        shape.append((key, check, record._field_defaults.get(name, _REQUIRED)))
    _shapes[record] = shape
    return shape
