from __future__ import annotations

from msgcode.harness.terminal.screen import BACKLOG, Followed


def followed(*data: bytes) -> Followed:
    """A small screen to which this was written, piece by piece."""
    screen = Followed(40, 5)
    for piece in data:
        screen.write(piece)
        while screen.follow():
            pass
    return screen


def shown(*data: bytes) -> list[str]:
    """What it shows then."""
    return [line.rstrip() for line in followed(*data).screen().lines]


def test_text_and_the_cursor_are_followed() -> None:
    screen = followed("one\r\nzw\u00f6lf \u4e2d> ".encode()).screen()
    assert (screen.row, screen.left) == (1, "zw\u00f6lf \u4e2d> ")


def test_sequences_that_pyte_takes_for_text_show_nothing() -> None:
    assert shown(
        b"a\x1b[<u\x1b[=1u\x1b[>1u\x1b[38:2::1:2:3m\x1b[4:3m\x1b[!p\x1b[2 q\x1b[?2026$p"
        b"\x1bP+q544e\x1b\\\x1b_Gi=1\x1b\\\x1b]8;;http://x\x1b\\\x1b[?6n\x1b[?1;3;4mz"
    ) == ["az", "", "", "", ""]


def test_sequences_may_come_in_pieces() -> None:
    assert shown(b"a\x1b", b"[38:2", b"::1:2:3", b"mb\x1b]0;ti", b"tle\x07c")[0] == "abc"


def test_the_alternate_screen_comes_and_goes() -> None:
    screen = followed(b"$ vi\r\n$ ", b"\x1b[?1049h\x1b[H~ text")
    assert screen.screen().alternate
    assert screen.screen().lines[0].startswith("~ text")
    screen.write(b"\x1b[?1049l")
    screen.follow()
    assert not screen.screen().alternate
    assert (screen.screen().row, screen.screen().left) == (1, "$ ")
    assert screen.screen().lines[0].startswith("$ vi")


def test_of_a_flood_the_end_is_followed_and_no_mode_is_lost() -> None:
    screen = Followed(40, 5)
    screen.write(b"\x1b[?1000h")
    for number in range(3 * BACKLOG // 10):
        screen.write(b"line %d\r\n" % number)
    steps = 1
    while screen.follow():
        steps += 1
    assert steps < 40
    assert screen.screen().lines[3].startswith(f"line {3 * BACKLOG // 10 - 1}")
    assert screen.undo() == b"\x1b[?1000l"


def test_what_a_program_leaves_behind_is_put_back() -> None:
    assert followed(b"\x1b[?1049h\x1b[?2004h\x1b[?25l").undo() == b"\x1b[?2004l\x1b[?1049l\x1b[?25h"
    assert followed(b"\x1b[?1049h\x1b[?1049l").undo() == b""


def test_it_is_as_large_as_it_is_told() -> None:
    screen = followed(b"text")
    screen.resize(80, 10)
    assert (len(screen.screen().lines), len(screen.screen().lines[0])) == (10, 80)
