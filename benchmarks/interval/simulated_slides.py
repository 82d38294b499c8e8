"""Slides drawn as real ones differ: by laboratory, by slide, by field, and by what a reader has seen of them.

A `Kind` says how the error rates of a slide come about and what a laboratory could have measured of them; a `Row`
adds the share of infected cells and how many cells are counted.
"""

from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
from scipy import stats

from edge.parasitaemia.rate_distribution import (
    RateCount,
    RateDistribution,
    between_laboratories,
    between_slides,
    binomial_rate,
)

PER_FIELD = 100
"""Cells of a field."""
TRUTHS = (0.0, 0.002, 0.01, 0.05, 0.1)
FEWEST_INFECTED = 2
"""Infected cells to expect on a slide before it makes a row: fewer are a slide without any, which has rows too."""

_LABORATORIES_INFECTED = (RateCount(75, 92), RateCount(120, 188), RateCount(200, 250), RateCount(2089, 2258))
_LABORATORIES_UNINFECTED = (RateCount(50, 3000), RateCount(40, 4500), RateCount(1, 4000), RateCount(0, 2057))
_SLIDES_MEASURED = 20
_MEAN_ALARMS, _MEAN_SENSITIVITY = 0.005, 0.85
_NODES = 101


class Pair(NamedTuple):
    """What is known of the two rates of a slide."""

    sensitivity: RateDistribution
    alarms: RateDistribution


class Slide(NamedTuple):
    """The rates of a slide, what its laboratory has measured, and what an oracle knows of slides of its kind."""

    sensitivity: float
    alarms: float
    measured: Pair
    expected: Pair
    """The very distribution that the slide's rates are drawn from."""

    @property
    def own(self) -> Pair:
        """What an oracle knows that has measured this very slide."""
        return Pair(exactly(self.sensitivity), exactly(self.alarms))


Draw = Callable[[np.random.Generator], Slide]


class Review(NamedTuple):
    """How much of the suspects a reader has looked at, and in which order."""

    share: float
    surest_first: bool

    def __str__(self) -> str:
        order = "surest first" if self.surest_first else "in any order"
        return "all suspects reviewed" if self.share == 1 else f"half of the suspects reviewed, {order}"


class Row(NamedTuple):
    """Slides of one kind: their rates, the share of infected cells, how these cluster, and how many are counted."""

    name: str
    draw: Draw
    truth: float
    cells: int
    correlation: float = 0.0
    review: Review | None = None

    def __str__(self) -> str:
        return f"{self.name}, {self.cells} cells, truth {self.truth:.1%}"


INDEPENDENT = "independent"
ELSEWHERE = "another laboratory"


def exactly(rate: float) -> RateDistribution:
    """Distribution of a rate that is known."""
    return RateDistribution(np.array([rate]), np.ones(1))


def measured(random: np.random.Generator, rate: float, cells: int) -> RateDistribution:
    """What a count of so many cells says of a rate."""
    return binomial_rate(RateCount(int(random.binomial(cells, rate)), cells))


def alike(sensitivity: float, alarms: float) -> Draw:
    """Slides that are all like those on which the rates were measured."""
    known = Pair(exactly(sensitivity), exactly(alarms))

    def draw(random: np.random.Generator) -> Slide:
        found = Pair(measured(random, sensitivity, 2258), measured(random, alarms, 20_000))
        return Slide(sensitivity, alarms, found, known)

    return draw


def alarms_vary(variation: float) -> Draw:
    """Slides whose false alarms differ by a coefficient of variation, measured on twenty others of the laboratory."""
    shape, scale = variation**-2, _MEAN_ALARMS * variation**2
    known = Pair(exactly(0.9), _in_equal_shares(stats.gamma(shape, scale=scale)))

    def draw(random: np.random.Generator) -> Slide:
        rates = np.minimum(random.gamma(shape, scale, _SLIDES_MEASURED + 1), 0.5)
        counts = [RateCount(int(random.binomial(1000, rate)), 1000) for rate in rates[1:]]
        return Slide(0.9, float(rates[0]), Pair(measured(random, 0.9, 2258), between_slides(counts)), known)

    return draw


def sensitivity_varies(deviation: float) -> Draw:
    """Slides whose sensitivity differs by a standard deviation, measured on twenty others of the laboratory."""
    size = _MEAN_SENSITIVITY * (1 - _MEAN_SENSITIVITY) / deviation**2 - 1
    alpha, beta = _MEAN_SENSITIVITY * size, (1 - _MEAN_SENSITIVITY) * size
    known = Pair(_in_equal_shares(stats.beta(alpha, beta)), exactly(0.002))

    def draw(random: np.random.Generator) -> Slide:
        rates = random.beta(alpha, beta, _SLIDES_MEASURED + 1)
        counts = [RateCount(int(random.binomial(100, rate)), 100) for rate in rates[1:]]
        found = Pair(between_slides(counts), measured(random, 0.002, 20_000))
        return Slide(float(rates[0]), 0.002, found, known)

    return draw


def another_laboratory(random: np.random.Generator) -> Slide:
    """A slide of a laboratory drawn from the distribution over laboratories, where nothing was measured."""
    known = _over_laboratories()
    sensitivity, alarms = (float(random.choice(rates.rates, p=rates.weights)) for rates in known)
    return Slide(sensitivity, alarms, known, known)


def rows() -> Iterator[Row]:
    """Every row of the table in `docs/reference/measurements.md`."""
    for truth, cells in _grid(TRUTHS, (200, 1000, 2000, 10_000, 50_000)):
        yield Row(INDEPENDENT, alike(0.9, 0.005), truth, cells)
    sizes = (200, 2000, 50_000)
    for variation in (0.5, 1.0, 2.0):
        for truth, cells in _grid(TRUTHS, sizes):
            yield Row(f"false alarms vary, CV {variation}", alarms_vary(variation), truth, cells)
    for deviation in (0.05, 0.1, 0.15):
        for truth, cells in _grid(TRUTHS[1:], sizes):
            yield Row(f"sensitivity varies, sd {deviation}", sensitivity_varies(deviation), truth, cells)
    for correlation in (0.005, 0.02, 0.05):
        for truth, cells in _grid(TRUTHS[1:], sizes):
            yield Row(f"clustered by field, {correlation}", alike(0.9, 0.002), truth, cells, correlation)
    for truth, cells in _grid(TRUTHS, sizes):
        yield Row(ELSEWHERE, another_laboratory, truth, cells)
    for review in (
        Review(0.5, surest_first=False),
        Review(0.5, surest_first=True),
        Review(1.0, surest_first=True),
    ):
        for alarms in (0.005, 0.015):
            for truth, cells in _grid(TRUTHS, sizes):
                name = f"{review}, false alarms {alarms:.1%}"
                yield Row(name, alike(_MEAN_SENSITIVITY, alarms), truth, cells, review=review)


def _grid(truths: tuple[float, ...], sizes: tuple[int, ...]) -> Iterator[tuple[float, int]]:
    for cells in sizes:
        for truth in truths:
            if truth == 0 or cells * truth >= FEWEST_INFECTED:
                yield truth, cells


def _in_equal_shares(distribution: stats.distributions.rv_frozen) -> RateDistribution:
    """A distribution by its quantiles."""
    shares = (np.arange(_NODES) + 0.5) / _NODES
    return RateDistribution(distribution.ppf(shares), np.full(_NODES, 1 / _NODES))


@cache
def _over_laboratories() -> Pair:
    return Pair(between_laboratories(_LABORATORIES_INFECTED), between_laboratories(_LABORATORIES_UNINFECTED))
