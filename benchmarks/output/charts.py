"""Draws the charts of a benchmark as SVG."""

import io
import re

from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter

from benchmarks.harness.measurement import Chart
from benchmarks.output.names import named
from edge.messages.catalogue import Catalogue

# Okabe and Ito's palette, told apart by the colour-blind ("Color Universal Design", 2008).
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#000000")
_MARKERS = "osD^vP*X"


class _Ticks(ScalarFormatter):
    """Numbers along an axis with the language's decimal mark."""

    def __init__(self, words: Catalogue) -> None:
        super().__init__()
        self._mark = words.value(0.5, ".1f").strip("05")

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Write the number at a mark of the axis."""
        return str(super().__call__(x, pos)).replace(".", self._mark)


def draw_chart(chart: Chart, words: Catalogue) -> str:
    """Draw a chart.

    Args:
        chart: with names as results are kept.
        words: of the language.

    Returns:
        An ``<svg>`` element.
    """
    chart = _named(chart, words)
    rows = len({name for series in chart.series for name in series.x})
    height = 1.3 + 0.19 * rows * max(1, len(chart.series) if chart.kind == "bars" else 1)
    tall = chart.kind in {"bars", "stack"}
    figure = Figure(figsize=(8.6, max(2.2, height) if tall else 4.2), layout="constrained")
    axes = figure.subplots()
    if chart.kind == "bars":
        _bars(axes, chart, words)
    else:
        {"stack": _stack, "lines": _lines, "points": _points}[chart.kind](axes, chart)
    for axis in (axes.xaxis,) if tall else (axes.xaxis, axes.yaxis):
        if axis.get_scale() == "linear":
            axis.set_major_formatter(_Ticks(words))
    axes.set_title(chart.title, loc="left", fontsize=11)
    axes.set_xlabel(chart.x_label)
    axes.set_ylabel(chart.y_label)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x" if tall else "both", alpha=0.3)
    if len(chart.series) > 1:
        axes.legend(fontsize=8, frameon=False, loc="best")
    return _svg(figure)


def _named(chart: Chart, words: Catalogue) -> Chart:
    """The same chart with its names in words."""
    series = tuple(
        one._replace(
            name=named(one.name, words),
            x=tuple(named(x, words) if isinstance(x, str) else x for x in one.x),
        )
        for one in chart.series
    )
    return chart._replace(
        series=series,
        title=named(chart.title, words),
        x_label=named(chart.x_label, words),
        y_label=named(chart.y_label, words),
    )


def _bars(axes: Axes, chart: Chart, words: Catalogue) -> None:
    names = list(dict.fromkeys(str(name) for series in chart.series for name in series.x))
    thickness = 0.8 / len(chart.series)
    longest = max(value for series in chart.series for value in series.y)
    for place, series in enumerate(chart.series):
        at = [names.index(str(name)) + (place - (len(chart.series) - 1) / 2) * thickness for name in series.x]
        axes.barh(at, series.y, thickness * 0.9, color=_COLOURS[place % 8], label=series.name)
        for where, value in zip(at, series.y, strict=True):
            axes.text(
                value + (0 if chart.logarithmic else longest * 0.01),
                where,
                " " + words.value(value, ".3g"),
                va="center",
                fontsize=7,
            )
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.invert_yaxis()
    if chart.logarithmic:
        axes.set_xscale("log")
    axes.margins(x=0.08)


def _stack(axes: Axes, chart: Chart) -> None:
    names = list(dict.fromkeys(str(name) for series in chart.series for name in series.x))
    left = dict.fromkeys(names, 0.0)
    for place, series in enumerate(chart.series):
        for name, value in zip(map(str, series.x), series.y, strict=True):
            label = series.name if name == str(series.x[0]) else None
            axes.barh(name, value, 0.7, left=left[name], color=_COLOURS[place % 8], label=label)
            left[name] += value
    axes.invert_yaxis()


def _lines(axes: Axes, chart: Chart) -> None:
    for place, series in enumerate(chart.series):
        colour, marker = _COLOURS[place % 8], _MARKERS[place % 8]
        axes.plot(series.x, series.y, marker=marker, color=colour, label=series.name, markersize=5)
    if chart.logarithmic:
        axes.set_xscale("log")
        axes.set_yscale("log")


def _points(axes: Axes, chart: Chart) -> None:
    for place, series in enumerate(chart.series):
        colour, marker = _COLOURS[place % 8], _MARKERS[place % 8]
        axes.scatter(series.x, series.y, marker=marker, color=colour, label=series.name, s=40)
        for x, y, mark in zip(series.x, series.y, series.marks, strict=False):
            axes.annotate(mark, (x, y), (5, 4), textcoords="offset points", fontsize=8)
    if chart.logarithmic:
        axes.set_xscale("log")


def _svg(figure: Figure) -> str:
    target = io.StringIO()
    FigureCanvasSVG(figure).print_svg(target, metadata={"Date": None})
    # The XML and DOCTYPE lines are for a file of its own, not for an element within a page.
    return re.sub(r"^.*?(?=<svg)", "", target.getvalue(), flags=re.DOTALL)
