"""Claude Code: hooks in its settings bring the mail, and one that waits in the background wakes it."""
