"""Decides whether an export is close enough to its Keras model to be released."""

import math
from typing import NamedTuple

from convert.comparison import Comparison
from edge.inference.precision import Precision


class Limits(NamedTuple):
    """What an export may differ from the Keras model by, on the test patients. Fractions, not percent."""

    accuracy: float
    """Largest loss of accuracy; a gain passes."""
    rates: float
    """Largest loss of sensitivity and of specificity."""
    auc: float
    flips: float
    """Largest share of verdicts that are another one."""
    mean_difference: float
    """Largest mean difference of the probability."""


DEFAULT_LIMITS = {
    Precision.FLOAT32: Limits(0.0002, 0.0004, 0.0001, 0.0005, 0.0005),
    Precision.FLOAT16: Limits(0.0002, 0.0004, 0.0001, 0.0005, 0.001),
    Precision.INT8: Limits(0.001, 0.002, 0.001, 0.004, 0.01),
}
"""Float exports must agree to rounding. For int8: a tenth of a point of accuracy and four verdicts of a
thousand, a third of what plain quantisation of the whole network was measured to cost."""


def failures(comparison: Comparison, limits: Limits, cells: int) -> list[str]:
    """Say in sentences which limits an export fails, and by how much; an empty list is a pass.

    Args:
        comparison: of the export with the Keras model.
        limits: what may differ.
        cells: test cells of the comparison; where one of them weighs more than a limit, a failure says so.
    """
    checks = (
        ("accuracy falls", -comparison.accuracy_change, limits.accuracy),
        ("sensitivity falls", -comparison.sensitivity_change, limits.rates),
        ("specificity falls", -comparison.specificity_change, limits.rates),
        ("AUC falls", -comparison.auc_change, limits.auc),
        ("the share of verdicts that flip is", comparison.flips, limits.flips),
        ("the mean difference of the probability is", comparison.mean_difference, limits.mean_difference),
    )
    # Written so that a figure that is not a number fails too.
    failed = [
        f"{comparison.precision}: {what} {value * 100:.3f} points, and at most {limit * 100:.3f} are allowed."
        for what, value, limit in checks
        if not value <= limit
    ]
    if failed and cells * limits.accuracy < 1:
        failed.append(
            f"{comparison.precision}: of {cells:,} test cells a single one is {100 / cells:.3f} points of accuracy; a "
            f"limit of {limits.accuracy * 100:.3f} needs at least {math.ceil(1 / limits.accuracy):,}."
        )
    return failed
