"""What the `msgcode` script runs, and `python -m msgcode`: the CLI in a process of its own.

Most of what a command costs is the start and the end of its process, and a tenth of that would be
garbage collections that find nothing. So there are none while it starts, and none when it ends.
"""

import gc
import sys

gc.disable()

from msgcode.cli import main  # noqa: E402


def run() -> int:
    """Run the command that the command line says, and return the exit code."""
    gc.enable()
    code = main()
    gc.freeze()
    return code


if __name__ == "__main__":
    sys.exit(run())
