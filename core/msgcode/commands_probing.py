"""The command that sends a probe to an agent, and tells how it got there and back."""

from __future__ import annotations

import argparse

from msgcode import answers
from msgcode.calls import Answer, Call, argument, positive
from msgcode.codec import encode_time
from msgcode.commands_debugging import explain
from msgcode.debugger.probe import BODY, Probe, spreads
from msgcode.decisions import nearest
from msgcode.errors import Refused
from msgcode.model import HUMAN, PROBE
from msgcode.text import visible_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from msgcode.debugger.why import Explanation
    from msgcode.journal.reader import Position

_LEAST = 60.0
"""Seconds after which a probe expires, at least."""


def _probe(call: Call) -> Answer:
    """As a line of a chat, which does not wait."""
    probe = _send(call, 1, _LEAST)
    id = probe.message.id[: answers.SHORT_ID]
    text = f"Sent a probe to {probe.agent}. To see how far it has come: msgcode why {id}"
    return Answer(text, _json(probe, None))


def probe_and_wait(call: Call) -> Answer:
    """Send as many probes as the arguments say, one after the other, and tell how far they came."""
    import asyncio

    args = call.args
    probes: list[Probe] = []
    stopped: Explanation | None = None
    for number in range(1, args.count + 1):
        before = call.store.recent(0).position
        probe = _send(call, number, max(args.wait, _LEAST))
        asyncio.run(_follow(call, probe, before))
        probes.append(probe)
        if not probe.answered:
            # The others would only queue up behind it.
            message = call.store.message(probe.message.id)
            stopped = explain(call.store, message, probe.agent)
            break
    lines = _lines(call, probes[-1], stopped) if len(probes) == 1 else _table(call, probes, stopped)
    data = {
        "agent": probes[0].agent,
        "answered": sum(probe.answered for probe in probes),
        "probes": [_json(probe, stopped if probe is probes[-1] else None) for probe in probes],
        "spreads": {
            what: {"p50": spread.p50, "p99": spread.p99, "probes": spread.probes}
            for what, spread in spreads(probes).items()
        },
    }
    return Answer("\n".join(lines), data)


def _send(call: Call, number: int, ttl: float) -> Probe:
    store = call.store
    agent = call.args.agent.removeprefix("@")
    agents = {known.id: known for known in store.agents()}
    if agent not in agents:
        raise Refused(f"agent {agent!r} is not registered{nearest(agent, agents)}.")
    human = call.by or call.actor
    if human not in agents or not agents[human].human:
        human = store.register(HUMAN, human=True).id
    asked = store.now()
    message = store.send(human, agent, BODY, subject="Probe", ttl=ttl, metadata={PROBE: str(number)})
    return Probe(message, asked)


async def _follow(call: Call, probe: Probe, after: Position) -> None:
    """See what comes of the probe, until it is over or the time is."""
    import asyncio

    try:
        async with asyncio.timeout(call.args.wait):
            async for events in call.store.watch(after):
                for event in events:
                    probe.see(event)
                if probe.over:
                    return
    except TimeoutError:
        pass


def _lines(call: Call, probe: Probe, stopped: Explanation | None) -> list[str]:
    from msgcode.debugger.words import seconds

    title = f"Probe of {visible_line(probe.agent)}: {probe.message.id[: answers.SHORT_ID]}"
    lines = [call.paint(title, "bold")]
    for hop in probe.hops:
        detail = f"  {visible_line(hop.detail)}" if hop.detail and hop.detail != probe.agent else ""
        at = call.paint(answers.clock_time(hop.at), "dim")
        lines.append(f"  {at} {'+' + seconds(hop.took):>10}  {hop.what}{detail}")
    lines.append(_stop(stopped) if stopped else f"Answered after {seconds(probe.total)} in all.")
    return lines


def _table(call: Call, probes: list[Probe], stopped: Explanation | None) -> list[str]:
    from msgcode.debugger.words import seconds

    answered = sum(probe.answered for probe in probes)
    title = f"{answered} of {call.args.count} probes of {visible_line(probes[0].agent)} were answered."
    lines = [call.paint(title, "bold"), call.paint(f"  {'':9} {'p50':>10} {'p99':>10}  probes", "dim")]
    lines += [
        f"  {what:9} {seconds(spread.p50):>10} {seconds(spread.p99):>10}  {spread.probes:6}"
        for what, spread in spreads(probes).items()
    ]
    return [*lines, _stop(stopped)] if stopped else lines


def _stop(stopped: Explanation) -> str:
    return f"Stopped: {visible_line(f'{stopped.stands} - {stopped.reason}')}."


def _json(probe: Probe, stopped: Explanation | None) -> dict[str, Any]:
    hops = []
    for hop in probe.hops:
        found = {"what": hop.what, "at": encode_time(hop.at), "took": hop.took}
        hops.append({**found, "detail": hop.detail} if hop.detail else found)
    data = {"message": probe.message.id, "agent": probe.agent, "answered": probe.answered, "hops": hops}
    return {**data, "stands": stopped.stands, "reason": stopped.reason} if stopped else data


# The grammar


def probe_arguments(parser: argparse.ArgumentParser) -> None:
    argument(parser, "agent", "agents", metavar="AGENT")
    parser.set_defaults(run=_probe)


def probe_and_wait_arguments(parser: argparse.ArgumentParser) -> None:
    argument(parser, "agent", "agents", metavar="AGENT")
    parser.add_argument("--count", type=positive, default=1, metavar="N", help="one after the other (1)")
    parser.add_argument(
        "--wait", type=_seconds, default=60.0, metavar="SECONDS", help="for each answer, at most (60)"
    )
    parser.set_defaults(run=probe_and_wait)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not 0 < seconds <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0, and at most 3600")
    return seconds
