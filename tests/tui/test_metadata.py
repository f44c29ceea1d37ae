"""Metadata as it stands on a message."""

from __future__ import annotations

import pytest

from msgcode_tui.metadata import chips


@pytest.mark.parametrize(
    ("metadata", "found"),
    [
        ({}, []),
        ({"file": "src/config.py", "line": "15"}, ["src/config.py:15"]),
        ({"line": "15", "commit": "4f2c1ab", "path": "a.py"}, ["a.py:15", "commit: 4f2c1ab"]),
        ({"file": "a.py"}, ["a.py"]),
        ({"file": "", "line": "3"}, ["file: ", "line: 3"]),
    ],
)
def test_chips(metadata: dict[str, str], found: list[str]) -> None:
    assert chips(metadata) == found
