"""What msgcode knows of an agent program: data only, one record each (`claude/`, `codex/`, `gemini/`)."""

from __future__ import annotations

from enum import StrEnum

from msgcode.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Role(StrEnum):
    """What a hook of a program is to us, whatever the program calls it."""

    START = "start"
    """A session has begun, or been resumed: the agents that live in it are here."""
    PROMPT = "prompt"
    """The user, or a wake-up, has begun a turn; what waits can go with it."""
    TOOL = "tool"
    """A tool call is over; what waits can go with its answer."""
    ASK = "ask"
    """The program waits for its user: a permission, or an answer."""
    STOP = "stop"
    """The turn is over; what waits can make it go on."""
    WAIT = "wait"
    """The turn is over; what comes later can wake the session."""
    END = "end"
    """The session is over."""


class Hook(Record):
    """One of the program's hooks."""

    event: str
    """The program's own name for it, such as PostToolUse."""
    role: Role
    matcher: str | None = None
    """For which tools, or kinds of the event, as the program writes it; none: for all."""
    options: dict[str, Any] = {}
    """What else is written beside the command, such as a timeout."""


class Harness(Record):
    """An agent program that has hooks and speaks MCP."""

    id: str
    """What commands call it, such as claude."""
    title: str
    """What people call it, such as Claude Code."""
    program: str
    """The command that starts it."""
    package: str
    """The npm package that it comes in."""
    tried: tuple[str, ...]
    """The versions that the tests have driven."""
    hooks_file: str
    """Where it reads hooks (JSON): a path from the home folder."""
    hooks_at: tuple[str, ...]
    """The keys that lead to the hooks in there."""
    hooks: tuple[Hook, ...]
    mcp_file: str
    """Where it reads its user's MCP servers (JSON or TOML): a path from the home folder."""
    mcp_at: tuple[str, ...]
    """The keys that lead to the servers by name in there."""
    mcp_options: dict[str, Any] = {}
    """What is written for our server beside its command and arguments."""
    shared: bool = False
    """Several of its conversations may share one process; then each has a session's folder of its own."""
    wake: tuple[str, ...] = ()
    """The program's own words for giving an idle conversation a prompt, with {session} and {text} in them."""
    hook_limit: int | None = None
    """Characters of messages that fit into what a hook says, but for role wait; none: any number."""
    interrupted: str = ""
    """What the last line of the transcript holds once the user has broken a turn off; none: a hook tells."""
    settings: tuple[tuple[str, tuple[str, ...], Any], ...] = ()
    """What else it needs: file (from the home folder), keys, value. Of a list, what has to be in it."""
    home: str = ""
    """The folder, from the home folder, whose place `home_variable` can change; none: the home folder."""
    home_variable: str = ""
    """The environment variable that does. Files outside of `home` are then in that folder, too."""
    then: str = ""
    """What its user has to do after `msgcode install`, in a sentence; none: nothing but start it anew."""
    off: tuple[tuple[str, tuple[str, ...], Any], ...] = ()
    """With which settings its user has switched all hooks off: file, keys, value."""
