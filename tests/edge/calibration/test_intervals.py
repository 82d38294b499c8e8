"""Confidence limits against SciPy's and published values."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.calibration.intervals import (
    beta_binomial_quantile,
    beta_cdf,
    beta_quantile,
    clopper_pearson,
    prediction_limits,
    wilson,
)

# From scipy.stats.beta (SciPy 1.17).
CDF = [
    (0.5, 2.0, 3.0, 0.6875),
    (0.001, 0.5, 1000.5, 0.842856476634481),
    (0.95, 30.0, 2.0, 0.5365969098573434),
]


@pytest.mark.parametrize(("x", "a", "b", "expected"), CDF)
def test_beta_cdf_has_known_values(x: float, a: float, b: float, expected: float) -> None:
    assert beta_cdf(x, a, b) == pytest.approx(expected, rel=1e-10)


@settings(max_examples=150, deadline=None)
@given(st.floats(0.5, 20_000), st.floats(0.5, 20_000), st.floats(0.001, 0.999))
def test_beta_agrees_with_scipy(a: float, b: float, probability: float) -> None:
    beta = pytest.importorskip("scipy.stats").beta
    point = float(beta.ppf(probability, a, b))
    assert beta_cdf(point, a, b) == pytest.approx(float(beta.cdf(point, a, b)), rel=1e-8, abs=1e-12)
    assert beta_quantile(probability, a, b) == pytest.approx(point, rel=1e-7)


def test_clopper_pearson_at_none_seen_is_nearly_the_rule_of_three() -> None:
    low, high = clopper_pearson(0, 1000, confidence=0.90)
    assert low == 0.0
    assert high == pytest.approx(3 / 1000, rel=0.004)


def test_clopper_pearson_of_a_textbook_share() -> None:
    # Two-sided 95 % limits of 10 of 100: 4.90 to 17.62 %, as in most tables.
    assert clopper_pearson(10, 100) == pytest.approx((0.0490, 0.1762), abs=5e-5)


def test_wilson_of_a_textbook_share() -> None:
    # Newcombe, Stat Med 17:857, 1998, table I.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)


@pytest.mark.parametrize("limits", [clopper_pearson, wilson, prediction_limits])
def test_limits_hold_the_share_and_end_at_zero_and_one(limits) -> None:  # type: ignore[no-untyped-def]
    assert limits(0, 50)[0] == 0.0
    assert limits(50, 50)[1] == 1.0
    assert limits(3, 50)[0] < 3 / 50 < limits(3, 50)[1]


@pytest.mark.parametrize("limits", [clopper_pearson, wilson, prediction_limits])
def test_impossible_counts_are_refused(limits) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match="is not a share"):
        limits(5, 3)


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 5000), st.floats(0.5, 300), st.floats(0.5, 5000), st.floats(0.01, 0.99))
def test_beta_binomial_agrees_with_scipy(trials: int, a: float, b: float, probability: float) -> None:
    betabinom = pytest.importorskip("scipy.stats").betabinom
    found = beta_binomial_quantile(probability, trials, a, b)
    # Rounding may tip a count at which the distribution function meets the probability almost exactly.
    assert betabinom.cdf(found, trials, a, b) >= probability - 1e-9
    assert found == 0 or betabinom.cdf(found - 1, trials, a, b) < probability + 1e-9


def test_limits_for_further_trials_are_wider_than_those_of_the_rate() -> None:
    rate, further = clopper_pearson(5, 1000), prediction_limits(5, 1000)
    assert further[0] <= rate[0]
    assert further[1] > rate[1]


def test_quantiles_at_the_ends_are_the_ends() -> None:
    assert beta_quantile(0.0, 2, 3) == 0.0
    assert beta_quantile(1.0, 2, 3) == 1.0
    with pytest.raises(ValueError, match="no value"):
        beta_cdf(0.5, 0, 1)
