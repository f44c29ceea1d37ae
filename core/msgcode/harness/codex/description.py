"""What msgcode knows of Codex."""

from __future__ import annotations

from msgcode.harness.description import Harness, Hook, Role

# Of what a hook says beyond so many tokens (of 4 bytes each), Codex cuts out the middle, and tells its model
# in which file the whole is: beyond 2500 if the hook sets nothing, and at Stop, where it must not. This is
# more than the messages of one prompt (prompt.MAX_PROMPT) can have.
WHOLE = {"additionalContextLimit": 100_000}

IN_TIME = {"timeout": 30}
"""Seconds; Codex would wait for ten minutes."""

HARNESS = Harness(
    id="codex",
    title="Codex",
    program="codex",
    package="@openai/codex",
    tried=("0.169.0",),
    hooks_file=".codex/hooks.json",
    hooks_at=("hooks",),
    hooks=(
        Hook("SessionStart", Role.START, options=IN_TIME),
        Hook("UserPromptSubmit", Role.PROMPT, options=IN_TIME | WHOLE),
        Hook("PostToolUse", Role.TOOL, options=IN_TIME | WHOLE),
        Hook("PermissionRequest", Role.ASK, options=IN_TIME),
        # Its user has broken a turn off, and there is no Stop: the payload says so, and takes nothing.
        Hook("Interrupt", Role.ASK, options=IN_TIME),
        Hook("Stop", Role.STOP, options=IN_TIME),
        Hook("SessionEnd", Role.END, options=IN_TIME),
    ),
    mcp_file=".codex/config.toml",
    mcp_at=("mcp_servers",),
    mcp_options={
        "default_tools_approval_mode": "approve",
        # Longer than check_messages may wait.
        "tool_timeout_sec": 330,
        # Without this a server is told little more than HOME and PATH. Who the agent is, is not for all
        # conversations: the background server goes on with the environment of the terminal that started it.
        "env_vars": ["MSGCODE_STORE", "CODEX_HOME", "XDG_STATE_HOME"],
    },
    # A background server of Codex holds all conversations, unless it is told --no-daemon.
    shared=True,
    wake=("codex", "queue", "--thread", "{session}", "--message", "{text}"),
    home=".codex",
    home_variable="CODEX_HOME",
    then="Start codex once and trust the new hooks when it asks: until then it skips them.",
    off=((".codex/config.toml", ("features", "hooks"), False),),
)
