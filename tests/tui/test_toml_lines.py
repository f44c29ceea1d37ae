"""Which line a value of a TOML file is in."""

from __future__ import annotations

import pytest

from msgcode_tui.toml_lines import line_of

TRICKY = '''# notify.bell = "in a comment"
theme = """
[notify]
bell = "in a string"
""" # [keys]

[keys]
"rooms.up" = "a"
rooms.down = "b" # rooms.first = "c"
'rooms.last' = """
x"""

[ "notify" ] # spaces and quotes
what = [
    "urgent", # bell = 1
    "stuck",
]
"bell"   =   "yes"
quiet_hours = "\u2028"

stuck . waiting = 1
[thread]
clock = "12h"\r
compact = true
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("theme", 2),
        ("keys", 7),
        ("keys/rooms.up", 8),
        ("keys/rooms/down", 9),
        ("keys/rooms.last", 10),
        ("notify", 13),
        ("notify/what", 14),
        ("notify/bell", 18),
        ("notify/quiet_hours", 19),
        ("notify/stuck/waiting", 21),
        ("thread/clock", 23),
        ("thread/compact", 24),
    ],
)
def test_lines(path: str, line: int) -> None:
    assert line_of(TRICKY, path.split("/")) == line


def test_inline_tables_and_arrays_of_tables() -> None:
    assert line_of('a = 1\nnotify = { bell = "yes" }\n', ["notify", "bell"]) == 2
    assert line_of("\n\n[[what]]\nx = 1\n", ["what"]) == 3


def test_what_is_not_there() -> None:
    with pytest.raises(KeyError):
        line_of("a = 1", ["b"])
