"""How often the 95 % interval holds the truth when slides differ as real ones do.

PLASMOLITE_SLIDES=2000 pytest tests/edge/parasitaemia/test_coverage.py -s prints a line a row with as many slides each.
"""

import math
import os
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import pytest

from edge.parasitaemia.after_review import ReviewCounts, prevalence_after_review
from edge.parasitaemia.confidence import confidence_interval, field_design_effect
from edge.parasitaemia.prevalence import Rates
from edge.parasitaemia.rate_distribution import (
    RateCount,
    RateDistribution,
    between_laboratories,
    between_slides,
    binomial_rate,
)

pytestmark = pytest.mark.slow

SLIDES = int(os.environ.get("PLASMOLITE_SLIDES", "120"))
EVERY = 1 if "PLASMOLITE_SLIDES" in os.environ else 4
"""Of the rows, how many are run: all where the number of slides is given, which takes long."""
CELLS, PER_FIELD = 2000, 100
Slide = tuple[float, float, RateDistribution, RateDistribution]
"""Sensitivity and false-alarm rate of a slide, and what is known of either."""

INDEPENDENT = "independent"
ELSEWHERE = "another laboratory"
WIDEST, WIDEST_OTHERWISE = {INDEPENDENT: 2.5, ELSEWHERE: 7.0}, 4.0
"""How many times as wide as an oracle's the median interval may be: where only the count is in doubt (and fields may
differ); where nothing was measured at the laboratory, whose rates the oracle knows; and where the rates differ from
slide to slide."""

LABORATORIES_INFECTED = [RateCount(75, 92), RateCount(120, 188), RateCount(200, 250), RateCount(2089, 2258)]
LABORATORIES_UNINFECTED = [RateCount(50, 3000), RateCount(40, 4500), RateCount(1, 4000), RateCount(0, 2057)]


def measured(rng: np.random.Generator, rate: float, cells: int) -> RateDistribution:
    return binomial_rate(RateCount(int(rng.binomial(cells, rate)), cells))


def alike(sensitivity: float, alarms: float) -> Callable[[np.random.Generator], Slide]:
    """Slides that are all like those on which the rates were measured."""

    def draw(rng: np.random.Generator) -> Slide:
        return sensitivity, alarms, measured(rng, sensitivity, 2258), measured(rng, alarms, 20_000)

    return draw


def alarms_vary(variation: float) -> Callable[[np.random.Generator], Slide]:
    """Slides whose false alarms differ, measured on twenty others of the laboratory."""

    def draw(rng: np.random.Generator) -> Slide:
        rates = np.minimum(rng.gamma(variation**-2, 0.005 * variation**2, 21), 0.5)
        counts = [RateCount(int(rng.binomial(1000, rate)), 1000) for rate in rates[:20]]
        return 0.9, float(rates[20]), measured(rng, 0.9, 2258), between_slides(counts)

    return draw


def sensitivity_varies(deviation: float) -> Callable[[np.random.Generator], Slide]:
    """Slides whose sensitivity differs, measured on twenty others of the laboratory."""

    def draw(rng: np.random.Generator) -> Slide:
        size = 0.85 * 0.15 / deviation**2 - 1
        rates = rng.beta(0.85 * size, 0.15 * size, 21)
        counts = [RateCount(int(rng.binomial(100, rate)), 100) for rate in rates[:20]]
        return float(rates[20]), 0.002, between_slides(counts), measured(rng, 0.002, 20_000)

    return draw


def another_laboratory(rng: np.random.Generator) -> Slide:
    """A laboratory drawn from the distribution over laboratories, where nothing was measured."""
    sensitivity = between_laboratories(LABORATORIES_INFECTED)
    alarms = between_laboratories(LABORATORIES_UNINFECTED)
    return (
        float(rng.choice(sensitivity.rates, p=sensitivity.weights)),
        float(rng.choice(alarms.rates, p=alarms.weights)),
        sensitivity,
        alarms,
    )


def calls(
    rng: np.random.Generator, slide: Slide, truth: float, correlation: float, cells: int
) -> tuple[np.ndarray, np.ndarray]:
    """True and false calls in each field of a slide."""
    fields = cells // PER_FIELD
    shares = np.full(fields, truth)
    if correlation and truth:
        size = 1 / correlation - 1
        shares = rng.beta(truth * size, (1 - truth) * size, fields)
    infected = rng.binomial(PER_FIELD, shares)
    return rng.binomial(infected, slide[0]), rng.binomial(PER_FIELD - infected, slide[1])


class Row(NamedTuple):
    """Slides of one kind: their rates, the share of infected cells, how these cluster, and how many are counted."""

    name: str
    draw: Callable[[np.random.Generator], Slide]
    truth: float
    correlation: float = 0.0
    cells: int = CELLS

    def __str__(self) -> str:
        return f"{self.name}, {self.cells} cells, truth {self.truth:.1%}"


def rows() -> Iterator[Row]:
    for truth in (0.0, 0.002, 0.01, 0.05, 0.1):
        for cells in (200, 1000, CELLS, 10_000, 50_000):
            if cells * truth == 0 or cells * truth >= 2:
                yield Row(INDEPENDENT, alike(0.9, 0.005), truth, cells=cells)
    for truth in (0.0, 0.002, 0.01, 0.05):
        for variation in (0.5, 1.0, 2.0):
            yield Row(f"false alarms vary, CV {variation}", alarms_vary(variation), truth)
        yield Row(ELSEWHERE, another_laboratory, truth)
    for truth in (0.01, 0.05):
        for deviation in (0.05, 0.1, 0.15):
            yield Row(f"sensitivity varies, sd {deviation}", sensitivity_varies(deviation), truth)
        for correlation in (0.005, 0.02, 0.05):
            yield Row(f"clustered by field, {correlation}", alike(0.9, 0.002), truth, correlation)


def exactly(rate: float) -> RateDistribution:
    """What an oracle knows of a rate."""
    return RateDistribution(np.array([rate]), np.ones(1))


@pytest.mark.parametrize("row", list(rows())[::EVERY], ids=str)
def test_the_interval_holds_the_truth_as_often_as_it_says(row: Row) -> None:
    rng = np.random.default_rng(7)
    held, widths, of_oracle = 0, [], []
    for _ in range(SLIDES):
        slide = row.draw(rng)
        true, false = calls(rng, slide, row.truth, row.correlation, row.cells)
        called = true + false
        effect = field_design_effect(called.tolist(), [PER_FIELD] * len(called))
        total = int(called.sum())
        found = confidence_interval(total, row.cells, slide[2], slide[3], effect=effect)
        best = confidence_interval(total, row.cells, exactly(slide[0]), exactly(slide[1]))
        held += found.low <= row.truth <= found.high
        widths.append(found.high - found.low)
        of_oracle.append(best.high - best.low)
    print(  # noqa: T201 - read with -s
        f"{row}: held {held / SLIDES:.1%}, median width {np.median(widths):.5f}, "
        f"of an oracle that knows the rates {np.median(of_oracle):.5f}"
    )
    assert held / SLIDES >= 0.93 - 3 * math.sqrt(0.93 * 0.07 / SLIDES)
    assert np.median(widths) <= WIDEST.get(row.name, WIDEST_OTHERWISE) * np.median(of_oracle)


@pytest.mark.parametrize("surest_first", [False, True])
@pytest.mark.parametrize("alarms", [0.005, 0.015])
@pytest.mark.parametrize("share", [0.5, 1.0])
@pytest.mark.parametrize("truth", [0.0, 0.002, 0.01])
def test_the_interval_after_review_holds_the_truth(
    surest_first: bool, alarms: float, share: float, truth: float
) -> None:
    rng = np.random.default_rng(11)
    held = 0
    slides = SLIDES // 3
    for _ in range(slides):
        infected = int(rng.binomial(CELLS, truth))
        true, false = int(rng.binomial(infected, 0.85)), int(rng.binomial(CELLS - infected, alarms))
        scores = np.r_[rng.normal(1, 1, true), rng.normal(0, 1, false)]
        order = np.argsort(-scores) if surest_first else rng.permutation(true + false)
        real = np.r_[np.ones(true, int), np.zeros(false, int)][order]
        seen = round(share * len(real))
        counts = ReviewCounts(CELLS, len(real), seen, int(real[:seen].sum()), 0, 0)
        found = prevalence_after_review(counts, Rates(int(rng.binomial(2258, 0.85)), 2258, 2057, 2057))
        held += found.low <= truth <= found.high
    print(f"held {held / slides:.1%}")  # noqa: T201 - read with -s
    assert held / slides >= 0.93 - 3 * math.sqrt(0.93 * 0.07 / slides)
