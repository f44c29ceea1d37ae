"""`typing.NamedTuple`, as type checkers see it, made in a tenth of the time.

`msgcode send` may cost 2.5 times a bare interpreter as a whole process. Importing typing takes 3 ms of
that budget and dataclasses 7 ms, and `collections.namedtuple` compiles a function for each of the
two dozen records, for 2 ms more. So records are tuples that share one constructor, and have the same
fields in C as named tuples.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple as Record
else:
    from collections import _tuplegetter as field_getter

    class _Record(tuple):
        __slots__ = ()
        _fields = ()
        _field_defaults = {}  # noqa: RUF012
        _defaults = ()

        def __new__(cls, *values, **named):
            missing = len(cls._fields) - len(values)
            if named:
                values = cls._fill_in(values, named)
            elif 0 < missing <= len(cls._defaults):
                values += cls._defaults[-missing:]
            elif missing:
                raise TypeError(f"{cls.__name__} takes {', '.join(cls._fields)}")
            return tuple.__new__(cls, values)

        _make = classmethod(tuple.__new__)

        @classmethod
        def _fill_in(cls, values, named):
            given = {**cls._field_defaults, **dict(zip(cls._fields, values, strict=False)), **named}
            if len(given) != len(cls._fields) or len(values) > len(cls._fields):
                raise TypeError(f"{cls.__name__} takes {', '.join(cls._fields)}")
            return [given[name] for name in cls._fields]

        def _replace(self, **named):
            return self._make(self._fill_in(self, named))

        def __repr__(self):
            fields = zip(self._fields, self, strict=True)
            return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in fields)})"

        def __getnewargs__(self):
            return tuple(self)

    class _RecordMeta(type):
        def __new__(meta, name, bases, body):
            fields = tuple(body.get("__annotations__", ()))
            body["_fields"] = fields
            defaults = {field: body[field] for field in fields if field in body}
            body["_field_defaults"] = defaults
            body["_defaults"] = tuple(defaults.values())
            body["__slots__"] = ()
            for index, field in enumerate(fields):
                body[field] = field_getter(index, "")
            return type(name, (_Record,), body)

    Record = type.__new__(_RecordMeta, "Record", (), {})

__all__ = ["Record"]
