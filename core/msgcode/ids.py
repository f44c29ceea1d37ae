"""Ids: which ones agents and channels may have, and how messages get theirs."""

from __future__ import annotations

import os
import re

from msgcode.errors import BadInput

MAX_ID = 64
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_PREFIX = re.compile(r"[A-Za-z0-9._-]{4,64}")


def check_id(what: str, text: str) -> str:
    """Return `text` if it may be the id of an agent or a channel.

    what: "agent" or "channel", for the error's sentence.
    Raises BadInput if it does not match `[A-Za-z0-9][A-Za-z0-9._-]{0,63}`.
    """
    if not _ID.fullmatch(text):
        raise BadInput(
            f"{text[:80]!r} cannot be {'an agent' if what == 'agent' else f'a {what}'} id: "
            f"use 1 to {MAX_ID} letters, digits, '.', '_' or '-', beginning with a letter or digit."
        )
    return text


def check_prefix(text: str) -> str:
    """Return `text` if a message's id may begin so. Raises BadInput otherwise."""
    if not _PREFIX.fullmatch(text):
        raise BadInput(f"{text[:80]!r} cannot begin a message id: give at least its first 4 characters.")
    return text


def new_message_id() -> str:
    """A random UUID (version 4), as oh-my-msgcode gives its messages.

    Made by hand because importing `uuid` costs 2.6 ms, a tenth of what a whole `msgcode send` may.
    """
    raw = os.urandom(16).hex()
    variant = "89ab"[int(raw[16], 16) % 4]
    return f"{raw[:8]}-{raw[8:12]}-4{raw[13:16]}-{variant}{raw[17:20]}-{raw[20:]}"
