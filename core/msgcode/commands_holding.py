"""The commands that stop what agents say to each other, let it through one by one, and set it going again."""

from __future__ import annotations

import argparse

from msgcode import answers
from msgcode.calls import PRIORITIES, Answer, Call, agent_id, argument, channel_id, positive
from msgcode.checks import check_priority
from msgcode.codec import message_json, to_json
from msgcode.debugger import holds
from msgcode.debugger.breakpoints import check_rule, describe
from msgcode.debugger.effect import Effect
from msgcode.errors import BadInput
from msgcode.model import HUMAN, Breakpoint
from msgcode.text import visible_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from msgcode.debugger.effect import Outcome
    from msgcode.debugger.holds import Held
    from msgcode.journal.reader import Position
    from msgcode.model import Message

_SHOWN = 10
"""Messages of a back-test that are shown; `--json` has all."""


def _hold(call: Call) -> Answer:
    hold = call.store.hold(call.person, **_scope(call), reason=call.args.reason)
    held = call.store.held(hold)
    count = f"{len(held)} message{'s' * (len(held) != 1)} wait{'s' * (len(held) == 1)} behind it."
    text = f"Holding {visible_line(holds.name(hold))} ({_number(call, hold.number)}). {count}"
    return Answer(text, {**to_json(hold), "held": [_held_json(item) for item in held]})


def _release(call: Call) -> Answer:
    args = call.args
    released = call.store.release(call.person, args.number, **_scope(call))
    text = "\n".join(f"Released {visible_line(holds.words(hold))}." for hold in released)
    return Answer(text or "Nothing was held.", [to_json(hold) for hold in released])


def _step(call: Call) -> Answer:
    return _stepped(call, call.store.step(call.person, **_scope(call)), [])


def _step_and_wait(call: Call) -> Answer:
    """In a shell, where one can see what comes of it before the next."""
    import asyncio

    before = call.store.recent(0).position
    message = call.store.step(call.person, **_scope(call))
    return _stepped(call, message, asyncio.run(_outcomes(call, message, before)), waited=True)


async def _outcomes(call: Call, message: Message, after: Position) -> list[Outcome]:
    """What comes of the message, until each agent has done something or the time is over."""
    import asyncio

    passed = [agent for agent, delivery in message.deliveries.items() if delivery.passed_at]
    effect, found = Effect(message.id, passed), []
    try:
        async with asyncio.timeout(call.args.wait):
            async for events in call.store.watch(after):
                found += [outcome for outcome in map(effect.of, events) if outcome]
                if not effect.missing:
                    break
    except TimeoutError:
        pass
    return found


def _stepped(call: Call, message: Message, outcomes: list[Outcome], *, waited: bool = False) -> Answer:
    lines = [f"Let through: {answers.message_line(message, call.paint)}"]
    for at, agent, what, detail in outcomes:
        more = f": {visible_line(detail[: answers.SHORT_ID] if what == 'sent' else detail)}" if detail else ""
        lines.append(f"    {answers.clock_time(at)} {visible_line(agent)} {_OUTCOMES[what]}{more}")
    if waited and not outcomes:
        lines.append("    nothing came of it yet: msgcode why tells where it stands")
    left = len(call.store.held())
    lines.append(f"{left} more {'is' if left == 1 else 'are'} held." if left else "Nothing else is held.")
    data = {**message_json(message), "outcomes": [to_json(outcome) for outcome in outcomes], "held": left}
    return Answer("\n".join(lines), data)


_OUTCOMES = {
    "delivered": "has it",
    "failed": "could not be given it",
    "acknowledged": "acknowledged it",
    "sent": "sent a message because of it",
}


def _held(call: Call) -> Answer:
    store = call.store
    all_holds, found = store.holds(), store.held()
    lines = [
        f"{answers.clock_time(hold.at)} {visible_line(holds.words(hold))}"
        for hold in all_holds
        if hold.message is None
    ]
    for held in found:
        agents = ", ".join(map(visible_line, held.agents))
        lines.append(answers.message_line(held.message, call.paint))
        lines.append(f"    kept from {agents} by {visible_line(holds.words(held.hold))}")
    data = {"holds": [to_json(hold) for hold in all_holds], "held": [_held_json(item) for item in found]}
    return Answer(answers.listing(lines, "Nothing is held. Hold everything: msgcode hold"), data)


def _move(call: Call) -> Answer:
    store, args = call.store, call.args
    message = store.move(store.resolve(args.message), store.resolve(args.before), call.person)
    text = f"Moved {message.id[: answers.SHORT_ID]} before {args.before[: answers.SHORT_ID]}."
    return Answer(text, message_json(message))


def _break_add(call: Call) -> Answer:
    rule = call.store.add_breakpoint(call.person, **_rule(call))
    return Answer(f"Added {_breakpoint_line(rule, call)}", to_json(rule))


def _break_test(call: Call) -> Answer:
    from msgcode.commands_loops import backtest_json, backtest_line, firing_line
    from msgcode.debugger.backtest import backtest_breakpoint, sent_messages

    store = call.store
    rule = Breakpoint(0, call.store.now(), HUMAN, **_rule(call))
    check_rule(rule, {agent.id for agent in store.agents()})
    tested = backtest_breakpoint(store.history, rule)
    shown = tested.firings[:_SHOWN]
    if rule.loops:
        lines = [firing_line(firing, call.paint) for firing in shown]
    else:
        ids = {firing.message for firing in shown}
        there = {message.id: message for message in sent_messages(store.history()) if message.id in ids}
        lines = [answers.message_line(there[firing.message], call.paint) for firing in shown]
    more = len(tested.firings) - len(shown)
    lines += [f"and {more:,} more; --json has all"] if more else []
    return Answer("\n".join([backtest_line("This breakpoint", tested), *lines]), backtest_json(tested))


def _rule(call: Call) -> dict[str, Any]:
    """What the breakpoint is to stop, as the options say it."""
    args = call.args
    return {
        "sender": agent_id(args.sender),
        "to": agent_id(args.to),
        "channel": channel_id(args.channel),
        "thread": _thread(call, args.thread),
        "text": args.text,
        "priority": check_priority(args.priority) if args.priority else None,
        "hops": args.hops,
        "loops": args.loops,
        "budget": args.budget,
        "once": args.once,
    }


def _break_list(call: Call) -> Answer:
    rules = call.store.breakpoints()
    lines = [_breakpoint_line(rule, call) for rule in rules]
    otherwise = "There are no breakpoints. Add one: msgcode break add --from ID"
    return Answer(answers.listing(lines, otherwise), [to_json(rule) for rule in rules])


def _break_switch(enabled: bool) -> Callable[[Call], Answer]:
    def switch(call: Call) -> Answer:
        rule = call.store.switch_breakpoint(call.args.number, enabled, call.person)
        return Answer(f"{'Enabled' if enabled else 'Disabled'} {_breakpoint_line(rule, call)}", to_json(rule))

    return switch


def _break_remove(call: Call) -> Answer:
    rule = call.store.remove_breakpoint(call.args.number, call.person)
    return Answer(f"Removed {_breakpoint_line(rule, call)}", to_json(rule))


def _breakpoint_line(rule: Breakpoint, call: Call) -> str:
    about = [f"{rule.hits} hit{'s' * (rule.hits != 1)}"]
    about += [f"{rule.spent} of {rule.budget} characters spent"] if rule.budget is not None else []
    about += [] if rule.enabled else ["disabled"]
    return f"breakpoint {_number(call, rule.number)}: {visible_line(describe(rule))} ({', '.join(about)})"


def _number(call: Call, number: int) -> str:
    return call.paint(str(number), "bold")


def _held_json(held: Held) -> dict[str, Any]:
    return {"message": message_json(held.message), "agents": list(held.agents), "hold": to_json(held.hold)}


def _scope(call: Call) -> dict[str, str | None]:
    args = call.args
    agents = [agent_id(agent) for agent in args.agent or []]
    if len(agents) > 2:
        raise BadInput("name one agent, or the two whose messages to each other are meant.")
    return {
        "agent": agents[0] if agents else None,
        "peer": agents[1] if len(agents) > 1 else None,
        "thread": _thread(call, args.thread),
        "channel": channel_id(args.channel),
        "message": call.store.resolve(args.message) if args.message else None,
    }


def _thread(call: Call, message: str | None) -> str | None:
    """The thread in which a message is."""
    return call.store.message(call.store.resolve(message)).thread if message else None


# The grammar


def hold_arguments(parser: argparse.ArgumentParser) -> None:
    _scope_arguments(parser)
    parser.add_argument("--reason", metavar="TEXT", help="why, for the record")
    parser.set_defaults(run=_hold)


def release_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("number", nargs="?", type=positive, metavar="NUMBER", help="of a hold; all if none")
    _scope_arguments(parser)
    parser.set_defaults(run=_release)


def step_arguments(parser: argparse.ArgumentParser) -> None:
    _scope_arguments(parser)
    parser.set_defaults(run=_step)


def step_and_wait_arguments(parser: argparse.ArgumentParser) -> None:
    _scope_arguments(parser)
    parser.add_argument(
        "--wait", type=_seconds, default=30.0, metavar="SECONDS", help="for what comes of it, at most (30)"
    )
    parser.set_defaults(run=_step_and_wait)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not 0 <= seconds <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0 to 3600")
    return seconds


def held_arguments(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_held)


def move_arguments(parser: argparse.ArgumentParser) -> None:
    argument(parser, "message", "messages", metavar="MESSAGE_ID")
    argument(
        parser, "--before", "messages", metavar="MESSAGE_ID", required=True, help="the one to come after it"
    )
    parser.set_defaults(run=_move)


def break_add_arguments(parser: argparse.ArgumentParser) -> None:
    _rule_arguments(parser)
    parser.set_defaults(run=_break_add)


def break_test_arguments(parser: argparse.ArgumentParser) -> None:
    _rule_arguments(parser)
    parser.set_defaults(run=_break_test)


def _rule_arguments(parser: argparse.ArgumentParser) -> None:
    argument(parser, "--from", "agents", dest="sender", metavar="ID", help="what this agent sends")
    argument(parser, "--to", "agents", metavar="ID", help="what is sent to this agent")
    argument(parser, "--channel", "channels", metavar="ID")
    argument(parser, "--thread", "messages", metavar="MESSAGE_ID", help="the thread that this message is in")
    parser.add_argument("--text", metavar="REGEX", help="found in the body or the subject (RE2 syntax)")
    parser.add_argument("--priority", choices=PRIORITIES)
    parser.add_argument("--hops", type=positive, metavar="N", help="what N or more others led to")
    parser.add_argument("--loops", action="store_true", help="what goes round and round: a guard")
    parser.add_argument(
        "--budget", type=positive, metavar="N", help="what is beyond N characters in agents' contexts"
    )
    parser.add_argument("--once", action="store_true", help="disable it at the first hit")


def break_list_arguments(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_break_list)


def break_enable_arguments(parser: argparse.ArgumentParser) -> None:
    _numbered(parser, _break_switch(True))


def break_disable_arguments(parser: argparse.ArgumentParser) -> None:
    _numbered(parser, _break_switch(False))


def break_remove_arguments(parser: argparse.ArgumentParser) -> None:
    _numbered(parser, _break_remove)


def _numbered(parser: argparse.ArgumentParser, run: Callable[[Call], Answer]) -> None:
    parser.add_argument("number", type=positive, metavar="NUMBER", help="of a breakpoint")
    parser.set_defaults(run=run)


def _scope_arguments(parser: argparse.ArgumentParser) -> None:
    argument(
        parser, "--agent", "agents", action="append", metavar="ID",
        help="to and from this agent; given twice, between the two",
    )  # fmt: skip
    argument(parser, "--thread", "messages", metavar="MESSAGE_ID", help="the thread that this message is in")
    argument(parser, "--channel", "channels", metavar="ID")
    argument(parser, "--message", "messages", metavar="MESSAGE_ID", help="this message alone")
