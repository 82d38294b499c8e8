"""When a released model is inconclusive: between two thresholds beyond which its verdicts rarely err.

Both are chosen on validation patients and measured on test patients, from what the export itself says in the
device's runtime.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.inference.verdicts import UndecidedRange, judge
from edge.types import Label
from train.evaluation.metrics import Judged

ERROR_RATE = 0.002
"""Share of each class that may get the other class's verdict: a quarter of what one threshold errs by."""


def describe_inconclusive(
    validation: Judged, test: Judged, *, disputed: NDArray[np.bool_], threshold: float
) -> dict[str, Any]:
    """Choose the range in which an export is inconclusive, and measure it, for the manifest.

    Args:
        validation: what the export says of the undisputed cells of the validation patients.
        test: what it says of the test cells.
        disputed: which of the test cells another reading disputes, bool, shape (n,).
        threshold: the operating point for single cells.
    """
    undecided = choose_undecided_range(validation, threshold)
    return {
        **undecided._asdict(),
        "chosen": f"at most {ERROR_RATE:.1%} of either class called the other, on the undisputed cells of "
        "the validation patients",
        "undisputed": _outcomes(test.at(~disputed), undecided),
        "original": _outcomes(test, undecided),
    }


def choose_undecided_range(validation: Judged, threshold: float) -> UndecidedRange:
    """Choose the narrowest range beyond which verdicts err at most at :data:`ERROR_RATE` on the cells given.

    Each end is chosen on one class alone, so the rates hold whatever the share of infected cells.

    Args:
        validation: cells of both classes that the network did not learn from.
        threshold: the operating point for single cells; it is always within the range, so that being
            inconclusive only ever takes a verdict back.
    """
    infected = np.sort(validation.probabilities[validation.labels == 1])
    uninfected = np.sort(validation.probabilities[validation.labels == 0])[::-1]
    low = float(infected[int(ERROR_RATE * len(infected))])
    # Just above the first uninfected cell that may not be called parasitised.
    high = float(np.nextafter(uninfected[int(ERROR_RATE * len(uninfected))], 2.0))
    return UndecidedRange(min(low, threshold), max(high, threshold))


def _outcomes(judged: Judged, undecided: UndecidedRange) -> dict[str, dict[str, int]]:
    labels = np.array([judge(float(p), undecided.low, undecided).label for p in judged.probabilities])
    return {
        truth: _counts(labels[judged.labels == number])
        for number, truth in enumerate(("uninfected", "infected"))
    }


def _counts(labels: NDArray[np.str_]) -> dict[str, int]:
    return {
        "called_parasitized": int((labels == Label.PARASITIZED).sum()),
        "inconclusive": int((labels == Label.INCONCLUSIVE).sum()),
        "called_uninfected": int((labels == Label.UNINFECTED).sum()),
    }
