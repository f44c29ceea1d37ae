"""What an agent program pays for a hook at each tool call. The floor: a shell that exits."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

from msgcode import Store
from msgcode.harness.sessions import Conversation, SessionFolder, hook_command, sessions_folder
from msgcode.model import Session
from tests.bench import claude_hook, hcom
from tests.bench.processes import installed_env
from tests.bench.progress import progress
from tests.bench.row import FLOOR, HCOM, OURS, Row, Target, medians
from tests.bench.scale import Scale

TEXT = "the build is green"


def title(*, mail: bool) -> str:
    """What is measured."""
    return f"hook after a tool call, {'a message is handed over' if mail else 'nothing waits'}"


def rows(scale: Scale) -> Iterator[Row]:
    """A hook with nothing to do, and one that hands a message over."""
    idle: dict[str, list[float]] = defaultdict(list)
    busy: dict[str, list[float]] = defaultdict(list)
    with ExitStack() as stack:
        contenders: dict[str, _Ours | _Hcom] = {OURS: stack.enter_context(_Ours.ready())}
        program = hcom.program() if scale.others else None
        if program:
            contenders[HCOM] = _Hcom(stack.enter_context(hcom.HcomSession.started(program)))
        for round in range(scale.processes + 1):
            progress(f"hooks, {round} of {scale.processes}")
            idle[FLOOR].append(claude_hook.run(["/bin/sh", "-c", "exit 0"], os.environ)[0])
            for name, contender in contenders.items():
                took, said = claude_hook.run(contender.hook, contender.env)
                assert not said, f"{name} had nothing to say, and said {said}"
                idle[name].append(took)
                contender.send()
                took, said = claude_hook.run(contender.hook, contender.env)
                assert TEXT in said, f"{name} handed nothing over: {said}"
                busy[name].append(took)
                contender.settle()
    for mail, samples in ((False, idle), (True, busy)):
        figures = medians(
            {name: values[1:] for name, values in samples.items()}
        )  # The first fills the caches.
        target = None if mail else Target(figures[OURS], most=3, unit=" ms")
        yield Row(title(mail=mail), "ms", figures, target=target, runs=str(scale.processes))


class _Ours:
    """A session of Claude Code, as our hooks see it; this process is the program's, and the companion."""

    def __init__(self, store: Store, folder: SessionFolder, env: Mapping[str, str]) -> None:
        self.hook = ("/bin/sh", "-c", hook_command("claude", "tool"))
        self.env = env
        self._store, self._folder = store, folder

    @classmethod
    @contextmanager
    def ready(cls) -> Iterator[_Ours]:
        with (
            tempfile.TemporaryDirectory() as room,
            patch.dict(os.environ, HOME=room, XDG_STATE_HOME=os.path.join(room, "state")),
            installed_env() as env,
            Store.open(room) as store,
        ):
            folder = SessionFolder(sessions_folder() / str(os.getpid()))
            folder.begin(Conversation(claude_hook.CONVERSATION), os.getpid())
            folder.serve(room)
            store.register("ann")
            store.register("bob", session=Session(claude_hook.CONVERSATION, "claude", "bench"))
            try:
                yield cls(store, folder, env)
            finally:
                folder.remove()

    def send(self) -> None:
        self._store.send("ann", "bob", TEXT)
        self._folder.flag_mail(True)

    def settle(self) -> None:
        self._folder.flag_mail(False)


class _Hcom:
    """The same in hcom."""

    def __init__(self, session: hcom.HcomSession) -> None:
        self.hook, self.env = session.hook, session.env
        self._session = session

    def send(self) -> None:
        command = self._session.sending(TEXT)
        subprocess.run(command, env=self._session.shell_env, check=True, capture_output=True)

    def settle(self) -> None:
        pass
