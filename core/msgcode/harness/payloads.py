"""What differs between agent programs with hooks: `payloads.py` of each harness is one of these. Pure."""

from __future__ import annotations

from typing import Any, Protocol

from msgcode.harness.description import Role
from msgcode.harness.sessions import Conversation
from msgcode.model import Activity


class Payloads(Protocol):
    """What a program tells its hooks, and what it wants to hear."""

    def conversation(self, payload: dict[str, Any]) -> Conversation | None:
        """Which conversation a payload is about; None if it is a helper's inside one, which gets no mail.

        Raises BadInput if it names none.
        """

    def presence(self, role: Role, payload: dict[str, Any]) -> tuple[Activity, str | None] | None:
        """What the session is doing, as a payload says it, where the role alone does not."""

    def output(self, role: Role, text: str) -> tuple[str, str, int]:
        """What hands the text to the model: for standard output, for standard error, and the exit code."""

    def told(self, transcript: bytes) -> bytes:
        """What of a transcript, from some byte on, the model has been told.

        All of it, unless the program also writes down what its model has not been told, or forgets again.
        """
