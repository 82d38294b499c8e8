"""The share of parasitised cells: corrected for the classifier's errors, with its interval."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.parasitaemia.estimate import Rates
from edge.parasitaemia.prevalence import estimate_prevalence, rogan_gladen

GOOD = Rates(1940, 2000, 9980, 10_000)

PERFECT = Rates(10**6, 10**6, 10**7, 10**7)


def test_fewer_hits_than_false_alarms_give_zero_and_not_a_negative_share() -> None:
    assert rogan_gladen(0.0005, GOOD) == 0.0


def test_more_hits_than_the_sensitivity_allows_give_one() -> None:
    assert rogan_gladen(0.99, GOOD) == 1.0


def test_interval_with_a_perfect_test_is_that_of_the_binomial() -> None:
    # The equal-tailed interval of Jeffreys (Brown, Cai & DasGupta, Statistical Science 16:101, 2001), which is the
    # mid-p interval to good accuracy: scipy.stats.beta.ppf([0.025, 0.975], 100.5, 9900.5), scipy 1.17.
    found = estimate_prevalence(100, 10_000, PERFECT)
    assert found.low == pytest.approx(0.0081888, rel=1e-4)
    assert found.high == pytest.approx(0.0120947, rel=1e-4)


def test_poorly_known_rates_widen_the_interval() -> None:
    well = estimate_prevalence(40, 2000, GOOD)
    poorly = estimate_prevalence(40, 2000, Rates(97, 100, 499, 500))
    assert poorly.high - poorly.low > 1.3 * (well.high - well.low)


def test_none_seen_in_very_many_cells_is_bounded_by_them_and_not_by_how_few_measured_the_rates() -> None:
    # With the rate of false alarms nearly flat below 3 / 1000, exp(-N t s) is all that is left: 3 / (N s).
    found = estimate_prevalence(0, 1_000_000, Rates(900, 1000, 1000, 1000))
    assert found.high == pytest.approx(3.0e-6 / 0.9, rel=0.03)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_interval_holds_the_estimate_and_stays_within_zero_and_one(data: st.DataObject) -> None:
    counted = data.draw(st.integers(1, 200_000))
    parasitized = data.draw(st.integers(0, counted))
    infected = data.draw(st.integers(5, 20_000))
    uninfected = data.draw(st.integers(5, 20_000))
    rates = Rates(
        data.draw(st.integers(infected * 3 // 4 + 1, infected)),
        infected,
        data.draw(st.integers(uninfected * 3 // 4 + 1, uninfected)),
        uninfected,
    )
    found = estimate_prevalence(parasitized, counted, rates)
    assert 0.0 <= found.low <= found.estimate <= found.high <= 1.0
    assert found.high > found.low


def _covered(random: np.random.Generator, prevalence: float, sensitivity: float, specificity: float) -> bool:
    """Simulate one slide and the measurement of its classifier; tell whether the truth is in."""
    infected, uninfected = 2_000, 8_000
    rates = Rates(
        int(random.binomial(infected, sensitivity)),
        infected,
        int(random.binomial(uninfected, specificity)),
        uninfected,
    )
    counted = int(random.integers(1_000, 10_000))
    truly = int(random.binomial(counted, prevalence))
    called = int(random.binomial(truly, sensitivity) + random.binomial(counted - truly, 1 - specificity))
    found = estimate_prevalence(called, counted, rates)
    return found.low <= prevalence <= found.high


@pytest.mark.slow
def test_interval_covers_the_truth_in_93_to_97_percent_of_2000_simulated_slides() -> None:
    """Parasitaemias from none to 10 %, a classifier whose rates are known only from a measurement."""
    random = np.random.default_rng(20_260)
    parasitaemias = (0.0, 0.0005, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1)
    covered = {share: [_covered(random, share, 0.95, 0.997) for _ in range(250)] for share in parasitaemias}
    overall = np.mean([hit for hits in covered.values() for hit in hits])
    by_share = {share: round(float(np.mean(hits)), 3) for share, hits in covered.items()}
    assert 0.93 <= overall <= 0.97, by_share
    # Each share alone, within four standard errors of 250 slides of the same range.
    assert all(0.93 - 0.055 <= hit <= 1.0 for hit in by_share.values()), by_share


@pytest.mark.parametrize(
    ("positive", "low", "high"), [(0, 0.0, 2.9957), (2, 0.4156, 6.4163), (3, 0.8449, 8.0064)]
)
def test_only_an_interval_with_nothing_left_out_below_starts_at_zero(
    positive: int, low: float, high: float
) -> None:
    # A perfect test and few of very many cells leave nothing but the count of the parasitised. With none the upper end
    # is the one-sided bound, -log(0.05); else both are scipy.stats.gamma.ppf([0.025, 0.975], positive + 1/2), the
    # limit of the interval of Jeffreys for many cells. That 10 million cells showed no false alarm leaves room for
    # 0.02 of one among these cells, by which the ends may be lower.
    cells = 100_000
    found = estimate_prevalence(positive, cells, PERFECT)
    assert found.low * cells == pytest.approx(low, abs=0.021)
    assert found.high * cells == pytest.approx(high, abs=0.021)
    assert (found.low == 0.0) == (positive == 0)
