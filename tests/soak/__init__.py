"""One room, many processes, many faults, and an audit of what is left: `python -m tests.soak --help`."""
