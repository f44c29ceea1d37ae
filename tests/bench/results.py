"""Everything that a run has measured, on what, and how it is kept in a file."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from tests.bench.row import Row
from tests.bench.scale import Scale


class Section(Struct, frozen=True):
    """What one of the measures came to."""

    name: str
    about: str
    rows: tuple[Row, ...]
    failure: str = ""
    """What stopped it before its end, if anything did."""


class Results(Struct, frozen=True):
    """A run."""

    date: str
    machine: str
    versions: dict[str, str]
    scale: Scale
    sections: tuple[Section, ...]

    def figures(self, what: str) -> dict[str, float]:
        """Those of the row of that name, by contender; empty if there is no such row."""
        rows = (row for section in self.sections for row in section.rows)
        return next((dict(row.figures) for row in rows if row.what == what), {})


def save(results: Results, file: Path) -> None:
    """Write them as JSON."""
    file.write_bytes(msgspec.json.format(msgspec.json.encode(results)) + b"\n")


def load(file: Path) -> Results:
    """Read what `save` wrote. Raises OSError, and ValueError if it is something else."""
    return msgspec.json.decode(file.read_bytes(), type=Results)


def joined(parts: list[Results]) -> Results:
    """The sections of all, of at least one. Raises ValueError unless they were measured alike."""
    if len({(part.machine, tuple(part.versions.items()), part.scale) for part in parts}) > 1:
        raise ValueError("they are of different machines, versions or sizes")
    sections = tuple(section for part in parts for section in part.sections)
    return msgspec.structs.replace(parts[0], sections=sections)
