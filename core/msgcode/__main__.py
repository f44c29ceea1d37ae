"""What the `msgcode` script runs, and `python -m msgcode`: the CLI in a process of its own.

Most of what a command costs is the start and the end of its process, and a seventh of that would be
garbage collections that find nothing while it starts, and tidying up a memory that is given back as a whole.
"""

from __future__ import annotations

import gc
import os
import sys

gc.disable()

from msgcode.cli import main  # noqa: E402

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


def run() -> NoReturn:
    """Run the command that the command line says, and end the process with its exit code."""
    gc.enable()
    code = main()
    sys.stderr.flush()
    # The store is closed and all is written: nothing is left that Python's own end would do.
    os._exit(code)


if __name__ == "__main__":
    run()
