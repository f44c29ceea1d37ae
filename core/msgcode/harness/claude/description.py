"""What msgcode knows of Claude Code."""

from __future__ import annotations

from msgcode.harness.description import Harness, Hook, Role

# A hook that runs in the background, and whose words begin a turn when it ends with exit code 2. Its timeout,
# in seconds, is about the longest that fits into a timer of Claude Code's; without one it is ten minutes.
WAKES = {
    "asyncRewake": True,
    "timeout": 2_000_000,
    "rewakeMessage": "Messages have come:",
    "rewakeSummary": "Messages from msgcode",
}

HARNESS = Harness(
    id="claude",
    title="Claude Code",
    program="claude",
    package="@anthropic-ai/claude-code",
    tried=("2.1.197",),
    hooks_file=".claude/settings.json",
    hooks_at=("hooks",),
    hooks=(
        Hook("SessionStart", Role.START),
        Hook("SessionStart", Role.WAIT, options=WAKES),
        Hook("UserPromptSubmit", Role.PROMPT),
        # Not PostToolUse: that is left out when a tool has failed, and comes for one tool while another
        # of the same answer still waits for a permission.
        Hook("PostToolBatch", Role.TOOL),
        Hook("PermissionRequest", Role.ASK),
        Hook("Stop", Role.STOP),
        Hook("Stop", Role.WAIT, options=WAKES),
        Hook("SessionEnd", Role.END),
    ),
    mcp_file=".claude.json",
    mcp_at=("mcpServers",),
    mcp_options={"type": "stdio"},
    settings=((".claude/settings.json", ("permissions", "allow"), ["mcp__msgcode"]),),
)
