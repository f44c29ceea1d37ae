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
        # Somebody has to wait when the user breaks this turn off: there is no Stop then.
        Hook("UserPromptSubmit", Role.WAIT, options=WAKES),
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
    # Without alwaysLoad the model may have to search for our tools before it can call them.
    mcp_options={"type": "stdio", "alwaysLoad": True},
    home=".claude",
    home_variable="CLAUDE_CONFIG_DIR",
    # It keeps 10,000 characters from the model, and says in which file they are.
    hook_limit=9_000,
    interrupted='"text":"[Request interrupted by user',
    settings=((".claude/settings.json", ("permissions", "allow"), ["mcp__msgcode"]),),
    off=((".claude/settings.json", ("disableAllHooks",), True),),
)
