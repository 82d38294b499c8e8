"""Two runs beside each other: what became faster or slower by more than the noise of both."""

import math
from typing import NamedTuple

from benchmarks.harness.measurement import Benchmark, Better, Measurement, Section
from edge.messages.bench_codes import BenchCode
from edge.messages.message import Message

LEAST_CHANGE = 0.06
"""Changes of a time or a size below this share are never called one: two runs of the same program on the same
quiet machine differ by up to about as much, through where its code and data happen to lie in memory
(Mytkowicz et al., "Producing wrong data without doing anything obviously wrong", ASPLOS 2009)."""
LEAST_SHARE_CHANGE = 0.001
"""The same for the figures of the section ``accuracy``: they are repeatable, and a tenth of a point matters."""
_WANDER = 2.0
"""A median that wandered within a run by this many of its deviations may do so between two runs, too."""

_MOST_LOST = 0.95
"""Share of the processors that counts as lost where more was: nothing can be told from such a run."""

SAME, FASTER, SLOWER, ONLY_OLD, ONLY_NEW = "same", "better", "worse", "only-old", "only-new"


class Change(NamedTuple):
    """One figure in two runs."""

    section: str
    measurement: Measurement
    """As it is now, or was where it is only in the old run."""
    old: float | None
    new: float | None
    ratio: float | None
    """New over old."""
    limit: float
    """How far the ratio may lie from 1 (for accuracies: the difference from 0) and still be noise."""
    verdict: str
    """``same``, ``better``, ``worse``, or in which run alone it stands."""


class RunComparison(NamedTuple):
    """All figures of two runs."""

    changes: tuple[Change, ...]
    doubts: tuple[Message, ...]
    """Sentences on why the runs are hard to compare."""

    def of(self, verdict: str) -> list[Change]:
        """The changes of one verdict, the largest first."""
        chosen = [change for change in self.changes if change.verdict == verdict]
        return sorted(chosen, key=lambda change: -abs(math.log(change.ratio)) if change.ratio else 0.0)


def compare(old: Benchmark, new: Benchmark) -> RunComparison:
    """Compare the figures that two runs share.

    A time counts as changed when it moved by more than the noise both by the clock and as a multiple of the
    yardstick that took turns with it; the noise is that of the two medians' intervals, of their wandering
    within the runs, and of what other programs took of its time meanwhile.
    """
    before, after = old.figures(), new.figures()
    changes = []
    for key, (section, measurement) in after.items():
        if not measurement.better:
            continue
        earlier = before.get(key)
        if earlier is None:
            if any(section.name == other.name for other in old.sections):
                changes.append(_alone(section, measurement, new=True))
            continue
        changes.append(_judge(earlier, (section, measurement)))
    names = {section.name for section in new.sections}
    changes += [
        _alone(section, measurement, new=False)
        for key, (section, measurement) in before.items()
        if key not in after and measurement.better and section.name in names
    ]
    return RunComparison(tuple(changes), tuple(_doubts(old, new)))


def _alone(section: Section, measurement: Measurement, *, new: bool) -> Change:
    old_value, new_value = (None, measurement.value) if new else (measurement.value, None)
    verdict = ONLY_NEW if new else ONLY_OLD
    return Change(section.name, measurement, old_value, new_value, None, 0.0, verdict)


def _judge(old: tuple[Section, Measurement], new: tuple[Section, Measurement]) -> Change:
    (old_section, was), (new_section, now) = old, new
    quotient = now.value / was.value if was.value else math.inf if now.value else 1.0
    if new_section.name == "accuracy" and now.noise is None:
        # The same cells give the same figure, so only its resolution is to be allowed for.
        limit = LEAST_SHARE_CHANGE
        moved = now.value - was.value
        changed = abs(moved) > limit
        worse = (moved < 0) == (now.better == Better.HIGHER)
    else:
        limit = max(LEAST_CHANGE, _noise(was, now, old_section, new_section))
        signs = [_sign(quotient, limit)]
        if was.yardsticks and now.yardsticks:
            signs.append(_sign(now.yardsticks / was.yardsticks, limit))
        changed = signs[0] != 0 and len(set(signs)) == 1
        worse = (signs[0] > 0) == (now.better == Better.LOWER)
    verdict = SAME if not changed else SLOWER if worse else FASTER
    ratio = quotient if math.isfinite(quotient) else None
    return Change(new_section.name, now, was.value, now.value, ratio, limit, verdict)


def _sign(quotient: float, limit: float) -> int:
    """Which way a ratio leaves the noise: 1 up, -1 down, 0 not at all."""
    if quotient > 1 + limit:
        return 1
    return -1 if quotient < 1 / (1 + limit) else 0


def _noise(was: Measurement, now: Measurement, old_section: Section, new_section: Section) -> float:
    variance = 0.0
    for measurement in (was, now):
        if measurement.low is not None and measurement.high is not None and measurement.value:
            variance += ((measurement.high - measurement.low) / 2 / measurement.value) ** 2
        variance += (_WANDER * (measurement.noise or 0.0)) ** 2
    # What gets a share 1 - s of the processors takes 1 / (1 - s) as long, and by chance differently in each run.
    lost = min(max(old_section.lost_share or 0.0, new_section.lost_share or 0.0), _MOST_LOST)
    return math.sqrt(variance) + lost / (1 - lost)


def _doubts(old: Benchmark, new: Benchmark) -> list[Message]:
    doubts = []
    for what, code in (
        ("processor", BenchCode.OTHER_PROCESSORS),
        ("model", BenchCode.OTHER_MACHINES),
        ("cores", BenchCode.OTHER_CORES),
    ):
        was, now = old.machine["before"].get(what), new.machine["before"].get(what)
        if was != now:
            doubts.append(Message(code, was=str(was), now=str(now)))
    for name, version in new.machine["versions"].items():
        other = old.machine["versions"].get(name)
        if other is not None and other != version:
            doubts.append(Message(BenchCode.OTHER_VERSION, name=name, was=other, now=version))
    for run, code in ((old, BenchCode.OF_OLD_RUN), (new, BenchCode.OF_NEW_RUN)):
        doubts += [Message(code, warning=warning) for warning in run.warnings]
    return doubts
