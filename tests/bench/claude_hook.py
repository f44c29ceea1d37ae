"""What Claude Code tells its hooks after a tool call, and the running of one."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Mapping, Sequence

CONVERSATION = "11111111-2222-4333-8444-555555555555"

_PAYLOAD = json.dumps(
    {
        "session_id": CONVERSATION,
        "transcript_path": "/dev/null",
        "cwd": "/",
        "hook_event_name": "PostToolUse",
        "tool_name": "Bash",
        "tool_input": {"command": "make test"},
        "tool_response": {"stdout": "ok\n" * 100, "stderr": ""},
    }
).encode()


def run(command: Sequence[str], env: Mapping[str, str]) -> tuple[float, str]:
    """How long the hook takes, in milliseconds, and what it says. Raises CalledProcessError if it fails."""
    before = time.perf_counter()
    done = subprocess.run(command, env=env, input=_PAYLOAD, capture_output=True, check=True)
    return 1000 * (time.perf_counter() - before), done.stdout.decode()
