"""`python -m tests.soak`: see `--help`."""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.foreign.package import Missing, store_module
from tests.soak.crew import WATCH
from tests.soak.soak import Soak

_INSIDE = "MSGCODE_SOAK"
"""Names, in the environment of a run that has a small disk of its own, the folder of the run."""

_MEGABYTES = 96
"""Of the disk, and ..."""

_MEGABYTES_A_SECOND = 0.2
"""... for what killed oh-my-msgcodes leave, and for damaged files, which are set aside: 0.05 was measured."""

_MOST = 9000
"""Messages in a run, about: oh-my-msgcode writes all of the last half hour into one file again and again."""


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.soak",
        description="Processes of all kinds use one room while faults happen at random; then it is audited.",
        epilog="The same seed plans the same faults; when the system runs which process is not replayed.",
    )
    parser.add_argument("--for", dest="seconds", type=float, default=60, metavar="SECONDS", help="how long")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="of the plan of faults")
    parser.add_argument("--small", action="store_true", help="three processes, and none of others'")
    parser.add_argument("--keep", action="store_true", help="keep the room though it is sound")
    options = parser.parse_args()
    inside = os.environ.pop(_INSIDE, None)
    if inside:
        return _soak(options, Path(inside), is_disk=True)
    folder = Path(tempfile.mkdtemp(prefix="msgcode-soak-"))
    for name in ("disk", "home"):
        (folder / name).mkdir()
    print(f"seed {options.seed}", flush=True)
    size = _MEGABYTES + int(_MEGABYTES_A_SECOND * options.seconds)
    flags = next((flags for flags in ("-rm", "-m") if _runs(_on_a_disk(flags, folder, size, ["true"]))), None)
    if flags:
        again = [sys.executable, "-m", "tests.soak", *sys.argv[1:], f"--seed={options.seed}"]
        environment = {**os.environ, _INSIDE: str(folder)}
        code = subprocess.run(_on_a_disk(flags, folder, size, again), env=environment, check=False).returncode
    else:
        print("no small disk can be mounted here: a limit on the size of files stands for a full one")
        code = _soak(options, folder, is_disk=False)
    if code == 0 and not options.keep:
        shutil.rmtree(folder)
    else:
        print(f"the room is in {folder}/room, what each process did is beside it")
    return code


def _on_a_disk(flags: str, folder: Path, size: int, command: list[str]) -> list[str]:
    """The command, in a name space in which a file system of `size` megabytes is mounted at `folder`/disk."""
    script = f'mount -t tmpfs -o size={size}m,mode=700 tmpfs "$0" && exec "$@"'
    return ["unshare", flags, "sh", "-c", script, str(folder / "disk"), *command]


def _runs(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:  # Linux alone has it.
        return False


def _soak(options: argparse.Namespace, folder: Path, *, is_disk: bool) -> int:
    room = folder / "disk" / ".oh-my-msgcode"
    pace = max(0.12, 5 * options.seconds / _MOST)
    members = {"writer-1": "writer", "deliverer-1": "deliverer", "deliverer-2": "deliverer"}
    if not options.small:
        members |= {"writer-2": "writer", "writer-3": "writer", "command-1": "command", "watch-1": WATCH}
        members |= {"human-1": "screen", "human-2": "screen"}
        try:
            store_module()
            members |= {"theirs-1": "theirs", "theirs-2": "theirs"}
        except Missing as error:
            print(f"without oh-my-msgcode: {error}")
    soak = Soak(members, room, folder, options.seed, options.seconds, pace, is_disk=is_disk)
    is_sound = soak.run()
    if not is_sound or options.keep:
        soak.keep(folder / "room")
    return 0 if is_sound else 1


if __name__ == "__main__":
    sys.exit(main())
