"""Which room on which NATS servers, and with which credentials: `nats://host:4222/room`."""

from __future__ import annotations

import json
import os
import re
from urllib.parse import parse_qs, unquote, urlsplit

from msgcode.errors import BadInput
from msgcode.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SCHEMES = ("nats", "tls")

_ROOM = re.compile(r"[A-Za-z0-9_-]{1,64}")

_FILES = {"creds": "NATS_CREDS", "nkey": "NATS_NKEY", "ca": "NATS_CA", "cert": "NATS_CERT", "key": "NATS_KEY"}
"""What may be given as a file, and the environment variable that gives it, as the nats command has them."""


class Address(Record):
    """A room, and how to come to it."""

    room: str
    servers: tuple[str, ...]
    """URLs, without what is secret."""
    user: str | None = None
    password: str | None = None
    token: str | None = None
    creds: str | None = None
    """A file with a user's JWT and seed."""
    nkey: str | None = None
    """A file with an NKEY seed."""
    ca: str | None = None
    cert: str | None = None
    key: str | None = None

    @property
    def stream(self) -> str:
        """The stream that the room is."""
        return f"msgcode-{self.room}"

    @property
    def send(self) -> str:
        """The subject of what is merely sent."""
        return f"msgcode.{self.room}.send"

    @property
    def fact(self) -> str:
        """How the subjects of what is decided begin: the lane is behind a dot (`journal/lanes.py`)."""
        return f"msgcode.{self.room}.fact"

    @property
    def bucket(self) -> str:
        """The key-value bucket with its agents' presence."""
        return f"msgcode-{self.room}-presence"

    def __str__(self) -> str:
        return f"{','.join(self.servers)}/{self.room}"


def is_nats(name: str) -> bool:
    """Whether a store of this name is on NATS."""
    return name.partition("://")[0] in SCHEMES


def check_installed() -> None:
    """Raise BadInput if nats-py is not installed."""
    from importlib.util import find_spec

    if find_spec("nats") is None:
        raise BadInput("rooms on NATS need nats-py: pip install 'msgcode[nats]'.")


def parse(name: str) -> Address:
    """The address that a URL gives: nats://[USER:PASSWORD@]HOST[:PORT][,HOST...]/ROOM[?creds=FILE&...].

    With ?context=NAME what the URL leaves out comes from a context of the `nats` command; else from the
    environment (NATS_USER, NATS_PASSWORD, NATS_TOKEN, NATS_CREDS, NATS_NKEY, NATS_CA, NATS_CERT, NATS_KEY).
    Raises BadInput.
    """
    try:
        url = urlsplit(name)
        hosts = url.netloc.rpartition("@")[2]
        query = {
            key: values[-1] for key, values in parse_qs(url.query, strict_parsing=bool(url.query)).items()
        }
    except ValueError as error:
        raise BadInput(f"{_shown(name)} is no address of a room: {error}.") from None
    room = url.path.strip("/")
    if not hosts or not _ROOM.fullmatch(room):
        raise BadInput(
            f"{_shown(name)} is no address of a room: write nats://HOST:4222/ROOM, with letters, digits, "
            "'_' and '-' in the room's name."
        )
    unknown = sorted(set(query) - {*_FILES, "context"})
    if unknown:
        raise BadInput(f"{unknown[0]!r} means nothing in a room's address: use context, {', '.join(_FILES)}.")
    given: dict[str, Any] = _context(query.pop("context")) if "context" in query else _environment()
    given.update({name: os.path.expanduser(path) for name, path in query.items()})
    user, _, password = url.netloc.rpartition("@")[0].partition(":")
    if user and not password:
        given["token"] = unquote(user)
    elif user:
        given.update(user=unquote(user), password=unquote(password))
    servers = tuple(f"{url.scheme}://{host if ':' in host else host + ':4222'}" for host in hosts.split(","))
    return Address(room, servers, **given)


def _environment() -> dict[str, str]:
    names = {"user": "NATS_USER", "password": "NATS_PASSWORD", "token": "NATS_TOKEN", **_FILES}
    return {field: os.environ[name] for field, name in names.items() if os.environ.get(name)}


def _context(name: str) -> dict[str, str]:
    """What a context of the nats command says, from ~/.config/nats/context."""
    config = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    path = os.path.join(config, "nats", "context", f"{os.path.basename(name)}.json")
    try:
        with open(path, "rb") as file:
            found = json.load(file)
    except OSError as error:
        raise BadInput(f"there is no NATS context {name!r}: {path}: {error.strerror}.") from None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise BadInput(f"the NATS context {path} is not a JSON object.")
    fields = ("user", "password", "token", "creds", "nkey", "ca", "cert", "key")
    return {field: str(found[field]) for field in fields if found.get(field)}


def _shown(name: str) -> str:
    """The name without what may be secret."""
    return repr(re.sub(r"//[^/@]*@", "//...@", name))
