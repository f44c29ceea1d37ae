"""Asking the tmux that the app runs in."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping

TIMEOUT = 2.0
"""Seconds that tmux may take."""


def ask(environment: Mapping[str, str], *words: str, given: str | None = None) -> str | None:
    """What the command prints; None if tmux refuses it, or does not answer.

    environment: says in TMUX which tmux. given: the standard input of the command.
    """
    try:
        done = subprocess.run(
            ["tmux", *words],
            env=environment,
            input=given,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
