"""What the inspector says, item by item."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from msgcode import Activity, Message, Presence, Store
from msgcode.model import Session
from msgcode_tui.cards import room_card
from msgcode_tui.inspection import message_card
from msgcode_tui.items import Item
from msgcode_tui.live import Live
from msgcode_tui.rooms import EVERYTHING, Room, channel_room, pair_room
from tests.core.support import Clock, Ids

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


class Scene:
    """A store, and what a human sees of it."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.store = Store.open(folder, sync=False, clock=self.clock, new_id=Ids())
        for agent in ("alice", "bob"):
            self.store.register(agent)

    def live(self) -> Live:
        live = Live("human", self.clock())
        live.advance(self.store.history())
        live.presences = {agent.id: self.store.presence(agent.id) for agent in self.store.agents()}
        return live

    def message(self, id: str) -> str:
        return text_of(self.items(id))

    def items(self, id: str) -> list[Item]:
        live = self.live()
        return message_card(live, live.state.messages[id], self.store.life(id), self.clock())

    def room(self, room: Room) -> str:
        return text_of(room_card(self.live(), room, self.clock()))


def text_of(items: list[Item]) -> str:
    return "\n".join(f"{item.lead}{item.text}{f' | {item.aside}' if item.aside else ''}" for item in items)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(tmp_path / "room")
    with scene.store:
        yield scene


def test_a_life_has_every_step_with_its_time(scene: Scene) -> None:
    message = scene.store.send("alice", "bob", "hi")
    scene.clock.advance(2)
    scene.store.claim("bob", "opencode ses_1")
    scene.clock.advance(3)
    scene.store.fail("bob", message.id, "opencode ses_1", "the pane is gone")
    scene.clock.advance(60)
    scene.store.check("bob")
    scene.clock.advance(4)
    scene.store.acknowledge("bob", message.id)
    begin = message.sent_at
    clock = [f"{begin + timedelta(seconds=after):%H:%M:%S} " for after in (0, 2, 5, 65, 69)]
    assert (
        f"Life | {begin:%Y-%m-%d}\n"
        f"{clock[0]}sent by alice\n"
        f"{clock[1]}claimed by opencode ses_1 | +2.0 s\n"
        f"{clock[2]}failed by opencode ses_1: the pane is gone | +3.0 s\n"
        f"{clock[3]}delivered | +1 min\n"
        f"{clock[4]}acknowledged | +4.0 s"
    ) in scene.message(message.id)


def test_each_recipient_has_steps_and_durations_of_its_own(scene: Scene) -> None:
    scene.store.create_channel("dev", "alice")
    for member in ("bob", "carol"):
        scene.store.register(member)
        scene.store.join("dev", member)
    message = scene.store.broadcast("alice", "dev", "news")
    scene.clock.advance(5)
    scene.store.check("bob")
    scene.clock.advance(5)
    scene.store.check("carol")
    shown = scene.message(message.id)
    assert "bob: delivered | +5.0 s" in shown
    assert "carol: delivered | +10 s" in shown


def test_until_its_life_is_read_the_message_tells_it(scene: Scene) -> None:
    message = scene.store.send("alice", "bob", "hi")
    scene.clock.advance(7)
    scene.store.check("bob")
    live = scene.live()
    shown = text_of(message_card(live, live.state.messages[message.id], [], scene.clock()))
    assert "sent by alice" in shown
    assert f"{message.sent_at + timedelta(seconds=7):%H:%M:%S} delivered" in shown


@pytest.mark.parametrize(
    ("act", "now"),
    [
        (lambda store, id: None, "waits for bob, who is idle | 10 s"),
        (
            lambda store, id: store.set_presence("bob", "busy", "thinking"),
            "waits for bob, who is busy: thinking",
        ),
        (lambda store, id: store.set_presence("bob", "offline"), "waits for bob, who is offline since "),
        (lambda store, id: store.unregister("bob"), "waits for bob, whom nobody has registered"),
        (
            lambda store, id: store.claim("bob", "host"),
            "being given to bob by host, whose lease ends in 30 s",
        ),
        (lambda store, id: store.check("bob"), "bob has it, and has not acknowledged it | 0.0 s"),
        (lambda store, id: store.acknowledge("bob", id), "bob is done with it"),
        (lambda store, id: store.acknowledge("bob", id, by="human"), "bob is done with it, said by human"),
        (lambda store, id: store.expire(id, by="human"), "expired for bob by human"),
    ],
)
def test_who_has_it_now(scene: Scene, act: Callable[[Store, str], object], now: str) -> None:
    scene.store.register("human", human=True)
    message = scene.store.send("alice", "bob", "hi")
    scene.clock.advance(10)
    scene.store.seen("bob")
    act(scene.store, message.id)
    assert f"Now\n{now}" in scene.message(message.id)


def test_an_edited_message_tells_what_was_first_written(scene: Scene) -> None:
    scene.store.register("human", human=True)
    message = scene.store.send("alice", "bob", "first words", subject="Old")
    scene.store.edit(message.id, "other words", subject="New", by="human")
    shown = scene.message(message.id)
    assert "Edited | by human\nwas: Old\nwas: first words" in shown
    assert "edited by human" in shown.split("Life", 1)[1]


def test_chains_lead_to_their_messages(scene: Scene) -> None:
    store = scene.store
    first = store.send("alice", "bob", "first words")
    store.check("bob")
    second = store.send("bob", "alice", "second", reply_to=first.id)
    third = store.send("alice", "bob", "third", subject="Third", reply_to=second.id)
    store.check("bob")
    apart = store.send("bob", "alice", "apart")
    items = scene.items(second.id)
    assert "Answers\n↩ alice: first words" in text_of(items)
    assert "Answered by\n↪ alice: Third" in text_of(items)
    assert "Thread | 3 messages" in text_of(items)
    assert "Caused by" not in text_of(items), "what it answers is its cause"
    assert [item.target for item in items if item.target] == [first.id, third.id, first.id, third.id]
    assert "Caused by | 3 hops\n⇠ alice: Third" in scene.message(apart.id)
    assert "Thread" not in scene.message(apart.id)


def test_a_chain_that_bites_its_tail_ends(scene: Scene) -> None:
    one = Message("m1", 1, "a", "x", AT, {}, reply_to="m2", cause="m2", thread="m1")
    two = one._replace(id="m2", reply_to="m1", cause="m1")
    live = Live("human", AT)
    live.state.messages.update(m1=one, m2=two)
    shown = text_of(message_card(live, one, [], AT))
    assert shown.count("↩ a: x") == 1


def test_the_card_of_an_agent(scene: Scene) -> None:
    session = Session("ses_1", "opencode", "host", "/src/app")
    scene.store.register("bob", "Bobby", "writes code", session=session)
    scene.store.create_channel("dev", "bob")
    old = scene.store.send("alice", "bob", "old", priority="urgent")
    scene.clock.advance(125)
    scene.store.check("bob")
    scene.store.send("alice", "bob", "new")
    scene.store.set_presence("bob", "blocked", "waiting for permission")
    scene.clock.advance(3)
    shown = scene.room(pair_room("bob", "human"))
    for text in (
        "bob\nBobby\nwrites code\n■ blocked: waiting for permission",
        "seen   3.0 s ago",
        "in     opencode ses_1",
        "at     /src/app",
        "Inbox | 2 waiting\n1 urgent, 1 normal\n1 of them not delivered yet\nthe oldest waits for 2 min 8 s",
        f"oldest alice: old | {old.sent_at:%H:%M}",
        "Channels\n#dev",
        "Lately\nalice: new",
    ):
        assert text in shown
    assert "Inbox\nempty" in scene.room(pair_room("alice", "human"))
    both = scene.room(pair_room("alice", "bob"))
    assert both.startswith("alice\n")
    assert "\n\nbob\n" in both


def test_the_card_of_a_stranger(scene: Scene) -> None:
    scene.store.send("alice", "nemo", "hello?")
    assert scene.room(pair_room("human", "nemo")).startswith("nemo\nnot registered\n\nInbox | 1 waiting")


def test_the_card_of_a_channel(scene: Scene) -> None:
    scene.store.create_channel("dev", "alice", description="All of us")
    scene.store.join("dev", "bob")
    scene.store.set_presence("bob", "busy", "reading")
    scene.store.broadcast("alice", "dev", "news")
    items = room_card(scene.live(), channel_room("dev"), scene.clock())
    shown = text_of(items)
    assert "#dev\nAll of us\ncreated by alice, " in shown
    assert "1 message\n\nMembers | 2\n● alice\n◐ bob: reading" in shown
    assert "Lately\nalice: news" in shown
    assert pair_room("bob", "human") in [item.target for item in items]
    assert "nobody has created this channel" in scene.room(channel_room("nowhere"))


def test_the_card_of_everything(scene: Scene) -> None:
    for _ in range(3):
        scene.store.send("alice", "bob", "hi")
    scene.store.send("bob", "alice", "hi")
    live = scene.live()
    live.presences["alice"] = Presence(Activity.OFFLINE)
    items = room_card(live, EVERYTHING, scene.clock())
    assert text_of(items) == (
        "Everything\n4 messages\n2 agents, 1 online\n0 channels\n\n"
        "Waiting\nin the fullest inboxes\nbob | 3\nalice | 1"
    )
    assert items[-2].target == pair_room("bob", "human")
