"""The one table that the rows are printed as."""

from __future__ import annotations

from tests.bench.results import Results, Section
from tests.bench.row import OTHERS, OURS, Row, shown

_COLUMNS = ("", "unit", OURS, *OTHERS, "runs", "target", "msgcode is so many times better than")

_RIGHT = range(2, 3 + len(OTHERS))
"""The columns of figures."""

_LEGEND = """\
Medians, where nothing else is said. Empty: the contender has no such thing. Below 1 time better is worse.
floor: a bare write of the same bytes, and fdatasync where it says synced; elsewhere what its section says.
synced: on the disk before it is done; SQLite WAL is a plain store of messages, a transaction each, with
synchronous=FULL where it says synced and NORMAL where it says not synced."""


def render(results: Results) -> str:
    """The head, and all rows as aligned text, with a line for each section."""
    lines = [list(_COLUMNS)]
    for section in results.sections:
        lines += [_cells(row) for row in section.rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = [head(results), "", _aligned(lines[0], widths)]
    for section in results.sections:
        text += ["", f"{section.name}: {section.about}"]
        text += [_aligned(_cells(row), widths) for row in section.rows]
        text += _ending(section)
    return "\n".join(text)


def head(results: Results) -> str:
    """The day, the machine and the versions, and how to read the table."""
    versions = ", ".join(f"{name} {version}" for name, version in results.versions.items())
    return f"{results.date}, {results.machine}\n{versions}\n{results.scale.name}\n{_LEGEND}"


def _ending(section: Section) -> list[str]:
    if section.failure:
        return [f"stopped before its end: {section.failure}"]
    return [] if section.rows else ["nothing measured: not at this size, or what it needs is not installed"]


def _cells(row: Row) -> list[str]:
    ratios = {other: row.ratio(other) for other in OTHERS}
    better = ", ".join(f"{other} {shown(ratio)}" for other, ratio in ratios.items() if ratio is not None)
    figures = [shown(row.figures.get(name)) for name in (OURS, *OTHERS)]
    return [row.what, row.unit, *figures, row.runs, str(row.target or ""), better]


def _aligned(line: list[str], widths: list[int]) -> str:
    cells = (
        cell.rjust(width) if index in _RIGHT else cell.ljust(width)
        for index, (cell, width) in enumerate(zip(line, widths, strict=True))
    )
    return "  ".join(cells).rstrip()
