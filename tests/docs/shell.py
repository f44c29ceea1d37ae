"""A shell in which a test types what a page shows, in a home and a project of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

HOME = "/home/you"
"""What pages call the home folder of whoever reads them."""

_END = "-- that was all, with exit code"

_ID, _TIME, _SPAN = r"\b[0-9a-f]{8}\b", r"\b(?:\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d\b", r" +\d+(?:\.\d)? m?s\b"


def environment(home: Path) -> dict[str, str]:
    """That of somebody who has just installed msgcode; their project is the folder `project`."""
    (home / "project").mkdir(parents=True)
    kept = {name: os.environ[name] for name in ("LANG", "LC_ALL", "TZ", "TMPDIR") if name in os.environ}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**kept, "HOME": str(home), "PATH": path, "TERM": "xterm-256color"}


class Shell:
    """One `sh` from the first command of a page to the last: what is exported stays so."""

    def __init__(self, home: Path, environment: Mapping[str, str]) -> None:
        self._home = str(home)
        self._ids: dict[str, str] = {}
        """What each id of the page is in truth."""
        self._process = subprocess.Popen(
            ["sh"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=dict(environment),
            cwd=home / "project",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()

    def does(self, command: str, answer: str | None) -> None:
        """Type the command of a page. It has to succeed, and to answer what is shown, if something is."""
        said, code = self._run(re.sub(_ID, lambda found: self._ids.get(found[0], found[0]), command))
        assert code == 0, f"{command}\n{said}"
        if answer is not None:
            shown = said.replace(self._home, HOME)
            assert _bare(shown) == _bare(answer), command
            self._ids |= zip(re.findall(_ID, answer), re.findall(_ID, shown), strict=True)

    def _run(self, command: str) -> tuple[str, int]:
        """What it says, on either channel, and its exit code."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        # Nobody types anything into what it starts.
        self._process.stdin.write(f"{{ {command.rstrip()}\n}} < /dev/null\necho '{_END}' $?\n")
        self._process.stdin.flush()
        said = ""
        for line in self._process.stdout:
            before, end, code = line.partition(_END)
            said += before
            if end:
                return said, int(code)
        raise AssertionError(f"the shell ended: {command}\n{said}")


def _bare(text: str) -> list[str]:
    """The lines without what differs each time: ids, times of day, spans, and blanks that nobody sees."""
    plain = re.sub(_SPAN, " SPAN", re.sub(_TIME, "TIME", re.sub(_ID, "ID", text)))
    return [line.rstrip() for line in plain.rstrip("\n").split("\n")]
