"""The commands that say why agents are stuck."""

from __future__ import annotations

import argparse
from datetime import datetime, timedelta

from msgcode import answers
from msgcode.calls import Answer, Call, agent_id, argument, minutes, positive
from msgcode.codec import encode_time
from msgcode.debugger import holds
from msgcode.events import AgentUnregistered
from msgcode.model import Message
from msgcode.text import visible_line
from msgcode.verbs import fold_anew

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from msgcode.debugger.cost import Cost, Costs
    from msgcode.debugger.stuck import Stuck
    from msgcode.debugger.why import Explanation, Hop
    from msgcode.model import Agent, Presence
    from msgcode.state import State
    from msgcode.store import Store


def explain(store: Store, message: Message, agent: str) -> Explanation:
    """Why the message has come no further on its way to the agent."""
    from msgcode.debugger.why import why

    agents = {known.id: known for known in store.agents()}
    found = why(
        message,
        agent,
        store.life(message.id),
        agents,
        store.presence(agent),
        store.now(),
        hold=_hold(store, message, agent),
        gone=_gone(store, agent, agents),
    )
    return found._replace(advice=()) if store.moment else found  # It is too late for that.


def _why(call: Call) -> Answer:
    store = call.store
    message = store.message(store.resolve(call.args.message))
    agent = agent_id(call.args.agent)
    found = [explain(store, message, one) for one in ([agent] if agent else message.recipients)]
    lines = [answers.message_line(message, call.paint)]
    lines += [line for explanation in found for line in _explained(explanation, call)]
    if not found:
        lines.append("Nobody else was in the channel when it was sent, so nobody got it.")
    return Answer("\n".join(lines), _json(found))


def _hold(store: Store, message: Message, agent: str) -> str | None:
    """What keeps the message from the agent, in words."""
    hold = store.held_by(message, agent) if agent in message.deliveries else None
    return holds.words(hold) if hold else None


def _gone(store: Store, agent: str, agents: Mapping[str, Agent]) -> datetime | None:
    """When the agent was unregistered; None if it is registered, or never was."""
    if agent in agents:
        return None
    left = [event.at for event in store.history() if event.fact == AgentUnregistered(agent)]
    return left[-1] if left else None


def _explained(found: Explanation, call: Call) -> list[str]:
    from msgcode.debugger.words import duration

    paint = call.paint
    title = paint(f"{visible_line(found.agent)}: {found.stands}", "bold")
    lines = ["", f"{title} - {visible_line(found.reason)}."]
    for number, hop in enumerate(found.hops):
        took = f"+{duration(hop.took)}" if number else ""
        words = visible_line(_hop_words(hop, found.agent))
        lines.append(f"  {paint(answers.clock_time(hop.at), 'dim')} {took:>12}  {words}")
    for advice in found.advice:
        command = f"msgcode {advice.command}" if advice.command else ""
        lines.append(visible_line(f"  → {advice.what}" + (f": {command}" if command else "")))
    return lines


def _hop_words(hop: Hop, agent: str) -> str:
    if hop.what == "lapsed":
        return f"the lease of {hop.by} ran out"
    by = f" by {hop.by}" if hop.by and hop.by != agent else ""
    return f"{hop.what}{by}" + (f": {hop.detail}" if hop.detail else "")


def _waits(call: Call) -> Answer:
    from msgcode.debugger.waits import draw, waits

    state, moment = _room(call.store), call.store.now()
    found = waits(state, _presences(call.store, state), moment)
    lines = draw(found, moment)
    data = {"deadlocks": _json(found.deadlocks), "waits": _json(found.others)}
    return Answer(answers.listing(lines, "Nobody waits for an answer."), data)


def _stuck(call: Call) -> Answer:
    from msgcode.debugger.stuck import Thresholds, stuck

    given = {name: getattr(call.args, name) for name in Thresholds._fields}
    thresholds = Thresholds()._replace(**{name: value for name, value in given.items() if value is not None})
    state, moment = _room(call.store), call.store.now()
    found = stuck(state, _presences(call.store, state), moment, thresholds)
    lines = [line for one in found for line in _stuck_lines(one, moment, call)]
    return Answer(answers.listing(lines, "Nothing is stuck."), _json(found))


def _stuck_lines(one: Stuck, moment: datetime, call: Call) -> list[str]:
    from msgcode.debugger.words import duration

    head = f"{visible_line(one.agent)}: {one.kind} for {duration(moment - one.since)}"
    lines = [f"{call.paint(head, 'bold')} - {visible_line(one.reason)}."]
    if one.messages:
        some = " ".join(visible_line(id)[: answers.SHORT_ID] for id in one.messages[:5])
        more = f" and {len(one.messages) - 5} more" if len(one.messages) > 5 else ""
        lines.append(f"  stuck: {some}{more}; {one.behind} waiting in all")
    return lines


def _cost(call: Call) -> Answer:
    from msgcode.debugger.cost import CHARACTERS_PER_TOKEN, cost

    args = call.args
    state = _room(call.store)
    found = cost(state, call.store.now(), timedelta(minutes=args.minutes))
    tables: dict[str, dict[str, Cost]] = {
        "total": {"everything": found.total},
        "threads": {_thread(state, thread): each for thread, each in found.threads.items()},
        "agents": found.agents,
        "pairs": {f"{sender} → {agent}": each for (sender, agent), each in found.pairs.items()},
        "shares": {
            f"{thread[: answers.SHORT_ID]} → {agent}": each for (thread, agent), each in found.shares.items()
        },
    }
    titles = {
        "total": "In all",
        "threads": "By thread",
        "agents": "Into each agent",
        "pairs": "From one to another",
        "shares": "By thread into each agent",
    }
    lines = [call.paint(f"{'':34} characters   ≈ tokens  messages   per hour", "dim")]
    for name, table in tables.items():
        lines.append(call.paint(titles[name], "bold"))
        lines += [_cost_line(label, each) for label, each in list(table.items())[: args.limit]]
        left = len(table) - args.limit
        lines += [f"  and {left} more; --limit N shows more"] if left > 0 else []
    lines.append(
        call.paint(
            f"Tokens are estimated: {CHARACTERS_PER_TOKEN} characters each. "
            f"The rate is of the last {args.minutes:g} minutes, in characters.",
            "dim",
        )
    )
    text = "\n".join(lines) if found.total.messages else "Nothing has been put into any agent yet."
    return Answer(text, _costs_json(found))


def _thread(state: State, thread: str) -> str:
    first = state.messages.get(thread)
    about = (first.subject or first.body) if first else ""
    return f"{thread[: answers.SHORT_ID]} {about}"


def _cost_line(label: str, each: Cost) -> str:
    shown = visible_line(label[:80])
    shown = shown if len(shown) <= 32 else f"{shown[:31]}…"
    return f"  {shown:32} {each.characters:10,} {each.tokens:10,} {each.messages:9,} {each.per_hour:10,}"


def _costs_json(found: Costs) -> dict[str, Any]:
    return {
        "total": _cost_json(found.total),
        "threads": [{"thread": thread, **_cost_json(each)} for thread, each in found.threads.items()],
        "agents": [{"agent": agent, **_cost_json(each)} for agent, each in found.agents.items()],
        "pairs": [
            {"from": one, "to": other, **_cost_json(each)} for (one, other), each in found.pairs.items()
        ],
        "shares": [
            {"thread": thread, "agent": agent, **_cost_json(each)}
            for (thread, agent), each in found.shares.items()
        ],
    }


def _cost_json(each: Cost) -> dict[str, Any]:
    return {
        "characters": each.characters,
        "tokens": each.tokens,
        "messages": each.messages,
        "charactersPerHour": each.per_hour,
    }


def _json(value: Any) -> Any:
    """What a reading found, for JSON: records as objects, a message as its id, spans in seconds."""
    if isinstance(value, Message):
        return value.id
    if hasattr(value, "_fields"):
        named = zip(value._fields, value, strict=True)
        return {_camel(name): _json(item) for name, item in named if item is not None}
    if isinstance(value, tuple | list):
        return [_json(item) for item in value]
    if isinstance(value, datetime):
        return encode_time(value)
    return value.total_seconds() if isinstance(value, timedelta) else value


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _room(store: Store) -> State:
    """The room with all that is kept of it: what has ended says what was answered."""
    return fold_anew([], store.history())


def _presences(store: Store, state: State) -> dict[str, Presence]:
    return {agent: store.presence(agent) for agent in state.agents}


# The grammar


def why_arguments(parser: argparse.ArgumentParser) -> None:
    argument(parser, "message", "messages", metavar="MESSAGE_ID")
    argument(parser, "agent", "agents", nargs="?", metavar="AGENT", help="only at this recipient")
    parser.set_defaults(run=_why)


def waits_arguments(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_waits)


def stuck_arguments(parser: argparse.ArgumentParser) -> None:
    from msgcode.debugger.stuck import DEFAULTS

    about = {
        "unknown": "for somebody who is not registered",
        "undelivered": "for an agent that is offline, busy or blocked",
        "silent": "unclaimed for an idle agent in a session, or since a lease ran out",
        "unacknowledged": "delivered, and neither acknowledged nor taken up",
        "blocked": "an agent waits for a human",
    }
    for name, words in about.items():
        text = f"seconds: {words} ({getattr(DEFAULTS, name):g})"
        parser.add_argument(f"--{name}", type=_seconds, metavar="SECONDS", help=text)
    parser.add_argument(
        "--failures", type=positive, metavar="N", help=f"failed attempts ({DEFAULTS.failures})"
    )
    parser.add_argument(
        "--lapses", type=positive, metavar="N", help=f"leases that ran out ({DEFAULTS.lapses})"
    )
    parser.set_defaults(run=_stuck)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not 0 <= seconds < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds, 0 or more")
    return seconds


def cost_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--minutes",
        type=minutes,
        default=60.0,
        metavar="N",
        help="rates are of the last so many minutes (60)",
    )
    parser.add_argument("--limit", type=positive, default=10, metavar="N", help="rows of each table (10)")
    parser.set_defaults(run=_cost)
