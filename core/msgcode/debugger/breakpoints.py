"""Which messages a breakpoint stops. Pure.

A message passes its breakpoints when it is sent, and once more when it is handed over: for those that were
set meanwhile, and for what a program sent that knows of none. What a human has let through is not stopped
again.
"""

from __future__ import annotations

from msgcode.checks import check_id
from msgcode.errors import BadInput
from msgcode.events import HoldPlaced
from msgcode.model import Hold
from msgcode.state import is_within

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime
    from typing import Any

    from msgcode.model import Breakpoint, Message
    from msgcode.state import State

MAX_CHAIN = 150
"""Causes that are looked at to see whether a message is in a loop; more than `Limits.hops`."""

MAX_PATTERN = 1000
"""Characters that a pattern may have."""


def check_rule(rule: Breakpoint, agents: Collection[str]) -> None:
    """Raises BadInput, saying what is wrong, if the rule stops nothing or all, or cannot be applied.

    agents: the ids of those in the room, which may be older than what an id must look like.
    """
    for kind, id in (("agent", rule.sender), ("agent", rule.to), ("channel", rule.channel)):
        if id is not None and id not in agents:
            check_id(kind, id)
    if rule.text is not None:
        _check_pattern(rule.text)
    if rule.hops is not None and rule.hops < 1:
        raise BadInput("a number of hops must be 1 or more.")
    if rule.budget is not None and rule.budget < 1:
        raise BadInput("a budget must be 1 character or more.")
    if not describe(rule._replace(once=False)):
        raise BadInput(
            "a breakpoint must say what it stops: from or to whom, a channel, a thread, a text, "
            "a priority, a number of hops, loops, or what is beyond a budget."
        )


def _check_pattern(text: str) -> None:
    if not text or len(text) > MAX_PATTERN:
        raise BadInput(f"a pattern must have 1 to {MAX_PATTERN} characters.")
    _compiled(text)


def matches(rule: Breakpoint, message: Message, recent: Mapping[str, Message]) -> bool:
    """Whether the message is all that the rule names.

    recent: the messages that led to it, by id, as far as they are remembered; for a rule about loops.
    """
    return (
        is_within(rule, message, message.deliveries)
        and (rule.text is None or _finds(rule.text, message))
        and (rule.budget is None or rule.spent + _cost(rule, message) > rule.budget)
        and (not rule.loops or _is_in_loop(message, recent))
    )


def stops_among(state: State, messages: Iterable[Message], now: datetime) -> list[HoldPlaced]:
    """The holds to place on those of the messages that a breakpoint stops now, numbered on."""
    rules = [rule for rule in state.breakpoints.values() if rule.enabled]
    found: list[HoldPlaced] = []
    number = state.next_hold() if rules else 0
    recent = _recent(state) if any(rule.loops for rule in rules) else {}
    for message in messages:
        rule = _stopping(rules, state, message, recent)
        if rule:
            hold = Hold(
                number, now, rule.by, message=message.id, reason=describe(rule), breakpoint=rule.number
            )
            found.append(HoldPlaced(hold))
            number += 1
            if rule.once:
                rules.remove(rule)
    return found


def _stopping(
    rules: list[Breakpoint], state: State, message: Message, recent: Mapping[str, Message]
) -> Breakpoint | None:
    to_agents = [
        delivery
        for agent, delivery in message.deliveries.items()
        if delivery.to_come and not (agent in state.agents and state.agents[agent].human)
    ]
    if not to_agents or message.released_at or message.id in state.stopped:
        return None
    if any(delivery.passed_at for delivery in to_agents):
        return None
    return next((rule for rule in rules if matches(rule, message, recent)), None)


def _cost(rule: Breakpoint, message: Message) -> int:
    """The characters that the message has still to put into the contexts that the rule is about."""
    to_come = sum(delivery.to_come for delivery in message.deliveries.values())
    return len(message.body) * (1 if rule.to else to_come)


def _recent(state: State) -> dict[str, Message]:
    return {**{message.id: message for message in state.ended}, **state.messages}


def _is_in_loop(message: Message, recent: Mapping[str, Message]) -> bool:
    """A human's words are in none, and nothing that was said before them counts."""
    if message.human:
        return False
    from msgcode.debugger.loops import judge

    chain = [message]
    while len(chain) < MAX_CHAIN and (cause := recent.get(chain[-1].cause or "")):
        chain.append(cause)
    return judge(chain[::-1]) is not None


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
        "budget": rule.budget,
    }
    said = [f"--{option} {value}" for option, value in options.items() if value is not None]
    flags = [flag for flag, is_set in (("--loops", rule.loops), ("--once", rule.once)) if is_set]
    return " ".join([*said, *flags])


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
