"""`python -m tests.bench`: see `--help`."""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from types import ModuleType

from tests.bench import (
    cost,
    delivery,
    hooks,
    mirror,
    nats,
    opening,
    processes,
    reach,
    tui,
    wake,
    writers,
)
from tests.bench.machine import machine, versions
from tests.bench.results import Results, Section, joined, load, save
from tests.bench.scale import FULL, QUICK, Scale
from tests.bench.table import render

MEASURES: dict[str, ModuleType] = {
    module.__name__.rpartition(".")[2]: module
    for module in (writers, cost, processes, hooks, delivery, reach, wake, tui, opening, nats, mirror)
}
"""In the order of the table."""

SCREENSHOTS = Path(__file__).parents[2] / "screenshots"


def measured(name: str, scale: Scale) -> Section:
    """What the measure of that name comes to. What stops it is said in the section, and on standard error."""
    module = MEASURES[name]
    about = (module.__doc__ or "").partition("\n")[0]
    rows = []
    try:
        for row in module.rows(scale):
            rows.append(row)  # noqa: PERF402 - those before a failure are kept
    except Exception as failure:
        traceback.print_exc()
        return Section(name, about, tuple(rows), f"{type(failure).__name__}: {failure}")
    return Section(name, about, tuple(rows))


def _measure(names: Sequence[str], scale: Scale) -> Results:
    found = versions(others=scale.others)  # First, as that fetches what is missing.
    sections = tuple(measured(name, scale) for name in names)
    return Results(date.today().isoformat(), machine(), found, scale, sections)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description="Measure msgcode beside oh-my-msgcode, hcom, SQLite and the bare system calls, in turns.",
    )
    parser.add_argument("--quick", action="store_true", help="small sizes and few runs; under a minute")
    parser.add_argument("--only", choices=MEASURES, action="append", help="only this; may be repeated")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the results to this file too")
    parser.add_argument(
        "--read", metavar="FILE", type=Path, action="append", help="measure nothing: read it; may be repeated"
    )
    parser.add_argument("--plots", action="store_true", help="draw the plots in screenshots/ anew")
    options = parser.parse_args()
    if options.read:
        try:
            results = joined([load(file) for file in options.read])
        except (OSError, ValueError) as error:
            parser.error(f"cannot read the results: {error}")
    else:
        results = _measure(options.only or list(MEASURES), QUICK if options.quick else FULL)
    print(render(results))
    if options.json:
        save(results, options.json)
    if options.plots:
        from tests.bench.plots import draw

        for file in draw(results, SCREENSHOTS):
            print(file.name, file=sys.stderr)
    return int(any(section.failure for section in results.sections))


if __name__ == "__main__":
    sys.exit(main())
