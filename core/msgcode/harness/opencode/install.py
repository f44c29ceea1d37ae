"""Putting the plugin where OpenCode loads it: one file, and nothing else of the user's is touched.

OpenCode loads each `.js` file in `plugin/` of its configuration folder, `$XDG_CONFIG_HOME/opencode` on every
system, and of the folder `.opencode` of a project.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from msgcode import __version__
from msgcode.errors import Refused, Unavailable
from msgcode.journal.folder import replace_file

_NAME = "msgcode.js"
_MARK = "// Put here by msgcode"
_MADE = "folders made for it: "
_HOST_LINE = 'const HOST = ["msgcode", "host", "opencode"]'


def install(project: bool, store: str | None) -> tuple[Path, str]:
    """Put the plugin in place, or a newer one over it.

    project: into the project in the current folder instead of for all of the user's. store: the room that
    its agents meet in, if not the one that OpenCode's environment names. Returns the file and what was
    done: "installed", "updated" or "unchanged". Raises Refused if a file of another's has its place,
    Unavailable if it cannot be written.
    """
    path = _path(project)
    old = _read(path)
    made = _made(old) if old else _missing_folders(path)
    new = plugin(host_command(store), made)
    if new == old:
        return path, "unchanged"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(str(path), new.encode())
    except OSError as error:
        raise Unavailable(f"cannot write {path}: {error.strerror}.") from error
    return path, "updated" if old else "installed"


def uninstall(project: bool) -> tuple[Path, str]:
    """Take the plugin away again, and the folders that were made for it if nothing else is in them.

    Returns the file and what was done: "removed" or "absent". Raises as `install` does.
    """
    path = _path(project)
    old = _read(path)
    if old is None:
        return path, "absent"
    try:
        path.unlink()
    except OSError as error:
        raise Unavailable(f"cannot remove {path}: {error.strerror}.") from error
    for folder in list(path.parents)[: _made(old)]:
        try:
            folder.rmdir()
        except OSError:
            break  # It is in use by now.
    return path, "removed"


def installed(project: bool) -> tuple[Path, list[str] | None, bool]:
    """The file, the words in it that start the host, and whether it is this version's.

    Without a file there are no words: None. Raises as `install` does.
    """
    path = _path(project)
    text = _read(path)
    if text is None:
        return path, None, False
    _, _, rest = text.partition(f"\n{_HOST_LINE.partition('[')[0]}")
    try:
        host = [str(word) for word in json.JSONDecoder().raw_decode(rest)[0]]
    except (ValueError, TypeError):
        host = []
    return path, host, text == plugin(host, _made(text))


def plugin(host: list[str], made: int = 0) -> str:
    """The plugin's text, with the command that starts its host.

    made: how many folders above the file are there for its sake.
    """
    text = Path(__file__).with_name("plugin.js").read_text()
    assert _HOST_LINE in text
    head = f"{_MARK} {__version__}; `msgcode uninstall opencode` takes it away. ({_MADE}{made})\n"
    return head + text.replace(_HOST_LINE, f"const HOST = {json.dumps(host)}")


def host_command(store: str | None = None) -> list[str]:
    """The words that start this installation's host, whatever PATH OpenCode is given."""
    # -P: OpenCode starts it in the project, whose files are not to be imported.
    words = [sys.executable, "-P", "-m", "msgcode", "host", "opencode"]
    return words if store is None else [*words, "--store", os.path.abspath(os.path.expanduser(store))]


def _path(project: bool) -> Path:
    if project:
        return Path.cwd() / ".opencode" / "plugin" / _NAME
    config = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return Path(config) / "opencode" / "plugin" / _NAME


def _read(path: Path) -> str | None:
    try:
        text = path.read_text()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise Unavailable(f"cannot read {path}: {error}.") from error
    if not text.startswith(_MARK):
        raise Refused(f"{path} was not put there by msgcode: move it away, and try again.")
    return text


def _made(text: str) -> int:
    count = text.partition("\n")[0].rpartition(_MADE)[2].removesuffix(")")
    return int(count) if count.isdecimal() else 0


def _missing_folders(path: Path) -> int:
    return sum(not folder.exists() for folder in path.parents)
