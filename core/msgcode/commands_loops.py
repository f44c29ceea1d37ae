"""The commands that find loops, and try out what a guard against them would have done."""

from __future__ import annotations

from msgcode import answers
from msgcode.calls import Answer, Call, minutes, positive
from msgcode.codec import encode_time
from msgcode.debugger.backtest import Backtest, Firing, backtest_loops, sent_messages
from msgcode.debugger.findings import Ended, Finding, Limits
from msgcode.debugger.loops import LoopDetector
from msgcode.text import visible_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from typing import Any

    from msgcode.answers import Paint

_SHOWN = 10
"""Ids that are shown in a line; `--json` has all."""

_STATE = {None: "going on", Ended.HUMAN: "ended by a human", Ended.QUIET: "over"}


def _loops(call: Call) -> Answer:
    detector = LoopDetector(_limits(call.args))
    for message in sent_messages(call.store.history()):
        detector.sent(message)
    found = detector.findings(call.store.now())
    blocks = [_block(finding, call.paint) for finding in found]
    return Answer("\n\n".join(blocks) or "No loops were found.", [_json(finding) for finding in found])


def _backtest(call: Call) -> Answer:
    tested = backtest_loops(call.store.history(), _limits(call.args))
    lines = [firing_line(firing, call.paint) for firing in tested.firings]
    return Answer("\n".join([backtest_line("A guard", tested), *lines]), backtest_json(tested))


def backtest_line(rule: str, tested: Backtest) -> str:
    """What the rule would have done, in a sentence."""
    held, count = len(tested.held), len(tested.firings)
    times = "never" if not count else "once" if count == 1 else f"{count} times"
    return f"{rule} would have fired {times}, and held {held} of {_number(tested.messages, 'message')}."


def _block(finding: Finding, paint: Paint) -> str:
    state = paint(_STATE[finding.ended], "dim" if finding.ended else "yellow")
    cost = finding.cost
    lines = [
        f"{paint(finding.kind, 'bold')} {state}  {_span(finding)}",
        visible_line(finding.explain),
        f"cost: {_number(cost.messages, 'message')}, {cost.characters} characters into agents' contexts, "
        f"about {cost.tokens} tokens",
        f"shown by: {_ids(finding.messages, paint)}",
    ]
    if not finding.ended:
        lines.append(f"hold it: msgcode hold {visible_line(_scope(finding))}")
        lines.append(f"or say something: msgcode --as human send {visible_line(finding.agents[0])} ...")
    return "\n    ".join(lines)


def _scope(finding: Finding) -> str:
    """What to hold: the thread, if it keeps to one, or the pair; of a larger ring one agent is enough."""
    if finding.thread:
        return f"--thread {finding.thread[: answers.SHORT_ID]}"
    agents = finding.agents if len(finding.agents) == 2 else finding.agents[:1]
    return " ".join(f"--agent {agent}" for agent in agents)


def _span(finding: Finding) -> str:
    return f"{answers.clock_time(finding.since)} - {answers.clock_time(finding.until)}"


def firing_line(firing: Firing, paint: Paint) -> str:
    """When a guard would have fired, on what loop, and what it would have held."""
    at = paint(answers.clock_time(firing.at), "dim")
    assert firing.finding
    why = visible_line(f"{firing.finding.kind}, {', '.join(firing.finding.agents)}")
    return f"{at} {why}: would have held {len(firing.held)}, {_ids(firing.held, paint)}"


def _ids(ids: Sequence[str], paint: Paint) -> str:
    shown = [paint(visible_line(id[: answers.SHORT_ID]), "cyan") for id in ids[:_SHOWN]]
    more = [f"and {len(ids) - _SHOWN} more"] if len(ids) > _SHOWN else []
    return " ".join([*shown, *more])


def _number(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"


def _json(finding: Finding) -> dict[str, Any]:
    found: dict[str, Any] = dict(zip(Finding._fields, finding, strict=True))
    cost = {
        "messages": finding.cost.messages,
        "characters": finding.cost.characters,
        "tokens": finding.cost.tokens,
    }
    found.update(since=encode_time(finding.since), until=encode_time(finding.until), cost=cost)
    if not finding.ended:
        del found["ended"]
    return found


def backtest_json(tested: Backtest) -> dict[str, Any]:
    """All of it."""
    firings = [
        {
            "at": encode_time(firing.at),
            "message": firing.message,
            "held": firing.held,
            "finding": _json(firing.finding) if firing.finding else None,
        }
        for firing in tested.firings
    ]
    return {"messages": tested.messages, "held": tested.held, "firings": firings}


# The grammar


def _limits(args: argparse.Namespace) -> Limits:
    given = {name: getattr(args, name) for name in ("hops", "thanks", "repeats", "rounds", "burst")}
    return Limits()._replace(
        **{name: value for name, value in given.items() if value},
        **({"quiet": args.quiet * 60} if args.quiet else {}),
    )


def _limit_options(parser: argparse.ArgumentParser) -> None:
    usual = Limits()
    for name, what in (
        ("hops", "replies in a thread with no human"),
        ("thanks", "bare courtesies in a row"),
        ("repeats", "nearly identical bodies in a row"),
        ("rounds", "rounds that bring nothing new"),
        ("burst", "messages within a minute where everybody answers everybody"),
    ):
        parser.add_argument(
            f"--{name}", type=positive, metavar="N", help=f"from so many {what} ({getattr(usual, name)})"
        )
    parser.add_argument(
        "--quiet",
        type=minutes,
        metavar="MINUTES",
        help=f"over when so long nothing was added ({usual.quiet / 60:.0f})",
    )


def loops_arguments(parser: argparse.ArgumentParser) -> None:
    _limit_options(parser)
    parser.set_defaults(run=_loops)


def backtest_loops_arguments(parser: argparse.ArgumentParser) -> None:
    _limit_options(parser)
    parser.set_defaults(run=_backtest)
