"""Whether a model is any good: what everybody should know before it is released.

Other checks compare a model with another one. These ask whether it finds parasites at all, and whether it does so
better than two hand-made features.
"""

from collections.abc import Mapping

import numpy as np

from edge.messages.message import Message
from edge.messages.train_codes import TrainCode
from train.evaluation.metrics import Estimate, Judged, auc, cluster_bootstrap

LEAST_SENSITIVITY = {"cell": 0.5, "field": 0.1}
"""Share of the infected cells, by operating point, under which a model finds next to nothing."""
LEAST_SPECIFICITY = 0.5
"""Share of the uninfected cells at the threshold for single cells."""
_POINTS = {"cell": TrainCode.POINT_CELL, "field": TrainCode.POINT_FIELD}


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


def weaknesses(judged: Judged, thresholds: Mapping[str, float], lead: Estimate) -> list[Message]:
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
        found.append(Message(TrainCode.RANKS_WORSE, **_compared(judged, lead)))
    for point, least in LEAST_SENSITIVITY.items():
        threshold = thresholds[point]
        hits = int((judged.probabilities[infected] >= threshold).sum())
        if hits < least * infected.sum():
            found.append(
                Message(
                    TrainCode.FINDS_FEW,
                    point=Message(_POINTS[point]),
                    threshold=threshold,
                    found=hits,
                    infected=int(infected.sum()),
                )
            )
    alarms = int((judged.probabilities[~infected] >= thresholds["cell"]).sum())
    if alarms > (1 - LEAST_SPECIFICITY) * (~infected).sum():
        found.append(
            Message(
                TrainCode.CALLS_INFECTED,
                point=Message(TrainCode.POINT_CELL),
                threshold=thresholds["cell"],
                alarms=alarms,
                uninfected=int((~infected).sum()),
            )
        )
    return found


def reservations(judged: Judged, lead: Estimate) -> list[Message]:
    """Say in sentences what the test cells are too few to tell of a model; arguments as of :func:`weaknesses`."""
    if not lead.low <= 0 <= lead.high:
        return []
    return [Message(TrainCode.LEAD_NOT_SHOWN, **_compared(judged, lead))]


def _compared(judged: Judged, lead: Estimate) -> dict[str, float]:
    patients = len(np.unique(judged.patients))
    return {**lead._asdict(), "cells": len(judged.labels), "patients": patients}
