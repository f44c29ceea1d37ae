"""Telling an MCP client which resources have changed, if it asked to be told.

Clients of the protocol up to 2025-11-25 subscribe to each, and are told in their session; later ones listen
for as long as a call lasts, and are told in its course.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from mcp.server import ServerRequestContext
from mcp.server.session import ServerSession
from mcp.server.subscriptions import (
    InMemorySubscriptionBus,
    ListenHandler,
    ResourcesListChanged,
    ResourceUpdated,
    ServerEvent,
)
from mcp.shared.subscriptions import event_to_notification
from mcp.types import SubscriptionsListenRequestParams, SubscriptionsListenResult

Contents = dict[str, str | None]
"""Texts of resources by their addresses; None where there is none (yet)."""

Look = Callable[[list[str]], Awaitable[tuple[list[str], Contents]]]
"""From the addresses of resources to those that there are, and what is in those asked for."""


class Subscriptions:
    """Of what the client wants to hear, and what it has been told of it."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._bus = InMemorySubscriptionBus()
        self._listen = ListenHandler(self._bus)
        self._client: ServerSession | None = None
        self._subscribers: Counter[str] = Counter()
        self._known: list[str] = []
        """The addresses that there were when it was last told."""
        self._told: Contents = {}
        self._lock = asyncio.Lock()
        """Held while what is told is compared with what is, so that nothing is told twice."""

    def meet(self, client: ServerSession) -> None:
        """The client has introduced itself, in the earlier protocol: it is told in this session."""
        self._client = client

    async def subscribe(self, uri: str) -> None:
        """The client wants to be told when this resource changes from what it is now. Raises Unavailable."""
        await self._remember([uri])
        self._subscribers[uri] = 1

    def unsubscribe(self, uri: str) -> None:
        """The client does not want that any more."""
        del self._subscribers[uri]

    async def listen(
        self, context: ServerRequestContext[Any, Any], wanted: SubscriptionsListenRequestParams
    ) -> SubscriptionsListenResult:
        """The client wants to hear of this, for as long as the call lasts. Raises Unavailable."""
        uris = wanted.notifications.resource_subscriptions or []
        await self._remember(uris)
        self._subscribers.update(uris)
        try:
            return await self._listen(context, wanted)
        finally:
            self._subscribers -= Counter(uris)

    async def _remember(self, uris: list[str]) -> None:
        async with self._lock:
            _, contents = await self._look(uris)
            self._told.update(contents)

    async def tell(self) -> None:
        """Tell the client what has changed since it was last told, if anything. Raises Unavailable."""
        async with self._lock:
            known, contents = await self._look(list(self._subscribers))
            changed = [uri for uri, content in contents.items() if self._told.get(uri) != content]
            if known != self._known:
                await self._send(ResourcesListChanged())
            for uri in changed:
                await self._send(ResourceUpdated(uri))
            self._known = known
            self._told.update(contents)

    async def _send(self, event: ServerEvent) -> None:
        await self._bus.publish(event)
        if self._client:
            await self._client.send_notification(event_to_notification(event, {}))
