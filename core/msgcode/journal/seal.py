"""A checksum at the beginning of a cache in JSON, so that one with any damage is known for what it is."""

from __future__ import annotations

import zlib


def sealed(json_object: bytes) -> bytes:
    """The JSON object, which has at least one key, with the checksum of all that follows as its first."""
    rest = json_object[1:]
    return _head(rest) + rest


def is_whole(data: bytes) -> bool:
    """Whether this is what was sealed, to the last byte."""
    return data.startswith(_head(memoryview(data)[_LENGTH:]))


def _head(rest: bytes | memoryview) -> bytes:
    return b'{"checksum":"%08x",' % zlib.crc32(rest)


_LENGTH = len(_head(b""))
