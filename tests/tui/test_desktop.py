"""How a notice reaches the desktop. In a real tmux: tests/e2e/test_terminal_ways.py."""

from __future__ import annotations

import pytest

from msgcode_tui.desktop import command, escape
from msgcode_tui.notices import Notice

NOTICE = Notice("alice asks", "May I; merge?")
OSC_9 = "\x1b]9;msgcode: alice asks: May I; merge?\x1b\\"
OSC_777 = "\x1b]777;notify;msgcode: alice asks;May I; merge?\x1b\\"
HOSTILE = Notice("a\x1b]52;c;eA==\x07;b", "<b>bold</b> & \x07\x1b\\ \u202e" + "x" * 5000)
LOCAL = {"DISPLAY": ":0"}


def there(program: str) -> str | None:
    return f"/usr/bin/{program}"


def nowhere(program: str) -> str | None:
    return None


@pytest.mark.parametrize(
    ("environment", "sequence"),
    [
        ({"TERM_PROGRAM": "iTerm.app"}, OSC_9),
        ({"TERM": "xterm-kitty"}, OSC_9),
        ({"TERM_PROGRAM": "WezTerm", "TERM": "xterm-256color"}, OSC_777),
        ({"TERM": "xterm-ghostty"}, OSC_777),
        ({"TERM": "foot"}, OSC_777),
        ({"TERM": "rxvt-unicode-256color"}, OSC_777),
        ({"TERM": "xterm-256color"}, None),
        ({"TERM_PROGRAM": "Apple_Terminal", "TERM": "xterm-256color"}, None),
        ({"TERM_PROGRAM": "vscode", "TERM": "xterm-256color"}, None),
        ({"TERM": "alacritty"}, None),
        ({}, None),
    ],
)
def test_terminals(environment: dict[str, str], sequence: str | None) -> None:
    assert escape(NOTICE, environment) == sequence


@pytest.mark.parametrize("terminal", ["foot", "xterm-kitty"])
def test_a_hostile_text_stays_in_its_place(terminal: str) -> None:
    sequence = escape(HOSTILE, {"TERM": terminal})
    assert sequence is not None
    inside = sequence.removeprefix("\x1b]").removesuffix("\x1b\\")
    assert inside.isprintable()
    assert len(inside) < 500
    if terminal == "foot":
        assert inside.split(";")[:2] == ["777", "notify"]
        assert inside.split(";")[2] == "msgcode: a␛]52,c,eA==␇,b"


def test_the_systems_programs() -> None:
    assert command(NOTICE, LOCAL, platform="linux", which=there) == [
        "notify-send", "--app-name=msgcode", "--", "msgcode: alice asks", "May I; merge?",
    ]  # fmt: skip
    words = command(NOTICE, {}, platform="darwin", which=nowhere)
    assert words is not None
    assert (words[0], words[-2:]) == ("osascript", ["msgcode: alice asks", "May I; merge?"])


def test_tags_are_not_obeyed() -> None:
    words = command(HOSTILE, LOCAL, platform="linux", which=there)
    assert words is not None
    assert words[-1].startswith(
        "&lt;b&gt;bold&lt;/b&gt; &amp; ␇␛\\ <U+202E>".replace("<U", "&lt;U").replace("E>", "E&gt;")
    )


@pytest.mark.parametrize("environment", [{}, {**LOCAL, "SSH_CONNECTION": "::1 1 ::1 22"}])
def test_where_nobody_sits_nothing_is_shown(environment: dict[str, str]) -> None:
    assert command(NOTICE, environment, platform="linux", which=there) is None


def test_without_the_program_there_is_none() -> None:
    assert command(NOTICE, LOCAL, platform="linux", which=nowhere) is None


def test_over_ssh_a_mac_shows_nothing() -> None:
    assert command(NOTICE, {"SSH_CONNECTION": "::1 1 ::1 22"}, platform="darwin", which=there) is None
