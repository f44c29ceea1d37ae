"""What is printed and drawn of results, and what a file keeps of them."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import msgspec
import pytest

from tests.bench import cost, delivery, hooks, writers
from tests.bench.__main__ import MEASURES, measured
from tests.bench.plots import draw
from tests.bench.results import Results, Section, joined, load, save
from tests.bench.row import FLOOR, HCOM, OH_MY, OURS, SQLITE, Row, Target, percentile, shown
from tests.bench.scale import QUICK, Scale
from tests.bench.table import render

ROWS = (
    *(
        Row(writers.title(count, sync=sync), "a second", {OURS: 4_000, OH_MY: 500}, more_is_better=True)
        for sync in (True, False)
        for count in QUICK.writers
    ),
    Row(writers.lost(4, sync=False), "%", {OURS: 0, OH_MY: 84}),
    *(
        Row(cost.title(operation, waiting, sync=False), "us", {OURS: 60, SQLITE: 50})
        for operation in cost.OPERATIONS
        for waiting in QUICK.waiting
    ),
    Row(f"{delivery.title(busy=False)}: {delivery.MEDIAN}", "ms", {OURS: 132, OH_MY: 2_292}),
    Row(f"{delivery.title(busy=False)}: {delivery.WORST}", "ms", {OURS: 228, OH_MY: 5_059}),
    Row(hooks.title(mail=False), "ms", {FLOOR: 1, OURS: 2, HCOM: 9}, target=Target(2, most=3), runs="5"),
)


def results(*rows: Row, name: str = "some", failure: str = "") -> Results:
    section = Section(name, "What is measured.", rows, failure)
    return Results("2026-11-23", "a machine, 2 cores", {"msgcode": "0.1.0"}, QUICK, (section,))


def test_ratio_says_how_many_times_better() -> None:
    assert Row("time", "ms", {OURS: 2, SQLITE: 6}).ratio(SQLITE) == 3
    assert Row("rate", "/s", {OURS: 2, SQLITE: 6}, more_is_better=True).ratio(SQLITE) == 1 / 3
    assert Row("time", "ms", {OURS: 2}).ratio(SQLITE) is None


def test_target_says_whether_it_was_met() -> None:
    assert str(Target(1.2, most=1.5, unit=" x")) == "at most 1.5 x: 1.20, met"
    assert str(Target(0.5, least=0.6)) == "at least 0.6: 0.50, missed"


def test_figures_have_the_digits_that_say_something() -> None:
    assert [shown(value) for value in (None, 0, 1.234, 12.34, 123.4, 12345.6)] == [
        "", "0", "1.23", "12.3", "123", "12,346",
    ]  # fmt: skip


def test_percentile_is_one_of_the_values() -> None:
    assert percentile([3, 1, 2], 0.95) == 3
    assert percentile([3, 1, 2], 0.5) == 2


def test_table_says_everything_of_a_row() -> None:
    text = render(results(*ROWS))
    assert text.startswith("2026-11-23, a machine, 2 cores\nmsgcode 0.1.0\nquick")
    (line,) = [line for line in text.splitlines() if line.startswith(hooks.title(mail=False))]
    cells = re.split("  +", line)
    assert cells[1:] == ["ms", "2", "1", "9", "5", "at most 3: 2, met", "floor 0.50, hcom 4.50"]


def test_table_leaves_a_figure_that_nobody_measured_empty() -> None:
    lines = render(results(*ROWS)).splitlines()
    header = next(line for line in lines if "SQLite WAL" in line and "hcom" in line and "runs" in line)
    line = next(line for line in lines if line.startswith(hooks.title(mail=False)))
    ends = header.index("SQLite WAL") + len("SQLite WAL")
    assert not line[ends - len("SQLite WAL") : ends].strip()


def test_table_says_what_was_not_measured() -> None:
    assert "nothing measured" in render(results())
    assert "stopped before its end: OSError: no space" in render(results(failure="OSError: no space"))


def test_a_failure_keeps_the_rows_before_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def rows(scale: Scale) -> object:
        yield ROWS[0]
        raise OSError("no space")

    module = ModuleType("broken", "It breaks.\n\nMore.")
    module.rows = rows  # type: ignore[attr-defined]
    monkeypatch.setitem(MEASURES, "broken", module)
    assert measured("broken", QUICK) == Section("broken", "It breaks.", ROWS[:1], "OSError: no space")
    assert "no space" in capsys.readouterr().err


def test_file_keeps_everything(tmp_path: Path) -> None:
    save(results(*ROWS), tmp_path / "results.json")
    assert render(load(tmp_path / "results.json")) == render(results(*ROWS))


def test_parts_are_joined() -> None:
    both = joined([results(*ROWS[:2], name="first"), results(*ROWS[2:], name="second")])
    assert [section.name for section in both.sections] == ["first", "second"]
    assert both.figures(hooks.title(mail=False))[HCOM] == 9


def test_parts_of_different_runs_are_not_joined() -> None:
    elsewhere = msgspec.structs.replace(results(), machine="another")
    with pytest.raises(ValueError, match="different machines"):
        joined([results(), elsewhere])


def test_plots_are_the_same_each_time_and_say_where_and_when(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        draw(results(*ROWS), folder)
    names = ["bench-delivery.svg", "bench-hooks.svg", "bench-waiting.svg", "bench-writers.svg"]
    assert sorted(file.name for file in first.iterdir()) == names
    for name in names:
        drawn = (first / name).read_bytes()
        assert drawn == (second / name).read_bytes()
        text = "".join(ElementTree.fromstring(drawn).itertext())
        assert "a machine, 2 cores, 2026-11-23" in text
        assert OURS in text
    assert b"84 % lost" in (first / "bench-writers.svg").read_bytes()


def test_what_was_not_measured_is_not_drawn(tmp_path: Path) -> None:
    assert draw(results(ROWS[-1]), tmp_path) == [tmp_path / "bench-hooks.svg"]
