"""How many slides of a site buy how narrow an interval.

`python -m benchmarks.interval.calibration_slides` prints the table of the documents.

Sites are drawn: their false alarms differ from slide to slide by a coefficient of variation of 1 about .5 %, their
sensitivity by a standard deviation of .1 about .85. Each calibrates on so many negative slides of 1,000 cells and so
many slides with 100 infected cells that persons called, and counts further slides of 2,000 cells. Without slides the
rates are those of four laboratories as unlike as those that this project has. Prints a Markdown table.
"""

import numpy as np

from edge.parasitaemia.confidence import confidence_interval
from edge.parasitaemia.rate_distribution import (
    RateCount,
    RateDistribution,
    between_laboratories,
    between_slides,
)

CELLS = 2_000
ROUNDS = 60
PLANS = ((0, 0), (1, 0), (3, 0), (10, 0), (30, 0), (3, 3), (10, 3), (10, 10), (30, 10))
"""Negative slides, and slides with infected cells."""
SHARES = (0.0, 0.002, 0.01, 0.05)
_INFECTED = [RateCount(75, 92), RateCount(120, 188), RateCount(200, 250), RateCount(2089, 2258)]
_UNINFECTED = [RateCount(50, 3000), RateCount(40, 4500), RateCount(1, 4000), RateCount(0, 2057)]
_ALARMS, _SENSITIVITY, _DEVIATION = 0.005, 0.85, 0.1


def draw_rates(random: np.random.Generator, slides: int) -> tuple[np.ndarray, np.ndarray]:
    """False-alarm rate and sensitivity of so many slides of one site."""
    size = _SENSITIVITY * (1 - _SENSITIVITY) / _DEVIATION**2 - 1
    alarms = np.minimum(random.gamma(1.0, _ALARMS, slides), 0.5)
    return alarms, random.beta(_SENSITIVITY * size, (1 - _SENSITIVITY) * size, slides)


def calibrated(
    random: np.random.Generator, negatives: int, positives: int
) -> tuple[RateDistribution, RateDistribution]:
    """What a site that measured so many slides knows of its sensitivity and its false alarms."""
    sensitivity, alarms = between_laboratories(_INFECTED), between_laboratories(_UNINFECTED)
    if negatives:
        counts = [
            RateCount(int(random.binomial(1000, rate)), 1000) for rate in draw_rates(random, negatives)[0]
        ]
        alarms = between_slides(counts, alarms)
    if positives:
        counts = [
            RateCount(int(random.binomial(100, rate)), 100) for rate in draw_rates(random, positives)[1]
        ]
        sensitivity = between_slides(counts, sensitivity)
    return sensitivity, alarms


def intervals(
    negatives: int, positives: int, *, rounds: int = ROUNDS, seed: int = 1
) -> dict[float, tuple[float, float, float]]:
    """Median ends of the interval, and share of slides whose interval holds the truth, by the share infected."""
    random = np.random.default_rng(seed)
    found: dict[float, list[tuple[float, float, bool]]] = {share: [] for share in SHARES}
    for _ in range(rounds):
        sensitivity, alarms = calibrated(random, negatives, positives)
        for share in SHARES:
            (alarm,), (sees,) = draw_rates(random, 1)
            infected = int(random.binomial(CELLS, share))
            called = int(random.binomial(infected, sees) + random.binomial(CELLS - infected, alarm))
            low, high = confidence_interval(called, CELLS, sensitivity, alarms)
            found[share].append((low, high, low <= share <= high))
    return {
        share: (
            float(np.median([low for low, _, _ in slides])),
            float(np.median([high for _, high, _ in slides])),
            float(np.mean([held for _, _, held in slides])),
        )
        for share, slides in found.items()
    }


def table(rounds: int = ROUNDS) -> str:
    """The table as Markdown: median ends of the intervals in percent of the red cells."""
    shares = " | ".join(f"{100 * share:g} % infected" for share in SHARES)
    lines = [
        f"| negative slides | slides with infected cells | {shares} | held |",
        "|---" * (len(SHARES) + 3) + "|",
    ]
    for negatives, positives in PLANS:
        found = intervals(negatives, positives, rounds=rounds).values()
        ends = " | ".join(f"{100 * low:.2g} to {100 * high:.2g}" for low, high, _ in found)
        held = np.mean([share for _, _, share in found])
        lines.append(f"| {negatives} | {positives} | {ends} | {held:.0%} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())  # noqa: T201 - the table is what it is run for
