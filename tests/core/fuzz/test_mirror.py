"""Files of oh-my-msgcode with any damage: what can be understood is taken in, the rest is kept and told."""

from __future__ import annotations

import json
import os
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from msgcode import Store
from msgcode.events import MessageSent
from msgcode.mirror.entries import Content, Unreadable, parse, render, render_entry
from msgcode.mirror.versions import FILES, MEMORY, MESSAGES
from msgcode.model import now
from tests.core.fuzz.mutation import Edit, edits, mutated
from tests.core.mirror.support import Shifted, agent, channel, leftovers, message, mirror_of, put, stamp, text
from tests.core.mirror.test_entries import all_of

Entry = dict[str, Any]


def entries_of(name: str) -> list[Entry]:
    """What the plugin has written there a moment ago."""
    seen = {"registeredAt": stamp(-9), "lastSeenAt": stamp()}
    match name:
        case "agents.json":
            return [agent("cy", **seen), agent("dan", **seen, description="döes")]  # type: ignore[arg-type]
        case "channels.json":
            return [
                channel("dev", "cy", "dan", createdAt=stamp(-5)),
                channel("ops", "cy", createdAt=stamp(-4)),
            ]
        case _:
            sent = {"createdAt": stamp(-3)}
            return [
                message("m1", **sent),
                message("m2", **sent, subject="ünï", metadata={"file": "a.py:15"}, channel="dev"),
                message("m3", "cy", "dan", "delivered", **sent, deliveredAt=stamp(-2)),
                message("m4", "dan", "cy", "acknowledged", **sent, acknowledgedAt=stamp(-1)),
                message("m5", expiresAt=stamp(60), **sent),
            ]


names = st.sampled_from(FILES)


def read(name: str, data: bytes, before: Content | None = None) -> Content | None:
    try:
        return parse(name, data, before)
    except Unreadable:
        return None


@given(
    names,
    edits()
    | st.binary(max_size=100).map(
        lambda data: [Edit("truncate", 0, 0, 0, b""), Edit("insert", 0, 0, 0, data)]
    ),
)
def test_every_entry_is_understood_or_kept_or_told(name: str, changes: list[Edit]) -> None:
    data = mutated(text(entries_of(name)), changes)
    content = read(name, data)
    if content is None:
        return
    understood = len(content.items) - len(content.odd)
    assert len(content.entries) <= understood
    assert len(content.entries) == understood or content.problems or _has_repeated_ids(content)
    assert not content.odd or content.problems
    for problem in content.problems:
        assert problem.isprintable()
        assert len(problem) < 300
    kept = [*content.raw.values(), *content.odd]
    assert json.loads(render([render_entry(item) for item in kept])) == kept


def _has_repeated_ids(content: Content) -> bool:
    ids = [item.get("id") for item in content.items if isinstance(item, dict)]
    return any(ids.count(id) > 1 for id in ids)


@given(names, edits(), edits())
def test_read_after_another_version_it_says_the_same(name: str, first: list[Edit], then: list[Edit]) -> None:
    whole = text(entries_of(name))
    before = read(name, whole)
    for data in (mutated(whole, first), mutated(mutated(whole, first), then), whole):
        content, full = read(name, data, before), read(name, data)
        assert (content and all_of(content)) == (full and all_of(full))
        before = content or before


@given(names, edits(most=2), edits(most=2) | st.none())
def test_the_room_goes_on(name: str, changes: list[Edit], memory: list[Edit] | None) -> None:
    """It has what it had and what the file says, and the plugin gets files that it can read."""
    clock = Shifted()
    with (
        tempfile.TemporaryDirectory() as folder,
        Store.open(Path(folder, "room"), sync=False, clock=clock) as store,
    ):
        room = Path(folder, "room")
        store.register("ann")
        store.register("bob")
        ours = store.send("ann", "bob", "ours")
        for other in FILES:
            put(room, other, entries_of(other))
        assert len(store.inbox("bob")) == 4
        clock.advance(0.3)
        mirror_of(store).publish(at_once=True)
        if memory:
            (room / MEMORY).write_bytes(mutated((room / MEMORY).read_bytes(), memory))
        data = mutated((room / name).read_bytes(), changes)
        put(room, name, data, now() - timedelta(seconds=2))
        with Store.open(room, sync=False, clock=clock) as other_store:
            other_store.agents()
            other_store.channels()
            for id in ("ann", "bob"):
                other_store.register(id)  # Perhaps the file now says that it has left.
            mine = other_store.send("bob", "ann", "goes on")
            clock.advance(0.3)
            mirror_of(other_store).publish(at_once=True)
            assert mirror_of(other_store).trouble is None
            peers = other_store.peers()
            assert peers
            assert not other_store.damage()
            sent = [event.fact for event in other_store.history() if isinstance(event.fact, MessageSent)]
        ids = [fact.id for fact in sent]
        assert len(ids) == len(set(ids)), "nothing is taken in twice"
        assert {ours.id, mine.id} <= set(ids)
        content = read(name, data)
        if content is None or content.problems:
            assert peers.problems
            assert data in [
                (room / "set-aside" / kept).read_bytes() for kept in os.listdir(room / "set-aside")
            ]
        said = {entry["id"] for entry in entries_of(MESSAGES)}
        if name == MESSAGES and content is not None:
            said |= content.entries.keys()
        assert set(ids) <= said | {ours.id, mine.id}
        for written in FILES:
            published = read(written, (room / written).read_bytes())
            assert published
            if written == name and content is not None:
                assert [odd for odd in content.odd if odd not in published.odd] == []
        if (message := store.message(mine.id)).deliveries["ann"].status == "queued":
            assert message.id in parse(MESSAGES, (room / MESSAGES).read_bytes()).entries
    assert leftovers(room) == [] if room.exists() else True
