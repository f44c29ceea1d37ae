"""`python -m msgcode` is `msgcode`."""

import sys

from msgcode.cli import run

if __name__ == "__main__":
    sys.exit(run())
