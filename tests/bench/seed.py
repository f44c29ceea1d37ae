"""oh-my-msgcode's own store, compiled from its npm package and run by node, when both can be had."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.bench.table import progress
from tests.bench.worker import Worker

PACKAGE = "oh-my-msgcode@0.1.3"
_COMPILER = ("typescript@5", "@types/node@22")
_DRIVER = Path(__file__).with_name("seed_driver.mjs")


def worker(home: str) -> Worker | None:
    """A node process on a store in `home`; None if there is no node, or no package."""
    module = _module()
    if not module:
        return None
    Path(home).mkdir(exist_ok=True)
    return Worker(["node", str(_DRIVER), str(module)], env={**os.environ, "HOME": home})


def sent(home: str) -> list[str]:
    """The ids of the messages in the store in `home`."""
    messages = json.loads(Path(home, ".oh-my-msgcode", "messages.json").read_bytes())
    return [message["id"] for message in messages]


def plugin() -> Path | None:
    """Its plugin for OpenCode; None if there is no node, or no package."""
    module = _module()
    return module.with_name("index.js") if module else None


@functools.cache
def _module() -> Path | None:
    """Its store as a JavaScript module, installed and compiled at first use and kept for later runs."""
    missing = [tool for tool in ("node", "npm") if not shutil.which(tool)]
    if missing:
        progress(f"without oh-my-msgcode: {' and '.join(missing)} not found")
        return None
    folder = Path(tempfile.gettempdir(), f"msgcode-bench-{os.getuid()}")
    package = folder / "node_modules" / "oh-my-msgcode"
    module = package / "dist" / "store.js"
    if not module.exists():
        progress(f"installing {PACKAGE}")
        folder.mkdir(mode=0o700, exist_ok=True)
        install = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", PACKAGE, *_COMPILER]
        compile = ["node", "../typescript/bin/tsc", "-p", "."]
        try:
            subprocess.run(install, cwd=folder, check=True, capture_output=True, timeout=180)
            subprocess.run(compile, cwd=package, check=True, capture_output=True, timeout=180)
        except (subprocess.SubprocessError, OSError) as error:
            progress(f"without oh-my-msgcode: {error}")
            return None
    return module
