"""What can go wrong, each as one sentence fit to be shown to a person or a model."""

from __future__ import annotations


class MsgcodeError(Exception):
    """Base of all errors that msgcode raises on purpose; `str(error)` is one clear sentence."""

    exit_code = 1


class BadInput(MsgcodeError, ValueError):
    """An argument is malformed (an id, a priority, a body too long); nothing was changed."""

    exit_code = 2


class Refused(MsgcodeError):
    """The arguments are well formed, but the room as it stands does not allow it; nothing was changed."""


class Unavailable(MsgcodeError):
    """The store cannot be read or written (disk full, read-only, locked too long); nothing was changed."""
