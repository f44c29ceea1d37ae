"""What starting costs is what is imported, so nothing heavy is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {
    "anyio",
    "asyncio",
    "concurrent",
    "dataclasses",
    "email",
    "filelock",
    "inspect",
    "jsonschema",
    "locale",
    "logging",
    "mcp",
    "mcp_types",
    "msgcode.debugger.breakpoints",
    "msgcode.debugger.loops",
    "msgcode.debugger.why",
    "msgcode.mcp",
    "msgcode.mirror.mirror",
    "nats",
    "pydantic",
    "random",
    "socket",
    "subprocess",
    "textual",
    "threading",
    "typing",
    "uuid",
    "watchfiles",
}


@pytest.mark.parametrize(
    "statement",
    [
        "import msgcode",
        "from msgcode import Store; Store.open('{room}').close()",
        "from msgcode import Store; Store.open('{room}').register('ann')",
        "from msgcode import cli; cli.main(['register', '--store', '{room}', 'ann'])",
        "from msgcode import cli; cli.main(['send', '--store', '{room}', '--as', 'ann', 'bob', 'hi'])",
        "from msgcode import cli; cli.main(['check', '--store', '{room}', '--as', 'ann'])",
        "from msgcode import cli; cli.main(['show', '--store', '{room}', 'abcd'])",
        "from msgcode import tools",
        "from msgcode.harness.opencode import install",
    ],
)
def test_nothing_heavy_is_imported(statement: str, tmp_path: Path) -> None:
    code = (
        "import sys\nbefore = set(sys.modules)\n"
        f"{statement.format(room=tmp_path / 'room')}\n"
        "print(*(set(sys.modules) - before), file=sys.stderr)"
    )
    # Isolated, and without `site`, which in an editable install imports much itself.
    script = f"import sys; sys.path[:0] = {sys.path!r}\n{code}"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done.stderr
    imported = {name.partition(".")[0] for name in done.stderr.split()} | {*done.stderr.split()}
    assert "msgcode" in imported
    assert imported & HEAVY == set()


def test_the_core_needs_no_screen() -> None:
    """Every module of the core can be imported without textual."""
    script = (
        f"import sys; sys.path[:0] = {sys.path!r}\n"
        "import importlib, pkgutil\n"
        "sys.modules['textual'] = sys.modules['msgcode_tui'] = None\n"
        "import msgcode\n"
        "names = [m.name for m in pkgutil.walk_packages(msgcode.__path__, 'msgcode.')]\n"
        "[importlib.import_module(name) for name in names if not name.endswith('__main__')]\n"
        "print(len(names))"
    )
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, timeout=30)
    assert done.stderr == ""
    assert int(done.stdout) > 15
