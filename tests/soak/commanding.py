"""A process that sends, reads and acknowledges by `msgcode` on the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from tests.soak.ledger import ACKNOWLEDGED, BROKEN, CONFIRMED, FAILED, SENT
from tests.soak.worker import Life

_SLOWER = 8
"""A command costs a process, so it comes that many times more seldom."""


def live(life: Life) -> None:
    """Give commands until it has ended."""
    life.pace *= _SLOWER
    while not life.has_ended:
        if life.random.random() < 0.7:
            sent = _msgcode(life, "send", "--json", life.audience(), "--", life.body())
            if sent:
                life.ledger.write(SENT, sent["id"], " ".join(sent["deliveries"]))
            else:
                _msgcode(life, "register", life.name)
        else:
            _read(life)
        life.rest()


def _read(life: Life) -> None:
    found = _msgcode(life, "check", "--json", "--limit", "5")
    for message in found or []:
        life.ledger.write(CONFIRMED, message["id"], life.name)
    if found and _msgcode(life, "ack", "--json", *(message["id"] for message in found)):
        for message in found:
            life.ledger.write(ACKNOWLEDGED, message["id"], life.name)


def _msgcode(life: Life, *words: str) -> Any:
    """What it answers, in JSON; None if it could not do it."""
    command = [sys.executable, "-m", "msgcode", "--store", str(life.room), *words]
    environment = {**os.environ, "MSGCODE_AGENT": life.name}
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode == 0 and "--json" in words:
        return json.loads(done.stdout)
    if done.returncode:
        # Exit code 2 is for what was said wrongly, and nothing was.
        is_lawful = done.returncode == 1 and "Traceback" not in done.stderr
        life.ledger.write(FAILED if is_lawful else BROKEN, by=life.name, text=done.stderr.strip()[-500:])
    return None
