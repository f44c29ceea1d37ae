"""The inspector as a user drives it."""

from __future__ import annotations

from pathlib import Path

import pytest

from msgcode import Store
from msgcode_tui.rooms import EVERYTHING, channel_room, pair_room
from tests.tui.support import Driver, Fact, running, write_journal
from tests.tui.widgets.test_message_lines import RAW

WIDE = (140, 40)


def inspected(app: Driver) -> str:
    """All that the inspector says, seen or not, however it is wrapped."""
    return " ".join(" ".join(row.text for row in app.inspector._rows).split())


async def test_it_follows_what_is_selected(store: Store, folder: Path) -> None:
    message = store.send("alice", "bob", "hello", metadata={"file": "a.py"})
    async with running(folder, size=WIDE) as app:
        await app.shows("hello", "3 agents")
        await app.select(channel_room("dev"))
        await app.shows("created by alice", "● alice", "● bob")
        await app.select(pair_room("bob", "human"))
        await app.shows("1 waiting", "the oldest waits for")
        await app.select(EVERYTHING)
        app.thread.focus()
        await app.pilot.press("k")
        await app.shows("waits for bob, who is idle", "sent by alice", "file: a.py")
        assert f"id {message.id[:8]}" not in app.screen(), "the thread need not say it again"
        store.claim("bob", "host-1")
        store.fail("bob", message.id, "host-1", "no pane")
        await app.until(lambda: "failed by host-1: no pane" in inspected(app))
        store.check("bob")
        store.acknowledge("bob", message.id)
        await app.until(lambda: "acknowledged" in inspected(app) and "bob is done with it" in inspected(app))
        assert "claimed by host-1" in inspected(app)


async def test_links_are_followed_and_back(store: Store, folder: Path) -> None:
    first = store.send("alice", "bob", "first")
    for number in range(50):
        store.send("alice", "bob", f"number {number}")
    reply = store.send("bob", "alice", "the reply", reply_to=first.id)
    async with running(folder, size=WIDE) as app:
        await app.shows("the reply")
        app.thread.focus()
        await app.pilot.press("k", "h")
        assert app.thread.selected == first.id
        await app.pilot.press("h")
        await app.shows("This message answers no other.")
        await app.pilot.press("l")
        assert app.thread.selected == reply.id
        await app.pilot.press("ctrl+o", "j", "enter")
        assert app.thread.selected == first.id
        await app.until(lambda: "Answered by" in inspected(app))
        await app.pilot.press("ctrl+o", "l")
        assert app.thread.selected == reply.id
        await app.pilot.press("l")
        assert app.thread.selected == reply.id


async def test_a_link_out_of_the_room_leads_to_everything(store: Store, folder: Path) -> None:
    origin = store.send("alice", "bob", "between us")
    reply = store.send("bob", "human", "what alice says", reply_to=origin.id)
    async with running(folder, size=WIDE) as app:
        await app.shows("between us")
        await app.select(pair_room("bob", "human"))
        app.thread.focus()
        await app.pilot.press("k", "h")
        assert (app.rooms.room, app.thread.selected) == (EVERYTHING, origin.id)
        await app.pilot.press("l")
        await app.pilot.pause()
        assert (app.rooms.room, app.thread.selected) == (pair_room("bob", "human"), reply.id)


async def test_the_mouse_follows_links_to_rooms(store: Store, folder: Path) -> None:
    async with running(folder, size=WIDE) as app:
        await app.select(channel_room("dev"))
        await app.shows("● bob", "Members")
        row = next(y for y, row in enumerate(app.inspector._rows) if row.text == "● bob")
        await app.pilot.click(app.inspector, (5, row + 1))
        await app.until(lambda: app.rooms.room == pair_room("bob", "human"))


async def test_going_to_unread_and_mentions(store: Store, folder: Path) -> None:
    async with running(folder) as app:
        await app.select(channel_room("dev"))
        mention = store.send("alice", "bob", "ask @human, not @humane")
        store.send("alice", "bob", "not @humane, h@human or human")
        await app.until(lambda: app.app.live.index.unread_count(EVERYTHING) == 2)
        app.thread.focus()
        await app.pilot.press("]")
        await app.until(lambda: app.rooms.room == pair_room("alice", "bob"))
        await app.until(lambda: not app.app.live.index.unread_count(EVERYTHING))
        await app.pilot.press("]")
        await app.shows("Nothing is unread.")
        await app.pilot.press("{")
        assert app.thread.selected == mention.id
        await app.pilot.press("{")
        await app.shows("No message to you or with your name that way.")
        assert app.thread.selected == mention.id


HOSTILE = {
    "word": "x" * 10_000,
    "mebibyte": "word [b]x[/b] `code` \n" * 50_000,
    "wide": "\U0001f469\u200d\U0001f467 日本語 " * 500,
    "rtl": "שלום עולם " * 500,
    "escapes": "\x1b[2J\u202e[b]x[/b] [@click=app.quit]y[/] \x1b]52;c;eA==\x07 &#x202e; \x1b]8;;http://x\x07",
}

NARROW = (50, 20)
HOSTILE_SIZED = [
    pytest.param(HOSTILE[name], size, id=f"{name}-{size[0]}")
    for name, size in [
        ("word", WIDE), ("mebibyte", NARROW), ("wide", WIDE), ("rtl", NARROW),
        ("escapes", WIDE), ("escapes", NARROW),
    ]
]  # fmt: skip
"""Each takes seconds; those at which a terminal could be harmed are shown in both sizes."""


@pytest.mark.parametrize(("text", "size"), HOSTILE_SIZED)
async def test_hostile_text_in_every_field(folder: Path, text: str, size: tuple[int, int]) -> None:
    claim = {"id": text, "agent": "human", "by": text, "until": "2026-03-02T09:31:00.000Z"}
    facts: list[Fact] = [
        {"type": "agent.registered", "id": "mallory", "name": text, "description": text},
        {"type": "channel.created", "id": text, "name": text, "createdBy": text, "description": text},
        {"type": "channel.joined", "channel": text, "agent": "mallory"},
        {
            "type": "message.sent",
            "id": text,
            "from": "mallory",
            "to": ["human", text],
            "body": text,
            "thread": text,
            "subject": text,
            "by": text,
            "replyTo": text,
            "channel": text,
            "metadata": {text: text, "file": text, "line": text},
        },
        {"type": "message.claimed", **claim},
        {"type": "message.failed", "id": text, "agent": "human", "by": text, "reason": text},
    ]
    write_journal(folder, facts)
    async with running(folder, size=size) as app:
        await app.until(lambda: app.app.live.state.messages)
        for room in (pair_room("human", "mallory"), channel_room(text), EVERYTHING):
            await app.select(room)
            app.thread.focus()
            for key in ("k", "ctrl+o", "G", "ctrl+o", "z", "z", "escape"):
                await app.pilot.press(key)
                for shown in app.screen().split("\n"):
                    assert not RAW.search(shown), repr(shown)
        app.thread.text_select_all()
        copied = app.app.screen.get_selected_text() or ""
        assert "mallory" in copied
        assert not RAW.search(copied.replace("\n", ""))
