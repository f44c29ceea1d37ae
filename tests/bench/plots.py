"""The plots that matter, as SVG: the same file for the same results."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tests.bench import cost, delivery, hooks, reach, writers
from tests.bench.results import Results
from tests.bench.rooms import DURABILITY
from tests.bench.row import FLOOR, HCOM, OH_MY, OURS, SQLITE, shown

_COLOURS = {OURS: "#0b62c4", FLOOR: "#777777", SQLITE: "#c56a00", OH_MY: "#b3261e", HCOM: "#6a3fb5"}
"""Of each contender, on white."""

_MARKERS = {OURS: "o", FLOOR: "_", SQLITE: "s", OH_MY: "^", HCOM: "D"}
"""The same for who sees no colours."""

_STYLE: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.constrained_layout.use": True,
    "figure.facecolor": "white",
    "font.family": "sans-serif",
    "font.size": 10,
    "grid.color": "#e4e4e4",
    "svg.fonttype": "none",
    "svg.hashsalt": "msgcode",
}


def draw(results: Results, folder: Path) -> list[Path]:
    """Write those plots of which something was measured into the folder; returns their files."""
    plots: dict[str, Callable[[Results], Figure | None]] = {
        "bench-writers.svg": _writers,
        "bench-waiting.svg": _waiting,
        "bench-delivery.svg": _delivery,
        "bench-hooks.svg": _hooks,
    }
    drawn = []
    with mpl.rc_context(_STYLE):
        for name, plot in plots.items():
            figure = plot(results)
            if figure:
                figure.supxlabel(f"{results.machine}, {results.date}", fontsize=8, color="#555555")
                figure.savefig(folder / name, metadata={"Date": None, "Creator": None})
                drawn.append(folder / name)
    return drawn


def _writers(results: Results) -> Figure | None:
    figure = Figure(figsize=(9, 4))
    panels = figure.subplots(1, 2, sharey=True)
    for axes, sync in zip(panels, (True, False), strict=True):
        points = {count: results.figures(writers.title(count, sync=sync)) for count in results.scale.writers}
        if not any(points.values()):
            return None
        _lines(axes, points)
        for index, count in enumerate(points):
            lost = results.figures(writers.lost(count, sync=sync))
            for name, share in lost.items():
                if share:
                    at = (index, points[count][name])
                    label = f"{shown(share)} % lost"
                    axes.annotate(label, at, (0, -14), textcoords="offset points", ha="center", fontsize=8)
        axes.set(title=DURABILITY[sync], xlabel="writers that send at once")
    panels[0].set_ylabel("sends a second")
    _legend(figure, panels)
    return figure


def _waiting(results: Results) -> Figure | None:
    figure = Figure(figsize=(9, 4))
    operations = cost.OPERATIONS[:3]
    panels = figure.subplots(1, len(operations), sharey=True)
    for axes, operation in zip(panels, operations, strict=True):
        points = {
            waiting: results.figures(cost.title(operation, waiting, sync=False))
            for waiting in results.scale.waiting
        }
        if not any(points.values()):
            return None
        _lines(axes, points)
        axes.set(title=operation, xlabel="messages waiting")
    panels[0].set_ylabel("µs for one, not synced")
    _legend(figure, panels)
    return figure


def _delivery(results: Results) -> Figure | None:
    groups = {
        f"to {state}": (
            results.figures(f"{delivery.title(busy=busy)}: {delivery.MEDIAN}"),
            results.figures(f"{delivery.title(busy=busy)}: {delivery.WORST}"),
        )
        for state, busy in (("an idle agent", False), ("a busy agent", True))
    }
    groups["from a shell, to an idle agent"] = (
        results.figures(f"{reach.TITLE}: {delivery.MEDIAN}"),
        results.figures(f"{reach.TITLE}: {delivery.WORST}"),
    )
    title = (
        "From a send until the recipient's model in OpenCode has it, ms: median; the line: 95th percentile"
    )
    return _bars(groups, title)


def _hooks(results: Results) -> Figure | None:
    groups: dict[str, _Group] = {
        label: (results.figures(hooks.title(mail=mail)), {})
        for label, mail in (("nothing waits", False), ("a message is\nhanded over", True))
    }
    return _bars(groups, "A hook at a tool call, ms (floor: a shell that exits)")


def _lines(axes: Axes, points: Mapping[int, Mapping[str, float]]) -> None:
    """A line for each contender, over numbers at equal distances."""
    for name, colour in _COLOURS.items():
        has = [(index, found[name]) for index, found in enumerate(points.values()) if name in found]
        if has:
            axes.plot(*zip(*has, strict=True), marker=_MARKERS[name], color=colour, label=name, linewidth=2)
    axes.set_yscale("log")
    axes.set_xticks(range(len(points)), [f"{number:,}" for number in points])
    axes.yaxis.set_major_formatter(_grouped)
    axes.yaxis.set_minor_formatter("")
    axes.margins(x=0.1)
    axes.tick_params(axis="x", labelsize=9)


def _legend(figure: Figure, panels: Sequence[Axes]) -> None:
    """One for all panels, with each contender once."""
    handles = {
        label: handle
        for axes in panels
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        handles.values(), handles.keys(), loc="outside upper center", ncols=len(handles), frameon=False
    )


def _grouped(value: float, _: object) -> str:
    return f"{value:,.0f}"


_Group = tuple[Mapping[str, float], Mapping[str, float]]
"""Figures by contender, and how far a line goes beyond each bar."""


def _bars(groups: Mapping[str, _Group], title: str) -> Figure | None:
    """A bar for each contender in each group, from the top down; None if there is none."""
    bars = [
        (label, name, figures[name], worst.get(name))
        for label, (figures, worst) in groups.items()
        for name in _COLOURS
        if name in figures
    ]
    if not bars:
        return None
    figure = Figure(figsize=(9, 1.2 + 0.4 * len(bars)))
    axes = figure.subplots()
    axes.xaxis.set_major_formatter(_grouped)
    for index, (_, name, value, worst) in enumerate(bars):
        axes.barh(index, value, color=_COLOURS[name])
        label = shown(value)
        if worst is not None:
            axes.plot((value, worst), (index, index), color=_COLOURS[name], marker="|")
            label += f" ({shown(worst)})"
        at = (max(value, worst or 0), index)
        axes.annotate(label, at, (6, 0), textcoords="offset points", va="center")
    axes.set_yticks(range(len(bars)), [f"{label}: {name}" for label, name, *_ in bars])
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.grid(visible=False, axis="y")
    figure.suptitle(title, x=0.01, ha="left", fontsize=10)
    return figure
