"""How what is drawn line by line looks: the styles of the theme, under the names of what they are for."""

from __future__ import annotations

from typing import NamedTuple

from rich.style import Style

from msgcode import Priority, Status
from msgcode_tui.palette import sender_color

TICKS = {
    Status.QUEUED: "·",
    Status.CLAIMED: "◌",
    Status.DELIVERED: "✓",
    Status.ACKNOWLEDGED: "✓✓",
    Status.EXPIRED: "✗",
    Status.DISCARDED: "✗",
}

HELD = "‖"
"""What is kept from its recipient."""

PRIORITY_MARKS = {Priority.URGENT: "‼ urgent", Priority.HIGH: "! high", Priority.LOW: "↓ low"}


class Look(NamedTuple):
    """The styles of a thread."""

    body: Style
    muted: Style
    subject: Style
    done: Style
    under_way: Style
    failed: Style
    urgent: Style
    high: Style
    chip: Style
    """Metadata."""
    code: Style
    key: Style
    """A key that may be pressed."""
    note: Style
    """What was done to a message, such as that a human wrote it in an agent's name."""
    divider: Style
    new: Style
    hit: Style
    """What was searched for."""
    marked: Style
    """Laid over all of a marked message."""
    selected: Style
    """Laid over all of the selected message."""
    palette: tuple[str, ...]

    def sender(self, agent: str) -> Style:
        """How the agent's name is drawn."""
        return self.body + Style(color=sender_color(agent, self.palette), bold=True)

    def status(self, status: Status) -> Style:
        """How a delivery's status is drawn."""
        if status is Status.ACKNOWLEDGED:
            return self.done
        if status is Status.DELIVERED:
            return self.under_way
        return self.failed if status.ended else self.muted

    def priority(self, priority: Priority) -> Style:
        """How a priority is drawn."""
        return {Priority.URGENT: self.urgent, Priority.HIGH: self.high}.get(priority, self.muted)
