"""Two terminals with real OpenCodes, one with the npm plugin oh-my-msgcode and one with ours: they talk."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from msgcode import Store
from msgcode.model import Status
from tests.e2e.agents import Agent, Received, reply, send
from tests.e2e.conftest import OpenCodes, wait_until
from tests.e2e.opencode import OpenCodeHome
from tests.e2e.scripted import USER, Answer, Call, ModelServer, Say, Turn
from tests.foreign.package import plugin_module


class TheirAgent:
    """A script that registers with the plugin, acknowledges what that injects, and then answers it once."""

    def __init__(self, id: str) -> None:
        self.id = id
        self.received: list[tuple[str, str, str]] = []
        """Sender, id and body of each message that was injected."""
        self.results: list[tuple[str, str]] = []
        self._plan = [Call("register_agent", {"agent_id": id, "name": id.title()})]

    def __call__(self, turn: Turn) -> Answer:
        for entry in turn.new:
            if entry.kind != USER:
                self.results.append((entry.kind, entry.text))
            elif entry.text.startswith("[INTER-AGENT MESSAGE]"):
                found = re.findall(
                    r"^\[[A-Z]+\] From: (\S+) \|.* \| ID: (\S+)\n(.*)$", entry.text, re.MULTILINE
                )
                self.received += found
                for sender, id, body in found:
                    self._plan.append(Call("ack_message", {"agent_id": self.id, "message_id": id}))
                    if not body.startswith("Re: "):
                        self._plan.append(send(self.id, sender, f"Re: {body}"))
            elif entry.text.startswith("Ask "):
                self._plan.append(send(self.id, entry.text.split()[1], "Are you of the same room?"))
        return self._plan.pop(0) if self._plan else Say("I wait.")


def test_they_talk(tmp_path: Path, model: ModelServer, opencodes: OpenCodes, npm_package: Path) -> None:
    theirs = OpenCodeHome(
        tmp_path / "theirs", model.url, tmp_path / "unused", plugin=[plugin_module().as_uri()]
    )
    folder = theirs.folder / ".oh-my-msgcode"
    ours = OpenCodeHome(tmp_path / "ours", model.url, folder)
    ours.install_msgcode()
    their_server, our_server = opencodes.serve_all(theirs, ours)

    def answer(message: Received) -> Iterable[Call]:
        return [] if message.body.startswith("Re: ") else [reply(message, f"Re: {message.body}")]

    their_agent, our_agent = TheirAgent("npm"), Agent("python", react=answer)
    model.play("You are npm.", their_agent)
    model.play("You are python.", our_agent)
    their_session, our_session = their_server.session(), our_server.session()
    their_server.prompt(their_session, "You are npm.")
    their_server.wait_until_idle(their_session)
    our_server.prompt(our_session, "You are python.")
    our_server.wait_until_idle(our_session)

    with Store.open(folder) as store:
        store.register("human")
        asked = store.send("human", "npm", "And you?")
        their_server.prompt(their_session, "Ask python for an answer.")
        wait_until(
            lambda: len(their_agent.received) == 2 and not store.waiting("npm") and store.waiting("human"),
            lambda: f"{their_agent.received} {their_agent.results} {our_agent.received}",
        )
        (question,) = our_agent.received
        assert (question.sender, question.body) == ("npm", "Are you of the same room?")
        injected = {body: (sender, id) for sender, id, body in their_agent.received}
        sender, answered = injected["Re: Are you of the same room?"]
        assert sender == "python"
        assert injected["And you?"] == ("human", asked.id)
        assert [message.body for message in store.inbox("human")] == ["Re: And you?"]
        for id, agent in ((question.id, "python"), (answered, "npm"), (asked.id, "npm")):
            assert store.message(id).deliveries[agent].status is Status.ACKNOWLEDGED
        assert store.presence("npm").online
        peers = store.peers()
        assert peers
        assert peers.active
        assert peers.problems == ()
    for received in (
        [message.id for message in our_agent.received],
        [id for _, id, _ in their_agent.received],
    ):
        assert len(set(received)) == len(received), "something was injected twice"
    assert [text for _, text in their_agent.results if "Error" in text] == []
