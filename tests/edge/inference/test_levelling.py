"""Scores of a field levelled by its own typical cell."""

import numpy as np
import pytest

from edge.inference.levelling import LEAST_CELLS, Levelling, level, logits_of, typical_logit
from train.evaluation.thresholds import LABORATORY_SPECIFICITY, choose_levelled


def field(bulk: float, infected: float | None = None, cells: int = 100, share: float = 0.1) -> np.ndarray:
    """Probabilities of a field whose uninfected cells lie about one logit and its infected ones at another."""
    rng = np.random.default_rng(7)
    logits = rng.normal(bulk, 0.8, cells)
    if infected is not None:
        logits[: round(share * cells)] = infected
    return np.asarray(1 / (1 + np.exp(-logits)))


def test_a_field_moves_by_a_share_of_its_distance_from_the_typical_one() -> None:
    said = field(-1.0)
    typical = typical_logit(said)
    assert typical is not None
    moved = logits_of(level(said, Levelling(-5.0, 0.5), typical)) - logits_of(said)
    np.testing.assert_allclose(moved, -0.5 * (typical + 5.0), atol=1e-6)


def test_a_field_like_the_typical_one_stays_where_it_is() -> None:
    said = field(-5.0)
    typical = typical_logit(said)
    assert typical is not None
    np.testing.assert_allclose(level(said, Levelling(typical, 0.5), typical), said, atol=1e-9)


@pytest.mark.parametrize("share", [0.05, 0.25, 0.4])
def test_infected_cells_hardly_move_the_typical_cell(share: float) -> None:
    clean, infected = typical_logit(field(-3.0)), typical_logit(field(-3.0, infected=6.0, share=share))
    assert clean is not None
    assert infected is not None
    assert abs(infected - clean) < 0.8


def test_too_few_cells_say_nothing_and_are_left_as_they_are() -> None:
    few = field(-1.0, cells=LEAST_CELLS - 1)
    assert typical_logit(few) is None
    np.testing.assert_array_equal(level(few, Levelling(-5.0, 0.5), typical_logit(few)), few)
    assert typical_logit(field(-1.0, cells=LEAST_CELLS)) is not None


def test_a_model_that_states_no_levelling_is_left_as_it_is() -> None:
    said = field(-1.0)
    np.testing.assert_array_equal(level(said, None, typical_logit(said)), said)


def test_certainties_stay_finite_and_in_order() -> None:
    said = np.array([0.0] * 30 + [0.5, 1.0])
    levelled = level(said, Levelling(-5.0, 0.5), typical_logit(said))
    assert np.isfinite(levelled).all()
    assert (np.diff(levelled) >= 0).all()


def test_one_threshold_then_serves_laboratories_of_which_each_needs_another() -> None:
    said = {"pale": [field(-1.0), field(-0.5)], "dark": [field(-7.0), field(-6.0)]}
    levelling, threshold = choose_levelled(said)
    for groups in said.values():
        levelled = np.concatenate([level(one, levelling, typical_logit(one)) for one in groups])
        assert np.mean(levelled < threshold) >= LABORATORY_SPECIFICITY
    # An infected cell that stands out as far at either is called at both.
    for bulk, infected in ((-1.0, 5.0), (-7.0, 2.0)):
        cells = field(bulk, infected)
        assert level(cells, levelling, typical_logit(cells))[0] >= threshold
    raw = {name: np.quantile(logits_of(np.concatenate(groups)), 0.99) for name, groups in said.items()}
    assert raw["pale"] - raw["dark"] > 3
