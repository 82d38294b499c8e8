"""Timing in turns: what is counted, what is compared, when it ends."""

import itertools

import numpy as np

from benchmarks.harness.timing import Subject, Timing, TimingLimits, median_interval, ratio, time_in_turns

QUICK = TimingLimits(most_seconds=0.0, least_rounds=8, block_s=1e-6, warm_up_s=0.0, settle_s=0.0)


def timed(subjects: list[Subject], clock: "FakeClock", limits: TimingLimits = QUICK) -> dict[str, Timing]:
    return time_in_turns(subjects, limits, clock=clock, yardstick=lambda: clock.work(1_000_000))


class FakeClock:
    """Nanoseconds that move on only when a subject works."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        """The time."""
        return self.now

    def work(self, nanoseconds: int) -> None:
        """Let time pass."""
        self.now += nanoseconds


def test_a_subject_takes_the_time_that_its_calls_take() -> None:
    clock = FakeClock()
    found = timed([Subject("one", lambda: clock.work(5_000_000), 10)], clock)["one"]
    assert found.p50 == found.p99 == found.longest == 0.005
    assert found.per_item == 0.0005


def test_a_ratio_is_that_of_the_times_an_item() -> None:
    clock = FakeClock()
    subjects = [
        Subject("slow", lambda: clock.work(6_000_000), 2),
        Subject("fast", lambda: clock.work(1_000_000), 1),
    ]
    found = timed(subjects, clock)
    assert ratio(found["slow"], found["fast"]).value == 3.0


def test_a_ratio_survives_a_machine_that_slows_down_fourfold_meanwhile() -> None:
    clock, rounds = FakeClock(), itertools.count()

    def work(nanoseconds: int) -> None:
        clock.work(round(nanoseconds * (1 + 3 * min(1.0, next(rounds) / 60))))

    subjects = [Subject("a", lambda: work(2_000_000)), Subject("b", lambda: work(1_000_000))]
    found = timed(subjects, clock, QUICK._replace(least_rounds=20))
    assert 1.8 < ratio(found["a"], found["b"]).value < 2.2
    assert found["a"].wander > 0.1


def test_the_first_call_of_a_block_is_not_counted() -> None:
    clock, calls = FakeClock(), itertools.count()
    # The warm-up takes three calls; of the two of each round after that, the first is ten times slower.
    costs = lambda number: 1_000_000 if number < 3 or number % 2 == 0 else 10_000_000  # noqa: E731
    subject = Subject("cold at first", lambda: clock.work(costs(next(calls))))
    found = timed([subject], clock, QUICK._replace(block_s=0.001))["cold at first"]
    assert found.longest == 0.001


def test_rounds_end_when_the_medians_are_narrow() -> None:
    clock = FakeClock()
    limits = QUICK._replace(most_seconds=1e9, least_rounds=6)
    subjects = [Subject("steady", lambda: clock.work(1_000_000))]
    assert len(timed(subjects, clock, limits)["steady"].by_round) == 6


def test_the_median_of_an_interval_lies_within_it_in_95_of_100_samples() -> None:
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(400):
        low, high = median_interval(rng.lognormal(0, 1, 25))
        covered += low <= 1.0 <= high
    assert covered >= 0.93 * 400


def test_a_handful_of_values_gives_their_whole_range() -> None:
    assert median_interval(np.array([3.0, 1.0, 2.0])) == (1.0, 3.0)
