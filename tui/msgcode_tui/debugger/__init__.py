"""What the debugger's tabs list: pure readings of a room as rows, with the time passed in."""
