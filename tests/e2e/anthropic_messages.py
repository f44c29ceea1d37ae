"""The wire of Anthropic's `/v1/messages`: what Claude Code speaks."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator, Mapping
from io import BufferedIOBase
from typing import Any

from tests.e2e.scripted import USER, Calls, Entry, Say, Told

OWN = re.compile(r"\s*<(task-notification|system-reminder|command-\w+|local-command-\w+)>.*?</\1>", re.DOTALL)
"""What Claude Code itself tells the model amid other texts: reminders, what its hooks said, its commands."""

SAID = re.compile(r"\[msgcode\] .*?(?=\n</system-reminder>|\n\n(?!\(\d+/\d+\) )|\Z)", re.DOTALL)
"""What a hook of msgcode said: it has no empty lines but those before its messages."""


class AnthropicMessages:
    """A `Wire`. What a hook of msgcode said is a text of its own; other reminders are left out."""

    def takes(self, path: str) -> bool:
        """Whether a POST to this path speaks it."""
        return path.partition("?")[0] == "/v1/messages"

    def read(self, headers: Mapping[str, str], body: Any) -> Told:
        """What a request says."""
        tools = {tool["name"]: tool.get("input_schema", {}) for tool in body.get("tools", [])}
        return Told(headers["x-claude-code-session-id"], tuple(entries(body["messages"])), tools)

    def write(self, answer: Say | Calls, out: BufferedIOBase) -> None:
        """Stream the answer as server-sent events."""
        message: dict[str, object] = {
            "id": f"msg_{uuid.uuid4().hex}",
            "type": "message",
            "role": "assistant",
            "model": "scripted",
        }
        usage = {"input_tokens": 100, "output_tokens": 10}
        empty: dict[str, object] = {"content": [], "stop_reason": None, "stop_sequence": None}
        send(out, "message_start", message={**message, **empty, "usage": usage})
        for index, (block, delta) in enumerate(blocks(answer)):
            send(out, "content_block_start", index=index, content_block=block)
            send(out, "content_block_delta", index=index, delta=delta)
            send(out, "content_block_stop", index=index)
        reason = "end_turn" if isinstance(answer, Say) else "tool_use"
        send(out, "message_delta", delta={"stop_reason": reason, "stop_sequence": None}, usage=usage)
        send(out, "message_stop")


def entries(messages: list[dict[str, Any]]) -> Iterator[Entry]:
    """The texts of users and the results of tools in Anthropic's list of messages, in order."""
    tool_called = {}
    for message in messages:
        content = message["content"]
        for block in [{"type": "text", "text": content}] if isinstance(content, str) else content:
            if block["type"] == "tool_use":
                tool_called[block["id"]] = block["name"]
            elif block["type"] == "tool_result":
                yield from told(tool_called[block["tool_use_id"]], result(block))
            elif block["type"] == "text" and message["role"] == "user":
                yield from told(USER, block["text"])
            elif block["type"] == "text" and message["role"] == "system":
                yield from hooks_said(block["text"])


def result(block: Mapping[str, Any]) -> str:
    """The text of a tool's result."""
    content = block.get("content", "")
    return content if isinstance(content, str) else "\n".join(part.get("text", "") for part in content)


def told(kind: str, text: str) -> Iterator[Entry]:
    """What a user or a tool said, and then what hooks of msgcode said with it."""
    if kind == USER and text.startswith("Stop hook feedback:"):
        yield from hooks_said(text)
        return
    said = OWN.sub("", text).strip()
    if said or kind != USER:
        yield Entry(kind, said)
    for own in OWN.finditer(text):
        yield from hooks_said(own[0])


def hooks_said(text: str) -> Iterator[Entry]:
    """What hooks of msgcode said in a text of Claude Code's own."""
    yield from (Entry(USER, said) for said in SAID.findall(text))


def blocks(answer: Say | Calls) -> Iterator[tuple[dict[str, object], dict[str, object]]]:
    """The answer as content blocks, each as it begins and the one delta that makes it whole."""
    if isinstance(answer, Say):
        yield {"type": "text", "text": ""}, {"type": "text_delta", "text": answer.text}
        return
    for call in answer.calls:
        begun: dict[str, object] = {
            "type": "tool_use",
            "id": f"toolu_{uuid.uuid4().hex}",
            "name": call.tool,
            "input": {},
        }
        yield begun, {"type": "input_json_delta", "partial_json": json.dumps(call.arguments)}


def send(out: BufferedIOBase, event: str, **fields: object) -> None:
    """Write one event."""
    out.write(f"event: {event}\ndata: {json.dumps({'type': event, **fields})}\n\n".encode())
    out.flush()
