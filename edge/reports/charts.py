"""Where the marks of the report's charts are; the templates `*.svg.j2` draw them inside the page."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from edge.messages.catalogue import Catalogue
from edge.parasitaemia.estimate import Parasitaemia

_WIDTH, _LEFT, _RIGHT = 720, 56, 24
_UNITS = 140  # px at the right of the axis of the interval, for its units
_TOP, _BOTTOM = 30, 150  # of the bars
_BINS = 20


class Axis(NamedTuple):
    """A linear axis from 0 to `end`, drawn between two positions in px."""

    end: float
    left: float = _LEFT
    right: float = _WIDTH - _RIGHT

    def at(self, value: float) -> float:
        """Position of a value in px, to a tenth."""
        return round(self.left + (self.right - self.left) * min(max(value / self.end, 0.0), 1.0), 1)


def nice_end(value: float) -> float:
    """Round up to 1, 2, 2.5 or 5 times a power of ten, so that four or five ticks fall on plain figures."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1.0, 2.0, 2.5, 5.0, 10.0) if step * power >= value * (1 - 1e-9))


class IntervalTick(NamedTuple):
    """A mark of the axis: its place in px, the share in percent and the density, both in words.

    The density is empty before enough cells are counted for one.
    """

    x: float
    share: str
    per_ul: str


class IntervalChart(NamedTuple):
    """The chart of an estimate and its interval; all positions in px from the left.

    Attributes:
        width: of the whole chart.
        left: where the axis begins.
        right: where the axis ends.
        ticks: marks of the axis.
        low: lower end of the 95 % interval.
        high: upper end of the 95 % interval.
        estimate: the estimate.
        resolvable: the least share that this count tells reliably from none.
        label_at: where the label of `resolvable` is.
        label_anchor: which end of that label is there, "start" or "end".
    """

    width: int
    left: float
    right: float
    ticks: tuple[IntervalTick, ...]
    low: float
    high: float
    estimate: float
    resolvable: float
    label_at: float
    label_anchor: str


def interval_chart(parasitaemia: Parasitaemia, words: Catalogue) -> IntervalChart | None:
    """Lay out the estimate, its 95 % interval, and what the count could have told from none.

    Returns:
        None where there is no estimate.
    """
    p = parasitaemia
    if p.fraction is None or p.low is None or p.high is None or p.resolvable is None:
        return None
    axis = Axis(min(nice_end(1.08 * max(p.high, p.resolvable)), 1.0), right=_WIDTH - _UNITS - _RIGHT)
    marks = [axis.end * step / 5 for step in range(6)]
    limit = axis.at(p.resolvable)
    near_right = limit > _WIDTH - 240
    return IntervalChart(
        width=_WIDTH,
        left=axis.left,
        right=axis.right,
        ticks=tuple(
            IntervalTick(
                axis.at(mark),
                words.value(100 * mark, ".4g"),
                "" if p.per_ul is None else words.density(mark * p.red_cells.per_ul),
            )
            for mark in marks
        ),
        low=axis.at(p.low),
        high=axis.at(p.high),
        estimate=axis.at(p.fraction),
        resolvable=limit,
        label_at=round(limit - 8 if near_right else limit + 8, 1),
        label_anchor="end" if near_right else "start",
    )


class Decade(NamedTuple):
    """A line across the bars: its height in px from the top, and the cells that it stands for."""

    y: float
    cells: int


class Bar(NamedTuple):
    """A bar; all in px from the upper left corner."""

    x: float
    y: float
    width: float
    height: float


class ProbabilityTick(NamedTuple):
    """A mark of the axis of probabilities: its place in px and its value."""

    x: float
    value: float


class ProbabilityChart(NamedTuple):
    """The chart of the counted cells' probabilities; positions in px from the upper left corner.

    Attributes:
        width: of the whole chart.
        left: where the bars begin.
        right: where they end.
        decades: lines of the logarithmic scale of cells.
        bars: one for each step of the probability that has cells.
        ticks: marks of the axis.
        threshold: from which probability on a cell is called parasitised.
        threshold_at: where it is drawn.
        cells: number of cells.
        sure: how many of them are in the two outermost steps.
        step: width of a step of the probability.
    """

    width: int
    left: float
    right: float
    decades: tuple[Decade, ...]
    bars: tuple[Bar, ...]
    ticks: tuple[ProbabilityTick, ...]
    threshold: float
    threshold_at: float
    cells: int
    sure: int
    step: float


def probability_chart(counts: Sequence[int], threshold: float) -> ProbabilityChart | None:
    """Lay out how the counted cells' probabilities are spread, on a logarithmic scale of cells.

    Args:
        counts: cells in each of 20 equal steps of P(Parasitized) from 0 to 1.
        threshold: from which probability on a cell is called parasitised.

    Returns:
        None where no cell was counted.
    """
    most = max(counts, default=0)
    if most == 0:
        return None
    axis = Axis(1.0)
    decades = max(math.ceil(math.log10(most + 1)), 1)
    height, width = _BOTTOM - _TOP, (axis.right - axis.left) / _BINS
    bars = []
    for number, cells in enumerate(counts):
        if cells:
            # One cell must be seen: the scale starts a little below one.
            tall = height * max(math.log10(cells) / decades, 0.03)
            x = axis.left + number * width
            bars.append(Bar(*(round(side, 1) for side in (x + 1, _BOTTOM - tall, width - 2, tall))))
    return ProbabilityChart(
        width=_WIDTH,
        left=axis.left,
        right=axis.right,
        decades=tuple(Decade(round(_BOTTOM - height * n / decades, 1), 10**n) for n in range(decades + 1)),
        bars=tuple(bars),
        ticks=tuple(ProbabilityTick(axis.at(value), value) for value in (0.0, 0.25, 0.5, 0.75, 1.0)),
        threshold=threshold,
        threshold_at=axis.at(threshold),
        cells=sum(counts),
        sure=counts[0] + counts[-1],
        step=1 / _BINS,
    )


def probability_bin(probability: float) -> int:
    """Step of `probability_chart` that a probability in [0, 1] belongs to."""
    return min(int(probability * _BINS), _BINS - 1)


def empty_bins() -> list[int]:
    """Counts for `probability_chart` with nothing in them."""
    return [0] * _BINS
