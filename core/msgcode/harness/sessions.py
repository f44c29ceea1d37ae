"""The agent programs that run on this machine: a folder each, through which hooks and companion work.

The folder is named by the program's process, or by the conversation where several share one. In it:

    session.json  which conversation is open: written when it begins, by its hook
    process       the program's process, likewise
    state         what it is doing: a line with busy, idle, offline, or blocked and the reason; by hooks
    mail          is there while something waits that its agents may be given; by the companion (companion.py)
    wake          a pipe: who waits in an idle session reads a line when mail has come; by the companion
    handed        what hooks have handed over, a line of JSON each, and the companion has yet to see taken
    room          which store the companion serves; hooks deliver from the same
"""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path

from msgcode.harness.known import python
from msgcode.journal.folder import replace_file
from msgcode.model import Activity
from msgcode.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class Conversation(Record):
    """A conversation of an agent program, as its hooks name it."""

    id: str
    transcript: str | None = None
    """The file in which the program writes down what its model was told."""
    directory: str | None = None
    continues: bool = False
    """It takes the place of the one before it in the same terminal (as after /clear), with its agents."""


class Handed(Record):
    """A message that a hook has printed for the program to take."""

    agent: str
    message: str
    by: str
    """The deliverer that claims it."""


class SessionFolder:
    """The folder of one running agent program. Reading it never raises for what is in it."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.wake = self.path / "wake"
        self._mail = self.path / "mail"
        self._occupied = -1
        self._handed = self.path / "handed"

    def make(self) -> None:
        """Make it, with the pipe in it, if it is not there. Raises OSError."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self.wake.is_fifo():
            os.mkfifo(self.wake, 0o600)

    # What hooks write

    def begin(self, conversation: Conversation, process: int) -> None:
        """A conversation has begun in the program's process, or goes on. Raises OSError."""
        self.make()
        self._write("process", str(process))
        self._write("session.json", json.dumps(conversation))

    @property
    def conversation(self) -> Conversation | None:
        """The one that is open; None before the program's hook has told of it."""
        try:
            return Conversation(*json.loads(self._read("session.json")))
        except (ValueError, TypeError):
            return None

    @property
    def process(self) -> int | None:
        """The program's process, as its hook has told it."""
        found = self._read("process")
        return int(found) if found.isdecimal() else None

    def tell(self, activity: Activity, reason: str | None = None) -> None:
        """What the session is doing now, with a reason if it is blocked. Raises OSError."""
        self._write("state", f"{activity} {reason or ''}".rstrip() + "\n")

    @property
    def told_at(self) -> float:
        """When the session has last told what it is doing (seconds since 1970); 0 if it has not."""
        try:
            return (self.path / "state").stat().st_mtime
        except OSError:
            return 0.0

    @property
    def presence(self) -> tuple[Activity, str | None]:
        """What the session is doing, with a reason if it is blocked; idle as long as nothing else is told."""
        word, _, reason = self._read("state").partition("\n")[0].partition(" ")
        try:
            activity = Activity(word)
        except ValueError:
            return Activity.IDLE, None
        if activity is Activity.BLOCKED:
            return activity, reason or "it waits for its user"
        return activity, None

    def hand_over(self, handed: Iterable[Handed]) -> None:
        """Note what is about to be printed for the program. Raises OSError."""
        lines = "".join(json.dumps(one) + "\n" for one in handed)
        with open(self._handed, "a", opener=_private) as file:
            file.write(lines)

    def handed(self, since: int = 0) -> tuple[list[Handed], int]:
        """What has been handed over beyond so many bytes of the notes, and how many bytes there are now."""
        try:
            with open(self._handed, "rb") as file:
                file.seek(since)
                whole, newline, _ = file.read().rpartition(b"\n")
        except OSError:
            return [], since
        found = []
        for line in whole.splitlines():
            try:
                found.append(Handed(*json.loads(line)))
            except (ValueError, TypeError):
                continue  # Cut short when a hook was killed: its claim lapses.
        return found, since + len(whole) + len(newline)

    # What the companion writes

    @property
    def room(self) -> str | None:
        """The store that the companion serves, if there is one."""
        return self._read("room") or None

    def occupy(self, since: float) -> bool:
        """Become the companion until this process ends, or `vacate`; False if another is.

        since: when the program was started (seconds since 1970); what is older in here is cleared away.
        Raises OSError.
        """
        if self._occupied >= 0:
            return True
        self.make()
        lock = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return False
        self._occupied = lock
        for file in self.path.iterdir():
            if file != self.wake and file.stat().st_mtime < since - 1:  # Of another process of that number.
                file.unlink()
        return True

    def vacate(self) -> None:
        """Be its companion no longer; the folder stays as it is for another."""
        if self._occupied >= 0:
            os.close(self._occupied)
        self._occupied = -1

    def remove(self) -> None:
        """The session is over: its folder goes, and whoever waits in it is sent home."""
        import shutil  # It takes 8 ms to import, and hooks need it not.

        self.vacate()
        try:
            pipe = os.open(self.wake, os.O_RDWR | os.O_NONBLOCK)
        except OSError:
            pipe = None  # There was none.
        shutil.rmtree(self.path, ignore_errors=True)
        if pipe is not None:
            os.close(pipe)  # Only now: who opens it in the meantime would wait for ever.

    def serve(self, room: str) -> None:
        """The companion is there, and serves this store. Raises OSError."""
        self.make()
        self._write("room", room)

    def flag_mail(self, waits: bool) -> None:
        """Whether hooks have something to deliver. Raises OSError."""
        if waits:
            self._mail.touch(0o600)
        else:
            self._mail.unlink(missing_ok=True)

    def wake_up(self) -> bool:
        """Wake whoever waits in the idle session; False if nobody does."""
        try:
            pipe = os.open(self.wake, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            return False
        try:
            os.write(pipe, b"\n")
        except OSError:
            return False
        finally:
            os.close(pipe)
        return True

    def _read(self, name: str) -> str:
        try:
            return (self.path / name).read_text(errors="replace")
        except OSError:
            return ""

    def _write(self, name: str, text: str) -> None:
        replace_file(str(self.path / name), text.encode())


def sessions_folder() -> Path:
    """Where the folders of this user's agent programs are: in the system's place for state."""
    import platformdirs

    return platformdirs.user_state_path("msgcode") / "sessions"


def hook_command(harness: str, role: str, *, shared: bool = False) -> str:
    """What the program's settings say to run for one of its hooks, as a line of POSIX shell.

    shared: several of its conversations may share a process (`Harness.shared`).
    """
    import shlex

    script = Path(__file__).with_name("hook.sh")
    words = ["sh", str(script), str(sessions_folder()), python(), harness, role]
    # `exec`: the program shall be the parent of the script, not the shell that the program starts for it.
    return f"exec {shlex.join([*words, 'shared'] if shared else words)}"


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
