"""What verbs accept: ids, texts and priorities. Each check raises BadInput with one sentence."""

from __future__ import annotations

from msgcode.errors import BadInput
from msgcode.model import Priority

MAX_BODY_BYTES = 1024 * 1024
"""The longest body, in bytes of UTF-8."""

MAX_LINE = 500
"""The longest subject, name, description or reason, in characters."""

MAX_ID = 64
MIN_PREFIX = 4
_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")


def check_id(what: str, text: str) -> str:
    """Return `text` if it may be the id of an agent or a channel.

    what: "agent" or "channel", for the error's sentence.
    Raises BadInput if it does not match `[A-Za-z0-9][A-Za-z0-9._-]{0,63}`.
    """
    if not is_id(text):
        raise BadInput(
            f"{text[:80]!r} cannot be {'an agent' if what == 'agent' else f'a {what}'} id: "
            f"use 1 to {MAX_ID} letters, digits, '.', '_' or '-', beginning with a letter or digit."
        )
    return text


def is_id(text: str) -> bool:
    """Whether an agent or a channel may be created with this id."""
    return 1 <= len(text) <= MAX_ID and _CHARACTERS.issuperset(text) and text[0].isalnum()


def check_prefix(text: str) -> str:
    """Return `text` if a message's id may begin so. Raises BadInput otherwise."""
    if not (MIN_PREFIX <= len(text) <= MAX_ID and _CHARACTERS.issuperset(text)):
        raise BadInput(
            f"{text[:80]!r} cannot begin a message id: give at least its first {MIN_PREFIX} characters."
        )
    return text


def check_priority(text: str) -> Priority:
    """The priority of this name. Raises BadInput if there is none."""
    try:
        return Priority(text)
    except ValueError:
        raise BadInput(f"{text[:80]!r} is no priority: choose {', '.join(Priority)}.") from None


def check_message(text: str) -> None:
    """Raises BadInput if `text` cannot be the body of a message: it is empty, or no body at all."""
    if not text.strip():
        raise BadInput("the message is empty: give it a text.")
    check_body(text)


def check_body(text: str) -> None:
    """Raises BadInput if `text` is longer than MAX_BODY_BYTES, or no text that UTF-8 can hold."""
    if len(text) > MAX_BODY_BYTES or len(_encoded("a body", text)) > MAX_BODY_BYTES:
        raise BadInput(
            "the text is too long: a body may have 1 MiB. Put the text in a file and send its path."
        )


def check_line(what: str, text: str | None) -> None:
    """Raises BadInput if `text`, unless None, is not a single line of at most MAX_LINE characters.

    what: what the line is, for the error's sentence, such as "a subject".
    """
    if text is not None:
        _encoded(what, text)
        if len(text) > MAX_LINE or "\n" in text:
            raise BadInput(f"{what} must be a single line of at most {MAX_LINE} characters.")


def _encoded(what: str, text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise BadInput(f"{what} must be text, and this is not valid UTF-8.") from None
