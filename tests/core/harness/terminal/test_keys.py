from __future__ import annotations

import pytest

from msgcode.harness.terminal.keys import Typed


@pytest.mark.parametrize(
    "keys",
    [
        b"",
        b"ls -l\r",
        b"ab\x7f\x7f",
        "né".encode() + b"\x7f\x7f",
        b"half\x03",
        b"\x1b[A\r",
        b"\x1b[200~pasted\rtext\x1b[201~\r",
        b"\x0c",
    ],
)
def test_what_was_sent_or_taken_back_is_not_pending(keys: bytes) -> None:
    typed = Typed()
    typed.feed(keys)
    assert not typed.pending


@pytest.mark.parametrize(
    "keys",
    [
        b"a",
        b"ab\x7f",
        b"line \\\r",
        b"line\n",
        b"line\x1b\r",
        b"\x1b[A",
        b"\x1b",
        b"\x1bb",
        b"\t",
        b"\x15",
        b"\x1b[200~pasted\rtext\x1b[201~",
        b"\x1b[200~pasted",
        b"\x1b[13;2u",
    ],
)
def test_what_may_stand_in_the_box_is_pending(keys: bytes) -> None:
    typed = Typed()
    assert typed.feed(keys)
    assert typed.pending


@pytest.mark.parametrize(
    "report",
    [
        b"\x1b[I",
        b"\x1b[O",
        b"\x1b[<0;10;20M\x1b[<0;10;20m",
        b"\x1b[M !!",
        b"\x1b[?62;22c",
        b"\x1b[>1;10;0c",
        b"\x1b[12;40R",
        b"\x1b[?2026;2$y",
        b"\x1b[?0u",
        b"\x1b]11;rgb:0000/0000/0000\x1b\\",
        b"\x1b]11;rgb:0000/0000/0000\x07",
        b"\x1bP>|xterm(380)\x1b\\",
    ],
)
def test_what_the_terminal_says_by_itself_is_no_key(report: bytes) -> None:
    typed = Typed()
    assert not typed.feed(report)
    assert not typed.pending


def test_keys_may_come_in_pieces() -> None:
    typed = Typed()
    for piece in (b"\x1b[200~half of", b" a paste\x1b[20", b"1~", b"\r"):
        typed.feed(piece)
    assert not typed.pending
