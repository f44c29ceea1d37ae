"""Agent programs for tests: those that there are, and one that calls things as we do."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from msgcode.harness.description import Role
from msgcode.harness.known import described
from msgcode.harness.sessions import Conversation
from msgcode.model import Activity

CLAUDE, CODEX, GEMINI = ALL = tuple(described(id) for id in ("claude", "codex", "gemini"))


class Toy(ModuleType):
    """The payloads of a program that calls things as we do."""

    def conversation(self, payload: dict[str, Any]) -> Conversation | None:
        return None if payload.get("helper") else Conversation(payload["id"], payload.get("transcript"))

    def presence(self, role: Role, payload: dict[str, Any]) -> tuple[Activity, str | None] | None:
        return (Activity.BLOCKED, payload["why"]) if role is Role.ASK else None

    def output(self, role: Role, text: str) -> tuple[str, str, int]:
        return ("", text, 2) if role is Role.WAIT else (text, "", 0)

    def told(self, transcript: bytes) -> bytes:
        return transcript
