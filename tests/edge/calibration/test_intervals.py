"""Limits of further counts, against SciPy's distributions."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.calibration.intervals import beta_binomial_quantile, prediction_limits


def test_limits_hold_the_share_and_end_at_zero_and_one() -> None:
    assert prediction_limits(0, 50)[0] == 0.0
    assert prediction_limits(50, 50)[1] == 1.0
    low, high = prediction_limits(3, 50)
    assert low < 3 / 50 < high


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="is not a share"):
        prediction_limits(5, 3)


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 5000), st.floats(0.5, 300), st.floats(0.5, 5000), st.floats(0.01, 0.99))
def test_beta_binomial_agrees_with_scipy(trials: int, a: float, b: float, probability: float) -> None:
    betabinom = pytest.importorskip("scipy.stats").betabinom
    found = beta_binomial_quantile(probability, trials, a, b)
    # Rounding may tip a count at which the distribution function meets the probability almost exactly.
    assert betabinom.cdf(found, trials, a, b) >= probability - 1e-9
    assert found == 0 or betabinom.cdf(found - 1, trials, a, b) < probability + 1e-9


def test_limits_for_further_trials_are_wider_than_those_of_the_rate() -> None:
    # Limits of the rate: scipy.stats.binomtest(5, 1000).proportion_ci(), Clopper and Pearson's.
    rate, further = (0.0016255, 0.0116290), prediction_limits(5, 1000)
    assert further[0] <= rate[0]
    assert further[1] > rate[1]
