"""Scores of a field levelled by its own typical cell."""

import numpy as np
import pytest

from edge.inference.levelling import LEAST_CELLS, Levelling, level, logits_of, typical_logit
from tests.support.field_scores import field_scores


@pytest.mark.parametrize(("bulk", "share"), [(-7.0, 0.8), (-1.0, 0.25)])
def test_a_field_moves_by_a_share_of_its_distance_from_the_typical_one(bulk: float, share: float) -> None:
    said = field_scores(bulk)
    typical = typical_logit(said)
    assert typical is not None
    moved = logits_of(level(said, Levelling(-5.0, 0.8, 0.25), typical)) - logits_of(said)
    np.testing.assert_allclose(moved, -share * (typical + 5.0), atol=1e-6)


def test_a_field_above_the_typical_one_is_not_lowered_unless_the_model_says_so() -> None:
    said = field_scores(-1.0)
    np.testing.assert_allclose(level(said, Levelling(-5.0, 1.0), typical_logit(said)), said, atol=1e-9)


def test_a_field_like_the_typical_one_stays_where_it_is() -> None:
    said = field_scores(-5.0)
    typical = typical_logit(said)
    assert typical is not None
    np.testing.assert_allclose(level(said, Levelling(typical, 0.5), typical), said, atol=1e-9)


@pytest.mark.parametrize("share", [0.05, 0.25, 0.4])
def test_infected_cells_hardly_move_the_typical_cell(share: float) -> None:
    clean, infected = (
        typical_logit(field_scores(-3.0)),
        typical_logit(field_scores(-3.0, infected=6.0, share=share)),
    )
    assert clean is not None
    assert infected is not None
    assert abs(infected - clean) < 0.8


def test_too_few_cells_say_nothing_and_are_left_as_they_are() -> None:
    few = field_scores(-1.0, cells=LEAST_CELLS - 1)
    assert typical_logit(few) is None
    np.testing.assert_array_equal(level(few, Levelling(-5.0, 0.5), typical_logit(few)), few)
    assert typical_logit(field_scores(-1.0, cells=LEAST_CELLS)) is not None


def test_a_model_that_states_no_levelling_is_left_as_it_is() -> None:
    said = field_scores(-1.0)
    np.testing.assert_array_equal(level(said, None, typical_logit(said)), said)


def test_certainties_stay_finite_and_in_order() -> None:
    said = np.array([0.0] * 30 + [0.5, 1.0])
    levelled = level(said, Levelling(-5.0, 0.5), typical_logit(said))
    assert np.isfinite(levelled).all()
    assert (np.diff(levelled) >= 0).all()
