"""What OpenCode's events say of one session: what it is doing, and how far our prompts have come in it."""

from __future__ import annotations

from typing import Any

from msgcode.model import Activity
from msgcode.text import visible_line

EVENTS = (
    "session.status",
    "session.idle",
    "session.error",
    "session.deleted",
    "message.updated",
    "message.part.updated",
    "permission.asked",
    "permission.replied",
    "question.asked",
    "question.replied",
    "question.rejected",
)
"""The events that tell of it, by their names in OpenCode 1.18."""

MAX_REASON = 200
"""Characters of the reason for which a session waits."""

STOPPED = "stopped by its user: messages wait for the next turn"


class Conversation:
    """One session of OpenCode as its events tell of it.

    `agent` (build, plan, ...) and `model` are those of its last prompt: one that does not name them would
    move the session to OpenCode's defaults.
    """

    def __init__(self, id: str) -> None:
        self.id = id
        self.agent: str | None = None
        self.model: dict[str, Any] | None = None
        self.busy = False
        self.deleted = False
        self.stopped = False
        """The user broke off the last turn, and nobody has begun another."""
        self.full = False
        """It was given a part of a large inbox, and has not worked it off yet."""
        self.stored: set[str] = set()
        """Ids of those of our prompts whose text it is known to have."""
        self.turns = 0
        """How many turns somebody else than we has begun."""
        self.unanswered: dict[str, dict[str, Any]] = {}
        """Those of our prompts that no model has begun to answer, by id."""
        self._ours: set[str] = set()
        self._theirs: set[str] = set()
        self._retry: str | None = None
        self._asked: dict[str, str] = {}

    @property
    def ready(self) -> bool:
        """Whether a message may be put into it now."""
        return not (self.stopped or self.full)

    @property
    def presence(self) -> tuple[Activity, str | None]:
        """What it is doing, and why."""
        if self._asked:
            return Activity.BLOCKED, next(iter(self._asked.values()))
        if self.busy:
            return Activity.BUSY, self._retry
        return Activity.IDLE, STOPPED if self.stopped else None

    def will_prompt(self, message: str, prompt: dict[str, Any] | None) -> None:
        """We are about to put a message of this id into it: a prompt, if a model has to answer it."""
        self._ours.add(message)
        if prompt:
            self.unanswered[message] = prompt

    def hear(self, type: str, properties: dict[str, Any]) -> None:
        """Advance by one event; one of an unknown kind or shape changes nothing."""
        match type, properties:
            case "message.updated", {"info": {"role": "user", "id": str(id)} as info}:
                self.learn(info)
                # OpenCode tells of a message again when anything about it changes.
                if id not in self._ours | self._theirs:
                    self._theirs.add(id)
                    self.stopped = False
                    self.turns += 1
            case "message.updated", {"info": {"role": "assistant", "id": str(id)}}:
                # Ids ascend with time, and a model is given all that is there when it begins.
                self.unanswered = {ours: prompt for ours, prompt in self.unanswered.items() if ours > id}
            case "message.part.updated", {"part": {"messageID": str(id)}} if id in self._ours:
                self.stored.add(id)
            case "session.error", {"error": {"name": "MessageAbortedError"}}:
                self.stopped = True
                self.unanswered.clear()  # What the user has stopped stays so.
            case "session.status", {"status": {"type": "retry", "message": str(why)}}:
                self.busy, self._retry = True, _reason(f"tries again: {why}")
            case "session.status", {"status": {"type": str(kind)}}:
                self.busy, self._retry = kind != "idle", None
            case "session.deleted", {"info": {}}:
                self.deleted = True
            case "session.idle", _:
                self.busy, self._retry, self.full = False, None, False
                self._asked.clear()
            case "permission.asked", {"id": str(id), "permission": str(what)}:
                match properties:
                    case {"patterns": [*patterns]}:
                        what = " ".join([what, *map(str, patterns)])
                self._asked[id] = _reason(f"waits for a permission: {what}")
            case "question.asked", {"id": str(id)}:
                self._asked[id] = "waits for an answer to its question"
            case "permission.replied" | "question.replied" | "question.rejected", {"requestID": str(id)}:
                self._asked.pop(id, None)

    def learn(self, info: dict[str, Any]) -> None:
        """Take agent and model from a user's message."""
        match info:
            case {"agent": str(agent), "model": {"providerID": str(provider), "modelID": str(model)}}:
                self.agent, self.model = agent, {"providerID": provider, "modelID": model}


def _reason(text: str) -> str:
    """`text` as a store takes it for a reason: a shell command may have several lines, and be long."""
    return visible_line(text)[:MAX_REASON]
