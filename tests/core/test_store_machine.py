"""Two stores on one room, driven at random and compared with a model made of plain dictionaries."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from msgcode import Message, Refused, Store
from msgcode.codec import encode_time
from msgcode.journal import file
from tests.core.support import Clock, Ids, forget_snapshot, join_snapshots

AGENTS = ["ann", "bob", "Bob", "cy"]  # cy may be a human
CHANNELS = ["api", "ops"]
PRIORITIES = ["urgent", "high", "normal", "low"]
NOBODY = "no-such-message"

ASKING = {"choices": "yes | no", "deadline": "10", "default": "no"}

WAITING = ("queued", "claimed")
ENDED = ("acknowledged", "expired", "discarded")


class No(Exception):
    """The model refuses."""


class Model:
    """What a room should do, in the most obvious way."""

    def __init__(self) -> None:
        self.agents: dict[str, dict[str, Any]] = {}
        self.channels: dict[str, list[str]] = {}
        self.sent: dict[str, dict[str, Any]] = {}  # every message there ever was, oldest first
        self.heard: dict[str, str] = {}  # agent -> the message that last reached it
        self.forgettable: set[str] = set()  # ended, and purged since

    # what each verb does

    def register(self, id: str, name: str | None, human: bool) -> None:
        if human and not self.agents.get(id, {"human": True})["human"]:
            raise No
        agent = self.agents.setdefault(id, {"name": id, "human": False})
        agent["name"] = name or agent["name"]
        agent["human"] = agent["human"] or human

    def unregister(self, id: str) -> None:
        self.must_know(id)
        del self.agents[id]
        self.heard.pop(id, None)
        for members in self.channels.values():
            if id in members:
                members.remove(id)

    def create(self, channel: str, by: str) -> None:
        self.must_know(by)
        if channel in self.channels:
            raise No
        self.channels[channel] = [by]

    def join(self, channel: str, agent: str) -> None:
        self.must_know(agent)
        self.must_have(channel)
        if agent not in self.channels[channel]:
            self.channels[channel].append(agent)

    def leave(self, channel: str, agent: str) -> None:
        self.must_have(channel)
        if agent in self.channels[channel]:
            self.channels[channel].remove(agent)

    def send(
        self,
        now: datetime,
        id: str,
        sender: str,
        to: str | None,
        channel: str | None,
        by: str | None,
        reply_to: str | None,
        priority: str,
        ttl: float | None,
        metadata: dict[str, str] | None = None,
    ) -> None:
        """`to` is None for a broadcast."""
        speaker = by or sender
        if to is None:
            self.must_have(channel or "")
            if sender not in self.channels[channel or ""] and speaker == sender:
                self.must_know(sender)
                if not self.agents[sender]["human"]:
                    raise No
            recipients = [member for member in self.channels[channel or ""] if member != sender]
        else:
            recipients = [to]
        self.must_know(sender)
        if speaker != sender:
            self.must_know(speaker)
            if not self.agents[speaker]["human"]:
                raise No
        if reply_to is not None and reply_to not in self.sent:
            raise No
        if reply_to is not None and self.sent[reply_to]["metadata"].get("choices"):
            self.close(now, reply_to, sender, by if speaker != sender else None)
        self.post(now, id, sender, recipients, by, reply_to, priority, ttl, channel, metadata or {})

    def post(
        self,
        now: datetime,
        id: str,
        sender: str,
        recipients: list[str],
        by: str | None,
        reply_to: str | None,
        priority: str,
        ttl: float | None,
        channel: str | None,
        metadata: dict[str, str],
    ) -> None:
        speaker = by or sender
        human = self.agents[sender]["human"] or speaker != sender
        cause = reply_to or (None if human else self.heard.get(sender))
        led = self.sent[cause] if cause else None
        self.sent[id] = {
            "sender": sender,
            "human": human,
            "by": speaker if speaker != sender else None,
            "cause": cause,
            "hops": 0 if human or led is None or led["human"] else led["hops"] + 1,
            "thread": self.sent[reply_to]["thread"] if reply_to else id,
            "reply_to": reply_to,
            "priority": priority,
            "channel": channel,
            "expires": now + timedelta(seconds=ttl) if ttl else None,
            "at": dict.fromkeys(recipients, now),
            "status": dict.fromkeys(recipients, "queued"),
            "holder": dict.fromkeys(recipients),
            "lease": dict.fromkeys(recipients),
            "failures": {agent: [] for agent in recipients},
            "body": "text",
            "first": None,
            "metadata": metadata,
            "sent": now,
            "had": set(),
        }

    def check(self, now: datetime, agent: str, limit: int | None, priority: str | None) -> list[str]:
        self.must_know(agent)
        read = [id for id in self.inbox(now, agent) if priority in (None, self.sent[id]["priority"])]
        read = read[:limit]
        self.expire_due(now, agent)
        for id in read:
            if self.sent[id]["status"][agent] != "delivered":
                self.move(now, id, agent, "delivered")
                self.heard[agent] = id
        return read

    def claim(self, now: datetime, agent: str, by: str, limit: int | None, lease: float) -> list[str]:
        self.must_know(agent)
        taken = [id for id in self.inbox(now, agent) if self.sent[id]["status"][agent] in WAITING][:limit]
        self.expire_due(now, agent)
        for id in taken:
            self.move(now, id, agent, "claimed")
            self.sent[id]["holder"][agent] = by
            self.sent[id]["lease"][agent] = now + timedelta(seconds=lease)
        return taken

    def confirm(self, now: datetime, agent: str, id: str) -> None:
        if self.must_reach(id, agent) in WAITING:
            self.move(now, id, agent, "delivered")
            self.heard[agent] = id

    def fail(self, now: datetime, agent: str, id: str, by: str, reason: str) -> None:
        if self.must_reach(id, agent) != "claimed" or self.sent[id]["holder"][agent] != by:
            raise No
        self.move(now, id, agent, "queued")
        self.sent[id]["failures"][agent].append(reason)

    def acknowledge(self, now: datetime, agent: str, ids: list[str], by: str | None) -> None:
        if by is not None and by != agent:
            self.must_know(by)
            if not self.agents[by]["human"]:
                raise No
        for id in ids:
            if self.must_reach(id, agent) in ("expired", "discarded"):
                raise No
        for id in ids:
            status = self.sent[id]["status"][agent]
            if status in WAITING and by in (None, agent):
                self.heard[agent] = id
            if status != "acknowledged":
                self.move(now, id, agent, "acknowledged")

    def expire(self, now: datetime, id: str) -> None:
        if id not in self.sent:
            raise No
        waiting = [agent for agent, status in self.sent[id]["status"].items() if status in WAITING]
        if not waiting:
            raise No
        for agent in waiting:
            self.move(now, id, agent, "expired")

    def edit(self, now: datetime, id: str, body: str, by: str) -> None:
        self.must_own(id, by)
        message = self.sent[id]
        for agent, status in message["status"].items():
            if agent in message["had"] or status == "acknowledged":
                raise No
            if status == "claimed" and message["lease"][agent] > now:
                raise No
        if self.has_ended(id):
            raise No
        if body != message["body"]:
            message["first"] = message["first"] or message["body"]
            message["body"] = body

    def prioritize(self, id: str, priority: str, by: str) -> None:
        self.must_own(id, by)
        if not any(status in WAITING for status in self.sent[id]["status"].values()):
            raise No
        self.sent[id]["priority"] = priority

    def discard(self, now: datetime, id: str, agent: str | None, by: str) -> None:
        self.must_own(id, by)
        status = self.sent[id]["status"]
        if agent is not None:
            self.must_reach(id, agent)
        ending = [one for one in status if agent in (None, one) and status[one] not in ENDED]
        if not ending:
            raise No
        for one in ending:
            self.move(now, id, one, "discarded")

    def resend(self, now: datetime, new: str, id: str, by: str) -> None:
        if id not in self.sent:
            raise No
        old = self.sent[id]
        self.must_know(old["sender"])
        self.must_own(id, by)
        ended = [agent for agent, status in old["status"].items() if status in ("expired", "discarded")]
        to = [agent for agent in ended if agent not in old["had"]] or list(old["status"])
        ttl = (old["expires"] - old["sent"]).total_seconds() if old["expires"] else None
        metadata = {**old["metadata"], "resent": id}
        self.post(now, new, old["sender"], to, by, None, old["priority"], ttl, old["channel"], metadata)
        self.sent[new].update(thread=old["thread"], reply_to=old["reply_to"], body=old["body"])

    def answer(self, now: datetime, new: str, id: str, by: str) -> None:
        if id not in self.sent or not self.sent[id]["metadata"].get("choices"):
            raise No
        if self.must_reach(id, by) in ENDED:
            raise No
        self.must_know(by)
        asked = self.sent[id]
        to, metadata = [asked["sender"]], {"answer": "yes"}
        self.post(now, new, by, to, None, id, asked["priority"], None, asked["channel"], metadata)
        self.sent[new]["body"] = "yes"
        self.close(now, id, by, None)

    def answer_due(self, now: datetime, me: str) -> list[str]:
        """The ids of the answers are for now those of the questions, after `answer:`."""
        made = []
        for id in self.due(now, me):
            asked, new = self.sent[id], f"answer:{id}"
            self.answer(now, new, id, me)
            metadata = {"answer": "no", "defaulted": encode_time(self.deadline(id))}
            hops = 0 if asked["human"] else asked["hops"] + 1
            self.sent[new].update(body="no", metadata=metadata, human=False, hops=hops)
            made.append(new)
        return made

    def close(self, now: datetime, id: str, agent: str, by: str | None) -> None:
        status = self.sent[id]["status"].get(agent)
        if status is not None and status not in ENDED:
            if status in WAITING and by is None:
                self.heard[agent] = id
            self.move(now, id, agent, "acknowledged")

    def due(self, now: datetime, me: str) -> list[str]:
        """The questions to me that have to be answered by default, the first one first."""
        asked = [id for id in self.inbox(now, me) if self.sent[id]["metadata"].get("deadline")]
        past = [id for id in asked if self.deadline(id) <= now]
        return sorted(past, key=lambda id: (self.deadline(id), PRIORITIES.index(self.sent[id]["priority"])))

    def deadline(self, id: str) -> datetime:
        asked: datetime = self.sent[id]["sent"]
        return asked + timedelta(minutes=float(self.sent[id]["metadata"]["deadline"]))

    def expire_due(self, now: datetime, only: str | None = None) -> set[str]:
        due = set()
        for id, message in self.sent.items():
            for agent, status in message["status"].items():
                if only in (None, agent) and status in WAITING and self.is_over(now, id):
                    self.move(now, id, agent, "expired")
                    due.add(id)
        return due

    def purge(self, now: datetime, older_than: float, waiting: bool) -> int:
        discarded = 0
        for id, message in self.sent.items():
            if waiting and any(status not in ENDED for status in message["status"].values()):
                discarded += 1
                self.forgettable.add(id)
                for agent, status in message["status"].items():
                    if status not in ENDED:
                        self.move(now, id, agent, "discarded")
        limit = now - timedelta(seconds=older_than, milliseconds=-1)  # The clock's step: now counts as over.
        for id in self.sent:
            if self.has_ended(id) and all(at < limit for at in self.sent[id]["at"].values()):
                self.forgettable.add(id)
        return discarded

    # what it looks like

    def inbox(self, now: datetime, agent: str) -> list[str]:
        found = []
        for priority in PRIORITIES:
            for id, message in self.sent.items():
                status = message["status"].get(agent)
                if status is None or status in ENDED or message["priority"] != priority:
                    continue
                if status in WAITING and self.is_over(now, id):
                    continue
                if status == "claimed" and message["lease"][agent] > now:
                    continue
                found.append(id)
        return found

    def is_over(self, now: datetime, id: str) -> bool:
        expires = self.sent[id]["expires"]
        return expires is not None and expires <= now

    def has_ended(self, id: str) -> bool:
        return all(status in ENDED for status in self.sent[id]["status"].values())

    def move(self, now: datetime, id: str, agent: str, status: str) -> None:
        self.sent[id]["status"][agent] = status
        self.sent[id]["at"][agent] = now
        if status == "delivered":
            self.sent[id]["had"].add(agent)

    def must_own(self, id: str, by: str) -> None:
        if id not in self.sent:
            raise No
        if by != self.sent[id]["sender"]:
            self.must_know(by)
            if not self.agents[by]["human"]:
                raise No

    def must_know(self, agent: str) -> None:
        if agent not in self.agents:
            raise No

    def must_have(self, channel: str) -> None:
        if channel not in self.channels:
            raise No

    def must_reach(self, id: str, agent: str) -> str:
        if id not in self.sent or agent not in self.sent[id]["status"]:
            raise No
        status: str = self.sent[id]["status"][agent]
        return status


def seen_as(message: Message) -> dict[str, Any]:
    """A message of the store in the model's terms."""
    claims = {agent: d for agent, d in message.deliveries.items() if d.status == "claimed"}
    return {
        "sender": message.sender,
        "human": message.human,
        "by": message.by,
        "cause": message.cause,
        "hops": message.hops,
        "thread": message.thread,
        "reply_to": message.reply_to,
        "priority": message.priority,
        "channel": message.channel,
        "expires": message.expires_at,
        "at": {agent: delivery.at for agent, delivery in message.deliveries.items()},
        "status": {agent: delivery.status.value for agent, delivery in message.deliveries.items()},
        "holder": {agent: delivery.by for agent, delivery in claims.items()},
        "lease": {agent: delivery.lease_until for agent, delivery in claims.items()},
        "failures": {agent: list(delivery.failures) for agent, delivery in message.deliveries.items()},
        "body": message.body,
        "first": message.edited.body if message.edited else None,
        "metadata": message.metadata,
    }


def expected(message: dict[str, Any]) -> dict[str, Any]:
    """A message of the model, with what counts only while it is claimed left out otherwise."""
    claimed = [agent for agent, status in message["status"].items() if status == "claimed"]
    return {
        **{key: value for key, value in message.items() if key not in ("sent", "had")},
        "holder": {agent: message["holder"][agent] for agent in claimed},
        "lease": {agent: message["lease"][agent] for agent in claimed},
    }


stores = st.integers(0, 1)
agents = st.sampled_from(AGENTS)
channels = st.sampled_from(CHANNELS)
priorities = st.sampled_from(PRIORITIES)
maybe_agent = st.none() | st.none() | agents
deliverers = st.sampled_from(["deliverer-1", "deliverer-2"])
limits = st.none() | st.integers(1, 3)
NEVER = 7
newest = st.integers(0, NEVER)  # which message, counted from the newest back
senders = st.sampled_from(["its sender", "its sender", "cy", *AGENTS])
recipients = st.sampled_from(["its recipient", "its recipient", *AGENTS])


class Rooms(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(file, "SEGMENT_BYTES", 1500)
        self.patch.setattr(file, "SNAPSHOT_BYTES", 700)
        self.folder = Path(tempfile.mkdtemp(prefix="msgcode-machine-"))
        self.room = self.folder / "room"
        self.clock = Clock()
        self.ids = Ids()
        self.model = Model()
        self.stores = [self.open(), self.open()]
        self.turn = 0

    def open(self) -> Store:
        return Store.open(self.room, sync=False, clock=self.clock, new_id=self.ids)

    def teardown(self) -> None:
        try:
            for store in self.stores:
                self.compare(store)
                store.close()
            forget_snapshot(self.room)
            with self.open() as store:
                self.compare(store)
                self.compare_history(store)
        finally:
            self.patch.undo()
            join_snapshots()
            shutil.rmtree(self.folder, ignore_errors=True)

    def both(self, verb: Callable[[], Any], model: Callable[[], Any]) -> tuple[Any, Any]:
        """What the store and the model answer; both must refuse, or neither."""
        try:
            wanted = model()
        except No:
            with pytest.raises(Refused):
                verb()
            return None, None
        return verb(), wanted

    def pick(self, back: int) -> str:
        """One of the newest messages, or now and then one that never was."""
        known = [id for id in self.model.sent if id not in self.model.forgettable]
        return known[-1 - back % len(known)] if known and back != NEVER else NOBODY

    def who(self, agent: str, id: str) -> str:
        """The agent, or the one that has this part in the message."""
        message = self.model.sent.get(id)
        if agent == "its sender":
            return message["sender"] if message else AGENTS[0]
        if agent == "its recipient":
            return next(iter(message["status"]), AGENTS[0]) if message else AGENTS[0]
        return agent

    @initialize()
    def some_are_there(self) -> None:
        for agent in AGENTS:
            self.register(0, agent, None, agent == "cy")
        self.create(1, CHANNELS[0], AGENTS[0])
        self.join(0, CHANNELS[0], AGENTS[1])

    @rule(which=stores, agent=agents, name=st.none() | st.just("Name"), human=st.booleans())
    def register(self, which: int, agent: str, name: str | None, human: bool) -> None:
        human = human and agent == "cy"
        self.both(
            lambda: self.stores[which].register(agent, name, human=human),
            lambda: self.model.register(agent, name, human),
        )

    @rule(which=stores, agent=agents, really=st.integers(0, 3))
    def unregister(self, which: int, agent: str, really: int) -> None:
        if really:
            return
        self.both(lambda: self.stores[which].unregister(agent), lambda: self.model.unregister(agent))

    @rule(which=stores, channel=channels, by=agents)
    def create(self, which: int, channel: str, by: str) -> None:
        self.both(
            lambda: self.stores[which].create_channel(channel, by), lambda: self.model.create(channel, by)
        )

    @rule(which=stores, channel=channels, agent=agents)
    def join(self, which: int, channel: str, agent: str) -> None:
        self.both(lambda: self.stores[which].join(channel, agent), lambda: self.model.join(channel, agent))

    @rule(which=stores, channel=channels, agent=agents)
    def leave(self, which: int, channel: str, agent: str) -> None:
        self.both(lambda: self.stores[which].leave(channel, agent), lambda: self.model.leave(channel, agent))

    @rule(which=stores, sender=agents, to=agents, priority=priorities)
    def say(self, which: int, sender: str, to: str, priority: str) -> None:
        self.send(which, sender, to, CHANNELS[0], None, None, priority, None)

    @rule(which=stores, sender=agents, to=agents, back=st.integers(0, 2))
    def reply(self, which: int, sender: str, to: str, back: int) -> None:
        self.send(which, sender, to, CHANNELS[0], None, back, "normal", None)

    @rule(which=stores, sender=agents, channel=channels, ttl=st.none() | st.sampled_from([0.5, 40]))
    def broadcast(self, which: int, sender: str, channel: str, ttl: float | None) -> None:
        self.send(which, sender, None, channel, None, None, "normal", ttl)

    @rule(pair=st.lists(agents, min_size=2, max_size=2, unique=True), rounds=st.integers(1, 5))
    def converse(self, pair: list[str], rounds: int) -> None:
        """A run of messages that end at once: what a clean-up is for."""
        for which in range(rounds):
            sender, to = pair if which % 2 else pair[::-1]
            self.say(which % 2, sender, to, "normal")
            self.check(1 - which % 2, to, None, None)
            self.acknowledge_all(which % 2, to)

    @rule(
        which=stores,
        sender=agents,
        to=st.none() | agents | st.just("stranger"),
        channel=channels,
        by=maybe_agent,
        back=st.none() | newest,
        priority=priorities,
        ttl=st.none() | st.sampled_from([0.5, 40, 4000]),
    )
    def send(
        self,
        which: int,
        sender: str,
        to: str | None,
        channel: str,
        by: str | None,
        back: int | None,
        priority: str,
        ttl: float | None,
        metadata: dict[str, str] | None = None,
    ) -> None:
        store = self.stores[which]
        topic = None if to else channel
        reply_to = None if back is None else self.pick(back)
        options: Any = {
            "priority": priority,
            "ttl": ttl,
            "metadata": metadata,
            "reply_to": reply_to,
            "by": by,
        }
        message, _ = self.both(
            lambda: (
                store.send(sender, to, "text", **options)
                if to
                else store.broadcast(sender, channel, "text", **options)
            ),
            lambda: self.model.send(
                self.clock(), "pending", sender, to, topic, by, reply_to, priority, ttl, metadata
            ),
        )
        self.settle([message] if message else [], ["pending"])

    @rule(which=stores, sender=agents, to=agents, then=st.sampled_from(["", "answer", "reply", "wait"]))
    def ask(self, which: int, sender: str, to: str, then: str) -> None:
        """A question, and how it goes on from there."""
        self.send(which, sender, to, CHANNELS[0], None, None, "normal", None, ASKING)
        if then == "answer":
            self.answer(1 - which, 0, to)
        elif then == "reply":
            self.send(1 - which, to, sender, CHANNELS[0], None, 0, "normal", None)
        elif then == "wait":
            self.clock.advance(600)
            self.answer_due(1 - which, to)

    @rule(which=stores, back=newest, by=senders)
    def resend(self, which: int, back: int, by: str) -> None:
        id = self.pick(back)
        by = self.who(by, id)
        message, _ = self.both(
            lambda: self.stores[which].resend(id, by),
            lambda: self.model.resend(self.clock(), "pending", id, by),
        )
        self.settle([message] if message else [], ["pending"])

    @rule(which=stores, back=newest, by=recipients)
    def answer(self, which: int, back: int, by: str) -> None:
        id = self.pick(back)
        by = self.who(by, id)
        message, _ = self.both(
            lambda: self.stores[which].answer(id, "Yes", by),
            lambda: self.model.answer(self.clock(), "pending", id, by),
        )
        self.settle([message] if message else [], ["pending"])

    @rule(which=stores, me=agents)
    def answer_due(self, which: int, me: str) -> None:
        sent, made = self.both(
            lambda: self.stores[which].answer_due(me), lambda: self.model.answer_due(self.clock(), me)
        )
        self.settle(sent or [], made or [])

    def settle(self, messages: list[Message], pending: list[str]) -> None:
        """What the model knew by other ids until now are these messages."""
        for message, name in zip(messages, pending, strict=bool(messages)):
            made = self.model.sent.pop(name)
            if made["thread"] == name:
                made["thread"] = message.id
            self.model.sent[message.id] = made
            assert seen_as(message) == expected(made)

    @rule(which=stores, back=newest, body=st.sampled_from(["text", "other", "third"]), by=senders)
    def edit(self, which: int, back: int, body: str, by: str) -> None:
        id = self.pick(back)
        by = self.who(by, id)
        message, _ = self.both(
            lambda: self.stores[which].edit(id, body, by=by),
            lambda: self.model.edit(self.clock(), id, body, by),
        )
        self.compare_moved([message] if message else None, [id] if message else None)

    @rule(which=stores, back=newest, priority=priorities, by=senders)
    def prioritize(self, which: int, back: int, priority: str, by: str) -> None:
        id = self.pick(back)
        by = self.who(by, id)
        message, _ = self.both(
            lambda: self.stores[which].prioritize(id, priority, by),
            lambda: self.model.prioritize(id, priority, by),
        )
        self.compare_moved([message] if message else None, [id] if message else None)

    @rule(which=stores, back=newest, agent=maybe_agent, by=senders)
    def discard(self, which: int, back: int, agent: str | None, by: str) -> None:
        id = self.pick(back)
        by = self.who(by, id)
        moved, _ = self.both(
            lambda: self.stores[which].discard(id, agent=agent, by=by),
            lambda: self.model.discard(self.clock(), id, agent, by),
        )
        self.compare_moved(moved, moved and [id])

    @rule(which=stores, agent=agents, limit=limits, priority=st.none() | priorities)
    def check(self, which: int, agent: str, limit: int | None, priority: str | None) -> None:
        read, wanted = self.both(
            lambda: self.stores[which].check(agent, limit=limit, priority=priority),
            lambda: self.model.check(self.clock(), agent, limit, priority),
        )
        self.compare_moved(read, wanted)

    @rule(
        which=stores,
        agent=agents,
        by=deliverers,
        limit=limits,
        lease=st.sampled_from([1, 30]),
        then=st.sampled_from(["", "", "confirm", "fail"]),
    )
    def claim(self, which: int, agent: str, by: str, limit: int | None, lease: float, then: str) -> None:
        taken, wanted = self.both(
            lambda: self.stores[which].claim(agent, by, limit=limit, lease=lease),
            lambda: self.model.claim(self.clock(), agent, by, limit, lease),
        )
        self.compare_moved(taken, wanted)
        for id in wanted or [] if then else []:
            known = [each for each in self.model.sent if each not in self.model.forgettable]
            back = known[::-1].index(id)
            if back < NEVER:
                getattr(self, then)(1 - which, agent, back, by)

    @rule(which=stores, agent=recipients, back=newest, by=deliverers)
    def confirm(self, which: int, agent: str, back: int, by: str) -> None:
        id = self.pick(back)
        agent = self.who(agent, id)
        moved, _ = self.both(
            lambda: [self.stores[which].confirm(agent, id, by)],
            lambda: self.model.confirm(self.clock(), agent, id),
        )
        self.compare_moved(moved, moved and [id])

    @rule(which=stores, agent=recipients, back=newest, by=deliverers)
    def fail(self, which: int, agent: str, back: int, by: str) -> None:
        id = self.pick(back)
        agent = self.who(agent, id)
        moved, _ = self.both(
            lambda: [self.stores[which].fail(agent, id, by, "it was busy")],
            lambda: self.model.fail(self.clock(), agent, id, by, "it was busy"),
        )
        self.compare_moved(moved, moved and [id])

    @rule(which=stores, agent=agents, backs=st.lists(newest, max_size=3, unique=True), by=maybe_agent)
    def acknowledge(self, which: int, agent: str, backs: list[int], by: str | None) -> None:
        ids = list(dict.fromkeys(map(self.pick, backs)))
        moved, _ = self.both(
            lambda: self.stores[which].acknowledge(agent, *ids, by=by),
            lambda: self.model.acknowledge(self.clock(), agent, ids, by),
        )
        self.compare_moved(moved, moved and ids)

    @rule(which=stores, agent=agents)
    def acknowledge_all(self, which: int, agent: str) -> None:
        ids = self.model.inbox(self.clock(), agent)
        self.model.acknowledge(self.clock(), agent, ids, None)
        self.compare_moved(self.stores[which].acknowledge(agent, *ids), ids)

    @rule(which=stores, back=newest)
    def expire(self, which: int, back: int) -> None:
        id = self.pick(back)
        moved, _ = self.both(
            lambda: self.stores[which].expire(id), lambda: self.model.expire(self.clock(), id)
        )
        self.compare_moved(moved, moved and [id])

    @rule(which=stores)
    def expire_due(self, which: int) -> None:
        due = self.model.expire_due(self.clock())
        assert {message.id for message in self.stores[which].expire()} == due

    @rule(
        which=stores,
        older_than=st.sampled_from([0, 0, 60, 3600]),
        waiting=st.sampled_from([False, False, True]),
    )
    def purge(self, which: int, older_than: float, waiting: bool) -> None:
        discarded = self.stores[which].purge(older_than=older_than, waiting=waiting)
        assert discarded == self.model.purge(self.clock(), older_than, waiting)

    @rule(seconds=st.sampled_from([0.001, 1, 29.999, 31, 600, 4000]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule(which=stores, snapshot=st.sampled_from([False, False, True]))
    def reopen(self, which: int, snapshot: bool) -> None:
        self.stores[which].close()
        if not snapshot:
            forget_snapshot(self.room)
        self.stores[which] = self.open()

    @rule(which=stores)
    def look_back(self, which: int) -> None:
        self.compare_history(self.stores[which])

    @rule(really=st.integers(0, 19))
    def delete_everything(self, really: int) -> None:
        if really:  # It makes every longer story short, so not often.
            return
        join_snapshots()
        shutil.rmtree(self.room, ignore_errors=True)
        self.model = Model()

    @invariant()
    def agree(self) -> None:
        """The stores are looked at in turn, so that the other may lag behind."""
        self.turn += 1
        self.compare(self.stores[self.turn % 2])

    def compare(self, store: Store) -> None:
        model, now = self.model, self.clock()
        known = {agent.id: {"name": agent.name, "human": agent.human} for agent in store.agents()}
        assert known == model.agents
        assert {channel.id: list(channel.members) for channel in store.channels()} == model.channels
        waiting = [id for id in model.sent if not model.has_ended(id)]
        live = store.messages()
        assert [message.id for message in live] == waiting
        for message in live:
            assert seen_as(message) == expected(model.sent[message.id])
        for agent in [*AGENTS, "stranger"]:
            assert [message.id for message in store.inbox(agent)] == model.inbox(now, agent)
        assert store.damage() == []

    def compare_moved(self, messages: list[Message] | None, ids: list[str] | None) -> None:
        assert [message.id for message in messages or []] == (ids or [])
        for message in messages or []:
            assert seen_as(message) == expected(self.model.sent[message.id])

    def compare_history(self, store: Store) -> None:
        for id, message in self.model.sent.items():
            try:
                found = store.message(id)
            except Refused:
                assert id in self.model.forgettable
            else:
                assert seen_as(found) == expected(message)


TestRooms = pytest.mark.timeout(400)(Rooms.TestCase)  # A failure takes minutes to be made small.
TestRooms.settings = settings(
    max_examples=200,
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
