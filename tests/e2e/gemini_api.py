"""The wires of Google's Gemini API: what Gemini CLI speaks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from io import BufferedIOBase
from typing import Any

from tests.e2e.scripted import USER, Call, Calls, Entry, Say, Told

OWN_CONTEXT = "<session_context>"
"""What Gemini CLI itself says to the model, before its user does."""

HOOK_CONTEXT = re.compile(r"\s*<hook_context>(.*?)</hook_context>", re.DOTALL)
"""What Gemini CLI makes of what hooks add."""


class GeminiStream:
    """A `Wire` of `streamGenerateContent`.

    No request says which session it belongs to: its first user text stands for that, so the tests begin each
    session with a text of its own. What hooks add is a user's text if it is msgcode's; other context is left
    out, the program's own and other hooks'.
    """

    def takes(self, path: str) -> bool:
        """Whether a POST to this path speaks it."""
        return path.startswith("/v1beta/models/") and path.endswith(":streamGenerateContent?alt=sse")

    def read(self, headers: Mapping[str, str], body: Any) -> Told:
        """What a request says."""
        declared = (one for tool in body.get("tools", ()) for one in tool.get("functionDeclarations", ()))
        tools = {one["name"]: one.get("parametersJsonSchema", {}) for one in declared}
        told = tuple(entries(body["contents"]))
        session = next((entry.text for entry in told if entry.kind == USER), "")
        return Told(session, told, tools)

    def write(self, answer: Say | Calls, out: BufferedIOBase) -> None:
        """Stream the answer as server-sent events."""
        out.write(b"data: " + json.dumps(response(answer)).encode() + b"\n\n")


class GeminiWhole(GeminiStream):
    """A `Wire` of `generateContent`, by which Gemini CLI has its chores done: the answer is one JSON."""

    def takes(self, path: str) -> bool:
        """Whether a POST to this path speaks it."""
        return path.startswith("/v1beta/models/") and path.endswith(":generateContent")

    def write(self, answer: Say | Calls, out: BufferedIOBase) -> None:
        """Write the answer."""
        out.write(json.dumps(response(answer)).encode())


def entries(contents: list[dict[str, Any]]) -> Iterator[Entry]:
    """The texts of users and the results of tools in Gemini's list of contents, in order."""
    for content in contents:
        if content["role"] != "user":
            continue
        for part in content["parts"]:
            if "functionResponse" in part:
                answered = part["functionResponse"]
                yield from split(answered["name"], result(answered["response"]))
            elif not part.get("text", OWN_CONTEXT).startswith(OWN_CONTEXT):
                yield from split(USER, part["text"])


def result(response: Mapping[str, Any]) -> str:
    """What a tool answered, or what went wrong."""
    said = response.get("output", response.get("error", response))
    return said if isinstance(said, str) else json.dumps(said)


def split(kind: str, text: str) -> Iterator[Entry]:
    """The text, and what msgcode's hooks have added to it: a user's text of its own."""
    own = HOOK_CONTEXT.sub("", text)
    if own or kind != USER:
        yield Entry(kind, own)
    for context in HOOK_CONTEXT.findall(text):
        if "[msgcode]" in context:
            # Gemini CLI escapes these two, lest the text end its own frame.
            yield Entry(USER, context.replace("&lt;", "<").replace("&gt;", ">"))


def response(answer: Say | Calls) -> dict[str, object]:
    """The answer as Gemini gives it."""
    parts: list[dict[str, object]]
    if isinstance(answer, Say):
        parts = [{"text": answer.text}]
    else:
        parts = [function_call(call) for call in answer.calls]
    return {
        "candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {"promptTokenCount": 100, "candidatesTokenCount": 10, "totalTokenCount": 110},
    }


def function_call(call: Call) -> dict[str, object]:
    """The part of an answer that calls a tool."""
    return {"functionCall": {"name": call.tool, "args": dict(call.arguments)}}
