"""What a probability is called, and which cells a person should look at."""

import pytest

from edge.inference.verdicts import UndecidedRange, doubtful, judge
from edge.types import Label


@pytest.mark.parametrize(
    ("probability", "threshold", "expected"),
    [
        (0.5, 0.5, True),
        (0.1, 0.5, True),
        (0.08, 0.5, False),
        (0.95, 0.5, False),
        (0.995, 0.999, True),
        (0.9, 0.999, False),
        (0.0, 0.5, False),
        (1.0, 0.5, False),
        (1.0, 1.0, True),
    ],
)
def test_cells_within_ten_times_the_odds_of_the_threshold_are_doubtful(
    probability: float, threshold: float, expected: bool
) -> None:
    assert doubtful(probability, threshold) is expected


@pytest.mark.parametrize(
    ("probability", "label"),
    [
        (0.19, Label.UNINFECTED),
        (0.2, Label.INCONCLUSIVE),
        (0.79, Label.INCONCLUSIVE),
        (0.8, Label.PARASITIZED),
    ],
)
def test_a_probability_within_the_range_is_inconclusive(probability: float, label: str) -> None:
    assert judge(probability, 0.5, UndecidedRange(0.2, 0.8)).label == label


def test_without_a_range_the_threshold_decides() -> None:
    assert [judge(p, 0.5).label for p in (0.49, 0.5)] == [Label.UNINFECTED, Label.PARASITIZED]
