"""Agent programs: for each, how to install, bind, wake and inject."""
