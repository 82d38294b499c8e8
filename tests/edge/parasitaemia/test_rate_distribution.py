"""What counts of a site's slides say of a further slide: how often its rate lies where it is expected."""

from collections.abc import Callable

import numpy as np
import pytest

from edge.parasitaemia.rate_distribution import Floats, RateCount, between_slides

SITES = 150
Draw = Callable[[np.random.Generator, float, int], Floats]


def _alarms(random: np.random.Generator, variation: float, slides: int) -> Floats:
    """False-alarm rates of slides, mean .5 %, (slides,)."""
    return random.gamma(variation**-2, 0.005 * variation**2, slides)


def _sensitivity(random: np.random.Generator, deviation: float, slides: int) -> Floats:
    """Sensitivities of slides, mean 85 %, (slides,)."""
    size = 0.85 * 0.15 / deviation**2 - 1
    return random.beta(0.85 * size, 0.15 * size, slides)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "differ", "slides", "cells", "widest"),
    [
        (_alarms, 0.5, 20, 1000, 1.25),
        (_alarms, 1.0, 20, 1000, 1.25),
        (_alarms, 0.5, 10, 1000, 1.6),
        (_sensitivity, 0.05, 20, 100, 1.25),
        (_sensitivity, 0.1, 20, 100, 1.25),
        (_sensitivity, 0.1, 3, 100, 2.0),
    ],
)
def test_a_further_slide_lies_within_the_middle_95_percent(
    kind: Draw, differ: float, slides: int, cells: int, widest: float
) -> None:
    # The share of slides of the very distribution between the ends that its slides gave, over drawn sites. With a prior
    # uniform in the logarithm of the correlation 90, 89 (ten slides), 92.8 and 86 (three slides) % lie there instead.
    random = np.random.default_rng(20_261)
    further = np.sort(kind(random, differ, 50_000))
    held, widths = [], []
    for _ in range(SITES):
        rates = kind(random, differ, slides)
        found = between_slides([RateCount(int(random.binomial(cells, rate)), cells) for rate in rates])
        low, high = found.quantile(0.025), found.quantile(0.975)
        held.append(np.subtract(*np.searchsorted(further, (high, low))) / len(further))
        widths.append(high - low)
    assert np.mean(held) >= 0.93
    assert np.median(widths) <= widest * np.subtract(*np.quantile(further, (0.975, 0.025)))


def test_slides_that_are_all_alike_are_expected_to_stay_so() -> None:
    # Ten thousand cells a slide and 50 calls on each: less spread than chance alone would bring.
    found = between_slides([RateCount(50, 10_000)] * 20)
    assert found.mean == pytest.approx(0.005, rel=0.03)
    assert found.quantile(0.975) - found.quantile(0.025) < 0.5 * 0.005


def test_without_a_single_call_the_rate_is_small_and_no_end_is_nan() -> None:
    found = between_slides([RateCount(0, 1000)] * 5)
    assert np.isfinite(found.rates).all()
    assert found.weights.sum() == pytest.approx(1)
    assert found.quantile(0.975) < 0.002
