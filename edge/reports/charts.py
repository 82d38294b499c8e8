"""The report's charts as SVG text: they stand inside the page, need no program to draw, and print sharp."""

import html
import math
from collections.abc import Sequence
from typing import NamedTuple

from edge.messages import catalogue as phrases
from edge.parasitaemia.estimate import Parasitaemia

_WIDTH, _LEFT, _RIGHT = 720, 56, 24
_UNITS = 120  # px at the right of the axis of the interval, for its units
_INK, _FAINT = "#222222", "#595959"
# Okabe and Ito's palette, as in edge.drawing.contact_sheet; dark enough against white (contrast above 4.5).
_ESTIMATE, _LIMIT = "#0072B2", "#A34700"
_BINS = 20


class Axis(NamedTuple):
    """A linear axis from 0 to ``end``, drawn between two pixel positions."""

    end: float
    left: float = _LEFT
    right: float = _WIDTH - _RIGHT

    def at(self, value: float) -> float:
        """Pixel position of a value."""
        return self.left + (self.right - self.left) * min(max(value / self.end, 0.0), 1.0)


def nice_end(value: float) -> float:
    """Round up to 1, 2, 2.5 or 5 times a power of ten, so that four or five ticks fall on plain figures."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1.0, 2.0, 2.5, 5.0, 10.0) if step * power >= value * (1 - 1e-9))


def interval_chart(parasitaemia: Parasitaemia) -> str:
    """Draw the estimate, its 95 % interval, and what the count could have told from none.

    Returns:
        An ``<svg>`` element with a title and a description for those who do not see it; empty text where
        there is no estimate.
    """
    p = parasitaemia
    if p.fraction is None or p.low is None or p.high is None or p.resolvable is None:
        return ""
    end = min(nice_end(1.08 * max(p.high, p.resolvable)), 1.0)
    axis = Axis(end, right=_WIDTH - _UNITS - _RIGHT)
    y, top, bottom = 74, 40, 108
    low, high, point = axis.at(p.low), axis.at(p.high), axis.at(p.fraction)
    limit = axis.at(p.resolvable)
    words = html.escape(str(p.words[0]))
    near_right = limit > _WIDTH - 240
    parts = [
        f'<svg class="chart" viewBox="0 0 {_WIDTH} 152" role="img" '
        'aria-labelledby="chart-title chart-words">',
        '<title id="chart-title">Estimated parasitaemia with its 95 % interval</title>',
        f'<desc id="chart-words">{words}</desc>',
        _ticks(axis, bottom, p.red_cells.per_ul),
        f'<line x1="{limit:.1f}" y1="{top - 10}" x2="{limit:.1f}" y2="{bottom}" stroke="{_LIMIT}" '
        'stroke-width="2" stroke-dasharray="6 4"/>',
        f'<text x="{limit + (-8 if near_right else 8):.1f}" y="{top - 2}" fill="{_LIMIT}" '
        f'text-anchor="{"end" if near_right else "start"}">told reliably from none</text>',
        f'<line x1="{low:.1f}" y1="{y}" x2="{high:.1f}" y2="{y}" stroke="{_ESTIMATE}" stroke-width="6"/>',
        _whisker(low, y),
        _whisker(high, y),
        f'<circle cx="{point:.1f}" cy="{y}" r="9" fill="#fff" stroke="{_ESTIMATE}" stroke-width="4"/>',
        "</svg>",
    ]
    return "".join(parts)


def _whisker(x: float, y: float) -> str:
    """End of the interval."""
    return (
        f'<line x1="{x:.1f}" y1="{y - 12}" x2="{x:.1f}" y2="{y + 12}" stroke="{_ESTIMATE}" stroke-width="3"/>'
    )


def _ticks(axis: Axis, y: float, per_ul: float) -> str:
    """Axis line with two scales below it: the share of red cells, and parasitised cells per µL."""
    beyond = axis.right + 48
    parts = [
        f'<line x1="{axis.left}" y1="{y}" x2="{axis.right}" y2="{y}" stroke="{_INK}"/>',
        f'<text x="{beyond}" y="{y + 22}" fill="{_INK}">% of red cells</text>',
        f'<text x="{beyond}" y="{y + 38}" fill="{_FAINT}">per µL</text>',
    ]
    for step in range(6):
        value = axis.end * step / 5
        x = axis.at(value)
        parts.append(f'<line x1="{x:.1f}" y1="{y}" x2="{x:.1f}" y2="{y + 6}" stroke="{_INK}"/>')
        share, cells = f"{100 * value:.4g}", phrases.density(value * per_ul)
        for below, text, colour in ((22, share, _INK), (38, cells, _FAINT)):
            parts.append(
                f'<text x="{x:.1f}" y="{y + below}" fill="{colour}" text-anchor="middle">{text}</text>'
            )
    return "".join(parts)


def probability_chart(counts: Sequence[int], threshold: float) -> str:
    """Draw how the counted cells' probabilities are spread, on a logarithmic scale of cells.

    Args:
        counts: Cells in each of 20 equal steps of P(Parasitized) from 0 to 1.
        threshold: From which on a cell is called parasitised.

    Returns:
        An ``<svg>`` element; empty text where no cell was counted.
    """
    most = max(counts, default=0)
    if most == 0:
        return ""
    axis = Axis(1.0)
    top, bottom = 30, 150
    decades = max(math.ceil(math.log10(most + 1)), 1)
    sure = sum(n for n in (counts[0], counts[-1]))
    parts = [
        f'<svg class="chart" viewBox="0 0 {_WIDTH} 190" role="img" '
        'aria-labelledby="spread-title spread-words">',
        '<title id="spread-title">Spread of the cells\' probabilities</title>',
        f'<desc id="spread-words">{sure} of {sum(counts)} cells lie in the outermost steps, below '
        f"{1 / _BINS:g} or above {1 - 1 / _BINS:g}; the threshold is {threshold:.3f}.</desc>",
    ]
    for decade in range(decades + 1):
        y = bottom - (bottom - top) * decade / decades
        parts.append(f'<line x1="{axis.left}" y1="{y:.1f}" x2="{axis.right}" y2="{y:.1f}" stroke="#d0d0d0"/>')
        place = f'x="{axis.left - 8}" y="{y + 5:.1f}"'
        parts.append(f'<text {place} fill="{_FAINT}" text-anchor="end">{10**decade:,}</text>')
    width = (axis.right - axis.left) / _BINS
    for number, cells in enumerate(counts):
        if cells:
            # One cell must be seen: the scale starts a little below one.
            tall = (bottom - top) * max(math.log10(cells) / decades, 0.03)
            x = axis.left + number * width
            parts.append(
                f'<rect x="{x + 1:.1f}" y="{bottom - tall:.1f}" width="{width - 2:.1f}" height="{tall:.1f}" '
                f'fill="{_ESTIMATE}"/>'
            )
    at = axis.at(threshold)
    parts.append(
        f'<line x1="{at:.1f}" y1="{top - 12}" x2="{at:.1f}" y2="{bottom}" stroke="{_LIMIT}" stroke-width="2" '
        f'stroke-dasharray="6 4"/><text x="{at - 8:.1f}" y="{top - 6}" fill="{_LIMIT}" '
        f'text-anchor="{"end" if threshold > 0.3 else "start"}">threshold {threshold:.3f}</text>'
    )
    for value in (0.0, 0.25, 0.5, 0.75, 1.0):
        place = f'x="{axis.at(value):.1f}" y="{bottom + 20}"'
        parts.append(f'<text {place} fill="{_INK}" text-anchor="middle">{value:g}</text>')
    parts.append("</svg>")
    return "".join(parts)


def probability_bin(probability: float) -> int:
    """Step of ``probability_chart`` that a probability in [0, 1] belongs to."""
    return min(int(probability * _BINS), _BINS - 1)


def empty_bins() -> list[int]:
    """Counts for ``probability_chart`` with nothing in them."""
    return [0] * _BINS
