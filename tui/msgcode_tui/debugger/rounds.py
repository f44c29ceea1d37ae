"""The loops and deadlocks that the user has not been told of yet."""

from __future__ import annotations

from msgcode.debugger.waits import waits
from msgcode_tui.debugger.rows import Scene
from msgcode_tui.notices import Happening, of_deadlock, of_loop


class Rounds:
    """Remembers what it has told of, as long as that goes on. me: the user."""

    def __init__(self, me: str) -> None:
        self._me = me
        self._told: set[tuple[str, ...]] = set()

    def new(self, scene: Scene) -> list[Happening]:
        """What goes round since the last look, or waits in a ring."""
        found: dict[tuple[str, ...], Happening] = {
            ("loop", one.kind, one.messages[0]): of_loop(one, self._me)
            for one in scene.findings
            if not one.ended
        }
        rings = waits(scene.state, scene.presences, scene.now, scene.unanswered).deadlocks
        found |= {
            ("deadlock", *sorted(wait.message.id for wait in ring)): of_deadlock(ring, self._me)
            for ring in rings
        }
        new = [happening for key, happening in found.items() if key not in self._told]
        self._told = set(found)
        return new
