"""OpenCode's plugin under plain Node: its tests are in plugin.test.mjs."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from msgcode.harness.opencode.install import plugin

HERE = Path(__file__).parent

SHORTER = {
    "const HELLO_SECONDS = 10 ": "const HELLO_SECONDS = 4 ",
    "const TOAST_SECONDS = 3 ": "const TOAST_SECONDS = 0.1 ",
    "const ANSWER_SECONDS = 60 ": "const ANSWER_SECONDS = 6 ",
    "const BACK_OFF_SECONDS = [1, 2, 5, 10, 30] ": "const BACK_OFF_SECONDS = [0.05, 0.4] ",
    "const MOST_UNREAD = 64 * 1024 * 1024 ": "const MOST_UNREAD = 8 * 1024 * 1024 ",
}
"""What would keep a test waiting, or make it heavy."""


def write(path: Path, *host: str) -> None:
    """Write the plugin as it is installed, with this host and shorter times."""
    text = plugin(list(host))
    for long, short in SHORTER.items():
        assert long in text
        text = text.replace(long, short)
    path.write_text(text)


def test_under_node(tmp_path: Path) -> None:
    node = shutil.which("node")
    if not node:
        pytest.skip("node is not installed: the plugin is not tested under it")
    write(tmp_path / "plugin.mjs", node, str(HERE / "fake_host.mjs"))
    write(tmp_path / "homeless.mjs", str(tmp_path / "no-such-program"))
    # Not with `node --test`, which mixes what a test writes to stderr into its report.
    done = subprocess.run(
        [node, str(HERE / "plugin.test.mjs")],
        env={**os.environ, "MSGCODE_TEST_PLUGINS": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
