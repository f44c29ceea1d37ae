"""`python -m tests.bench`: see `--help`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator

from tests.bench import cost, delivery, hooks, mirror, opening, processes, tui, wake, writers
from tests.bench.table import Row, Scale, head, render

BENCHMARKS: dict[str, Callable[[Scale], Iterator[Row]]] = {
    "cost": cost.rows,
    "delivery": delivery.rows,
    "hooks": hooks.rows,
    "mirror": mirror.rows,
    "opening": opening.rows,
    "processes": processes.rows,
    "tui": tui.rows,
    "wake": wake.rows,
    "writers": writers.rows,
}

FULL = Scale(
    live=(0, 1_000, 10_000, 100_000), seed_live=(0, 1_000, 10_000, 100_000), operations=200, rounds=5,
    history=1_000_000, waiting=1_000, writers=(1, 2, 4, 8), seconds=2, wakes=200, processes=40, deliveries=50,
    messages=100_000, sharing=30,
)  # fmt: skip

QUICK = Scale(
    live=(0, 10_000), seed_live=(0, 10_000), operations=100, rounds=2,
    history=100_000, waiting=1_000, writers=(1, 8), seconds=0.7, wakes=50, processes=10, deliveries=3,
    messages=10_000, sharing=5,
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller sizes; about a minute")
    parser.add_argument("--only", choices=BENCHMARKS, action="append", help="only this one; may be repeated")
    options = parser.parse_args()
    scale = QUICK if options.quick else FULL
    rows = [row for name in options.only or BENCHMARKS for row in BENCHMARKS[name](scale)]
    print(head())
    print(render(rows))


if __name__ == "__main__":
    main()
