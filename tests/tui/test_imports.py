"""What the first picture waits for is imported, so nothing is that only some other screen needs."""

from __future__ import annotations

import subprocess
import sys

LATER = {
    "argcomplete",
    "html",
    "jsonschema",
    "markdown_it",
    "msgcode.export",
    "msgcode_tui.demo",
    "msgcode_tui.screens.debug",
    "msgcode_tui.screens.export",
    "msgcode_tui.screens.help",
    "msgcode_tui.screens.questions",
    "msgcode_tui.screens.rewrite",
    "msgcode_tui.screens.search",
    "msgcode_tui.screens.why",
    "pygments",
    "re2",
    "tomllib",
    "watchfiles",
}


def test_the_first_picture_waits_for_nothing_that_it_does_not_show() -> None:
    code = f"import sys; sys.path[:0] = {sys.path!r}\nimport msgcode_tui.app\nprint(*sys.modules)"
    # Isolated, and without `site`, which in an editable install imports much itself.
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    imported = {*done.stdout.split()}
    assert "msgcode_tui.screens.main" in imported
    assert imported & LATER == set()
