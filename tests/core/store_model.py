"""What a room should do, in the most obvious way: the model that random rooms are compared with."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from msgcode import Message
from msgcode.codec import encode_time

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
        self.holds: list[dict[str, Any]] = []  # in the order in which they were placed
        self.breakpoints: list[dict[str, Any]] = []  # those that have been removed, too

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
        self.stop(now, [id])

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
            "passed": {},
            "released": False,
            "place": None,
        }

    def check(self, now: datetime, agent: str, limit: int | None, priority: str | None) -> list[str]:
        self.must_know(agent)
        read = [id for id in self.inbox(now, agent) if priority in (None, self.sent[id]["priority"])]
        read = [id for id in read if not self.held_by(id, agent)][:limit]
        self.expire_due(now, agent)
        read = self.stop(now, read)
        for id in read:
            if self.sent[id]["status"][agent] != "delivered":
                self.move(now, id, agent, "delivered")
                self.heard[agent] = id
        return read

    def claim(self, now: datetime, agent: str, by: str, limit: int | None, lease: float) -> list[str]:
        self.must_know(agent)
        taken = [id for id in self.inbox(now, agent) if self.sent[id]["status"][agent] in WAITING]
        taken = [id for id in taken if not self.held_by(id, agent)][:limit]
        self.expire_due(now, agent)
        taken = self.stop(now, taken)
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

    def rename(self, id: str, new: str) -> None:
        """What was known by one id is known by another from now on."""
        made = self.sent.pop(id)
        if made["thread"] == id:
            made["thread"] = new
        self.sent[new] = made
        for hold in self.holds:
            if hold["scope"].get("message") == id:
                hold["scope"]["message"] = new

    # holds

    def hold(self, now: datetime, by: str, scope: dict[str, Any]) -> None:
        self.must_be_human(by)
        if scope.get("agent") and not any(self.waits_for(scope["agent"])):
            self.must_know(scope["agent"])
        if "message" in scope and not self.is_to_come(scope["message"]):
            raise No
        if not any(same_scope(hold["scope"], scope) for hold in self.holds):
            self.holds.append({"at": now, "scope": scope, "breakpoint": None})

    def release(self, now: datetime, by: str, scopes: list[dict[str, Any]]) -> None:
        self.must_be_human(by)
        gone = [hold for hold in self.holds if any(same_scope(hold["scope"], scope) for scope in scopes)]
        late = [
            (id, agent)
            for id in self.sent
            for agent in self.sent[id]["status"]
            if self.is_late(now, id) and any(self.keeps(hold, id, agent) for hold in gone)
        ]
        self.holds = [hold for hold in self.holds if hold not in gone]
        for hold in gone:
            if "message" in hold["scope"]:
                self.sent[hold["scope"]["message"]]["released"] = True
        for id, agent in late:
            if not self.held_by(id, agent):
                self.sent[id]["passed"][agent] = now

    def step(self, now: datetime, by: str, scope: dict[str, Any]) -> str:
        self.must_be_human(by)
        for priority in PRIORITIES:
            for id in self.in_place():
                if self.sent[id]["priority"] != priority:
                    continue
                agents = [one for one in self.sent[id]["status"] if self.held_by(id, one)]
                agents = [one for one in agents if self.in_scope(scope, id, one)]
                if agents:
                    self.sent[id]["passed"].update(dict.fromkeys(agents, now))
                    return id
        raise No

    def move_before(self, id: str, other: str, by: str) -> None:
        if not (self.is_to_come(id) and self.is_to_come(other)):
            raise No
        self.must_own(id, by)
        if id == other or not set(self.sent[id]["status"]) & set(self.sent[other]["status"]):
            raise No
        places = {one: self.place(one) for one in self.sent}
        priority = self.sent[id]["priority"] = self.sent[other]["priority"]
        before = [
            places[one]
            for one in places
            if self.sent[one]["priority"] == priority and one != id and not self.has_ended(one)
        ]
        nearest = max((place for place in before if place < places[other]), default=places[other] - 2)
        self.sent[id]["place"] = (nearest + places[other]) / 2

    def add_breakpoint(self, by: str, rule: dict[str, Any], once: bool) -> None:
        self.must_be_human(by)
        self.breakpoints.append({"rule": rule, "once": once, "enabled": True, "hits": 0, "there": True})

    def stop(self, now: datetime, ids: list[str]) -> list[str]:
        """Those of the messages that no breakpoint stops."""
        free = []
        for id in ids:
            message = self.sent[id]
            agents = [one for one, status in message["status"].items() if status in WAITING]
            agents = [one for one in agents if not self.agents.get(one, {}).get("human")]
            stopped = any(hold["scope"].get("message") == id for hold in self.holds)
            passed = any(one in message["passed"] for one in agents)
            hit = None
            if agents and not stopped and not passed and not message["released"]:
                hit = next((one for one in self.breakpoints if self.hits(one, message)), None)
            if hit:
                hit["hits"] += 1
                hit["enabled"] = not hit["once"]
                self.holds.append({"at": now, "scope": {"message": id}, "breakpoint": hit["rule"]})
            else:
                free.append(id)
        return free

    def hits(self, breakpoint: dict[str, Any], message: dict[str, Any]) -> bool:
        rule = breakpoint["rule"]
        return (
            breakpoint["there"]
            and breakpoint["enabled"]
            and rule.get("sender") in (None, message["sender"])
            and (rule.get("to") is None or rule["to"] in message["status"])
            and rule.get("priority") in (None, message["priority"])
            and message["hops"] >= rule.get("hops", 0)
        )

    def held_by(self, id: str, agent: str) -> bool:
        return any(self.keeps(hold, id, agent) for hold in self.holds)

    def keeps(self, hold: dict[str, Any], id: str, agent: str) -> bool:
        message = self.sent[id]
        passed = message["passed"].get(agent)
        return (
            message["status"][agent] in WAITING
            and not self.agents.get(agent, {}).get("human")
            and not (passed and passed >= hold["at"])
            and self.in_scope(hold["scope"], id, agent)
        )

    def in_scope(self, scope: dict[str, Any], id: str, agent: str) -> bool:
        message = self.sent[id]
        ends = (message["sender"], agent)
        return (
            scope.get("agent", agent) in ends
            and scope.get("peer", agent) in ends
            and scope.get("thread", message["thread"]) == message["thread"]
            and scope.get("channel", message["channel"]) == message["channel"]
            and scope.get("message", id) == id
        )

    def is_to_come(self, id: str) -> bool:
        return id in self.sent and any(one in WAITING for one in self.sent[id]["status"].values())

    def waits_for(self, agent: str) -> list[str]:
        return [
            id
            for id, message in self.sent.items()
            if message["status"].get(agent, "ended") not in ("ended", *ENDED)
        ]

    def place(self, id: str) -> float:
        place = self.sent[id]["place"]
        return float(list(self.sent).index(id)) if place is None else place

    def in_place(self) -> list[str]:
        return sorted(self.sent, key=self.place)

    def must_be_human(self, by: str) -> None:
        self.must_know(by)
        if not self.agents[by]["human"]:
            raise No

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
        self.stop(now, [new])

    def answer(self, now: datetime, new: str, id: str, by: str) -> None:
        self.say_yes(now, new, id, by)
        self.stop(now, [new])

    def say_yes(self, now: datetime, new: str, id: str, by: str) -> None:
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
            self.say_yes(now, new, id, me)
            metadata = {"answer": "no", "defaulted": encode_time(self.deadline(id))}
            hops = 0 if asked["human"] else asked["hops"] + 1
            self.sent[new].update(body="no", metadata=metadata, human=False, hops=hops)
            made.append(new)
        self.stop(now, made)
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
                if only in (None, agent) and status in WAITING and self.is_over(now, id, agent):
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
            for id in self.in_place():
                message = self.sent[id]
                status = message["status"].get(agent)
                if status is None or status in ENDED or message["priority"] != priority:
                    continue
                if status in WAITING and self.is_over(now, id, agent):
                    continue
                if status == "claimed" and message["lease"][agent] > now:
                    continue
                found.append(id)
        return found

    def is_over(self, now: datetime, id: str, agent: str) -> bool:
        spared = agent in self.sent[id]["passed"] or self.held_by(id, agent)
        return self.is_late(now, id) and not spared

    def is_late(self, now: datetime, id: str) -> bool:
        expires = self.sent[id]["expires"]
        return expires is not None and expires <= now

    def has_ended(self, id: str) -> bool:
        return all(status in ENDED for status in self.sent[id]["status"].values())

    def move(self, now: datetime, id: str, agent: str, status: str) -> None:
        self.sent[id]["status"][agent] = status
        self.sent[id]["at"][agent] = now
        if status == "delivered":
            self.sent[id]["had"].add(agent)
        if not self.is_to_come(id):
            self.holds = [hold for hold in self.holds if hold["scope"].get("message") != id]

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


def same_scope(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two holds cover the same. A pair is the same whoever is named first."""
    turned = {**other, "agent": other["peer"], "peer": other["agent"]} if "peer" in other else other
    return one in (other, turned)


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
        "passed": {agent: d.passed_at for agent, d in message.deliveries.items() if d.passed_at},
        "released": message.released_at is not None,
    }


def expected(message: dict[str, Any]) -> dict[str, Any]:
    """A message of the model, with what counts only while it is claimed left out otherwise."""
    claimed = [agent for agent, status in message["status"].items() if status == "claimed"]
    return {
        **{key: value for key, value in message.items() if key not in ("sent", "had", "place")},
        "holder": {agent: message["holder"][agent] for agent in claimed},
        "lease": {agent: message["lease"][agent] for agent in claimed},
    }
