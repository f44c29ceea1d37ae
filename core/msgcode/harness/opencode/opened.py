"""Which session an OpenCode was started to go on with, as its own command line says.

OpenCode tells a plugin nothing of the session on its screen before somebody types into it, and mail for its
agents should not wait for that.
"""

from __future__ import annotations

import asyncio
import os

LAST = "last"
"""The session that was used last in the folder: `opencode --continue`."""


async def opened_session() -> str | None:
    """The id of the session that our parent process was told to open, or LAST, or None for a new one."""
    # On Linux and macOS alike; each reads command lines in a way of its own. -ww: however long it is.
    words = ["ps", "-ww", "-o", "args=", "-p", str(os.getppid())]
    try:
        ps = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
    except FileNotFoundError:
        return None  # As in some containers. Then mail waits for the first word typed.
    output, _ = await ps.communicate()
    return named_session(output.decode(errors="replace").split())


def named_session(words: list[str]) -> str | None:
    """The session that these words of a command line name: its id, LAST, or None."""
    for number, word in enumerate(words):
        option, equals, value = word.partition("=")
        if option in ("-s", "--session"):
            return value or (None if equals else next(iter(words[number + 1 :]), None))
        if word in ("-c", "--continue"):
            return LAST
    return None
