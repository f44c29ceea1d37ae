"""The parts of the screens, each with its style sheet beside it where it has one."""
