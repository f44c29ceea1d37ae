"""Codex: hooks in hooks.json that its user has to trust once, and prompts by its own `codex queue`."""
