"""The room on a screen: every agent, channel and conversation live, and a composer to join in."""
