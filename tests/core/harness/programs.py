"""Agent programs for tests, described as the real ones are."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from msgcode.harness.description import Harness, Hook, Role
from msgcode.harness.sessions import Conversation
from msgcode.model import Activity

CLAUDE = Harness(
    id="claude",
    title="Claude Code",
    program="claude",
    package="@anthropic-ai/claude-code",
    tried=("2.1.197",),
    hooks_file=".claude/settings.json",
    hooks_at=("hooks",),
    hooks=(
        Hook("SessionStart", Role.START),
        Hook("PostToolUse", Role.TOOL, "*"),
        Hook("Stop", Role.STOP),
        Hook("Stop", Role.WAIT, options={"asyncRewake": True, "timeout": 86400}),
    ),
    mcp_file=".claude.json",
    mcp_at=("mcpServers",),
    mcp_options={"type": "stdio"},
    settings=((".claude/settings.json", ("permissions", "allow"), ["mcp__msgcode"]),),
    home=".claude",
    home_variable="CLAUDE_CONFIG_DIR",
)

CODEX = Harness(
    id="codex",
    title="Codex",
    program="codex",
    package="@openai/codex",
    tried=("0.169.0",),
    hooks_file=".codex/hooks.json",
    hooks_at=("hooks",),
    hooks=(Hook("UserPromptSubmit", Role.PROMPT), Hook("PostToolUse", Role.TOOL, "*")),
    mcp_file=".codex/config.toml",
    mcp_at=("mcp_servers",),
    mcp_options={"env_vars": ["MSGCODE_STORE", "MSGCODE_AGENT"]},
    settings=((".codex/config.toml", ("features", "hooks"), True),),
    home=".codex",
    home_variable="CODEX_HOME",
    then="Start codex once, and trust the hooks.",
    off=((".codex/config.toml", ("features", "hooks"), False),),
)

GEMINI = Harness(
    id="gemini",
    title="Gemini CLI",
    program="gemini",
    package="@google/gemini-cli",
    tried=("0.61.0",),
    hooks_file=".gemini/settings.json",
    hooks_at=("hooks",),
    hooks=(Hook("AfterTool", Role.TOOL, "*", {"name": "msgcode", "timeout": 5000}),),
    mcp_file=".gemini/settings.json",
    mcp_at=("mcpServers",),
    mcp_options={"trust": True},
    home_variable="GEMINI_CLI_HOME",
)

ALL = (CLAUDE, CODEX, GEMINI)


class Toy(ModuleType):
    """The payloads of a program that calls things as we do."""

    def conversation(self, payload: dict[str, Any]) -> Conversation | None:
        return None if payload.get("helper") else Conversation(payload["id"], payload.get("transcript"))

    def presence(self, role: Role, payload: dict[str, Any]) -> tuple[Activity, str | None] | None:
        return (Activity.BLOCKED, payload["why"]) if role is Role.ASK else None

    def output(self, role: Role, text: str) -> tuple[str, str, int]:
        return ("", text, 2) if role is Role.WAIT else (text, "", 0)
