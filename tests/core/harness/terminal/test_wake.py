from __future__ import annotations

from typing import Any

import pytest

from msgcode.harness.terminal.wake import (
    FORGOTTEN,
    HANDS_OFF,
    LEARNED,
    QUIET,
    Prompt,
    Screen,
    View,
    holds,
    may_learn,
    prompt,
    question,
    why_not,
)

MARKER = "msgcode: mail for ann"


def screen(text: str, alternate: bool = False, columns: int = 40) -> Screen:
    """A screen with this text, whose cursor is where `_` is."""
    lines = text.split("\n")
    row = next(at for at, line in enumerate(lines) if "_" in line)
    left, _, right = lines[row].partition("_")
    lines[row] = left + right
    return Screen(tuple(line.ljust(columns) for line in lines), row, left, alternate)


def view(shown: Screen, **more: Any) -> View:
    """A terminal in which everything is quiet."""
    return View(shown, QUIET, HANDS_OFF)._replace(**more)


SHELL = screen("$ make\nok\n$ _")
USUAL = Prompt("$ ", "", False)


def test_a_quiet_prompt_may_be_typed_into() -> None:
    assert prompt(SHELL) == USUAL
    assert why_not(view(SHELL), USUAL) is None


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        (view(SHELL, quiet=QUIET - 0.1), "its output moves"),
        (view(SHELL, hands_off=HANDS_OFF - 0.1), "somebody types in its terminal"),
        (view(SHELL, typed=True), "something was typed in its terminal and not sent"),
        (view(SHELL, foreground=False), "another program has its terminal"),
        (view(SHELL, closed=True), "its terminal scrolls back, or takes no keys"),
        (view(screen("$ make_")), "its terminal shows no prompt at the cursor"),
        (view(screen("> _")), "its terminal shows the prompt '>' and not '$'"),
        (view(screen("~\n$ _", alternate=True)), "its terminal shows another screen"),
        (view(screen("$ _half typed"), typed=None), "text stands behind the cursor"),
        (view(screen("Delete? (y/n) _")), "its terminal asks: Delete? (y/n)"),
    ],
)
def test_else_it_says_why_not(at: View, reason: str) -> None:
    said = why_not(at, USUAL)
    assert said
    assert said.startswith(reason)


def test_a_program_whose_prompt_is_not_known_is_let_be() -> None:
    assert why_not(view(SHELL), None) == "it is not known yet how its terminal waits"
    assert may_learn(view(SHELL, quiet=LEARNED))
    assert not may_learn(view(SHELL, typed=True))
    assert not may_learn(view(SHELL, foreground=False))


def test_a_prompt_that_is_seen_to_be_empty_for_long_is_empty() -> None:
    assert why_not(view(SHELL, typed=True, hands_off=FORGOTTEN), USUAL) is None
    half = screen("$ _half typed, and the cursor sent home")
    assert why_not(view(half, typed=True, hands_off=FORGOTTEN), USUAL)


def test_what_a_program_writes_into_an_empty_box_is_not_typed() -> None:
    box = screen("────\n› _Ask me to do anything\n────")
    assert why_not(view(box, typed=None), prompt(box)) is None


@pytest.mark.parametrize(
    "shown",
    [
        "Overwrite? [y/N] _",
        "Overwrite? [Y/n/q] _",
        "Continue (yes/no)? _",
        "[sudo] password for ann: _",
        "Enter passphrase for key 'x': _",
        "Press any key to go on_",
        "text\n--More--_",
        "Do you want to run this?\n\n ❯ 1. Yes\n   2. No\n_",
        "│ Allow execution? │\n│ ● 1. Yes │\n│   2. No │\n╰──╯\n_",
        "Do you want to run this?\n❯ _1. Yes\n  2. No",
    ],
)
def test_questions_are_seen(shown: str) -> None:
    assert question(view(screen(shown)))
    assert why_not(view(screen(shown)), USUAL)


@pytest.mark.parametrize(
    "shown",
    [
        "Do you want me to go on?\n› _",
        "› 1. do this, and say which do you want?\n  2. do that\nDone.\n› _",
        "$ rm -i x\nremove x? [y/n] y\n$ _",
    ],
)
def test_what_was_said_before_is_no_question(shown: str) -> None:
    assert question(view(screen(shown))) is None


def test_hidden_input_is_a_question() -> None:
    assert question(view(SHELL, hidden=True))


def test_the_reason_is_what_is_asked() -> None:
    menu = screen("│ Allow rm -rf? │\n│ It is listed below. │\n│ ● 1. Yes │\n_")
    assert question(view(menu)) == "Allow rm -rf?"


@pytest.mark.parametrize(
    "after",
    [
        f"$ make\nok\n$ {MARKER}_",
        f"ok\n$ {MARKER}_",  # scrolled
        "$ make\nok\n$ msgcode: mail \n  for ann_",  # wrapped by the program
    ],
)
def test_the_prompt_holds_just_what_was_typed(after: str) -> None:
    assert holds(SHELL, screen(after), MARKER)


def test_hints_may_go_while_something_is_typed() -> None:
    before = screen("────\n› _\n────\n? for shortcuts    1 warning")
    assert holds(before, screen(f"────\n› {MARKER}_\n────\n                1 warning"), MARKER)
    assert not holds(before, screen(f"────\n› {MARKER}_\n────\n> 1. answer"), MARKER)


@pytest.mark.parametrize(
    "after",
    [
        "$ make\nok\n$ _",
        f"$ make\nok\n$ {MARKER.upper()}_",
        f"$ make\nok\n$ {MARKER[:-1]}_",
        f"$ make\nok\n$ {MARKER}!_",
        f"$ make\nok\n$ x{MARKER}_",
        f"$ make\nok\n$ {MARKER}_\n/compact  clears the history",  # a list to choose from
    ],
)
def test_or_it_does_not(after: str) -> None:
    assert not holds(SHELL, screen(after), MARKER)
