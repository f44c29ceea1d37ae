"""A process of the real oh-my-msgcode, which has only its three files."""

from __future__ import annotations

from typing import Any

from tests.foreign.plugin import Plugin, PluginRefused
from tests.soak.ledger import FAILED, THEIRS
from tests.soak.worker import CHANNEL, Life

_SLOWER = 4
"""Every deed of it writes whole files, so they come that many times more seldom."""


def live(life: Life) -> None:
    """Send, read and acknowledge as its plugin does, until it has ended."""
    life.pace *= _SLOWER
    with Plugin(life.room.parent) as plugin:
        while not life.has_ended:
            try:
                _act(life, plugin)
            except PluginRefused as error:
                life.ledger.write(FAILED, text=str(error))
            life.rest()


def _act(life: Life, plugin: Plugin) -> None:
    if not any(agent["id"] == life.name for agent in plugin.call("listAgents")):
        plugin.call("registerAgent", life.name, life.name)
        plugin.call("joinChannel", CHANNEL, life.name)
    plugin.call("touchAgent", life.name)
    chance = life.random.random()
    if chance < 0.4:
        sent: dict[str, Any] = plugin.call("sendMessage", life.name, life.audience(), life.body())
        life.ledger.write(THEIRS, sent["id"], sent["to"])
    elif chance < 0.8:
        plugin.call("consumeNewMessages", life.name)
    else:
        for message in plugin.call("checkMessages", life.name)[:3]:
            plugin.call("acknowledgeMessage", life.name, message["id"])
