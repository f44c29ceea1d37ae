"""What a hook of an agent program does once there is something to do: `hook.sh` starts it, and only then.

It claims what waits for the agents of the session, and prints it in the program's own form. Whether the
program has taken that, its companion sees (companion.py): nothing counts as delivered before.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module

from msgcode import prompt
from msgcode.errors import BadInput, MsgcodeError
from msgcode.harness.description import Role
from msgcode.harness.known import described
from msgcode.harness.sessions import Handed, SessionFolder
from msgcode.model import Activity
from msgcode.store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from msgcode.harness.payloads import Payloads
    from msgcode.harness.sessions import Conversation
    from msgcode.model import Message

LEASE = 60.0
"""Seconds for which what is handed over stays claimed: a program may write down late what it has taken,
when several of its tools run at once."""

FAILED = 1
"""The exit code when it could not be done. Not 2: to agent programs that means that a hook objects."""


def payloads(harness: str) -> Payloads:
    """Those of one agent program."""
    found: Any = import_module(f"msgcode.harness.{harness}.payloads")
    return found  # type: ignore[no-any-return]


def main(words: list[str]) -> int:
    """Answer one hook of the program.

    words: its session's folder, the harness, the role, the program's process. The payload is on standard
    input. Returns the exit code.
    """
    folder, harness, role, process = SessionFolder(words[0]), words[1], Role(words[2]), int(words[3])
    try:
        payload = _payload(sys.stdin.buffer.read())
        program = payloads(harness)
        conversation = program.conversation(payload)
        if not conversation:
            return 0
        if role is Role.START:
            folder.begin(conversation, process)
            if folder.presence[0] is Activity.OFFLINE:
                folder.tell(Activity.IDLE)  # Not so if it was busy: a conversation may be packed amid a turn.
            if folder.room is None:
                _flag_mail(folder, harness, conversation)
            return 0
        known = folder.conversation
        if known and known.id == conversation.id and known.transcript != conversation.transcript:
            # Gemini CLI names the right one only some time after it has resumed a conversation.
            folder.begin(known._replace(transcript=conversation.transcript), process)
        if presence := program.presence(role, payload):
            folder.tell(*presence)
        if role in (Role.ASK, Role.END):
            return 0
        with Store.open(folder.room) as store:
            return _deliver(store, folder, harness, role, conversation, program)
    except (MsgcodeError, OSError) as error:
        print(f"msgcode: {error}", file=sys.stderr)
        return FAILED


def _payload(text: bytes) -> dict[str, Any]:
    try:
        payload = json.loads(text)
    except ValueError:
        payload = None
    if not isinstance(payload, dict):
        raise BadInput("a hook is given one JSON object on standard input.")
    return payload


def _flag_mail(folder: SessionFolder, harness: str, conversation: Conversation) -> None:
    """Let the next hook deliver what waits for a resumed conversation: its companion may come late."""
    with Store.open() as store:
        folder.flag_mail(any(map(store.undelivered, store.agents_in(harness, conversation.id))))


def _deliver(
    store: Store,
    folder: SessionFolder,
    harness: str,
    role: Role,
    conversation: Conversation,
    program: Payloads,
) -> int:
    by = f"{harness} {conversation.id}"
    limit = None if role is Role.WAIT else described(harness).hook_limit
    texts: list[str] = []
    handed: list[Handed] = []
    for agent in store.agents_in(harness, conversation.id):
        waiting = store.undelivered(agent)
        fit = prompt.portion(waiting, limit or prompt.MAX_PROMPT)
        claimed = store.claim(agent, by, limit=fit, lease=LEASE) if waiting else []
        before = [message.id for message in claimed if _before(message, agent)]
        there = seen(harness, conversation.transcript, before)
        for id in there:
            store.confirm(agent, id, by)
        fresh = [message for message in claimed if message.id not in there]
        if fresh:
            texts.append(prompt.delivery(agent, fresh, max(0, len(waiting) - len(claimed))))
            handed += [Handed(agent, message.id, by) for message in fresh]
    if not texts:
        if role is Role.STOP:
            folder.tell(Activity.IDLE)
        return 0
    out, words, code = program.output(role, "\n\n".join(texts))
    if not out and not words:
        folder.tell(Activity.IDLE)
        for agent, message, _ in handed:
            store.fail(agent, message, by, "it is too much for the end of a turn")
        return code
    folder.hand_over(handed)
    try:
        sys.stdout.write(out)
        sys.stdout.flush()
        sys.stderr.write(words)
        sys.stderr.flush()
    except OSError:
        for agent, message, _ in handed:
            store.fail(agent, message, by, "the program did not read what its hook said")
    return code


def seen(harness: str, transcript: str | None, ids: list[str], since: int = 0) -> set[str]:
    """Those of the messages that a program's transcript holds: its model has been told them.

    since: how many bytes at its beginning are not looked at.
    """
    if not transcript or not ids:
        return set()
    try:
        with open(transcript, "rb") as file:
            file.seek(max(0, since))
            text = file.read()
    except OSError:
        return set()
    told = payloads(harness).told(text)
    return {id for id in ids if b"id " + id.encode() in told}


def _before(message: Message, agent: str) -> bool:
    """Whether it has been handed over before, and may be in the conversation already."""
    return message.deliveries[agent].claims > 1


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stderr.flush()
    os._exit(code)
