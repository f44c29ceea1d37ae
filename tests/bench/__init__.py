"""What the room costs, measured side by side with SQLite, oh-my-msgcode and the bare system calls.

`python -m tests.bench` from the repository root prints one table; `--help` says what else it can do.
"""
