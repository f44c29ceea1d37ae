"""What the word before the cursor may become: an agent, a channel, a word of `/msg`, a message's id. Pure."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import islice
from typing import NamedTuple

from msgcode.answers import SHORT_ID
from msgcode.commands import COMMANDS
from msgcode.grammar import Parser
from msgcode.model import Agent, Channel, Message
from msgcode_tui.addressing import quoted
from msgcode_tui.fuzzy import match
from msgcode_tui.live import Live
from msgcode_tui.rooms import EVERYTHING

MAX_CHOICES = 50
"""How many choices are offered, the best of all."""

RECENT = 300
"""How many of the newest messages are looked through for ids."""


_WORD = re.compile(r'"[^"]*(?:"(?!\S)|\Z)|\S+')
"""A word of a `/msg` line, of several in double quotes; the last of them may not be complete."""


class Choice(NamedTuple):
    """Something that can be chosen. Neither text is made safe to print."""

    text: str
    """What it is, and what is inserted."""
    about: str = ""
    """What else is known of it, in a line."""


class Completion(NamedTuple):
    """The choices for one word of the text, best first."""

    start: int
    """Where in the text before the cursor the word begins."""
    choices: list[Choice]


def complete(before: str, live: Live) -> Completion:
    """The choices for the word that ends where `before`, the text up to the cursor, ends."""
    if re.match(r"/msg(\s|\Z)", before):
        return _command(before, live)
    word = re.search(r'(?<!\S)[@#]"[^"]*"?\Z|\S*\Z', before)
    assert word
    found: Iterable[Choice] = ()
    if word.start() == 0 and "/msg".startswith(word[0]) and word[0]:
        found = [Choice("/msg", "run a command")]
    elif word[0].startswith("@"):
        found = _quoted("@", agents(live))
    elif word[0].startswith("#"):
        found = _quoted("#", channels(live))
    return best(word[0], word.start(), found)


def _command(before: str, live: Live) -> Completion:
    """The choices in a line of `/msg`."""
    found = list(_WORD.finditer(before))
    start = found[-1].start() if found[-1].end() == len(before) else len(before)
    words, last = [word[0] for word in found if word.start() < start][1:], before[start:]
    if not words and not last and before == "/msg":
        return Completion(0, [])
    name = next((" ".join(words[:n]) for n in (2, 1) if " ".join(words[:n]) in COMMANDS), None)
    if name is None:
        typed = " ".join([*words, last])
        choices = [Choice(name, command.help) for name, command in COMMANDS.items()]
        return best(typed, len(before) - len(typed), choices)
    actions = _actions(name)
    given = words[len(name.split()) :]
    options = {option: action for action in actions for option in action.option_strings}
    if given and (option := options.get(given[-1])) and option.nargs != 0:
        return best(last, start, _values(option, live))
    count, body_after = _count(given, options), COMMANDS[name].body_after
    if body_after is not None and count > body_after - (not last.startswith("-")):
        return Completion(start, [])  # A body, in which everything is text.
    if last.startswith("-"):
        long = [Choice(option, action.help or "") for option, action in options.items() if len(option) > 2]
        return best(last, start, long)
    positional = [action for action in actions if not action.option_strings]
    at = min(count, len(positional) - 1)
    return best(last, start, _values(positional[at], live) if positional else ())


@cache
def _actions(name: str) -> list[argparse.Action]:
    parser = Parser()
    COMMANDS[name].arguments(parser)
    return parser._actions


def _count(given: list[str], options: dict[str, argparse.Action]) -> int:
    """How many of the words are neither options nor their values."""
    count, is_value = 0, False
    for word in given:
        option = options.get(word)
        if is_value:
            is_value = False
        elif option:
            is_value = option.nargs != 0
        else:
            count += 1
    return count


def _values(action: argparse.Action, live: Live) -> Iterable[Choice]:
    """What an argument or an option may be."""
    if action.choices:
        return [Choice(str(choice)) for choice in action.choices]
    kind = getattr(getattr(action, "completer", None), "kind", None)
    return _quoted("", _KINDS[kind](live)) if kind else ()


def agents(live: Live) -> Iterator[Choice]:
    """All agents to which something can be sent, and what is known of them."""
    for agent in filter(_is_usable, live.state.agents.values()):
        about = [str(live.presence(agent.id).activity), agent.name if agent.name != agent.id else ""]
        yield Choice(agent.id, " · ".join(filter(None, [*about, agent.description])))


def channels(live: Live) -> Iterator[Choice]:
    """All channels that can be spoken to, and what is known of them."""
    for channel in filter(_is_usable, live.state.channels.values()):
        members = ", ".join(channel.members) or "no members"
        yield Choice(channel.id, " · ".join(filter(None, [channel.description, members])))


def _messages(live: Live) -> Iterator[Choice]:
    newest = (live.state.messages[id] for id in islice(reversed(live.index.messages(EVERYTHING)), RECENT))
    for message in filter(_is_usable, newest):
        yield Choice(message.id[:SHORT_ID], f"{message.sender}: {message.subject or message.body[:200]}")


def _is_usable(thing: Agent | Channel | Message) -> bool:
    """Whether its id can be written, which a hostile program may have made up."""
    return quoted(thing.id) is not None


_KINDS: dict[str, Callable[[Live], Iterable[Choice]]] = {
    "agents": agents,
    "channels": channels,
    "messages": _messages,
}


def _quoted(sign: str, choices: Iterable[Choice]) -> Iterator[Choice]:
    """The choices as they are written: `@bob`, `@"Code Fixer"`."""
    return (Choice(f"{sign}{quoted(choice.text)}", choice.about) for choice in choices)


def best(word: str, start: int, choices: Iterable[Choice]) -> Completion:
    """The choices that match the word, best first; none if the word is the only one already."""
    scored = [(score, choice) for choice in choices if (score := _score(word, choice))]
    scored.sort(key=lambda pair: -pair[0])
    found = [choice for _, choice in scored[:MAX_CHOICES]]
    return Completion(start, [] if [choice.text for choice in found] == [word] else found)


def _score(word: str, choice: Choice) -> float:
    """How well the word matches what is inserted, or else, if it is long enough, what is known of it."""
    is_told = len(word) > 2 and word.lower() in choice.about.lower()
    return match(word, choice.text) or is_told * 0.5
