"""A third outcome between two thresholds, beyond which errors are rarer than at one."""

import numpy as np
import pytest

from convert.doubts import ERROR_RATE, choose_undecided_range
from edge.verdict import INCONCLUSIVE, PARASITIZED, UNINFECTED, UndecidedRange, judge
from train.evaluation import Judged


@pytest.mark.parametrize(
    ("probability", "label"),
    [(0.19, UNINFECTED), (0.2, INCONCLUSIVE), (0.79, INCONCLUSIVE), (0.8, PARASITIZED)],
)
def test_a_probability_within_the_range_is_inconclusive(probability: float, label: str) -> None:
    assert judge(probability, 0.5, UndecidedRange(0.2, 0.8)).label == label


def test_without_a_range_the_threshold_decides() -> None:
    assert [judge(p, 0.5).label for p in (0.49, 0.5)] == [UNINFECTED, PARASITIZED]


def _cells(spread: float) -> Judged:
    rng = np.random.default_rng(3)
    labels = np.arange(4000) % 2
    logits = np.where(labels == 1, 3.0, -3.0) + rng.normal(0, spread, 4000)
    return Judged(labels, 1 / (1 + np.exp(-logits)), np.array([f"p{i % 20}" for i in range(4000)]))


def test_confident_verdicts_err_at_most_at_the_stated_rate_and_no_cell_is_held_back_in_vain() -> None:
    cells = _cells(2.0)
    undecided = choose_undecided_range(cells, 0.5)
    infected = cells.labels == 1
    missed = np.mean(cells.probabilities[infected] < undecided.low)
    alarms = np.mean(cells.probabilities[~infected] >= undecided.high)
    assert 0 < missed <= ERROR_RATE
    assert 0 < alarms <= ERROR_RATE
    held_back = (cells.probabilities >= undecided.low) & (cells.probabilities < undecided.high)
    assert 0.01 < held_back.mean() < 0.5


def test_the_range_holds_the_threshold_where_the_classes_lie_apart() -> None:
    assert choose_undecided_range(_cells(0.2), 0.5) == UndecidedRange(0.5, 0.5)
