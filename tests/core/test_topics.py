"""`msgcode help`: every command has its place, every example is understood, and all fits a terminal."""

from __future__ import annotations

import os
import shlex

import pytest

from msgcode import cli, topics
from msgcode.commands import COMMANDS
from msgcode.errors import BadInput
from msgcode.grammar import Help, parse

SHELL = cli._COMMANDS
EXAMPLES = [example for examples in topics.EXAMPLES.values() for example in examples]


def said(*words: str) -> str:
    """The help for the words."""
    with pytest.raises(Help) as found:
        parse(words, "msgcode", SHELL, cli._add_common_options)
    return str(found.value)


def test_every_command_is_in_one_group() -> None:
    assert sorted(name for group in topics.GROUPS.values() for name in group) == sorted(SHELL)


def test_a_chat_is_told_of_its_own_commands_only() -> None:
    text = topics.overview("/msg", COMMANDS)
    assert "  register " in text
    assert "  install " not in text
    assert "This program" not in text


@pytest.mark.parametrize("words", [("help",), ("--help",), ("-h",), ("help", "help"), ("--json", "help")])
def test_help_alone_lists_the_commands(words: tuple[str, ...]) -> None:
    assert said(*words) == topics.overview("msgcode", SHELL)


@pytest.mark.parametrize("name", SHELL)
def test_a_command_is_explained(name: str) -> None:
    text = said("help", *name.split())
    assert text == said(*name.split(), "--help")
    assert text.startswith(f"usage: msgcode {name} ")
    assert ("examples:" in text) is (name in topics.EXAMPLES)


def test_a_group_is_explained() -> None:
    assert said("help", "channel").startswith("usage: msgcode channel ")
    assert "None" not in said("help", "channel")


def test_what_is_no_command_is_not_explained() -> None:
    with pytest.raises(
        BadInput, match=r"^'sned' is no command \(did you mean 'send'\?\): see msgcode help\.$"
    ):
        parse(["help", "sned"], "msgcode", SHELL, cli._add_common_options)


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_a_command(example: str) -> None:
    name = next(name for name, examples in topics.EXAMPLES.items() if example in examples)
    assert example.startswith(name)
    args = parse(shlex.split(example), "msgcode", SHELL, cli._add_common_options)
    assert "run" in args or "alone" in args


def test_all_fits_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "get_terminal_size", lambda: os.terminal_size((80, 24)))
    texts = [*topics.TOPICS.values(), said("help"), *(said("help", *name.split()) for name in SHELL)]
    assert [line for text in texts for line in text.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize("topic", topics.TOPICS)
def test_a_topic_is_explained(topic: str) -> None:
    assert said("help", topic) == topics.TOPICS[topic]
    assert topic not in {name.partition(" ")[0] for name in SHELL}
