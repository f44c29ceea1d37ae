"""Connecting agent programs that have hooks: our entries in the user's files, and out of them again.

Beside the program's hooks lies a record, `msgcode.json`: which files were changed, and whether each is
still as we left it. A file that is gets its old bytes back; of one that others have changed since, exactly
our entries are taken out.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from types import ModuleType
from typing import Any

from msgcode import __version__
from msgcode.errors import MsgcodeError, Refused
from msgcode.harness import changes, json_text
from msgcode.harness.changes import Change
from msgcode.harness.description import Harness
from msgcode.harness.entries import SERVER, Entries, entries, has_ours, holds, put_in, take_out
from msgcode.harness.known import python, user_file
from msgcode.harness.sessions import hook_command
from msgcode.record import Record


class Done(Record):
    """What became of one of the user's files."""

    file: str
    what: str
    """made, changed, unchanged; or removed, restored, cleaned (of our entries only), absent."""
    backup: str | None = None
    """Where it is as it was before."""


class _Kept(Record):
    """What the record says of one file."""

    backup: str | None
    """Where its old bytes are; None: it was not there."""
    left: str | None
    """The digest of what we left; None: others had changed it before our last change."""
    folders: int
    """How many folders above it were made for it."""


class Installed(Record):
    """How a harness is connected, as its files say it."""

    version: str | None
    """Which msgcode wrote the record; None: there is no record."""
    store: str | None
    """The room that was named when it was installed."""
    server: dict[str, Any] | None
    """The entry of our MCP server; None: there is none."""
    missing: tuple[str, ...]
    """The files that do not say all that this version would write."""
    present: bool
    """Whether anything of ours is in any of them."""


def install(harness: Harness, store: str | None) -> list[Done]:
    """Put our entries into the program's files.

    store: the room that its agents meet in, if not the one that the program's environment names. Returns
    what became of each file. Raises Refused if one of them cannot be edited, Unavailable if one cannot be
    read or written; then nothing was changed.
    """
    store = os.path.abspath(os.path.expanduser(store)) if store is not None else None
    kept = _Record.of(harness)
    files = {user_file(harness, file): wanted for file, wanted in _entries(harness, store).items()}
    done, backups, writes = [], [], []
    for file, wanted in files.items():
        old = changes.read(file)
        text = _text(file, old)
        new = _edited(file, put_in, text, wanted).encode()
        if new == old:
            done.append(Done(file, "unchanged"))
            continue
        before = kept.files.get(file)
        if before is None or old is None:
            backup = _free_name(file) if old is not None else None
            if backup is not None and old is not None:
                backups.append(Change(backup, old, changes.permissions(file)))
            ours_already = old is not None and has_ours(_form(file).load(text), wanted)
            before = _Kept(backup, None if ours_already else _digest(old), changes.missing_folders(file))
        as_we_left_it = before.left == _digest(old)
        kept.files[file] = before._replace(left=_digest(new) if as_we_left_it else None)
        writes.append(Change(file, new))
        done.append(Done(file, "made" if old is None else "changed", before.backup))
    changes.make([*backups, *kept.written(store), *writes])
    return done


def uninstall(harness: Harness) -> list[Done]:
    """Take our entries out of the program's files. Returns what became of each; raises as `install` does."""
    kept = _Record.of(harness)
    done, writes, gone = [], [], []
    files = {user_file(harness, file): wanted for file, wanted in _entries(harness, None).items()}
    for file, wanted in files.items():
        known, old = kept.files.get(file), changes.read(file)
        backup = changes.read(known.backup) if known and known.backup else None
        if old is None:
            done.append(Done(file, "absent", known.backup if known and backup is not None else None))
            continue
        if known and known.left == _digest(old) and (backup is not None or not known.backup):
            new = backup
        else:
            new = _without_ours(file, old, wanted, known, backup)
        if new != old:
            writes.append(Change(file, new))
        what = (
            "absent"
            if new == old
            else "removed"
            if new is None
            else "restored"
            if new == backup
            else "cleaned"
        )
        done.append(Done(file, what))
        if known and known.backup and backup is not None:
            gone.append(Change(known.backup, None))
    if os.path.lexists(kept.path):
        gone.append(Change(kept.path, None))
    changes.make([*writes, *gone])
    for file, known in kept.files.items():
        changes.remove_folders(file, known.folders)
    return done


def installed(harness: Harness) -> Installed:
    """How it is connected. Raises as `install` does."""
    kept = _Record.of(harness)
    missing, present = [], False
    for name, wanted in _entries(harness, kept.store).items():
        file = user_file(harness, name)
        data = _loaded(file, changes.read(file))
        present = present or has_ours(data, wanted)
        if not holds(data, wanted):
            missing.append(file)
    server = setting(harness, harness.mcp_file, (*harness.mcp_at, SERVER))
    server = server if isinstance(server, dict) else None
    return Installed(kept.version, kept.store, server, tuple(missing), present)


def setting(harness: Harness, file: str, keys: tuple[str, ...]) -> Any:
    """What one of the program's files says under these keys; None if nothing. Raises as `install` does."""
    path = user_file(harness, file)
    data = _loaded(path, changes.read(path))
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def server_command(harness: str, store: str | None = None) -> list[str]:
    """The words that start this installation's MCP server, whatever PATH the program is given."""
    # -P: it is started in the project, whose files are not to be imported.
    words = [python(), "-P", "-m", "msgcode", "mcp", "--harness", harness]
    return words if store is None else [*words, "--store", store]


def _entries(harness: Harness, store: str | None) -> dict[str, Entries]:
    command, *args = server_command(harness.id, store)
    server = {"command": command, "args": args}
    return entries(harness, server, lambda role: hook_command(harness.id, role, shared=harness.shared))


class _Record:
    """The record of a harness."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.version: str | None = None
        self.store: str | None = None
        self.files: dict[str, _Kept] = {}

    @classmethod
    def of(cls, harness: Harness) -> _Record:
        """What is there; an empty one if nothing is. Raises Refused if it is not ours, or damaged."""
        folder = os.path.dirname(user_file(harness, harness.hooks_file))
        record = cls(os.path.join(folder, "msgcode.json"))
        data = changes.read(record.path)
        if data is None:
            return record
        try:
            content = json.loads(data)
            record.files = {file: _Kept(**kept) for file, kept in content["files"].items()}
            record.version, record.store = content["version"], content["store"]
        except (ValueError, KeyError, TypeError, AttributeError):
            why = "is not as msgcode writes it: move it away, and try again. Nothing was changed."
            raise Refused(f"{record.path} {why}") from None
        return record

    def written(self, store: str | None) -> list[Change]:
        """The change that writes it down, if it is one."""
        files = {file: dict(zip(kept._fields, kept, strict=True)) for file, kept in self.files.items()}
        note = "Kept by msgcode; msgcode uninstall needs it."
        content = {"note": note, "version": __version__, "store": store, "files": files}
        data = f"{json.dumps(content, indent=2)}\n".encode()
        return [] if data == changes.read(self.path) else [Change(self.path, data)]


def _without_ours(
    file: str, old: bytes, wanted: Entries, known: _Kept | None, backup: bytes | None
) -> bytes | None:
    """The file's bytes without our entries; None if nothing is left of a file that we made."""
    forgotten = known is None or (known.backup and backup is None)
    before = None if forgotten else _loaded(file, backup)
    text = _edited(file, take_out, _text(file, old), wanted, before)
    if text.encode() == old:
        return old
    empty = not _form(file).load(text)
    return None if empty and known and not known.backup else text.encode()


def _loaded(file: str, data: bytes | None) -> Any:
    """What the file says."""
    return _edited(file, lambda form, text: form.load(text), _text(file, data))


def _form(file: str) -> ModuleType:
    if file.endswith(".toml"):
        from msgcode.harness import toml_text

        return toml_text
    return json_text


def _text(file: str, data: bytes | None) -> str:
    try:
        return (data or b"").decode()
    except UnicodeDecodeError:
        raise Refused(f"{file} is not text in UTF-8. Nothing was changed.") from None


def _edited(file: str, edit: Callable[..., Any], text: str, *more: Any) -> Any:
    """What `edit` makes of it; its errors in words."""
    try:
        return edit(_form(file), text, *more)
    except MsgcodeError as error:
        raise Refused(f"{file} cannot be edited: {error}. Nothing was changed.") from error
    except (ValueError, RecursionError) as error:
        why = (
            "it is not plain JSON (comments and trailing commas are not)"
            if _form(file) is json_text
            else "it is not TOML that can be edited"
        )
        raise Refused(f"{file} cannot be edited: {why}: {error}. Nothing was changed.") from error


def _digest(data: bytes | None) -> str | None:
    return hashlib.sha256(data).hexdigest() if data is not None else "absent"


def _free_name(file: str) -> str:
    name, number = f"{file}.before-msgcode", 1
    while os.path.lexists(name):
        number += 1
        name = f"{file}.before-msgcode-{number}"
    return name
