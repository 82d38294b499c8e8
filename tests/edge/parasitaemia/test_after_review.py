"""What a person saw of the suspects is the evidence for those that nobody looked at."""

import pytest

from edge.parasitaemia.after_review import ReviewCounts, prevalence_after_review
from edge.parasitaemia.prevalence import Rates

RATES = Rates(2089, 2258, 2057, 2057)


def test_suspects_that_were_all_overruled_leave_no_prevalence_above_zero() -> None:
    # 30 suspects, 15 looked at, all overruled: the rest may hold a few, or none.
    found = prevalence_after_review(ReviewCounts(2000, 30, 15, 0, 0, 0), RATES)
    assert found.low == 0.0
    assert found.estimate < 0.001
    assert found.high < 0.006


def test_suspects_that_were_all_seen_leave_only_the_misses() -> None:
    found = prevalence_after_review(ReviewCounts(2000, 30, 30, 12, 0, 0), RATES)
    assert found.estimate == pytest.approx(12 / 2000 / 0.925, rel=0.01)
    assert found.low < 0.006 < found.high


def test_half_a_review_gives_a_wider_interval_than_a_whole_one() -> None:
    half = prevalence_after_review(ReviewCounts(2000, 40, 20, 10, 0, 0), RATES)
    whole = prevalence_after_review(ReviewCounts(2000, 40, 40, 20, 0, 0), RATES)
    assert half.high - half.low > 1.2 * (whole.high - whole.low)


def test_cells_found_among_those_the_machine_passed_count_and_raise_the_misses_expected() -> None:
    blind = prevalence_after_review(ReviewCounts(2000, 20, 20, 20, 0, 0), RATES)
    seen = prevalence_after_review(ReviewCounts(2000, 20, 20, 20, 100, 5), RATES)
    assert seen.estimate > blind.estimate + 5 / 2000
    assert seen.low >= 5 / 2000


@pytest.mark.parametrize(
    ("suspects", "reviewed", "enough"),
    [
        (0, 0, True),
        (12, 11, False),
        (12, 12, True),
        (50, 29, False),
        (50, 30, True),
        (200, 99, False),
        (200, 100, True),
    ],
)
def test_enough_is_all_or_thirty_and_half(suspects: int, reviewed: int, enough: bool) -> None:
    assert ReviewCounts(2000, suspects, reviewed, 0, 0, 0).enough is enough
