"""What the room costs, measured side by side with oh-my-msgcode, hcom, SQLite and the bare system calls.

`python -m tests.bench` from the repository root prints one table; `--help` says what else it can do.
"""
