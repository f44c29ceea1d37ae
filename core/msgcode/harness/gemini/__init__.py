"""Gemini CLI: its hooks and settings as data, and the form of its payloads."""
