"""The design effect of fields: what the slide's own fields say of how alike their cells are."""

import numpy as np
import pytest

from edge.parasitaemia.clustering import field_design_effect
from edge.parasitaemia.confidence import upper_tail


def drawn(correlation: float, fields: int, share: float = 0.05, cells: int = 100) -> float:
    """Median effect of slides whose fields have an intraclass correlation."""
    random, size = np.random.default_rng(3), 1 / correlation - 1
    shares = random.beta(share * size, (1 - share) * size, (60, fields))
    calls = random.binomial(cells, shares)
    return float(np.median([field_design_effect(one.tolist(), [cells] * fields) for one in calls]))


@pytest.mark.parametrize("correlation", [0.02, 0.05])
def test_many_fields_show_their_own_clustering(correlation: float) -> None:
    assert drawn(correlation, 200) == pytest.approx(1 + 99 * correlation, rel=0.25)


def test_fields_that_differ_by_chance_alone_hardly_widen() -> None:
    assert 1.0 <= drawn(1e-6, 20) < 1.3
    assert 1.0 <= drawn(1e-6, 200) < 1.05


def test_few_fields_leave_it_open() -> None:
    assert 1.3 < drawn(1e-6, 2) < drawn(0.05, 20)


def test_the_effect_never_falls_below_one_and_is_one_where_nothing_was_called() -> None:
    assert field_design_effect([0, 0], [100, 80]) == 1.0
    assert field_design_effect([1, 1, 1, 1], [1, 1, 1, 1]) == pytest.approx(1.0)
    assert field_design_effect([0, 3, 0], [0, 100, 50]) > 1.0


def test_sizes_that_differ_little_change_little() -> None:
    calls = [0, 9, 1, 14, 2, 0, 6, 1, 3, 8]
    alike = field_design_effect(calls, [100] * 10)
    assert field_design_effect(calls, [97, 102, 99, 101, 100, 98, 103, 100, 99, 101]) == pytest.approx(
        alike, rel=0.05
    )


def test_the_upper_end_passes_from_one_sided_to_two_sided_without_a_jump() -> None:
    tails = [upper_tail(none) for none in np.linspace(0, 0.5, 5001)]
    assert tails[0] == pytest.approx(0.025)
    assert tails[-1] == pytest.approx(0.05)
    assert max(np.abs(np.diff(tails))) < 2e-4


def test_a_count_that_false_alarms_explain_in_one_case_of_six_keeps_both_sides() -> None:
    # Both 2.5 % below and 5 % above would miss slides that are barely told from none in 7.5 %.
    assert upper_tail(0.15) == pytest.approx(0.025)
    assert upper_tail(1 / 6) < 0.035
