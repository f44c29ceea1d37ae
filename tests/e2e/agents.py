"""Scripted agents that use msgcode as a model would: by its tools, and by what its prompts say."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable
from typing import NamedTuple

from tests.e2e.scripted import USER, Answer, Call, Say, Turn


class Received(NamedTuple):
    """A message as a prompt brought it."""

    to: str
    sender: str
    id: str
    body: str
    """With the marks of quotation taken away."""
    head: str
    """The line above it."""


def received(text: str) -> list[Received]:
    """The messages that a prompt brings, in its order; none if it is not one of msgcode's."""
    whom = re.match(r"\[msgcode\] \d+ new messages? for you, agent ([^\s;.]+)", text)
    if not whom:
        return []
    found = []
    for block in text.split("\n\n")[1:]:
        head, *lines = block.split("\n")
        match = re.fullmatch(r"\(\d+/\d+\) from (\S+)( \(.*\))?, ([A-Z]+, )?id (\S+), .*", head)
        assert match, f"not the head of a message: {head}"
        body = "\n".join(line.removeprefix("> ") for line in lines if line.startswith("> "))
        found.append(Received(whom[1], match[1], match[4], body, head))
    return found


class Agent:
    """A script that registers, makes the calls of `begin`, and then those that `react` makes of each message.

    It acknowledges each message when it has made them. `told` makes calls of what its user says later.
    `received` are the messages that came, in order. `prefix` stands before the names of msgcode's tools
    where the program adds one.
    """

    def __init__(
        self,
        id: str,
        begin: Iterable[Call] = (),
        react: Callable[[Received], Iterable[Call]] = lambda message: (),
        told: Callable[[str], Iterable[Call]] = lambda text: (),
        *,
        prefix: str = "",
    ) -> None:
        self.id = id
        self.received: list[Received] = []
        self.results: list[tuple[str, str]] = []
        """What its tools answered: name and text."""
        self.sessions: set[str] = set()
        """Those that it was played in."""
        self._plan = [Call("register_agent", {"agent_id": id, "name": id.title()}), *begin]
        self._react, self._told = react, told
        self._prefix = prefix
        self._begun = False
        self._lock = threading.Lock()

    def __call__(self, turn: Turn) -> Answer:
        with self._lock:
            self.sessions.add(turn.session)
            for entry in turn.new:
                if entry.kind != USER:
                    self.results.append((entry.kind.removeprefix(self._prefix), entry.text))
                    continue
                if self._begun and not entry.text.startswith("[msgcode]"):
                    self._plan += self._told(entry.text)
                self._begun = True
                for message in received(entry.text):
                    self.received.append(message)
                    done = Call("ack_message", {"agent_id": self.id, "message_id": message.id})
                    self._plan += [*self._react(message), done]
            if not self._plan:
                return Say("I wait for messages.")
            call = self._plan.pop(0)
            named = self._prefix + call.tool
            return Call(named, call.arguments) if named in turn.tools else call


def send(sender: str, to: str, body: str, **more: object) -> Call:
    """The call that sends a message."""
    return Call("send_message", {"from": sender, "to": to, "body": body, **more})


def reply(message: Received, body: str) -> Call:
    """The call that answers a message."""
    return Call("reply_message", {"from": message.to, "message_id": message.id, "body": body})
