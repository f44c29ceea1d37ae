"""What msgcode knows of Gemini CLI."""

from __future__ import annotations

from msgcode.harness.description import Harness, Hook, Role

_OPTIONS = {"name": "msgcode", "description": "Messages from other agents"}
"""What the program shows while a hook runs, and lists under /hooks."""

HARNESS = Harness(
    id="gemini",
    title="Gemini CLI",
    program="gemini",
    package="@google/gemini-cli",
    tried=("0.61.0",),
    hooks_file=".gemini/settings.json",
    hooks_at=("hooks",),
    hooks=(
        Hook("SessionStart", Role.START, None, _OPTIONS),
        Hook("BeforeAgent", Role.PROMPT, None, _OPTIONS),
        Hook("AfterTool", Role.TOOL, None, _OPTIONS),
        Hook("Notification", Role.ASK, None, _OPTIONS),
        Hook("AfterAgent", Role.STOP, None, _OPTIONS),
        Hook("SessionEnd", Role.END, None, _OPTIONS),
    ),
    mcp_file=".gemini/settings.json",
    mcp_at=("mcpServers",),
    mcp_options={"trust": True},  # Otherwise its user is asked before each of our tools.
    home_variable="GEMINI_CLI_HOME",
    then="Gemini CLIs started from now on have the tools, and get mail as long as they are busy. To have an "
    "idle one woken, start it by: msgcode run --as ID -- gemini",
    off=((".gemini/settings.json", ("hooksConfig", "enabled"), False),),
)
