"""Several passes over the same sections become one: what differs from pass to pass is noise, too.

A shared machine, or one that warms up, keeps a state for seconds: longer than the turns that a group of subjects
takes, so that a narrow interval may lie in the wrong place. Sections that are measured again, with the others
between, meet other states.
"""

from collections.abc import Sequence

import numpy as np

from benchmarks.harness.measurement import Measurement, Section
from edge.messages.bench_codes import BenchCode
from edge.messages.message import Message


def merge_passes(passes: Sequence[Section]) -> Section:
    """Put passes over one section together.

    Args:
        passes: at least one; each has the same tables.

    Returns:
        The section: of each figure the median over the passes, within the widest of their intervals, and as noise
        what it wandered in a pass or from pass to pass, whichever is more. Charts and notes are those of the last, with
        a note of how many passes there were.
    """
    found: dict[tuple[str, str, str], list[Measurement]] = {}
    for section in passes:
        for measurement in section.measurements:
            found.setdefault(measurement.key, []).append(measurement)
    lost = [(one.others_share, one.waited_share) for one in passes]
    notes = passes[-1].notes
    if len(passes) > 1:
        notes += (Message(BenchCode.NOTE_PASSES, passes=len(passes)),)
    return passes[-1]._replace(
        notes=notes,
        measurements=tuple(_merge(several) for several in found.values()),
        missing=tuple(dict.fromkeys(text for section in passes for text in section.missing)),
        seconds=round(sum(section.seconds for section in passes), 1),
        others_share=_mean([others for others, _ in lost]),
        waited_share=_mean([waited for _, waited in lost]),
    )


def _merge(several: list[Measurement]) -> Measurement:
    if len(several) == 1:
        return several[0]
    values = np.array([one.value for one in several])
    middle = several[int(np.argsort(values)[len(values) // 2])]
    lows = [one.low for one in several if one.low is not None]
    highs = [one.high for one in several if one.high is not None]
    noises = [one.noise for one in several if one.noise is not None]
    yardsticks = [one.yardsticks for one in several if one.yardsticks is not None]
    apart = float(np.std(values, ddof=1) / abs(middle.value)) if middle.value else 0.0
    return middle._replace(
        low=min(lows) if lows else None,
        high=max(highs) if highs else None,
        # What has no noise of its own is counted, not timed, and repeats itself.
        noise=max(apart, *noises) if noises else None,
        yardsticks=float(np.median(yardsticks)) if yardsticks else None,
    )


def _mean(shares: list[float | None]) -> float | None:
    known = [share for share in shares if share is not None]
    return float(np.mean(known)) if known else None
