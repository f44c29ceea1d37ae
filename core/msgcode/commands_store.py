"""The commands about where a room is kept: making one on NATS, looking at one, copying it elsewhere."""

from __future__ import annotations

import argparse
import os
import sys
import time

from msgcode.calls import Answer
from msgcode.codec import encode_time
from msgcode.errors import BadInput, Refused, Unavailable
from msgcode.journal import copying
from msgcode.journal.reader import Reader
from msgcode.nats.address import check_installed, is_nats, parse
from msgcode.store import default_target, folder_of
from msgcode.text import visible_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from msgcode.answers import Paint
    from msgcode.journal.copying import FolderTarget
    from msgcode.journal.stream_target import StreamTarget
    from msgcode.nats.address import Address

_TELL_AFTER = 0.5
"""Seconds after which, and between which, it is told how far a copy has come."""


def _init(args: argparse.Namespace, paint: Paint) -> Answer:
    if not is_nats(args.address):
        raise BadInput(
            "only a room on NATS has to be made, by nats://HOST:4222/ROOM: a folder comes by itself."
        )
    address = _address(args.address)
    from msgcode.nats import layout
    from msgcode.nats.link import Link

    link = Link(address)
    try:
        made = layout.make(link, replicas=args.replicas, memory=args.memory)
        config = layout.info(link)["config"]
    finally:
        link.close()
    storage, replicas = config["storage"], config["num_replicas"]
    done = f"Made room {address.room}" if made else f"Room {address.room} is there already"
    text = f"{done}, {_kept(storage, replicas)}. Open it with MSGCODE_STORE={address}."
    data = {"store": str(address), "made": made, "storage": storage, "replicas": replicas}
    return Answer(visible_line(text), data)


def _kept(storage: str, replicas: int) -> str:
    where = f"{replicas} servers" if replicas > 1 else "one server"
    return f"kept {'in memory' if storage == 'memory' else 'in files'} on {where}"


def _info(args: argparse.Namespace, paint: Paint) -> Answer:
    name = args.name or getattr(args, "store", None) or default_target()
    journal = _open(name)
    try:
        facts = _extent(journal)
        facts.update(_on_nats(journal, parse(name)) if is_nats(name) else _in_folder(name, journal))
    finally:
        journal.close()
    known = {key: value for key, value in facts.items() if value is not None}
    rows = [(_TITLES[key], _words(value)) for key, value in known.items() if key in _TITLES]
    width = max(len(title) for title, _ in rows)
    order = list(_TITLES.values())
    rows.sort(key=lambda row: order.index(row[0]))
    lines = [f"{paint(f'{title}:'.ljust(width + 1), 'dim')} {visible_line(value)}" for title, value in rows]
    return Answer("\n".join(lines), facts)


def _words(fact: Any) -> str:
    return f"event {fact['seq']}, {fact['at']}" if isinstance(fact, dict) else str(fact)


_TITLES = {
    "store": "Store",
    "kind": "Kind",
    "server": "Server",
    "storage": "Storage",
    "replicas": "Replicas",
    "leader": "Leader",
    "copy": "Copy here",
    "events": "Events",
    "first": "First",
    "last": "Last",
    "agents": "Agents",
    "waiting": "Waiting",
    "bytes": "Bytes",
}


def _extent(journal: FolderTarget | StreamTarget) -> dict[str, Any]:
    index, state = journal.index(), journal.state
    ends: dict[str, Any] = {"first": None, "last": None}
    if len(index):
        ends["first"] = {"seq": index.first, "at": encode_time(index.at(0))}
        ends["last"] = {"seq": index.last, "at": encode_time(index.at(len(index) - 1))}
    return {
        "events": len(index) - index.blank - len(state.damage),
        **ends,
        "agents": len(state.agents),
        "waiting": len(state.messages),
    }


def _in_folder(name: str, journal: FolderTarget | StreamTarget) -> dict[str, Any]:
    try:
        size = copying.size(journal.segments)
    except FileNotFoundError:
        size = 0
    except OSError as error:
        raise Unavailable(f"cannot read {journal.segments}: {error.strerror}.") from error
    return {"store": folder_of(name), "kind": "folder", "bytes": size}


def _on_nats(journal: Any, address: Address) -> dict[str, Any]:
    from msgcode.nats import layout

    found = layout.info(journal.link)
    config, version = found["config"], journal.link.client.connected_server_version
    return {
        "store": str(address),
        "kind": "NATS JetStream",
        "server": f"{version.major}.{version.minor}.{version.patch}",
        "storage": config["storage"],
        "replicas": config["num_replicas"],
        "leader": found.get("cluster", {}).get("leader"),
        "copy": os.path.dirname(journal.segments),
        "bytes": found["state"]["bytes"],
    }


def _copy(args: argparse.Namespace, paint: Paint) -> Answer:
    if _shown(args.source) == _shown(args.target):
        raise BadInput("a room cannot be copied to itself.")
    source = _open(args.source)
    try:
        if not source.seq:
            raise Refused(f"there is nothing to copy in {_shown(args.source)}.")
        until = source.recent(0).position
        target = _open(args.target, make=True)
        try:
            progress = _Progress(until.seq)
            copied = copying.copy(source.segments, until, target, progress.tell)
            progress.end()
        finally:
            target.close()
        source.refresh()
        later = sum(map(len, Reader(source.segments, until).batches()))
    finally:
        source.close()
    fresh = copied.events - copied.before
    lines = [f"Copied {_counted(fresh, 'event')} from {_shown(args.source)} to {_shown(args.target)}."]
    if copied.before:
        lines.append(f"{_counted(copied.before, 'event')} had been copied before.")
    if copied.skipped:
        lines.append(f"Left out {_counted(copied.skipped, 'line')} that cannot be read.")
    if later:
        what = "event that came meanwhile is" if later == 1 else "events that came meanwhile are"
        lines.append(f"The room is in use: {later:,} {what} not in the copy.")
    lines.append(f"Verified: {_counted(copied.events, 'event')}, SHA-256 {copied.digest}.")
    data = {
        "from": _shown(args.source),
        "to": _shown(args.target),
        "events": copied.events,
        "copied": fresh,
        "skipped": copied.skipped,
        "notCopied": later,
        "sha256": copied.digest,
    }
    return Answer("\n".join(map(visible_line, lines)), data)


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' * (count != 1)}"


class _Progress:
    """Tells on standard error how far a copy has come, if it takes a while."""

    def __init__(self, events: int) -> None:
        self._events = events
        self._next = time.monotonic() + _TELL_AFTER
        self._told = False

    def tell(self, done: int) -> None:
        moment = time.monotonic()
        if moment >= self._next:
            self._next = moment + _TELL_AFTER
            self._told = True
            end = "\r" if sys.stderr.isatty() else "\n"
            print(f"msgcode: {done:,} of {self._events:,} events", end=end, file=sys.stderr, flush=True)

    def end(self) -> None:
        if self._told and sys.stderr.isatty():
            print("\x1b[K", end="", file=sys.stderr, flush=True)


def _open(name: str, *, make: bool = False) -> FolderTarget | StreamTarget:
    """The journal of the room of this name. make: in a folder it need not be there yet."""
    if is_nats(name):
        address = _address(name)
        from msgcode.nats.room import open_target

        return open_target(address)
    folder = folder_of(name)
    if not make and not os.path.isdir(os.path.join(folder, "journal")):
        raise Refused(f"there is no room in {visible_line(folder)}.")
    return copying.FolderTarget(folder)


def _address(name: str) -> Address:
    check_installed()
    return parse(name)


def _shown(name: str) -> str:
    """What the room is called, without what is secret."""
    return str(parse(name)) if is_nats(name) else os.path.realpath(folder_of(name))


# The grammar


def init_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("address", metavar="NATS_URL", help="nats://HOST:4222/ROOM")
    parser.add_argument(
        "--replicas", type=int, choices=[1, 3, 5], default=1, help="on how many servers of a cluster (1)"
    )
    parser.add_argument("--memory", action="store_true", help="in the servers' memory, not in files")
    parser.set_defaults(alone=_init)


def info_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="STORE", nargs="?", help="a folder or a NATS URL; else your room")
    parser.set_defaults(alone=_info)


def copy_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="FROM", help="a folder or a NATS URL")
    parser.add_argument("target", metavar="TO", help="another, which is empty, or such a copy that broke off")
    parser.set_defaults(alone=_copy)
