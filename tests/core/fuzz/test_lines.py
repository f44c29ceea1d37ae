"""What people and agents type: understood as it is written, or refused in one line."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from msgcode import Store, cli
from msgcode.commands import COMMANDS, _words, run_line
from msgcode.errors import BadInput
from msgcode.grammar import Help, Parser, _add_arguments, parse
from msgcode.text import visible_line
from tests.core.fuzz.mutation import edits, mutated
from tests.core.test_text import obeyed

Words = list[str]

SHELL = cli._COMMANDS


def parser_of(name: str) -> Parser:
    parser = Parser(prog=name)
    _add_arguments(parser, SHELL[name], cli._add_common_options)
    return parser


ACTIONS = {name: parser_of(name)._actions for name in SHELL}

values = st.sampled_from(
    ["bob", "@bob", "#dev", "urgent", "7", "-1", "0", "1e308", "9" * 5000, "k=v", "=", "2h", "-", "--", "",
     "hello there", 'a "b" \\', "a\nb", "\x1b[2J", "\ud83d", "x" * 3000, "--help", "-h", "1.5", "md", "²"]
) | st.text(max_size=6)  # fmt: skip


def options_of(name: str) -> st.SearchStrategy[Words]:
    """Some of the command's options, mostly with a value."""
    spelt = [option for action in ACTIONS[name] for option in action.option_strings]
    return st.one_of(
        st.tuples(st.sampled_from(spelt)),
        st.tuples(st.sampled_from(spelt), values),
        st.builds("{}={}".format, st.sampled_from(spelt), values).map(lambda word: (word,)),
    ).map(list)


def typed(name: str) -> st.SearchStrategy[Words]:
    parts = st.lists(options_of(name) | values.map(lambda word: [word]), max_size=7)
    return parts.map(lambda parts: [*name.split(), *(word for part in parts for word in part)])


shell_words = st.sampled_from(sorted(SHELL)).flatmap(typed) | st.lists(values, max_size=4)


def parsed(words: Words) -> argparse.Namespace | None:
    """What the words mean; None if they are refused, which is said in a line."""
    try:
        return parse(words, "msgcode", SHELL, cli._add_common_options)
    except BadInput as error:
        assert_one_line(str(error))
    except Help:
        pass
    return None


def assert_one_line(text: str) -> None:
    assert text == visible_line(text), text
    assert 0 < len(text) < 1500, text


def printed(name: str, args: argparse.Namespace) -> Words:
    """The words for what was understood: options first, each in one word, and then what has no name."""
    named: Words = []
    unnamed: Words = []
    for action in ACTIONS[name]:
        value = getattr(args, action.dest, None)
        if value is None or value == action.default:
            continue
        if not action.option_strings:
            several = value if isinstance(value, list) else [value]
            unnamed += map(str, several)
        elif action.nargs == 0:
            named.append(action.option_strings[-1])
        else:
            several = value if isinstance(value, list) else [value]
            named += [f"{action.option_strings[-1]}={_spelt(one)}" for one in several]
    return [*name.split(), *named, *(["--"] if unnamed else []), *unnamed]


def _spelt(value: object) -> str:
    return "=".join(value) if isinstance(value, tuple) else str(value)


@given(shell_words)
def test_words_mean_what_they_are_printed_as(words: Words) -> None:
    args = parsed(words)
    if args is None or "--" in words:
        return
    name = next(name for name in (" ".join(words[:1]), " ".join(words[:2])) if name in SHELL)
    assert parsed(printed(name, args)) == args


def quoted(words: Iterable[str]) -> str:
    return " ".join('"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"' for word in words)


@given(st.lists(values.filter(lambda word: "\n" not in word)))
def test_words_in_quotes_are_those_words(words: Words) -> None:
    assert _words(quoted(["agents", *words])) == ["agents", *words]


chat_words = st.sampled_from(sorted(COMMANDS.keys() - {"probe", "step"})).flatmap(typed)  # Those two wait.
chat_lines = chat_words.map(" ".join) | chat_words.map(quoted)
spoilt_lines = st.builds(
    lambda line, changes: mutated(line.encode(errors="surrogatepass"), changes).decode(
        errors="surrogateescape"
    ),
    chat_lines,
    edits(most=2),
)


@pytest.fixture(scope="module")
def store() -> Iterable[Store]:
    with tempfile.TemporaryDirectory() as folder, Store.open(Path(folder, "room"), sync=False) as store:
        store.register("ann")
        store.register("bob")
        store.create_channel("dev", "ann")
        yield store


@given(chat_lines | spoilt_lines)
@example("send --ttl 1e308 bob x")
@example("purge --older-than 1e308")
def test_a_line_is_done_or_refused(store: Store, line: str) -> None:
    """And what is refused changes nothing."""
    before = len(list(store.history()))
    answer = run_line(store, f"/msg {line}", "ann")
    assert not obeyed(answer.text)
    if not answer.ok and "error" in (answer.data or {}):
        assert_one_line(answer.text)
        assert len(list(store.history())) == before
