"""Whether Codex runs our hooks: it skips each one that its user has not reviewed as it is now.

What was reviewed stands in config.toml, as a digest that only Codex can tell. It is asked for those of a copy
of hooks.json, in a folder of its own: a Codex that is started writes into its folder.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import threading
import tomllib
from typing import Any

from msgcode import __version__
from msgcode.errors import Unavailable
from msgcode.harness.entries import is_ours

_CLIENT = {"name": "msgcode", "title": "msgcode", "version": __version__}


def skipped(program: str, hooks_file: str, config_file: str, limit: float = 20.0) -> list[str]:
    """The events at which Codex does not run our hooks, by its own names for them.

    program: the path of Codex. limit: seconds for its answer. Raises Unavailable if there is none.
    """
    with tempfile.TemporaryDirectory(prefix="msgcode-doctor-") as folder:
        try:
            shutil.copy(hooks_file, os.path.join(folder, "hooks.json"))
            hooks = listed(program, folder, limit)
        except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
            raise Unavailable("Codex does not tell which hooks it runs.") from error
    states = _states(config_file)
    real = os.path.realpath(hooks_file)
    found = []
    for hook in hooks:
        if not is_ours(hook):
            continue
        place = hook["key"].removeprefix(hook["sourcePath"])
        state = next((state for key, state in states.items() if _is_for(key, place, real)), None)
        if state is None or state.get("trusted_hash") != hook["currentHash"] or state.get("enabled") is False:
            found.append(str(hook["eventName"]))
    return found


def listed(program: str, folder: str, limit: float) -> list[dict[str, Any]]:
    """What Codex says of the hooks in that folder."""
    process = subprocess.Popen(
        [program, "app-server"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "CODEX_HOME": folder},
    )
    assert process.stdin
    assert process.stdout
    watchdog = threading.Timer(limit, process.kill)
    watchdog.start()
    try:
        for request in (
            {"id": 0, "method": "initialize", "params": {"clientInfo": _CLIENT}},
            {"method": "initialized"},
            {"id": 1, "method": "hooks/list", "params": {"cwds": [folder]}},
        ):
            process.stdin.write(f"{json.dumps(request)}\n".encode())
        process.stdin.flush()
        for line in process.stdout:
            answer = json.loads(line)
            if answer.get("id") == 1:
                hooks: list[dict[str, Any]] = answer["result"]["data"][0]["hooks"]
                return hooks
        raise ValueError("no answer")
    finally:
        watchdog.cancel()
        process.kill()
        process.communicate()


def _states(config_file: str) -> dict[str, Any]:
    try:
        with open(config_file, "rb") as file:
            states = tomllib.load(file).get("hooks", {}).get("state", {})
        return {key: state for key, state in states.items() if isinstance(state, dict)}
    except (OSError, ValueError, AttributeError):
        return {}


def _is_for(key: str, place: str, file: str) -> bool:
    """Whether the key names that place in the file."""
    return key.endswith(place) and os.path.realpath(key.removesuffix(place)) == file
