"""`msgcode mcp` at the command line of MCP's own inspector, configured as the guide says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from msgcode import Store
from tests.docs.pages import block
from tests.e2e.home import npm_program

VERSION = "0.15.0"
"""The version that these tests were written with."""


def binary() -> Path:
    """The program; a test that needs one where there is none is skipped."""
    package = f"@modelcontextprotocol/inspector@{VERSION}"
    return npm_program("mcp-inspector", "MCP's inspector", package).resolve(strict=True)


class Inspector:
    """The inspector, with a home of its own, as the agent ann of the room."""

    def __init__(self, home: Path, room: Path) -> None:
        self._program = binary()
        configuration = json.loads(block("mcp"))
        configuration["mcpServers"]["msgcode"]["env"] |= {"MSGCODE_STORE": str(room)}
        self._file = home / "mcp.json"
        self._file.write_text(json.dumps(configuration))
        self._environment = {
            "HOME": str(home),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }

    def __call__(self, method: str, *words: str) -> dict[str, Any]:
        """What the server answers to a method; each call starts a server of its own."""
        done = subprocess.run(
            [
                self._program,
                "--cli",
                "--config",
                self._file,
                "--server",
                "msgcode",
                "--method",
                method,
                *words,
            ],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def tool(self, name: str, **arguments: object) -> dict[str, Any]:
        """The data of a tool's answer."""
        words = [word for key, value in arguments.items() for word in ("--tool-arg", f"{key}={value}")]
        answer = self("tools/call", "--tool-name", name, *words)
        assert not answer.get("isError"), answer
        data: dict[str, Any] = answer["structuredContent"]
        return data


@pytest.fixture
def room(tmp_path: Path) -> Path:
    return tmp_path / "room"


@pytest.fixture
def inspector(tmp_path: Path, room: Path) -> Inspector:
    return Inspector(tmp_path, room)


def test_the_inspector_finds_the_tools(inspector: Inspector) -> None:
    tools = {tool["name"]: tool for tool in inspector("tools/list")["tools"]}
    assert len(tools) == 12
    assert tools["list_agents"]["annotations"]["readOnlyHint"] is True
    assert "wait_seconds" in tools["check_messages"]["inputSchema"]["properties"]
    assert tools["send_message"]["outputSchema"]["properties"]["message"]["required"]


def test_the_inspector_sends_and_reads(inspector: Inspector, room: Path) -> None:
    sent = inspector.tool("send_message", to="bob", body="Which port?")
    with Store.open(room) as store:
        store.register("bob")
        assert [message.body for message in store.check("bob")] == ["Which port?"]
        store.send("bob", "ann", "8080", reply_to=sent["message"]["id"])
    assert "> 8080" in inspector("resources/read", "--uri", "msgcode://inbox/ann")["contents"][0]["text"]
    (message,) = inspector.tool("check_messages", wait_seconds=50)["messages"]
    assert (message["from"], message["body"]) == ("bob", "8080")
    refused = inspector("tools/call", "--tool-name", "check_messages", "--tool-arg", "agent_id=bob")
    assert refused["isError"] is True


def test_the_inspector_finds_the_resources(inspector: Inspector) -> None:
    found = [resource["uri"] for resource in inspector("resources/list")["resources"]]
    assert found == ["msgcode://room", "msgcode://inbox/ann"]
    (template,) = inspector("resources/templates/list")["resourceTemplates"]
    assert template["uriTemplate"] == "msgcode://inbox/{agent}"
    room = inspector("resources/read", "--uri", "msgcode://room")["contents"][0]["text"]
    assert "ann (you), idle" in room
