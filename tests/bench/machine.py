"""What the figures were measured on, and with which versions of what."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import psutil

from tests.bench import hcom, oh_my_msgcode

ABSENT = "not installed"


def machine() -> str:
    """The processor, its cores, the kernel, and the file system that the rooms are on; not its name."""
    kernel = f"{platform.system()} {platform.release()}"
    return f"{_processor()}, {os.cpu_count()} cores, {kernel}, {_file_system(tempfile.gettempdir())}"


def versions(*, others: bool) -> dict[str, str]:
    """The version of each contender, and of what runs it; ABSENT for what is not there.

    others: look for oh-my-msgcode and hcom too, and fetch them if need be.
    """
    found = {
        "msgcode": version("msgcode"),
        platform.python_implementation(): platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        "OpenCode": _asked(_opencode()),
        "nats-server": _asked(_nats_server()),
    }
    if others:
        found |= {"oh-my-msgcode": _oh_my_msgcode(), "hcom": _asked(hcom.program())}
    return found


def _processor() -> str:
    if sys.platform == "darwin":
        return subprocess.check_output(["sysctl", "-n", "machdep.cpu.brand_string"], text=True).strip()
    described = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return described[1].strip() if described else platform.machine()


def _file_system(folder: str) -> str:
    """The type of the file system that the folder is on."""
    real = os.path.realpath(folder)
    mounted = [
        disk
        for disk in psutil.disk_partitions(all=True)
        if os.path.commonpath((real, disk.mountpoint)) == disk.mountpoint
    ]
    return max(mounted, key=lambda disk: len(disk.mountpoint)).fstype if mounted else "unknown file system"


def _oh_my_msgcode() -> str:
    module = oh_my_msgcode.module()
    if not module:
        return ABSENT
    found = re.search(r'"version": "(.+)"', (module.parents[1] / "package.json").read_text())
    return f"{found[1] if found else '?'} (node {_asked(shutil.which('node'))})"


def _opencode() -> str | Path | None:
    folder = os.environ.get("MSGCODE_TEST_NPM")
    return Path(folder, "node_modules", ".bin", "opencode") if folder else shutil.which("opencode")


def _nats_server() -> str | Path | None:
    beside = Path(sys.executable).with_name("nats-server")
    return beside if beside.exists() else shutil.which("nats-server")


def _asked(program: str | Path | None) -> str:
    """What is a version in what the program says of itself."""
    if not program:
        return ABSENT
    with tempfile.TemporaryDirectory() as home:
        env = {**os.environ, "HOME": home}
        try:
            said = subprocess.run([program, "--version"], env=env, capture_output=True, text=True, timeout=30)
        except (OSError, subprocess.TimeoutExpired):
            return ABSENT
    found = re.search(r"\d+(\.\d+)+", said.stdout)
    return found[0] if found else ABSENT
