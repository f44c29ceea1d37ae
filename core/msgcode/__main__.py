"""`python -m msgcode` is `msgcode`."""

import sys

from msgcode.cli import main

sys.exit(main())
