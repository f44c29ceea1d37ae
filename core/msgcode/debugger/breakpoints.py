"""Which messages a breakpoint stops. Pure.

A message passes its breakpoints when it is sent, and once more when it is handed over: for those that were
set meanwhile, and for what a program sent that knows of none. What a human has let through is not stopped
again.
"""

from __future__ import annotations

from msgcode.errors import BadInput
from msgcode.events import HoldPlaced
from msgcode.model import Hold

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from typing import Any

    from msgcode.model import Breakpoint, Message
    from msgcode.state import State

MAX_PATTERN = 1000
"""Characters that a pattern may have."""


def check_pattern(text: str) -> None:
    """Raises BadInput if `text` is no regular expression, saying what is wrong with it."""
    if not text or len(text) > MAX_PATTERN:
        raise BadInput(f"a pattern must have 1 to {MAX_PATTERN} characters.")
    _compiled(text)


def matches(rule: Breakpoint, message: Message) -> bool:
    """Whether the message is all that the rule names."""
    return (
        rule.sender in (None, message.sender)
        and (rule.to is None or rule.to in message.deliveries)
        and rule.channel in (None, message.channel)
        and rule.thread in (None, message.thread)
        and rule.priority in (None, message.priority)
        and (rule.hops is None or message.hops >= rule.hops)
        and (rule.text is None or _finds(rule.text, message))
    )


def stops_among(state: State, messages: Iterable[Message], now: datetime) -> list[HoldPlaced]:
    """The holds to place on those of the messages that a breakpoint stops now, numbered on."""
    rules = [rule for rule in state.breakpoints.values() if rule.enabled]
    found: list[HoldPlaced] = []
    number = state.next_hold() if rules else 0
    for message in messages:
        rule = _stopping(rules, state, message)
        if rule:
            hold = Hold(
                number, now, rule.by, message=message.id, reason=describe(rule), breakpoint=rule.number
            )
            found.append(HoldPlaced(hold))
            number += 1
            if rule.once:
                rules.remove(rule)
    return found


def _stopping(rules: list[Breakpoint], state: State, message: Message) -> Breakpoint | None:
    to_agents = [
        delivery
        for agent, delivery in message.deliveries.items()
        if delivery.to_come and not (agent in state.agents and state.agents[agent].human)
    ]
    if not to_agents or message.released or message.id in state.stopped:
        return None
    if any(delivery.passed_at for delivery in to_agents):
        return None
    return next((rule for rule in rules if matches(rule, message)), None)


def describe(rule: Breakpoint) -> str:
    """What the rule matches, as `break add` takes it. Not made safe to print."""
    options = {
        "from": rule.sender,
        "to": rule.to,
        "channel": rule.channel,
        "thread": rule.thread and rule.thread[:8],
        "text": rule.text,
        "priority": rule.priority and str(rule.priority),
        "hops": rule.hops,
    }
    said = [f"--{option} {value}" for option, value in options.items() if value is not None]
    return " ".join([*said, "--once"] if rule.once else said)


def _finds(pattern: str, message: Message) -> bool:
    compiled = _compiled(pattern)
    return any(text and compiled.search(text) for text in (message.subject, message.body))


def _compiled(pattern: str) -> Any:
    # Not Python's own expressions: one with a repeated repetition could take the room's lock for years. RE2
    # takes a time that is linear in the text. It caches what it has compiled.
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
        raise BadInput(f"{pattern[:80]!r} is not a regular expression: {reason}.") from None
