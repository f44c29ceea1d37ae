"""Something changed in a folder, as an async iterator."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator

from watchfiles import awatch

RESCAN_MS = 1000
"""Milliseconds after which it says "changed" anyway: some mounts send no events."""

_STEP_MS = 2
"""Milliseconds between two looks by watchfiles at what the system has reported."""


async def changes(folder: str) -> AsyncGenerator[None, None]:
    """Yield once at the start, then after each change to a file in `folder`, and every RESCAN_MS.

    Wakes about 3 ms after the change (the defaults of watchfiles need 64 ms); where there are no native
    events, as on some network mounts, at the next rescan. `folder` may be missing, deleted and made again.
    WATCHFILES_FORCE_POLLING is honoured.
    """
    yield
    while True:
        try:
            watched = os.open(folder, os.O_RDONLY)  # While it is open no other folder can get its number.
        except FileNotFoundError:
            yield  # That it is gone is a change too.
            await asyncio.sleep(RESCAN_MS / 4000)
            continue
        watcher = awatch(
            folder,
            watch_filter=None,
            debounce=_STEP_MS,
            step=_STEP_MS,
            rust_timeout=RESCAN_MS,
            yield_on_timeout=True,
            recursive=False,
        )
        change = asyncio.ensure_future(anext(watcher))
        try:
            await asyncio.sleep(0)  # Runs it to where it waits, so that from here on nothing is missed.
            while True:
                yield
                await change
                if not _is_same(folder, watched):
                    break
                change = asyncio.ensure_future(anext(watcher))
        except FileNotFoundError:
            pass  # It went away just before the watcher looked.
        finally:
            change.cancel()
            await asyncio.gather(change, return_exceptions=True)
            await watcher.aclose()
            os.close(watched)


def _is_same(folder: str, watched: int) -> bool:
    try:
        return os.path.samestat(os.stat(folder), os.fstat(watched))
    except FileNotFoundError:
        return False
