"""Whether a model is any good: what everybody should know before it is released.

Other checks compare a model with another one. These ask whether it finds parasites at all, and whether it does so
better than two hand-made features.
"""

from collections.abc import Mapping

import numpy as np

from train.evaluation.metrics import Estimate, Judged, auc, cluster_bootstrap

LEAST_SENSITIVITY = {"cell": 0.5, "field": 0.1}
"""Share of the infected cells, by operating point, under which a model finds next to nothing."""
LEAST_SPECIFICITY = 0.5
"""Share of the uninfected cells at the threshold for single cells."""
_WORDS = {"cell": "single cells", "field": "whole fields"}


def lead_over(baseline: Judged, judged: Judged) -> Estimate:
    """By how much a model's AUC is above that of two hand-made features, with its 95 % interval over patients.

    Args:
        baseline: the test cells of both classes as `train.evaluation.baseline` judges them.
        judged: the same cells as the model judges them.
    """
    return cluster_bootstrap(
        judged.patients,
        judged.labels,
        lambda places: {"auc": auc(judged.at(places)) - auc(baseline.at(places))},
    )["auc"]


def weaknesses(judged: Judged, thresholds: Mapping[str, float], lead: Estimate) -> list[str]:
    """Say in sentences in what a model is shown to be of no use; an empty list where nothing of the kind is seen.

    Args:
        judged: the test cells of both classes.
        thresholds: ``cell`` and ``field``.
        lead: of its AUC over that of two hand-made features, by :func:`lead_over`.
    """
    infected = judged.labels == 1
    found = []
    # Written so that a figure that is not a number is a weakness, too.
    if not lead.high >= 0:
        found.append(f"It ranks cells worse than two hand-made features do: {_compared(judged, lead)}.")
    for point, least in LEAST_SENSITIVITY.items():
        threshold = thresholds[point]
        hits = int((judged.probabilities[infected] >= threshold).sum())
        if hits < least * infected.sum():
            found.append(
                f"At the threshold for {_WORDS[point]}, {threshold:.4f}, it finds {hits} of {infected.sum():,} "
                "infected test cells."
            )
    alarms = int((judged.probabilities[~infected] >= thresholds["cell"]).sum())
    if alarms > (1 - LEAST_SPECIFICITY) * (~infected).sum():
        found.append(
            f"At the threshold for {_WORDS['cell']}, {thresholds['cell']:.4f}, it calls {alarms:,} of "
            f"{(~infected).sum():,} uninfected test cells infected."
        )
    return found


def reservations(judged: Judged, lead: Estimate) -> list[str]:
    """Say in sentences what the test cells are too few to tell of a model; arguments as of :func:`weaknesses`."""
    if not lead.low <= 0 <= lead.high:
        return []
    return [
        f"That it ranks cells better than two hand-made features do is not shown: {_compared(judged, lead)}. "
        "More cells of more patients would tell."
    ]


def _compared(judged: Judged, lead: Estimate) -> str:
    return (
        f"the difference of the AUC is {lead.value:+.3f} [{lead.low:+.3f}, {lead.high:+.3f}], on "
        f"{len(judged.labels):,} test cells of {len(np.unique(judged.patients))} patients"
    )
