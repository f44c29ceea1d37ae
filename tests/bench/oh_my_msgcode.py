"""oh-my-msgcode's own store, compiled from its npm package and run by node, when both can be had."""

from __future__ import annotations

import functools
import json
import os
from pathlib import Path

from tests.bench.progress import progress
from tests.bench.worker import Worker
from tests.foreign.package import Missing, store_module

_DRIVER = Path(__file__).with_name("oh_my_msgcode_driver.mjs")


def worker(home: str) -> Worker | None:
    """A node process on a store in `home`; None if there is no node, or no package."""
    found = module()
    if not found:
        return None
    Path(home).mkdir(exist_ok=True)
    return Worker(["node", str(_DRIVER), str(found)], env={**os.environ, "HOME": home})


def sent(home: str) -> list[str]:
    """The ids of the messages in the store in `home`."""
    messages = json.loads(Path(home, ".oh-my-msgcode", "messages.json").read_bytes())
    return [message["id"] for message in messages]


def plugin() -> Path | None:
    """Its plugin for OpenCode; None if there is no node, or no package."""
    found = module()
    return found.with_name("index.js") if found else None


@functools.cache
def module() -> Path | None:
    """Its store as a JavaScript module; says so if it cannot be had."""
    try:
        return store_module(install=True)
    except Missing as missing:
        progress(f"without oh-my-msgcode: {missing}")
        return None
