"""The threshold of a laboratory, chosen on fields that are known to hold no parasite.

The best threshold differs between laboratories: the ranking of cells holds, the probabilities drift with stain
and optics. What the choice costs in sensitivity is read from the model's own measurement.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from edge.calibration.intervals import prediction_limits
from edge.errors import SiteProfileError
from edge.inference.model_file import RocPoint
from edge.messages.codes import Code
from edge.messages.message import Message
from edge.parasitaemia.prevalence import Rates

Probabilities = npt.NDArray[np.floating[Any]]


class ChosenThreshold(NamedTuple):
    """A threshold chosen on known-negative cells.

    Attributes:
        threshold: Probability from which on a cell is called parasitised, (0, 1].
        false_alarms: Cells of the known-negative fields at or above it.
        cells: Cells of these fields.
        effective_cells: As many independent cells as these tell as much as; fewer where false alarms come in
            clusters, field by field.
        interval: Limits that hold, with 95 % confidence, the false-alarm rate that as many further cells of
            the site will show.
    """

    threshold: float
    false_alarms: int
    cells: int
    effective_cells: float
    interval: tuple[float, float]


def fewest_cells(target_rate: float) -> tuple[int, int]:
    """Cells below which a rate cannot be set at all, and below which it stands on little.

    With fewer than 1 / rate cells a single false alarm is already more than was asked. With fewer than
    3 / rate even none at all would not show, with 95 % confidence, that the rate is as low as asked (rule of
    three).
    """
    return math.ceil(1 / target_rate - 1e-9), math.ceil(3 / target_rate - 1e-9)


def choose_threshold(
    by_field: Sequence[Probabilities], target_rate: float, *, least: float = 0.0
) -> ChosenThreshold:
    """Take the lowest threshold that keeps the false alarms of known-negative fields within a rate.

    The threshold lies halfway, in log odds, between the last cell that may raise an alarm and the next one
    below. The true rate above the j-th largest of n follows Beta(j, n - j + 1) whatever the distribution of
    the probabilities (David & Nagaraja, "Order Statistics", 3rd edition, 2003, section 2.3); from it follow
    the limits of what as many further cells will show. Counts are reduced for clustering by field (Rao &
    Scott, "A simple method for the analysis of clustered binary data", Biometrics 48:577, 1992).

    Args:
        by_field: P(Parasitized) of the counted cells of each field, float (n,), in [0, 1].
        target_rate: Share of uninfected cells that may be called parasitised, (0, 1).
        least: The threshold is never below this one, however few alarms the fields raise.

    Raises:
        SiteProfileError: There are no cells, the rate is no rate, or more cells than allowed are judged at
            the very top of the scale, so that no threshold can part them.
    """
    if not 0 < target_rate < 1:
        raise SiteProfileError(Code.CALIBRATION_RATE, rate=target_rate)
    everything = np.sort(np.concatenate([np.asarray(p, np.float64) for p in by_field] or [np.zeros(0)]))[::-1]
    cells = len(everything)
    if cells == 0:
        raise SiteProfileError(Code.CALIBRATION_NO_CELLS)
    threshold = max(_threshold_above(everything, math.floor(target_rate * cells + 1e-9)), least)
    alarms = np.array([np.count_nonzero(np.asarray(p) >= threshold) for p in by_field], np.float64)
    sizes = np.array([len(p) for p in by_field], np.float64)
    effect = design_effect(alarms, sizes)
    false_alarms = int(alarms.sum())
    interval = prediction_limits(false_alarms / effect, cells / effect)
    return ChosenThreshold(threshold, false_alarms, cells, cells / effect, interval)


def _threshold_above(descending: Probabilities, allowed: int) -> float:
    """Return the lowest threshold with at most ``allowed`` of the probabilities at or above it."""
    highest_refused = float(descending[min(allowed, len(descending) - 1)])
    if highest_refused >= 1.0:
        tied = int(np.count_nonzero(descending >= 1.0))
        raise SiteProfileError(Code.CALIBRATION_TIED, tied=tied, cells=len(descending))
    accepted = descending[descending > highest_refused]
    above = float(accepted[-1]) if len(accepted) else 1.0
    middle = _from_log_odds((_log_odds(highest_refused) + _log_odds(above)) / 2)
    return middle if highest_refused < middle <= above else above


def _log_odds(probability: float) -> float:
    """Log odds, kept finite at the ends of the scale."""
    inside = min(max(probability, 1e-12), 1 - 1e-12)
    return math.log(inside / (1 - inside))


def _from_log_odds(value: float) -> float:
    """Inverse of ``_log_odds``."""
    return 1 / (1 + math.exp(-value))


def design_effect(alarms: npt.NDArray[np.float64], sizes: npt.NDArray[np.float64]) -> float:
    """By how much clustering inflates the variance of a rate; at least 1.

    Variance of the ratio of totals between clusters (Cochran, "Sampling Techniques", 3rd edition, 1977,
    equation 6.13) over that of independent cells, as Rao & Scott (1992) have it.

    Args:
        alarms: False alarms of each field, (m,).
        sizes: Cells of each field, (m,).
    """
    used = sizes > 0
    alarms, sizes = alarms[used], sizes[used]
    total, clusters = sizes.sum(), len(sizes)
    rate = alarms.sum() / total if total else 0.0
    if clusters < 2 or not 0 < rate < 1:
        return 1.0
    variance = clusters / (clusters - 1) * np.sum((alarms - rate * sizes) ** 2) / total**2
    return max(float(variance / (rate * (1 - rate) / total)), 1.0)


def sensitivity_at(threshold: float, roc: Sequence[RocPoint]) -> tuple[int, int]:
    """Infected cells called parasitised, of how many, at a threshold: that of the next higher row measured.

    The row above understates the sensitivity rather than overstating it.

    Raises:
        SiteProfileError: The table is empty or ends below the threshold.
    """
    above = [row for row in roc if row.threshold >= threshold]
    if not above:
        raise SiteProfileError(Code.CALIBRATION_NO_SENSITIVITY, threshold=threshold)
    row = min(above, key=lambda row: row.threshold)
    return row.true_positives, row.infected


def model_rates(threshold: float, roc: Sequence[RocPoint], source: Message | str) -> Rates:
    """Error rates that the model's own test measured at a threshold.

    Between two rows the sensitivity is that of the higher and the specificity that of the lower one: neither
    is overstated.

    Raises:
        SiteProfileError: The table does not reach from below to above the threshold.
    """
    below = [row for row in roc if row.threshold <= threshold]
    if not below:
        raise SiteProfileError(Code.CALIBRATION_NO_RATES, threshold=threshold)
    row = max(below, key=lambda row: row.threshold)
    true_positives, infected = sensitivity_at(threshold, roc)
    return Rates(true_positives, infected, row.true_negatives, row.uninfected, source)
