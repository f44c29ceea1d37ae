"""Which files oh-my-msgcode has, and what tells one version of a file from another."""

from __future__ import annotations

import os
import time

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


MEMORY = "mirror.json"
"""The file that tells what was last seen in these."""

KEEPER = "mirror.keeper"
"""The file that a keeper at work has locked, and touches."""

KEPT_FOR = 2.0
"""Seconds since it was last touched after which the keeper counts as suspended."""


def is_kept(folder: str) -> bool:
    """Whether a process of ours keeps the folder's files at this moment, so that no other need."""
    try:
        return -KEPT_FOR < time.time() - os.stat(os.path.join(folder, KEEPER)).st_mtime < KEPT_FOR
    except OSError:
        return False
