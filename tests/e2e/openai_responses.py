"""The wire of OpenAI's `/v1/responses`: what Codex speaks."""

from __future__ import annotations

import html
import json
import re
import uuid
from collections.abc import Iterator, Mapping
from io import BufferedIOBase
from typing import Any

from tests.e2e.scripted import USER, Calls, Entry, Say, Told

HOOK_PROMPT = re.compile("<hook_prompt [^>]*>(.*)</hook_prompt>", re.DOTALL)
"""What a hook says at the end of a turn, which makes it go on."""


class OpenAIResponses:
    """A `Wire`. Each part of a user's message is a text of its own, and so is what a hook of msgcode says.

    A program's own instructions are left out. Of a tool in a namespace the name is NAMESPACE__NAME.
    """

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
    """The schemas of the functions by name."""
    for tool in offered:
        if tool["type"] == "namespace":
            yield from tools(tool["tools"], tool["name"] + "__")
        elif tool["type"] == "function":
            yield space + tool["name"], tool["parameters"]


def entries(input: list[dict[str, Any]]) -> Iterator[Entry]:
    """The texts of users and the results of tools in a request's input, in order."""
    called = {}
    for item in input:
        kind = item["type"]
        if kind == "message" and item["role"] != "assistant":
            found = (said(item["role"], text) for text in texts(item["content"]))
            yield from (Entry(USER, text) for text in found if text is not None)
        elif kind == "function_call":
            called[item["call_id"]] = "__".join(filter(None, (item.get("namespace"), item["name"])))
        elif kind == "function_call_output":
            whole = "\n".join(texts(item["output"]))
            told, output, result = whole.partition("\nOutput:\n")  # How long it took stands before it.
            yield Entry(called[item["call_id"]], result if output else told)


def texts(content: str | list[dict[str, Any]]) -> list[str]:
    """The texts of a message, or of a tool's output."""
    return [content] if isinstance(content, str) else [part["text"] for part in content if "text" in part]


def said(role: str, text: str) -> str | None:
    """What the user says in it, or msgcode; None if the program does."""
    if hook := HOOK_PROMPT.fullmatch(text):
        text = html.unescape(hook[1])
    if text.startswith("[msgcode]"):
        return text
    return text if role == "user" and not text.startswith(("<", "# AGENTS.md")) else None


def items(answer: Say | Calls) -> Iterator[dict[str, Any]]:
    """The answer as the response's output items."""
    if isinstance(answer, Say):
        content = [{"type": "output_text", "text": answer.text}]
        yield {"type": "message", "role": "assistant", "id": f"msg_{uuid.uuid4().hex}", "content": content}
        return
    for call in answer.calls:
        space, _, name = call.tool.rpartition("__")
        yield {
            "type": "function_call",
            "id": f"fc_{uuid.uuid4().hex}",
            "call_id": f"call_{uuid.uuid4().hex}",
            **({"namespace": space} if space else {}),
            "name": name,
            "arguments": json.dumps(call.arguments),
        }


def send(out: BufferedIOBase, type: str, **fields: object) -> None:
    """Write one event."""
    out.write(f"event: {type}\ndata: {json.dumps({'type': type, **fields})}\n\n".encode())
    out.flush()
