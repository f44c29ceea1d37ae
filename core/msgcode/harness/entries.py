"""What msgcode writes into an agent program's files, and how it is put in and taken out again.

Texts in, texts out. What is ours in a file is told by its form, whichever version or Python put it there;
what was the user's before, by the document as it was then.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from types import ModuleType
from typing import Any

from msgcode.errors import Refused
from msgcode.harness.description import Harness, Role
from msgcode.harness.json_text import Path
from msgcode.record import Record

SERVER = "msgcode"
"""What agent programs call our MCP server."""

_SCRIPT = "/msgcode/harness/hook.sh"
_ABSENT = object()


class Wanted(Record):
    """One thing that a file has to say."""

    path: Path
    """Of the value, or of the list that it is in."""
    value: Any
    element: bool = False
    """It is one of a list; what else is in there is not ours."""


class Entries(Record):
    """All that one file has to say."""

    values: list[Wanted]
    hooks_at: Path | None = None
    """Where the lists of hooks by event are, if they are in this file."""


def entries(harness: Harness, server: dict[str, Any], command: Callable[[Role], str]) -> dict[str, Entries]:
    """What each file of the program has to say, by its path from the home folder.

    server: command and arguments of our MCP server. command: what a hook in that role runs.
    """
    values: dict[str, list[Wanted]] = {harness.hooks_file: [], harness.mcp_file: []}
    for hook in harness.hooks:
        group: dict[str, Any] = {} if hook.matcher is None else {"matcher": hook.matcher}
        group["hooks"] = [{"type": "command", "command": command(hook.role), **hook.options}]
        values[harness.hooks_file].append(Wanted((*harness.hooks_at, hook.event), group, True))
    values[harness.mcp_file].append(Wanted((*harness.mcp_at, SERVER), {**server, **harness.mcp_options}))
    for file, path, value in harness.settings:
        wanted = (
            [Wanted(path, one, True) for one in value] if isinstance(value, list) else [Wanted(path, value)]
        )
        values.setdefault(file, []).extend(wanted)
    return {
        file: Entries(wanted, harness.hooks_at if file == harness.hooks_file else None)
        for file, wanted in values.items()
    }


def holds(data: Any, entries: Entries) -> bool:
    """Whether the document says all of it, and nothing that another version wanted."""
    hooks = [group for _, group in _our_hooks(data, entries)]
    wanted = [want.value for want in entries.values if _is_hook(want.value)]
    return len(hooks) == len(wanted) and all(_there(data, want) for want in entries.values)


def has_ours(data: Any, entries: Entries) -> bool:
    """Whether a server or hooks of any msgcode are in the document."""
    servers = [_at(data, want.path) for want in entries.values if not want.element]
    return any(_is_server(server) for server in servers) or bool(list(_our_hooks(data, entries)))


def put_in(form: ModuleType, text: str, entries: Entries) -> str:
    """The text with all of it in it, and nothing of another version's.

    form: json_text or toml_text. Raises Refused if something else has its place, ValueError if the text
    cannot be edited.
    """
    data = form.load(text)
    if holds(data, entries):
        return text
    for want in entries.values:
        _see_that_it_fits(data, want)
    text, _ = _without_hooks(form, text, entries)
    for want in entries.values:
        data = form.load(text)
        if _there(data, want):
            continue
        value, path = want.value, want.path
        if want.element:
            there = _at(data, path)
            value, path = (value, (*path, len(there))) if there is not _ABSENT else ([value], path)
        elif _is_server(there := _at(data, path)):
            value = {**there, **value}  # The program or the user may have added to it, such as approvals.
        text = _put(form, text, path, value)
    return text


def take_out(form: ModuleType, text: str, entries: Entries, before: Any = None) -> str:
    """The text without what is ours in it, and with what had its place before.

    before: the document before we came; None if that is not known. Raises ValueError if the text cannot be
    edited.
    """
    text, emptied = _without_hooks(form, text, entries)
    for want in entries.values:
        data = form.load(text)
        there, was = _at(data, want.path), _at(before, want.path)
        if _is_hook(want.value):
            continue
        if want.element:
            mine = isinstance(was, list) and want.value in was
            if isinstance(there, list) and want.value in there and not mine:
                last = max(index for index, item in enumerate(there) if item == want.value)
                text = form.remove(text, (*want.path, last))
        elif (there == want.value or _is_server(there)) and there != was:
            gone = was is _ABSENT or _is_server(was)
            text = form.remove(text, want.path) if gone else form.put(text, want.path, was)
    if before is None:
        return text
    paths = emptied + [want.path for want in entries.values]
    parents = {path[:length] for path in paths for length in range(1, len(path) + 1)}
    for path in sorted(parents, key=len, reverse=True):
        there = _at(form.load(text), path)
        if isinstance(there, dict | list) and not there and _at(before, path) is _ABSENT:
            text = form.remove(text, path)
    return text


def _without_hooks(form: ModuleType, text: str, entries: Entries) -> tuple[str, list[Path]]:
    """The text without our hooks, and the lists that they were in."""
    lists = []
    for path, group in reversed(list(_our_hooks(form.load(text), entries))):
        ours = [index for index, hook in enumerate(group["hooks"]) if is_ours(hook)]
        if len(ours) == len(group["hooks"]):
            text = form.remove(text, path)
        else:
            for index in reversed(ours):
                text = form.remove(text, (*path, "hooks", index))
        lists.append(path[:-1])
    return text, lists


def _our_hooks(data: Any, entries: Entries) -> list[tuple[Path, Any]]:
    """The groups in which hooks of ours are, and where."""
    events = _at(data, entries.hooks_at) if entries.hooks_at is not None else None
    return [
        ((*(entries.hooks_at or ()), event, index), group)
        for event, groups in (events.items() if isinstance(events, dict) else ())
        for index, group in enumerate(groups if isinstance(groups, list) else ())
        if _is_hook(group)
    ]


def _is_hook(group: Any) -> bool:
    hooks = group.get("hooks") if isinstance(group, dict) else None
    return isinstance(hooks, list) and any(is_ours(hook) for hook in hooks)


def is_ours(hook: Any) -> bool:
    """Whether a hook runs our script, as any version or Python writes it."""
    command = hook.get("command") if isinstance(hook, dict) else None
    if not isinstance(command, str) or _SCRIPT not in command:
        return False
    try:
        words = shlex.split(command)
    except ValueError:
        return False
    return words[:2] == ["exec", "sh"] and words[2:] != [] and words[2].endswith(_SCRIPT)


def _is_server(value: Any) -> bool:
    args = value.get("args") if isinstance(value, dict) else None
    return isinstance(args, list) and args[:5] == ["-P", "-m", "msgcode", "mcp", "--harness"]


def _there(data: Any, want: Wanted) -> bool:
    there = _at(data, want.path)
    if want.element:
        return isinstance(there, list) and want.value in there
    if isinstance(there, dict) and isinstance(want.value, dict):
        return {**there, **want.value} == there and _is_server(there)
    return type(there) is type(want.value) and bool(there == want.value)


def _see_that_it_fits(data: Any, want: Wanted) -> None:
    """Raise Refused if what is on the way to it is not what it should be."""
    for length in range(len(want.path) + want.element):
        there = _at(data, want.path[:length])
        kind = list if length == len(want.path) else dict
        if there is not _ABSENT and not isinstance(there, kind):
            name = ".".join(map(str, want.path[:length])) or "the whole"
            raise Refused(f"{name} is not {'a list' if kind is list else 'an object'} in it")


def _put(form: ModuleType, text: str, path: Path, value: Any) -> str:
    """As `form.put`, and the objects on the way are made."""
    data = form.load(text)
    there = next(
        length
        for length in range(len(path))
        if _at(data, path[: length + 1]) is _ABSENT or length == len(path) - 1
    )
    for key in reversed(path[there + 1 :]):
        value = {key: value}
    return str(form.put(text, path[: there + 1], value))


def _at(data: Any, path: Path) -> Any:
    for key in path:
        if isinstance(data, dict):
            data = data.get(key, _ABSENT)
        elif isinstance(data, list) and isinstance(key, int) and key < len(data):
            data = data[key]
        else:
            return _ABSENT
    return data
