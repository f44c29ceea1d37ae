"""The TUI with a meter in its event loop: `python -m tests.bench.metered STORE MESSAGES REPORT`.

Writes to the file REPORT, as JSON, how long the loop was held up at most, and what processor time of its own
thread that took: once when so many MESSAGES have been read, and then for each time since the file was last
there, whenever it is not there.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import time

from msgcode import Store
from msgcode_tui.app import MsgcodeApp
from msgcode_tui.rooms import EVERYTHING

_STEP = 0.002
"""Seconds between two looks at the clock."""


class MeteredApp(MsgcodeApp):
    """The app, timed."""

    def __init__(self, store: Store, messages: int, report: str) -> None:
        super().__init__(store, "human")
        self._expected = messages
        self._report = report

    def on_mount(self) -> None:
        self.run_worker(self._meter())

    async def _meter(self) -> None:
        began = time.monotonic()
        stall, work, complete = 0.0, 0.0, False
        while True:
            before, worked = time.monotonic(), time.thread_time()
            await asyncio.sleep(_STEP)
            stall = max(stall, time.monotonic() - before - _STEP)
            work = max(work, time.thread_time() - worked)
            complete = complete or len(self.live.index.messages(EVERYTHING)) >= self._expected
            if complete and self._said(time.monotonic() - began, stall, work):
                stall = work = 0.0

    def _said(self, seconds: float, stall: float, work: float) -> bool:
        if os.path.exists(self._report):
            return False
        with open(f"{self._report}.new", "w") as file:
            json.dump({"seconds": seconds, "stall": stall, "work": work}, file)
        os.rename(f"{self._report}.new", self._report)
        return True


def main() -> None:
    folder, messages, report = sys.argv[1:]
    gc.disable()  # As `msgcode-tui` begins.
    with Store.open(folder) as store:
        MeteredApp(store, int(messages), report).run()


if __name__ == "__main__":
    main()
