"""The wire of OpenAI's `/v1/chat/completions`: what OpenCode's OpenAI-compatible provider speaks."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator, Mapping
from io import BufferedIOBase
from typing import Any

from tests.e2e.scripted import USER, Calls, Entry, Say, Told


class ChatCompletions:
    """A `Wire`. Each part of a user's message is a text of its own; a program's reminders are left out."""

    def takes(self, path: str) -> bool:
        """Whether a POST to this path speaks it."""
        return path == "/v1/chat/completions"

    def read(self, headers: Mapping[str, str], body: Any) -> Told:
        """What a request says."""
        tools = {tool["function"]["name"]: tool["function"]["parameters"] for tool in body.get("tools", [])}
        return Told(headers["x-session-id"], tuple(entries(body["messages"])), tools)

    def write(self, answer: Say | Calls, out: BufferedIOBase) -> None:
        """Stream the answer as server-sent events."""
        for choice in choices(answer):
            send(out, choices=[{"index": 0, **choice}])
        send(out, choices=[], usage={"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110})
        out.write(b"data: [DONE]\n\n")


def entries(messages: list[dict[str, Any]]) -> Iterator[Entry]:
    """The texts of users and the results of tools in OpenAI's list of messages, in order."""
    tool_called = {}
    for message in messages:
        content = message["content"]
        texts = [content] if isinstance(content, str) else [p["text"] for p in content or () if "text" in p]
        if message["role"] == "user":
            yield from (Entry(USER, text) for text in texts if not text.startswith("<system-reminder>"))
        elif message["role"] == "assistant":
            for call in message.get("tool_calls", ()):
                tool_called[call["id"]] = call["function"]["name"]
        elif message["role"] == "tool":
            yield Entry(tool_called[message["tool_call_id"]], "\n".join(texts))


def choices(answer: Say | Calls) -> Iterator[dict[str, object]]:
    """The answer as the `choices` of OpenAI's chunks."""
    if isinstance(answer, Say):
        yield {"delta": {"role": "assistant", "content": answer.text}, "finish_reason": None}
        yield {"delta": {}, "finish_reason": "stop"}
        return
    calls = [
        {
            "index": index,
            "id": f"call_{uuid.uuid4().hex}",
            "type": "function",
            "function": {"name": call.tool, "arguments": json.dumps(call.arguments)},
        }
        for index, call in enumerate(answer.calls)
    ]
    yield {"delta": {"role": "assistant", "tool_calls": calls}, "finish_reason": None}
    yield {"delta": {}, "finish_reason": "tool_calls"}


def send(out: BufferedIOBase, **fields: object) -> None:
    """Write one chunk."""
    chunk = {"id": "scripted", "object": "chat.completion.chunk", "created": int(time.time()), **fields}
    out.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")
    out.flush()
