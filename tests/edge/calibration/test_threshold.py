"""A site's threshold: the false-alarm rate it promises, and the rates that go with it."""

import numpy as np
import pytest

from edge.calibration.threshold import (
    choose_threshold,
    design_effect,
    fewest_cells,
    model_rates,
    sensitivity_at,
)
from edge.errors import SiteProfileError
from edge.inference.model_file import RocPoint


def test_threshold_lets_through_the_share_asked_for_and_no_more() -> None:
    probabilities = np.arange(1000) / 1001
    chosen = choose_threshold([probabilities[:400], probabilities[400:]], 0.01)
    assert chosen.false_alarms == 10
    assert np.count_nonzero(probabilities >= chosen.threshold) == 10
    assert 989 / 1001 < chosen.threshold < 990 / 1001


def test_the_threshold_never_lies_below_the_least_one() -> None:
    fields = [np.linspace(0, 0.01, 500)]
    assert choose_threshold(fields, 0.1).threshold < 0.01
    held = choose_threshold(fields, 0.1, least=0.5)
    assert (held.threshold, held.false_alarms) == (0.5, 0)
    assert choose_threshold([np.linspace(0, 1, 500)], 0.1, least=0.5).threshold > 0.85


def test_ties_are_kept_below_the_threshold_rather_than_let_through() -> None:
    probabilities = np.concatenate([np.full(50, 0.9), np.full(950, 0.1)])
    chosen = choose_threshold([probabilities], 0.01)
    assert chosen.false_alarms == 0
    assert 0.9 < chosen.threshold < 1


def test_threshold_holds_on_float32_probabilities_as_the_classifier_gives_them() -> None:
    probabilities = np.array([0.2] * 500 + [0.9999998, 0.9999999], np.float32)
    chosen = choose_threshold([probabilities], 0.002)
    assert chosen.false_alarms == 1
    assert np.count_nonzero(probabilities >= chosen.threshold) == 1


def test_negatives_all_judged_certain_are_refused() -> None:
    with pytest.raises(SiteProfileError, match="no threshold gives the rate"):
        choose_threshold([np.ones(1000)], 0.01)


def test_no_cells_are_refused() -> None:
    with pytest.raises(SiteProfileError, match="No red cell could be counted"):
        choose_threshold([np.zeros(0)], 0.01)


@pytest.mark.parametrize("rate", [0.0, 1.0, -0.1, 2.0])
def test_rates_that_are_no_rate_are_refused(rate: float) -> None:
    with pytest.raises(SiteProfileError, match="cannot be reached"):
        choose_threshold([np.zeros(10)], rate)


def test_rule_of_three_says_how_many_cells_a_rate_needs() -> None:
    assert fewest_cells(0.002) == (500, 1500)


def test_as_many_further_cells_raise_alarms_within_the_stated_interval() -> None:
    """The interval must hold on new cells, though threshold and rate come from one sample."""
    random = np.random.default_rng(3)
    held = 0
    for _ in range(300):
        known, further = (random.beta(1, 8, (20, 80)) for _ in range(2))
        chosen = choose_threshold(list(known), 0.005)
        low, high = chosen.interval
        held += low <= float(np.mean(further >= chosen.threshold)) <= high
    assert 0.93 <= held / 300 <= 0.995


def test_further_fields_whose_alarms_cluster_stay_within_the_stated_interval() -> None:
    """Every field has a stain of its own, which moves all its cells together."""
    random = np.random.default_rng(4)
    held = 0
    for _ in range(300):
        known, further = (
            1 / (1 + np.exp(-random.normal(0, 1, (30, 60)) - random.normal(0, 1, (30, 1)))) for _ in range(2)
        )
        chosen = choose_threshold(list(known), 0.01)
        low, high = chosen.interval
        held += low <= float(np.mean(further >= chosen.threshold)) <= high
    assert held / 300 >= 0.85


def test_false_alarms_that_come_in_one_field_widen_the_interval() -> None:
    spread = [np.array([0.9] + [0.1] * 99) for _ in range(10)]
    clustered = [np.array([0.9] * 10 + [0.1] * 90)] + [np.full(100, 0.1) for _ in range(9)]
    narrow, wide = choose_threshold(spread, 0.01), choose_threshold(clustered, 0.01)
    assert narrow.false_alarms == wide.false_alarms == 10
    assert wide.interval[1] > 1.5 * narrow.interval[1]
    assert wide.effective_cells < narrow.effective_cells == 1000


def test_design_effect_of_whole_fields_is_their_size() -> None:
    # All or none of a field: 100 cells tell as much as one; 100 * m / (m - 1) for m fields.
    alarms = np.array([100.0, 0, 0, 0])
    assert design_effect(alarms, np.full(4, 100.0)) == pytest.approx(100 * 4 / 3)


ROC = (
    RocPoint(0.5, 97, 100, 980, 1000),
    RocPoint(0.9, 90, 100, 999, 1000),
    RocPoint(0.99, 70, 100, 1000, 1000),
)


def test_sensitivity_is_that_of_the_next_higher_row_measured() -> None:
    assert sensitivity_at(0.5, ROC) == (97, 100)
    assert sensitivity_at(0.6, ROC) == (90, 100)
    with pytest.raises(SiteProfileError, match="ends below the threshold"):
        sensitivity_at(0.995, ROC)


def test_between_two_rows_neither_rate_is_overstated() -> None:
    rates = model_rates(0.6, ROC, "the test")
    assert (rates.true_positives, rates.true_negatives) == (90, 980)
    exact = model_rates(0.9, ROC, "the test")
    assert (exact.true_positives, exact.true_negatives) == (90, 999)


@pytest.mark.parametrize(("threshold", "roc"), [(0.4, ROC), (0.5, ())])
def test_a_model_without_rates_at_its_threshold_is_refused(
    threshold: float, roc: tuple[RocPoint, ...]
) -> None:
    with pytest.raises(SiteProfileError, match="states no error rates"):
        model_rates(threshold, roc, "the test")
