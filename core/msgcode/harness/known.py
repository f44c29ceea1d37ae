"""The agent programs that msgcode knows, and where their files are for this user."""

from __future__ import annotations

import os
import sys
from importlib import import_module

from msgcode.harness.description import Harness

HOOKED = ("claude", "codex", "gemini")
"""Those that have hooks and speak MCP."""

HARNESSES = ("opencode", *HOOKED)


def python() -> str:
    """This Python, by one name: settings that change with each way of calling it must be trusted anew."""
    name = os.path.join(os.path.dirname(sys.executable), "python3")
    in_environment = sys.prefix != sys.base_prefix
    return name if in_environment and os.path.exists(name) else sys.executable


def described(id: str) -> Harness:
    """What is known of one that has hooks."""
    found = import_module(f"msgcode.harness.{id}.description").HARNESS
    assert isinstance(found, Harness)
    return found


def title(id: str) -> str:
    """What people call one of HARNESSES."""
    return "OpenCode" if id == "opencode" else described(id).title


def user_file(harness: Harness, path: str) -> str:
    """Where a file of the program's is, which the description names from the home folder."""
    moved = os.environ.get(harness.home_variable) if harness.home_variable else None
    if not moved:
        return os.path.join(os.path.expanduser("~"), path)
    inside = path.removeprefix(f"{harness.home}/") if harness.home else path
    return os.path.join(os.path.abspath(os.path.expanduser(moved)), inside)
