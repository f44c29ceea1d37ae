"""OpenCode: a plugin file that it loads, and a host process for each OpenCode that does the thinking."""
