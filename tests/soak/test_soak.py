"""The soak itself, for a few seconds, and that nothing is left of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.soak.faults import torn
from tests.soak.plan import plan


def test_a_short_run_is_sound(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.soak", "--small", "--for", "4", "--seed", "11"]
    done = subprocess.run(
        command, env={**os.environ, "TMPDIR": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    first, *_, last = done.stdout.splitlines()
    assert (first, last) == ("seed 11", "sound")
    assert "accepted      0" not in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_seed_is_a_plan() -> None:
    processes = ["writer-1", "deliverer-1"]
    assert plan(7, 60, processes, processes) == plan(7, 60, processes, processes)
    assert plan(7, 60, processes, processes) != plan(8, 60, processes, processes)


def test_what_goes_when_the_end_is_torn() -> None:
    lines = [
        b'{"seq":1,"type":"a","id":"x"}\n',
        b'{"seq":2,"more":true,"type":"b"}\n',
        b'{"seq":3,"type":"c"}\n',
    ]
    data = b"".join(lines)
    for tenths in range(30):
        stays, gone = torn(data, tenths / 10)
        kept = data[:stays]
        assert not kept.endswith(b"\n"), "it is within a line"
        assert [fact["seq"] for fact in gone] == [[2, 3], [2, 3], [1, 2, 3]][tenths // 10]
    assert torn(data[:-1], 0) == (len(data) - 1, []), "it is torn already"
    assert torn(b"", 0) == (0, [])
