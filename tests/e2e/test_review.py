"""Agents of different programs in one conversation."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from msgcode import Store
from msgcode.model import Status
from tests.e2e.agents import Agent, Received, reply, send
from tests.e2e.anthropic_messages import AnthropicMessages
from tests.e2e.chat_completions import ChatCompletions
from tests.e2e.claude import OURS, ClaudeHome, ClaudeTerminal, with_tools
from tests.e2e.conftest import OpenCodes, wait_until
from tests.e2e.opencode import OpenCodeHome
from tests.e2e.scripted import Call, ModelServer
from tests.e2e.terminal import needs_tmux

SAID = [
    "Please review parse(): does it read the last line?",
    "Not if that is empty. Now please review my test of it.",
    "Mended. Your test wants a file of 0 bytes.",
    "Added, and it passes. Both are done.",
]
NEXT = dict(pairwise(SAID))
"""What each answers to what the other says, until there is nothing more to say."""


def answer(message: Received) -> list[Call]:
    return [reply(message, NEXT[message.body])] if message.body in NEXT else []


@pytest.fixture(scope="module")
def module_model() -> Iterator[ModelServer]:
    with ModelServer(ChatCompletions(), AnthropicMessages()) as server:
        yield server


@needs_tmux
def test_opencode_and_claude_code_review_each_others_work(
    model: ModelServer, opencode_home: OpenCodeHome, opencodes: OpenCodes, tmp_path: Path
) -> None:
    author = Agent("author", react=answer, told=lambda text: [send("author", "tester", SAID[0])])
    tester = Agent("tester", react=answer, prefix=OURS)
    model.play("You are author.", author)
    model.play("You are tester.", with_tools(tester))
    claude_home = ClaudeHome(tmp_path / "claude", model.url, opencode_home.store)
    opencode_home.install_msgcode()
    claude_home.install_msgcode()
    opencode = opencodes.serve(opencode_home)
    session = opencode.session()
    opencode.prompt(session, "You are author.")
    terminal = ClaudeTerminal(claude_home)
    try:
        terminal.say("You are tester.")
        terminal.wait_for_rest()
        opencode.wait_until_idle(session)
        opencode.prompt(session, "Ask for a review.")
        with Store.open(opencode_home.store) as store:
            wait_until(
                lambda: (
                    len(author.received) + len(tester.received) == 4
                    and not store.waiting("author") + store.waiting("tester")
                ),
                lambda: f"{author.received}, {tester.received}",
            )
            thread = store.messages(ended=True)
            where = {agent.id: agent.session and agent.session.harness for agent in store.agents()}
    finally:
        terminal.close()
    senders = ["author", "tester"] * 2
    assert [(message.sender, message.body) for message in thread] == list(zip(senders, SAID, strict=True))
    assert {message.thread for message in thread} == {thread[0].id}
    deliveries = [delivery for message in thread for delivery in message.deliveries.values()]
    assert [delivery.status for delivery in deliveries] == [Status.ACKNOWLEDGED] * 4
    assert [delivery.claims for delivery in deliveries] == [1] * 4
    assert where == {"author": "opencode", "tester": "claude"}
