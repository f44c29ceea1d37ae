"""Where the npm package oh-my-msgcode is. It ships TypeScript only, so each place is compiled once."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

PACKAGES = ("oh-my-msgcode@0.1.3", "typescript@5", "@types/node@22")
"""What npm has to install for it."""

_TIMEOUT = 180


class Missing(Exception):
    """It cannot be had; the text says why, or what to install."""


@functools.cache
def store_module(*, install: bool = False) -> Path:
    """Its store as a JavaScript module. Raises Missing.

    install: fetch it with npm where it is not installed, into a folder that is kept for later runs.
    """
    if not shutil.which("node"):
        raise Missing("node is not installed")
    prefix = _prefix()
    package = prefix / "node_modules" / "oh-my-msgcode"
    if not package.exists():
        words = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(prefix)]
        if not install:
            raise Missing(
                f"oh-my-msgcode is not installed: npm install --prefix DIR {' '.join(PACKAGES)}, "
                "and set MSGCODE_TEST_NPM to DIR"
            )
        prefix.mkdir(mode=0o700, exist_ok=True)
        _run([*words, *PACKAGES], prefix)
    module = package / "dist" / "store.js"
    if not module.exists():
        # Beside it first, so that nobody finds half of it.
        with tempfile.TemporaryDirectory(dir=package) as folder:
            _run(["node", "../typescript/bin/tsc", "-p", ".", "--outDir", folder], package)
            shutil.copytree(folder, package / "dist", dirs_exist_ok=True)
    return module


def plugin_module(*, install: bool = False) -> Path:
    """Its plugin for OpenCode. Raises Missing."""
    return store_module(install=install).with_name("index.js")


def _prefix() -> Path:
    given = os.environ.get("MSGCODE_TEST_NPM")
    return Path(given) if given else Path(tempfile.gettempdir(), f"msgcode-bench-{os.getuid()}")


def _run(words: list[str], folder: Path) -> None:
    try:
        subprocess.run(words, cwd=folder, check=True, capture_output=True, text=True, timeout=_TIMEOUT)
    except subprocess.CalledProcessError as error:
        raise Missing(f"{' '.join(words[:2])} failed: {(error.stderr or error.stdout).strip()}") from None
    except (subprocess.SubprocessError, OSError) as error:
        raise Missing(str(error)) from None
