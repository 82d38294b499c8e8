"""Times several ways of doing a thing so that they can be compared: in turns, warm, until well known.

A machine drifts: its clock falls as it warms, other programs come and go. So the subjects take turns, in an
order drawn anew for each round, and a ratio of two of them is taken within each round, where both met the
same machine. A *yardstick*, a fixed piece of work, takes its turn in every round: by it, two runs on
different days tell a slower program from a slower machine.
"""

import gc
import math
import time
from collections.abc import Callable, Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness.measurement import Better, Measurement, Told
from edge.messages.bench_codes import BenchCode
from edge.messages.message import Message

Clock = Callable[[], int]
"""Nanoseconds that only ever grow."""
ProgressCallback = Callable[[Told, float], None]
"""Told what is being done (a message, or the name of what is measured), and the share of it that is done, 0 to 1."""

_SEGMENTS = 4
_YARDSTICK_SIDE = 160


def part_of(report: ProgressCallback, done: int, of: int) -> ProgressCallback:
    """Report the progress of one part, after ``done`` out of ``of``, as that of the whole."""
    return lambda text, share: report(text, (done + share) / of)


class Subject(NamedTuple):
    """One thing to time."""

    name: str
    call: Callable[[], object]
    items: int = 1
    """How many cells (or fields, ...) one call does."""


class TimingLimits(NamedTuple):
    """When to stop, and how to warm up.

    Attributes:
        most_seconds: rounds end after this time, however wide the intervals are.
        narrow: rounds end when half the 95 % interval of every median is below this share of it.
        least_rounds: never fewer rounds than this, the limit notwithstanding.
        block_s: each subject is called for about this long in each round (and at least once).
        warm_up_s: each subject is called for this long (and at least three times) before the first round.
        settle_s: pause before each block, in which the subject before puts its idle threads to sleep.
    """

    most_seconds: float = 20.0
    narrow: float = 0.02
    least_rounds: int = 8
    block_s: float = 0.04
    warm_up_s: float = 0.15
    settle_s: float = 0.004


class Timing(NamedTuple):
    """How long one call of a subject took. All times in seconds."""

    name: str
    items: int
    calls: int
    """Calls that were counted; the first of each block is not, and neither is the warm-up."""
    p50: float
    low: float
    """Lower limit of the 95 % interval of the median."""
    high: float
    p95: float
    p99: float
    longest: float
    by_round: NDArray[np.float64]
    """Median of each round, float64, shape (rounds,)."""
    wander: float
    """How far the medians of the run's quarters lie apart: their standard deviation over the median."""
    yardsticks: float
    """The median as a multiple of the yardstick's in the same round."""

    @property
    def per_item(self) -> float:
        """Seconds a cell."""
        return self.p50 / self.items


class Ratio(NamedTuple):
    """How many times longer one subject takes than another, with the limits of its 95 % interval."""

    value: float
    low: float
    high: float


def time_in_turns(
    subjects: Sequence[Subject],
    limits: TimingLimits | None = None,
    *,
    report: ProgressCallback | None = None,
    title: Told | None = None,
    clock: Clock = time.perf_counter_ns,
    yardstick: Callable[[], object] | None = None,
    seed: int = 0,
) -> dict[str, Timing]:
    """Time subjects in turns until every median is known narrowly enough, or time is up.

    Args:
        subjects: what to time; their names differ.
        limits: when to stop.
        report: told of the progress.
        title: what to call the work in reports; by default that something is timed.
        clock: nanoseconds.
        yardstick: the fixed work that takes turns with them; by default that of :func:`make_yardstick`.
        seed: of the order in each round.

    Returns:
        The timings by name, in the order given.
    """
    limits = limits or TimingLimits()
    everyone = [*subjects, Subject(_YARDSTICK, yardstick or make_yardstick())]
    repeats = [_warm_up(subject, limits, clock) for subject in everyone]
    rounds: list[list[NDArray[np.float64]]] = [[] for _ in everyone]
    rng = np.random.default_rng(seed)
    start = clock()
    collecting = gc.isenabled()
    # A garbage collection in the middle of one subject would be charged to it alone.
    gc.disable()
    try:
        while True:
            for place in rng.permutation(len(everyone)):
                time.sleep(limits.settle_s)
                rounds[place].append(_block(everyone[place].call, repeats[place], clock))
            gc.collect(0)
            spent = (clock() - start) / 1e9
            done = len(rounds[0])
            if report:
                report(
                    title or Message(BenchCode.TIMING),
                    min(1.0, max(spent, 0.0) / max(limits.most_seconds, 1e-9)),
                )
            if done < limits.least_rounds:
                continue
            widths = [_relative_half_width(np.array([np.median(block) for block in one])) for one in rounds]
            if spent >= limits.most_seconds or max(widths) <= limits.narrow:
                break
    finally:
        if collecting:
            gc.enable()
    yard = np.array([np.median(block) for block in rounds[-1]])
    return {
        subject.name: _timing(subject, blocks, yard)
        for subject, blocks in zip(subjects, rounds, strict=False)
    }


def ratio(slow: Timing, fast: Timing) -> Ratio:
    """Compare two subjects of one run: time an item of the one over that of the other, round by round."""
    values = (slow.by_round / slow.items) / (fast.by_round / fast.items)
    low, high = median_interval(values)
    return Ratio(float(np.median(values)), low, high)


def median_interval(values: NDArray[np.float64], confidence: float = 0.95) -> tuple[float, float]:
    """Limits of a median that hold for any distribution: order statistics by the binomial distribution.

    The ranks are n/2 -+ z sqrt(n)/2, the normal approximation of Conover, "Practical Nonparametric
    Statistics" (3rd edition), section 3.2; with under six values no such interval reaches 95 %, and the whole
    range is given.
    """
    ordered = np.sort(values)
    count = len(ordered)
    if count < 6:
        return float(ordered[0]), float(ordered[-1])
    reach = NormalDist().inv_cdf((1 + confidence) / 2) * math.sqrt(count) / 2
    lower = max(0, math.floor(count / 2 - reach))
    upper = min(count - 1, math.ceil(count / 2 + reach) - 1)
    return float(ordered[lower]), float(ordered[upper])


def make_yardstick() -> Callable[[], object]:
    """Make a fixed piece of work for one thread, some milliseconds: sorting, and arithmetic on small arrays.

    It goes through none of the libraries under test, and no release of ours changes it.
    """
    rng = np.random.default_rng(7)
    values = rng.random(_YARDSTICK_SIDE * _YARDSTICK_SIDE)
    counts = rng.integers(-100, 100, (_YARDSTICK_SIDE, _YARDSTICK_SIDE)).astype(np.int32)

    def work() -> float:
        # NumPy multiplies integer matrices in one thread, without a BLAS.
        return float(np.sort(values)[17] + int((counts[:48] @ counts)[0, 0]))

    return work


_YARDSTICK = "yardstick"


def _warm_up(subject: Subject, limits: TimingLimits, clock: Clock) -> int:
    """Call a subject until it is warm; return how often to call it in a round."""
    start = clock()
    durations: list[int] = []
    while len(durations) < 3 or clock() - start < limits.warm_up_s * 1e9:
        begin = clock()
        subject.call()
        durations.append(max(1, clock() - begin))
    return max(1, round(limits.block_s * 1e9 / float(np.median(durations))))


def _block(call: Callable[[], object], repeats: int, clock: Clock) -> NDArray[np.float64]:
    """Time calls, one by one, in seconds, after one that brings the subject's data back into the caches."""
    durations = np.empty(repeats)
    call()
    for place in range(repeats):
        begin = clock()
        call()
        durations[place] = clock() - begin
    return durations / 1e9


def _relative_half_width(medians: NDArray[np.float64]) -> float:
    low, high = median_interval(medians)
    return float((high - low) / 2 / max(np.median(medians), 1e-12))


def _timing(subject: Subject, blocks: list[NDArray[np.float64]], yard: NDArray[np.float64]) -> Timing:
    medians = np.array([np.median(block) for block in blocks])
    everything = np.concatenate(blocks)
    low, high = median_interval(medians)
    middle = float(np.median(medians))
    quarters = [np.median(part) for part in np.array_split(medians, _SEGMENTS) if len(part)]
    p95, p99 = np.percentile(everything, [95, 99])
    return Timing(
        subject.name,
        subject.items,
        len(everything),
        middle,
        low,
        high,
        float(p95),
        float(p99),
        float(everything.max()),
        medians,
        float(np.std(quarters) / middle),
        float(np.median(medians / yard)),
    )


def distribution(group: str, timing: Timing, *, tail: bool = True) -> list[Measurement]:
    """Turn a timing into measurements in ms an item: median with its interval, p95, p99, the longest."""
    scale = 1e3 / timing.items
    figures = [
        Measurement(
            group,
            timing.name,
            "p50",
            timing.p50 * scale,
            "ms",
            timing.low * scale,
            timing.high * scale,
            Better.LOWER,
            timing.wander,
            timing.yardsticks / timing.items,
        )
    ]
    if tail:
        figures += [
            Measurement(group, timing.name, "p95", timing.p95 * scale, "ms"),
            Measurement(group, timing.name, "p99", timing.p99 * scale, "ms"),
            Measurement(group, timing.name, "max", timing.longest * scale, "ms"),
            Measurement(group, timing.name, "calls", timing.calls),
        ]
    return figures
