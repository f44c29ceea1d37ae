"""Why agents are stuck: pure readings of a room, with the time passed in."""
