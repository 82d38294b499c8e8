"""Whether a model is any good: what everybody should know before it is released.

Other checks compare a model with another one. These ask whether it finds parasites at all, and whether it does so
better than two hand-made features.
"""

from collections.abc import Mapping

import numpy as np

from train.evaluation.metrics import Judged, auc

LEAST_SENSITIVITY = {"cell": 0.5, "field": 0.1}
"""Share of the infected cells, by operating point, under which a model finds next to nothing."""
LEAST_SPECIFICITY = 0.5
"""Share of the uninfected cells at the threshold for single cells."""
_WORDS = {"cell": "single cells", "field": "whole fields"}


def weaknesses(judged: Judged, thresholds: Mapping[str, float], baseline_auc: float) -> list[str]:
    """Say in sentences in what a model is of no use; an empty list where nothing of the kind is seen.

    Args:
        judged: the test cells of both classes.
        thresholds: ``cell`` and ``field``.
        baseline_auc: AUC of two hand-made features on the same cells (`train.evaluation.baseline`).
    """
    infected = judged.labels == 1
    cells = f"{len(infected):,} test cells of {len(np.unique(judged.patients))} patients"
    found = []
    own_auc = auc(judged)
    # Written so that a figure that is not a number is a weakness, too.
    if not own_auc >= baseline_auc:
        found.append(
            f"It ranks cells no better than two hand-made features do: AUC {own_auc:.3f} against "
            f"{baseline_auc:.3f}, on {cells}."
        )
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
