"""What is right and what is wrong with the agent programs of this machine. Nothing is changed by looking."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, TextIO

from msgcode import __version__
from msgcode.errors import MsgcodeError, Unavailable
from msgcode.harness.description import Harness
from msgcode.harness.install import Installed, installed, setting
from msgcode.harness.known import described, python, user_file
from msgcode.record import Record

LIMIT = 30.0
"""Seconds for each program that is started to be asked something."""

_OPENCODE_TRIED = ("1.18.33",)
_OPENCODE_FOLDERS = [f"XDG_{name}_HOME" for name in ("CACHE", "CONFIG", "DATA", "STATE")]


class Mark(StrEnum):
    """How a finding is to be taken."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"


class Finding(Record):
    """One thing that was looked at."""

    mark: Mark
    text: str
    """One line. Not made safe to print."""
    command: str | None = None
    """What to run about it."""


def examine(id: str) -> list[Finding]:
    """What there is to say of one agent program, in the order in which things depend on each other."""
    return _opencode() if id == "opencode" else _hooked(described(id))


def _opencode() -> list[Finding]:
    path, program = _program("opencode", "opencode-ai", _OPENCODE_TRIED, _OPENCODE_FOLDERS)
    connected = [*_plugin(project=False), *_plugin(project=True)]
    if connected and path is None:
        return [program, *connected, _program_gone("opencode")]
    if not connected and path is not None:
        return [program, Finding(Mark.NOTE, "not connected", "msgcode install opencode")]
    return [program, *connected]


def _plugin(*, project: bool) -> list[Finding]:
    """What there is to say of OpenCode's plugin, for all of the user's projects or for this one."""
    from msgcode.harness.opencode import install

    again = "msgcode install opencode --project" if project else "msgcode install opencode"
    try:
        file, host, current = install.installed(project)
    except MsgcodeError as error:
        return [Finding(Mark.PROBLEM, str(error))]
    if host is None:
        return []
    if not host or (_is_this(host[0]) and not current):
        return [Finding(Mark.PROBLEM, f"{file} is not what this version puts there", again)]
    if not _starts(host):
        return [Finding(Mark.PROBLEM, f"its host does not start: {shlex.join(host)}", again)]
    return [_by(host[0], again), Finding(Mark.OK, "its host starts")]


def _hooked(harness: Harness) -> list[Finding]:
    path, program = _program(harness.program, harness.package, harness.tried, [harness.home_variable])
    again = f"msgcode install {harness.id}"
    try:
        found = installed(harness)
        if not found.present:
            return [program] if path is None else [program, Finding(Mark.NOTE, "not connected", again)]
        findings = [program, *_entries(harness, found, again)]
        if path is None:
            findings.append(_program_gone(harness.program))
        for file, keys in _switched_off(harness):
            text = f"hooks are switched off: {'.'.join(keys)} in {file}"
            findings.append(
                Finding(Mark.PROBLEM, text, f"{os.environ.get('EDITOR') or 'vi'} {shlex.quote(file)}")
            )
        if path and harness.id == "codex":
            findings.append(_reviewed(path, harness))
    except MsgcodeError as error:
        return [program, Finding(Mark.PROBLEM, str(error))]
    if found.server is not None:
        findings.append(_server(found.server, again))
    return findings


def _entries(harness: Harness, found: Installed, again: str) -> list[Finding]:
    """Whether the files say what they should, and for which Python."""
    if found.server is None:
        file = user_file(harness, harness.mcp_file)
        return [Finding(Mark.PROBLEM, f"{file} does not name the MCP server", again)]
    command = str(found.server.get("command"))
    findings = [_by(command, again)]
    if _is_this(command):
        findings += [
            Finding(Mark.PROBLEM, f"{file} does not say all that this version puts there", again)
            for file in found.missing
        ]
    return findings


def _is_this(command: str) -> bool:
    return command in (python(), sys.executable)


def _by(command: str, again: str) -> Finding:
    """By which installation of msgcode it is connected."""
    if _is_this(command):
        return Finding(Mark.OK, f"connected by this msgcode ({__version__}, {command})")
    version = _said([command, "-P", "-m", "msgcode", "--version"], {})
    if version is None:
        return Finding(Mark.PROBLEM, f"connected by {command}, which has no msgcode that runs", again)
    return Finding(
        Mark.NOTE, f"connected by another installation ({version}, {command}); to take this one", again
    )


def _program(
    program: str, package: str, tried: Sequence[str], folders: Sequence[str]
) -> tuple[str | None, Finding]:
    """Where the program is, and what there is to say of it.

    folders: the environment variables that say where it writes, which it does even to say its version.
    """
    path = shutil.which(program)
    if path is None:
        return None, Finding(Mark.NOTE, f"{program} is not on PATH", f"npm install --global {package}")
    with tempfile.TemporaryDirectory(prefix="msgcode-doctor-") as folder:
        said = _said([path, "--version"], {name: folder for name in folders if name})
    version = re.search(r"\d+\.\d+\.\d+\S*", said or "")
    if version is None:
        return path, Finding(Mark.PROBLEM, f"{path} does not run", f"{shlex.quote(path)} --version")
    if version.group() not in tried:
        text = f"{program} {version.group()} at {path}; msgcode was tried with {', '.join(tried)}"
        return path, Finding(Mark.NOTE, text)
    return path, Finding(Mark.OK, f"{program} {version.group()} at {path}")


def _program_gone(program: str) -> Finding:
    return Finding(Mark.PROBLEM, f"connected, but {program} is not to be found: put its folder on PATH")


def _switched_off(harness: Harness) -> list[tuple[str, tuple[str, ...]]]:
    return [
        (user_file(harness, file), keys)
        for file, keys, value in harness.off
        if setting(harness, file, keys) == value
    ]


def _reviewed(program: str, harness: Harness) -> Finding:
    from msgcode.harness.codex.trust import skipped

    hooks, config = (user_file(harness, file) for file in (harness.hooks_file, harness.mcp_file))
    try:
        events = skipped(program, hooks, config, LIMIT)
    except Unavailable as error:
        return Finding(Mark.PROBLEM, str(error), f"{shlex.quote(program)} --version")
    if not events:
        return Finding(Mark.OK, "its hooks are trusted")
    text = (
        f"not trusted yet, so they are skipped: its hooks for {', '.join(events)}; start it, and trust them"
    )
    return Finding(Mark.PROBLEM, text, harness.program)


def _server(entry: dict[str, Any], again: str) -> Finding:
    import asyncio

    args = [str(word) for word in entry.get("args", [])]
    if "--harness" in args:
        # Without it, the server does not take the doctor for an agent program that has a session.
        at = args.index("--harness")
        del args[at : at + 2]
    words = [str(entry.get("command")), *args]
    try:
        with open(os.devnull, "w") as nowhere:
            tools = asyncio.run(_tools(words, nowhere))
    except Exception:  # Whatever is the matter with it: the client's library raises groups of all kinds.
        return Finding(Mark.PROBLEM, f"its MCP server does not answer: {shlex.join(words)}", again)
    return Finding(Mark.OK, f"its MCP server answers, with {tools} tools")


async def _tools(words: list[str], nowhere: TextIO) -> int:
    """How many tools the MCP server has that these words start. nowhere: for what it has to complain of."""
    import asyncio

    from mcp import Client, StdioServerParameters
    from mcp.client.stdio import stdio_client

    env = {
        name: value
        for name, value in os.environ.items()
        if name.startswith("MSGCODE_") and name != "MSGCODE_AGENT"
    }
    parameters = StdioServerParameters(command=words[0], args=words[1:], env=env)
    async with asyncio.timeout(LIMIT), Client(stdio_client(parameters, nowhere)) as client:
        return len((await client.list_tools()).tools)


def _starts(words: list[str]) -> bool:
    """Whether what they start ends well when its input ends."""
    return _said(words, {}) is not None


def _said(words: list[str], env: dict[str, str]) -> str | None:
    """What the command prints, in time and with exit code 0; None if it does not."""
    try:
        done = subprocess.run(
            words,
            input=b"",
            capture_output=True,
            timeout=LIMIT,
            check=True,
            env={**os.environ, **env},
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return done.stdout.decode(errors="replace").strip()
