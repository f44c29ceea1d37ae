"""One run: the crew at work while faults happen, then everything at rest, then the audit."""

from __future__ import annotations

import heapq
import itertools
import shutil
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from msgcode import MsgcodeError, Store, model
from msgcode.journal import snapshot
from msgcode.journal.reader import Reader
from msgcode.mirror.versions import FILES
from msgcode.state import State, fold
from tests.core.support import picture
from tests.soak import audit, ledger
from tests.soak.crew import Crew
from tests.soak.faults import Faults
from tests.soak.ledger import ACKNOWLEDGED, CONFIRMED, INJECTED, SENT, THEIRS
from tests.soak.mirrored import mirrored
from tests.soak.plan import Fault, plan
from tests.soak.worker import READERS

PROGRESS_EVERY = 5.0
"""Seconds between two lines of progress."""

_MIRROR_WITHIN = 20.0
"""Seconds within which the files have to agree with the room, once everybody is gone."""

_AUDITOR = "auditor"

_SHOWN = 20
"""So many flaws are printed."""


class Soak:
    """A run of so many seconds.

    members: the kind of each process, by name. room: the folder, whose parent may be a small disk
    (is_disk). outside: a folder that no fault reaches. pace: seconds between two things that a process
    does.
    """

    def __init__(
        self, members: dict[str, str], room: Path, outside: Path, seed: int, seconds: float, pace: float,
        *, is_disk: bool,
    ) -> None:  # fmt: skip
        self._room = room
        self._outside = outside
        self._seconds = seconds
        self._crew = Crew(members, room, outside, seed, pace)
        self._faults = Faults(self._crew, room, outside, is_disk=is_disk)
        skewed = [name for name, kind in members.items() if kind in ("writer", "deliverer")]
        self._plan = plan(seed, seconds, [*members], skewed)
        self._done: Counter[str] = Counter()
        self._flaws: list[str] = []

    def run(self) -> bool:
        """Run it, telling on standard output how it goes; returns whether the room is sound."""
        try:
            with Store.open(self._room) as witness:
                witness.register(_AUDITOR, human=True)
                self._work(witness)
                self._crew.end()
                self._audit(witness)
        finally:
            self._crew.kill_all()
        self._report()
        return not self._flaws

    def _work(self, witness: Store) -> None:
        """Let all work, and have the faults happen."""
        for name in self._crew.members:
            self._crew.start(name)
        start = time.monotonic()
        order = itertools.count()
        due: list[tuple[float, int, Fault | Callable[[], None]]]
        due = [(fault.at, next(order), fault) for fault in self._plan]
        shown = 0.0
        while (now := time.monotonic() - start) < self._seconds:
            while due and due[0][0] <= now:
                _, _, deed = heapq.heappop(due)
                if not isinstance(deed, Fault):
                    deed()
                    continue
                undo = self._faults.do(deed)
                if undo:
                    self._done[deed.kind] += 1
                    heapq.heappush(due, (now + deed.seconds, next(order), undo))
            self._crew.look_after()
            if now - shown >= PROGRESS_EVERY:
                shown = now
                self._look(witness)
                self._progress(now)
            time.sleep(0.02)
        for _, _, deed in sorted(due):
            if not isinstance(deed, Fault):
                deed()

    def _look(self, witness: Store) -> None:
        try:
            witness.agents()
        except MsgcodeError:
            pass  # A full disk, or a cut file: those at work tell.

    def _progress(self, now: float) -> None:
        did = Counter(entry.did for entry in ledger.read(self._outside))
        accepted = did[SENT] + did[THEIRS]
        print(
            f"{now:6.0f} s  {sum(self._done.values())} faults, {accepted} accepted, "
            f"{did[CONFIRMED]} delivered, {did[ACKNOWLEDGED]} acknowledged, {accepted / now:.1f} a second",
            flush=True,
        )

    # The audit

    def _audit(self, witness: Store) -> None:
        if (self._room / "messages.json").exists():
            self._audit_mirror()
        self._audit_states(witness)
        self._drain()
        self._audit_states(witness)
        entries = ledger.read(self._outside)
        with Store.open(self._room) as store:
            events = [*store.history()]
            messages = {message.id: message for message in store.messages(ended=True)}
        for flaws in (
            audit.broken(entries),
            audit.numbers(events),
            audit.lawful(events),
            audit.promised(messages, entries),
            audit.offered(events, entries),
            audit.drained(messages, READERS),
        ):
            self._flaws += flaws
        room = messages.keys()
        theirs = [entry.id for entry in entries if entry.did == THEIRS]
        self._lost = sum(id not in room for id in theirs), len(theirs)

    def _audit_mirror(self) -> None:
        """The files agree with the room as soon as somebody of ours has published, who also reads them."""
        deadline = time.monotonic() + _MIRROR_WITHIN
        while True:
            with Store.open(self._room) as store:
                store.register(_AUDITOR, f"Auditor {time.monotonic_ns()}", human=True)
            now = model.now()
            with Store.open(self._room) as store:
                state = _fold(store, keep_ended=True)
            files = {name: (self._room / name).read_bytes() for name in FILES if (self._room / name).exists()}
            flaws = [*mirrored(state, files, now)]
            if not flaws or time.monotonic() > deadline:
                break
            time.sleep(0.5)
        self._flaws += flaws

    def _audit_states(self, witness: Store) -> None:
        """The fold from scratch, the snapshot's, and that of a process that was there all the time."""
        witness.agents()
        scratch = picture(_fold(witness, keep_ended=False))
        self._flaws += audit.same(scratch, picture(witness._journal.state), "the witness")
        loaded = snapshot.load(str(self._room / "journal"))
        if loaded:
            state, position = loaded
            reader = Reader(str(self._room / "journal"), position)
            for event in reader.read():
                fold(state, event)
            reader.close()
            self._flaws += audit.same(scratch, picture(state), "the snapshot")

    def _drain(self) -> None:
        """Release and deliver everything, on a day on which every lease has lapsed."""
        with Store.open(self._room, clock=lambda: model.now() + timedelta(days=2)) as store:
            store.release(_AUDITOR)
            for rule in store.breakpoints():
                store.remove_breakpoint(rule.number, _AUDITOR)
            for agent in READERS:
                store.register(agent)
                for message in store.claim(agent, _AUDITOR):
                    store.confirm(agent, message.id, _AUDITOR)
                store.expire()
                if waiting := store.inbox(agent):
                    store.acknowledge(agent, *(message.id for message in waiting))

    def _report(self) -> None:
        entries = ledger.read(self._outside)
        did = Counter(entry.did for entry in entries)
        faults = ", ".join(f"{count} {kind}" for kind, count in self._done.most_common())
        print(f"\nfaults        {faults or 'none'}")
        print(f"accepted      {did[SENT]}, and {did[THEIRS]} by oh-my-msgcode")
        print(f"injected      {did[INJECTED]}")
        print(f"delivered     {did[CONFIRMED]}")
        print(f"acknowledged  {did[ACKNOWLEDGED]}")
        print(f"not done      {did[ledger.REFUSED] + did[ledger.FAILED]}, for one of msgcode's own reasons")
        print(f"cut away      {did[ledger.CUT]} events, by the faults")
        lost, sent = self._lost
        print(f"theirs lost   {lost} of {sent}, overwritten or cut before anybody of ours had read them")
        for flaw in self._flaws[:_SHOWN]:
            print(f"UNSOUND: {flaw}")
        if len(self._flaws) > _SHOWN:
            print(f"UNSOUND: and {len(self._flaws) - _SHOWN} more")
        if not self._flaws:
            print("sound")

    def keep(self, folder: Path) -> None:
        """Copy the room to this folder, where it outlives the disk."""
        shutil.copytree(self._room, folder, symlinks=True)


def _fold(store: Store, *, keep_ended: bool) -> State:
    state = State(keep_ended=keep_ended)
    for event in store.history():
        fold(state, event)
    return state
