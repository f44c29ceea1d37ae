"""Which files oh-my-msgcode has, and what tells one version of a file from another."""

from __future__ import annotations

import os

AGENTS, CHANNELS, MESSAGES = FILES = ("agents.json", "channels.json", "messages.json")
"""In the order in which they are read: who is there before what they say."""

Signature = tuple[int, int, int]
"""Inode, time of change in nanoseconds since the epoch, size in bytes."""


def signature(path: str) -> Signature | None:
    """That of the file that is there now, or None if there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size
