"""Ids: which ones agents and channels may have, and how messages get theirs."""

from __future__ import annotations

import os

from msgcode.errors import BadInput

MAX_ID = 64
MIN_PREFIX = 4
_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")


def check_id(what: str, text: str) -> str:
    """Return `text` if it may be the id of an agent or a channel.

    what: "agent" or "channel", for the error's sentence.
    Raises BadInput if it does not match `[A-Za-z0-9][A-Za-z0-9._-]{0,63}`.
    """
    if not (1 <= len(text) <= MAX_ID and _CHARACTERS.issuperset(text) and text[0].isalnum()):
        raise BadInput(
            f"{text[:80]!r} cannot be {'an agent' if what == 'agent' else f'a {what}'} id: "
            f"use 1 to {MAX_ID} letters, digits, '.', '_' or '-', beginning with a letter or digit."
        )
    return text


def check_prefix(text: str) -> str:
    """Return `text` if a message's id may begin so. Raises BadInput otherwise."""
    if not (MIN_PREFIX <= len(text) <= MAX_ID and _CHARACTERS.issuperset(text)):
        raise BadInput(
            f"{text[:80]!r} cannot begin a message id: give at least its first {MIN_PREFIX} characters."
        )
    return text


def new_message_id() -> str:
    """A random UUID (version 4), as oh-my-msgcode gives its messages.

    Made by hand because importing `uuid` costs 2.6 ms, a tenth of what a whole `msgcode send` may.
    """
    raw = os.urandom(16).hex()
    variant = "89ab"[int(raw[16], 16) % 4]
    return f"{raw[:8]}-{raw[8:12]}-4{raw[13:16]}-{variant}{raw[17:20]}-{raw[20:]}"
