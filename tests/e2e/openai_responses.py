"""The wire of OpenAI's `/v1/responses`: what Codex speaks."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from io import BufferedIOBase
from typing import Any

from tests.e2e.scripted import USER, Calls, Entry, Say, Told

HEAD = "[msgcode]"
"""How a text begins that msgcode hands over, by whatever way."""


class OpenAIResponses:
    """A `Wire`. A program's own instructions are left out, those that hooks of msgcode add are users' texts."""

    def takes(self, path: str) -> bool:
        """Whether a POST to this path speaks it."""
        return path == "/v1/responses"

    def read(self, headers: Mapping[str, str], body: Any) -> Told:
        """What a request says."""
        return Told(headers["session-id"], tuple(entries(body["input"])), dict(tools(body.get("tools", []))))

    def write(self, answer: Say | Calls, out: BufferedIOBase) -> None:
        """Stream the answer as server-sent events."""
        response = {"id": f"resp_{uuid.uuid4().hex}"}
        send(out, "response.created", response=response)
        for index, item in enumerate(items(answer)):
            send(out, "response.output_item.added", output_index=index, item=item)
            send(out, "response.output_item.done", output_index=index, item=item)
        usage = {"input_tokens": 100, "output_tokens": 10, "total_tokens": 110}
        send(out, "response.completed", response={**response, "usage": usage})


def tools(offered: list[dict[str, Any]], space: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """The schemas of the functions by name; those of a namespace have its name before theirs."""
    for tool in offered:
        if tool["type"] == "namespace":
            yield from tools(tool["tools"], tool["name"])
        elif tool["type"] == "function":
            yield space + tool["name"], tool["parameters"]


def entries(input: list[dict[str, Any]]) -> Iterator[Entry]:
    """The texts of users and the results of tools in a request's input, in order."""
    called = {}
    for item in input:
        kind = item["type"]
        if kind == "message" and item["role"] != "assistant":
            yield from (Entry(USER, text) for text in texts(item["content"]) if said(item["role"], text))
        elif kind.endswith("_call"):
            called[item["call_id"]] = item.get("namespace", "") + item["name"]
        elif kind.endswith("_call_output"):
            yield Entry(called[item["call_id"]], "\n".join(texts(item["output"])))


def texts(content: str | list[dict[str, Any]]) -> list[str]:
    """The texts of a message, or of a tool's output."""
    return [content] if isinstance(content, str) else [part["text"] for part in content if "text" in part]


def said(role: str, text: str) -> bool:
    """Whether it comes from the user or from msgcode, not from the program itself."""
    return text.startswith(HEAD) or (role == "user" and not text.startswith(("<", "# AGENTS.md")))


def items(answer: Say | Calls) -> Iterator[dict[str, Any]]:
    """The answer as the response's output items."""
    if isinstance(answer, Say):
        content = [{"type": "output_text", "text": answer.text}]
        yield {"type": "message", "role": "assistant", "id": f"msg_{uuid.uuid4().hex}", "content": content}
        return
    for call in answer.calls:
        yield {
            "type": "function_call",
            "id": f"fc_{uuid.uuid4().hex}",
            "call_id": f"call_{uuid.uuid4().hex}",
            "name": call.tool,
            "arguments": json.dumps(call.arguments),
        }


def send(out: BufferedIOBase, type: str, **fields: object) -> None:
    """Write one event."""
    out.write(f"event: {type}\ndata: {json.dumps({'type': type, **fields})}\n\n".encode())
    out.flush()
