"""`typing.NamedTuple` without importing typing.

`msgcode send` may cost 2.5 times a bare interpreter as a whole process. Importing typing takes 3 ms
of that budget and dataclasses 7 ms, so on the short path records are made from
`collections.namedtuple`, which `re` has already imported. Type checkers see `typing.NamedTuple`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple as Record
else:
    from collections import namedtuple

    class _RecordMeta(type):
        def __new__(meta, name, bases, body):
            fields = body.get("__annotations__", {})
            defaults = [body.pop(field) for field in fields if field in body]
            base = namedtuple(name, fields, defaults=defaults, module=body["__module__"])
            return type(name, (base,), {**body, "__slots__": ()})

    Record = type.__new__(_RecordMeta, "Record", (), {})

__all__ = ["Record"]
