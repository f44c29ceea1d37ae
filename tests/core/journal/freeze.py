"""Keeps a journal as this version writes it, for later ones to read: `python -m tests.core.journal.freeze`.

It is made at each release, into the folder `kept/VERSION`, with the room that was read from it then.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from datetime import datetime
from enum import Enum
from pathlib import Path

from msgcode import Store, __version__
from msgcode.codec import encode_time, to_json
from msgcode.events import FACTS
from msgcode.model import Session
from msgcode.state import State, fold
from tests.core.support import Clock, Ids, journal_files, picture

KEPT = Path(__file__).parent / "kept"


def plain(value: object) -> object:
    """A part of a room as JSON has it: records by their fields, as the journal writes them."""
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return plain(to_json(value))
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return encode_time(value)
    return value.value if isinstance(value, Enum) else value


def live(store: Store, clock: Clock) -> None:
    """Do everything that a room can keep, so that each kind of fact is written."""
    store.register("ann", "Ann", "reviews", session=Session("ses-1", "opencode", "host-1"))
    store.register("bob")
    store.register("carl")
    store.register("human", human=True)
    store.create_channel("dev", "ann", name="Development", description="all of it")
    store.join("dev", "bob")
    store.join("dev", "carl")
    done = store.send("ann", "bob", "This will be forgotten.")
    store.claim("bob", "host-2")
    store.confirm("bob", done.id, "host-2")
    store.acknowledge("bob", done.id)
    clock.advance(60)
    store.purge(by="human")
    store.leave("dev", "carl")
    store.unregister("carl")
    first = store.send(
        "ann",
        "bob",
        "Is it\ndone? ☃",
        subject="The build",
        priority="high",
        metadata={"file": "a.py:15"},
        ttl=600,
    )
    second = store.send("bob", "ann", "Nearly.", reply_to=first.id)
    everyone = store.broadcast("ann", "dev", "I rename a field.")
    store.edit(second.id, "Not yet.", by="bob")
    store.prioritize(everyone.id, priority="low", by="human")
    store.claim("bob", "host-2", limit=1)
    store.fail("bob", first.id, "host-2", "the session was busy")
    store.claim("bob", "host-2", limit=1)
    store.confirm("bob", first.id, "host-2")
    clock.advance(1)
    store.acknowledge("ann", second.id)
    third, fourth, fifth = (store.send("ann", "bob", f"Number {n}.") for n in (3, 4, 5))
    store.move(fifth.id, third.id, by="human")
    store.discard(fourth.id, by="human")
    store.expire(third.id, by="human")
    hold = store.hold("human", agent="bob", reason="Wait.")
    store.step("human", message=fifth.id)
    store.release("human", hold.number)
    store.hold("human", agent="ann", peer="bob")
    rule = store.add_breakpoint("human", sender="ann", text="deploy", priority="normal")
    store.switch_breakpoint(rule.number, False, "human")
    store.remove_breakpoint(rule.number, "human")
    store.add_breakpoint("human", to="bob", budget=4000)
    store.add_breakpoint("human", loops=True)
    clock.advance(1)
    store.send("bob", "ann", "The last one.", priority="urgent")


def main() -> None:
    folder = KEPT / __version__
    with tempfile.TemporaryDirectory() as temporary:
        clock = Clock()
        with Store.open(temporary, clock=clock, new_id=Ids()) as store:
            live(store, clock)
            events = list(store.history())
        missing = {*FACTS.values()} - {type(event.fact) for event in events}
        assert not missing, missing
        folder.mkdir(parents=True)
        for path in journal_files(Path(temporary)):
            shutil.copy(path, folder)
    state = State(keep_ended=True)
    for event in events:
        fold(state, event)
    room = json.dumps(plain(picture(state)), indent=1, ensure_ascii=False)
    (folder / "room.json").write_text(f"{room}\n")


if __name__ == "__main__":
    main()
