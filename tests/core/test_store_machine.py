"""Two stores on one room, driven at random and compared with a model made of plain dictionaries."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from msgcode import Message, Refused, Store
from msgcode.journal import file
from tests.core.store_model import AGENTS, ASKING, CHANNELS, NOBODY, PRIORITIES, Model, No, expected, seen_as
from tests.core.support import Clock, Ids, forget_snapshot, join_snapshots

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
humans = st.sampled_from(["cy", "cy", "cy", *AGENTS])
RULES = [{"sender": "ann"}, {"to": "bob"}, {"priority": "high"}, {"hops": 1}, {"sender": "bob", "to": "ann"}]
kinds = st.sampled_from(["all", "agent", "pair", "thread", "message"])
afterwards = st.lists(st.sampled_from(["say", "step", "wait", "release"]), max_size=4)
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
            lambda: self.stores[which].resend(id, by=by)[0],
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
            self.model.rename(name, message.id)
            assert seen_as(message) == expected(self.model.sent[message.id])

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
            lambda: self.stores[which].prioritize(id, priority=priority, by=by)[0],
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

    def scope(self, kind: str, agent: str, other: str, back: int) -> dict[str, str]:
        id = self.pick(back)
        thread = self.model.sent[id]["thread"] if id in self.model.sent else NOBODY
        scopes = {
            "all": {},
            "agent": {"agent": agent},
            "pair": {"agent": agent, "peer": other},
            "thread": {"thread": thread},
            "message": {"message": id},
        }
        return scopes[kind]

    @rule(which=stores, kind=kinds, agent=agents, other=agents, back=newest, by=humans, then=afterwards)
    def hold(
        self, which: int, kind: str, agent: str, other: str, back: int, by: str, then: list[str]
    ) -> None:
        """Hold something, and what comes of it."""
        scope: Any = self.scope(kind, agent, other, back)
        if other == agent:
            scope.pop("peer", None)
        if scope.get("peer") and other not in self.model.agents and not self.model.waits_for(other):
            return
        self.both(
            lambda: self.stores[which].hold(by, **scope), lambda: self.model.hold(self.clock(), by, scope)
        )
        for verb in then:
            if verb == "say":
                self.say(which, other, agent, "normal")
            elif verb == "step":
                self.step(1 - which, kind, agent, other, back, by)
            elif verb == "wait":
                self.clock.advance(41)
            else:
                self.release(1 - which, 0, by)

    @rule(which=stores, kind=kinds, agent=agents, other=agents, back=newest, by=humans)
    def step(self, which: int, kind: str, agent: str, other: str, back: int, by: str) -> None:
        scope: Any = self.scope(kind, agent, other, back)
        message, id = self.both(
            lambda: self.stores[which].step(by, **scope), lambda: self.model.step(self.clock(), by, scope)
        )
        self.compare_moved([message] if message else None, [id] if id else None)

    @rule(which=stores, index=st.none() | st.integers(0, 3), by=humans)
    def release(self, which: int, index: int | None, by: str) -> None:
        scopes = [hold["scope"] for hold in self.model.holds]
        if index is None or not scopes:
            self.both(
                lambda: self.stores[which].release(by), lambda: self.model.release(self.clock(), by, scopes)
            )
        else:
            scope: Any = scopes[index % len(scopes)]
            if scope:
                self.both(
                    lambda: self.stores[which].release(by, **scope),
                    lambda: self.model.release(self.clock(), by, [scope]),
                )

    @rule(which=stores, back=newest, before=newest, by=senders)
    def move_before(self, which: int, back: int, before: int, by: str) -> None:
        id, other = self.pick(back), self.pick(before)
        by = self.who(by, id)
        if id == other:
            return
        message, _ = self.both(
            lambda: self.stores[which].move(id, other, by), lambda: self.model.move_before(id, other, by)
        )
        self.compare_moved([message] if message else None, [id] if message else None)

    @rule(
        which=stores,
        by=humans,
        rule=st.sampled_from(
            [
                {"sender": "ann"},
                {"to": "bob"},
                {"priority": "high"},
                {"hops": 1},
                {"sender": "bob", "to": "ann"},
            ]
        ),
        once=st.booleans(),
    )
    def add_breakpoint(self, which: int, by: str, rule: dict[str, Any], once: bool) -> None:
        self.both(
            lambda: self.stores[which].add_breakpoint(by, **rule, once=once),
            lambda: self.model.add_breakpoint(by, rule, once),
        )

    @rule(which=stores, enabled=st.booleans(), really=st.integers(0, 2))
    def change_breakpoint(self, which: int, enabled: bool, really: int) -> None:
        """The oldest one is removed, or switched off or on."""
        there = [one for one in self.model.breakpoints if one["there"]]
        if not there or not self.model.agents.get("cy", {}).get("human"):
            return
        number = self.stores[which].breakpoints()[0].number
        if really:
            self.stores[which].remove_breakpoint(number, "cy")
            there[0]["there"] = False
        else:
            self.stores[which].switch_breakpoint(number, enabled, "cy")
            there[0]["enabled"] = enabled

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
        held = {held.message.id: set(held.agents) for held in store.held()}
        wanted = {id: {a for a in m["status"] if model.held_by(id, a)} for id, m in model.sent.items()}
        assert held == {id: agents for id, agents in wanted.items() if agents}
        rules = [(one["hits"], one["enabled"]) for one in model.breakpoints if one["there"]]
        assert [(rule.hits, rule.enabled) for rule in store.breakpoints()] == rules
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
    max_examples=100,
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
