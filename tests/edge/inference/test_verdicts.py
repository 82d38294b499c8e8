"""Which cells a person should look at."""

import pytest

from edge.inference.verdicts import doubtful


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
