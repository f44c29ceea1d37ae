"""The command that says whether the agent programs of this machine are connected, and what to do if not."""

from __future__ import annotations

import argparse
from concurrent.futures import ThreadPoolExecutor

from msgcode.calls import Answer, Call, agent_id, argument
from msgcode.commands_probing import probe_and_wait
from msgcode.errors import MsgcodeError
from msgcode.harness.doctor import Finding, Mark, examine
from msgcode.harness.known import HARNESSES, title
from msgcode.model import Agent, Presence
from msgcode.store import Store
from msgcode.text import visible_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from msgcode.answers import Paint

_PROBE_WAIT = 60.0
"""Seconds that a probed agent has for its answer."""

_COLOURS = {Mark.OK: "green", Mark.NOTE: "yellow", Mark.PROBLEM: "red"}


def _doctor(args: argparse.Namespace, paint: Paint) -> Answer:
    ids = [args.harness] if args.harness else HARNESSES
    # Each starts programs, and waits for them.
    with ThreadPoolExecutor(len(ids)) as pool:
        found = dict(zip(ids, pool.map(examine, ids), strict=True))
    room, agents = _room(args)
    for agent, presence in agents:
        if agent.session and agent.session.harness in found:
            found[agent.session.harness].append(_lives(agent, presence))
    lines = _section(paint, "Room", [room])
    for id, findings in found.items():
        lines += ["", *_section(paint, title(id), findings)]
    every = [room, *(finding for findings in found.values() for finding in findings)]
    sound = not any(finding.mark is Mark.PROBLEM for finding in every)
    data = {
        "ok": sound,
        "room": _json(room),
        "harnesses": [
            {"harness": id, "findings": [_json(finding) for finding in findings]}
            for id, findings in found.items()
        ],
    }
    if args.probe:
        probed = _probe(args, paint)
        lines += ["", probed.text]
        data["probe"] = probed.data
        sound = data["ok"] = sound and probed.ok
    return Answer("\n".join(lines), data, ok=sound)


def _room(args: argparse.Namespace) -> tuple[Finding, list[tuple[Agent, Presence]]]:
    """Whether the room can be read, and its agents that are there now."""
    try:
        with _open(args) as store:
            agents = [(agent, store.presence(agent.id)) for agent in store.agents()]
            name = store.name
    except MsgcodeError as error:
        return Finding(Mark.PROBLEM, str(error)), []
    online = [(agent, presence) for agent, presence in agents if presence.online]
    return Finding(Mark.OK, f"{name}: {len(online)} of {len(agents)} agents are there"), online


def _open(args: argparse.Namespace) -> Store:
    return Store.open(getattr(args, "store", None))


def _lives(agent: Agent, presence: Presence) -> Finding:
    assert agent.session
    doing = str(presence.activity) + (f" ({presence.reason})" if presence.reason else "")
    return Finding(Mark.OK, f"{agent.id} lives in {agent.session.place}: {doing}")


def _probe(args: argparse.Namespace, paint: Paint) -> Answer:
    args.agent, args.count, args.wait = agent_id(args.probe), 1, _PROBE_WAIT
    try:
        with _open(args) as store:
            answer = probe_and_wait(Call(store, args, paint))
    except MsgcodeError as error:
        return Answer(visible_line(f"No probe was sent: {error}"), {"error": str(error)}, ok=False)
    return answer._replace(ok=answer.data["answered"] == 1)


def _section(paint: Paint, title: str, findings: list[Finding]) -> list[str]:
    return [paint(title, "bold"), *(_line(paint, finding) for finding in findings)]


def _line(paint: Paint, finding: Finding) -> str:
    mark = paint(f"{finding.mark:7}", _COLOURS[finding.mark])
    command = f": {paint(visible_line(finding.command), 'cyan')}" if finding.command else ""
    return f"  {mark}  {visible_line(finding.text.removesuffix('.'))}{command}"


def _json(finding: Finding) -> dict[str, Any]:
    found = {"mark": str(finding.mark), "text": finding.text}
    return {**found, "command": finding.command} if finding.command else found


# The grammar


def doctor_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("harness", nargs="?", choices=HARNESSES, help="only this agent program")
    argument(
        parser, "--probe", "agents", metavar="ID", help="send a probe to this agent, and see how far it comes"
    )
    parser.set_defaults(alone=_doctor)
