"""The room and inboxes as resources over MCP, and being told when they change."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from mcp.client.subscriptions import ResourcesListChanged, ResourceUpdated
from mcp.shared.exceptions import MCPError
from mcp.types import ResourceListChangedNotification, ResourceUpdatedNotification

from msgcode import Status, Store
from tests.core.mcp.clients import HASTY, WAIT, Program, program, text, until

LEGACY = pytest.mark.filterwarnings("ignore:resources/.*subscribe is removed")


@pytest.fixture
def room(tmp_path: Path) -> Path:
    return tmp_path / "room"


@pytest.fixture
def store(room: Path) -> Iterator[Store]:
    with Store.open(room, sync=False) as store:
        store.register("carol")
        yield store


async def test_the_inbox_of_each_own_agent_and_the_room_can_be_read(room: Path, store: Store) -> None:
    async with program(room, "ann") as ann:
        found = {resource.uri: resource for resource in (await ann.client.list_resources()).resources}
        assert list(found) == ["msgcode://room", "msgcode://inbox/ann"]
        (template,) = (await ann.client.list_resource_templates()).resource_templates
        assert template.uri_template == "msgcode://inbox/{agent}"
        assert await ann.read("msgcode://inbox/ann") == (
            '0 message(s) for ann. Lines that begin with ">" were written by the sender.'
        )
        message = store.send("carol", "ann", "hi\nho \x1b[2J")
        assert "> hi\n> ho ␛[2J" in await ann.read("msgcode://inbox/ann")
        assert store.message(message.id).deliveries["ann"].status is Status.QUEUED, "to look marks nothing"
        store.create_channel("dev", "carol")
        assert await ann.read("msgcode://room") == (
            "Agents:\nann (you), idle\ncarol, idle\n\nChannels:\n#dev, dev, members: carol"
        )
        for uri in ["msgcode://inbox/carol", "msgcode://inbox/", "msgcode://nothing", "file:///etc/passwd"]:
            with pytest.raises(MCPError, match="no such resource"):
                await ann.read(uri)


@LEGACY
async def test_who_subscribed_is_told_of_changes_and_nothing_else(room: Path, store: Store) -> None:
    async with program(room, "ann", mode="legacy") as ann:
        capabilities = ann.client.server_capabilities.resources
        assert capabilities
        assert (capabilities.subscribe, capabilities.list_changed) == (True, True)
        await ann.client.subscribe_resource("msgcode://inbox/ann")
        store.register("dora")
        message = store.send("carol", "ann", "hi")
        await until(lambda: ann.heard)
        assert changed(ann) == ["msgcode://inbox/ann"]
        store.edit(message.id, "ho", by=store.register("me", human=True).id)
        await until(lambda: len(ann.heard) == 2)
        assert changed(ann) == ["msgcode://inbox/ann"] * 2
        await ann.client.subscribe_resource("msgcode://room")
        await ann.client.unsubscribe_resource("msgcode://inbox/ann")
        store.send("carol", "ann", "hey")
        store.create_channel("dev", "carol")
        await until(lambda: len(ann.heard) == 3)
        assert changed(ann)[2:] == ["msgcode://room"]


@LEGACY
async def test_a_list_that_changed_is_told_of_to_all(room: Path) -> None:
    async with program(room, mode="legacy") as ann:
        await ann.call("register_agent", agent_id="ann")
        await until(lambda: ann.heard)
        assert isinstance(ann.heard.pop(), ResourceListChangedNotification)
        uris = [resource.uri for resource in (await ann.client.list_resources()).resources]
        assert uris == ["msgcode://room", "msgcode://inbox/ann"]
        async with program(room) as eve:
            await eve.call("register_agent", agent_id="ann", takeover=True)
            await until(lambda: ann.heard)
            assert isinstance(ann.heard.pop(), ResourceListChangedNotification)


async def test_who_listens_is_told_while_it_does(room: Path, store: Store) -> None:
    async with program(room) as ann:
        async with asyncio.timeout(WAIT):
            async with ann.client.listen(
                resources_list_changed=True, resource_subscriptions=["msgcode://inbox/ann"]
            ) as events:
                await ann.call("register_agent", agent_id="ann")
                assert {await anext(events), await anext(events)} == {
                    ResourcesListChanged(),
                    ResourceUpdated("msgcode://inbox/ann"),
                }
                store.send("carol", "ann", "hi")
                assert await anext(events) == ResourceUpdated("msgcode://inbox/ann")
        assert "> hi" in text(await ann.ask("check_messages"))


@LEGACY
async def test_that_somebody_went_silently_is_told_too(room: Path, store: Store) -> None:
    async with program(room, "ann", mode="legacy", script=HASTY) as ann:
        await ann.client.subscribe_resource("msgcode://room")
        store.set_presence("carol", "blocked", "permission: bash")
        await until(lambda: ann.heard)
        assert "carol, blocked: permission: bash" in await ann.read("msgcode://room")


def changed(program: Program) -> list[str]:
    """Of which resources it has heard that they have changed."""
    assert all(isinstance(notification, ResourceUpdatedNotification) for notification in program.heard)
    return [notification.params.uri for notification in program.heard]
