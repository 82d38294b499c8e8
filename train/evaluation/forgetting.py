"""What a network has lost of what it could before it went on to learn from other cells."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.inference.classifier import Classifier
from edge.inference.model_file import load_model
from train.data.rehearsal import Rehearsal
from train.evaluation.metrics import Estimate, Judged, accuracy, auc, cluster_bootstrap
from train.evaluation.thresholds import Judge
from train.model.batches import network_inputs

LIMIT = 0.001
"""Largest loss of accuracy on the cells of the set that the network began with: a tenth of a point."""


class Before(NamedTuple):
    """The network that a training went on from."""

    judge: Judge
    threshold: float
    """For single cells."""


def before_of(weights: Path, judge_saved: Judge | None) -> Before:
    """Return the network that a training went on from.

    Args:
        weights: a released ``.tflite`` file, or the ``model.keras`` of a run.
        judge_saved: what the saved network of a run says; for a released file nothing.
    """
    if judge_saved is None:
        released = load_model(weights)
        classifier = Classifier(released)
        return Before(
            lambda inputs: classifier.probabilities(inputs).astype(np.float64),
            released.operating_point("cell").threshold,
        )
    thresholds = json.loads((weights.parent / "metrics.json").read_text("utf-8"))["thresholds"]
    return Before(judge_saved, float(thresholds["cell"]))


def measure_forgetting(
    rehearsal: Rehearsal, before: Before, now: Judge, threshold: float, *, size: int
) -> dict[str, Any]:
    """Compare what a network says of cells that it did not learn from with what it said before it went on.

    Args:
        rehearsal: the set that it began with.
        before: the network then.
        now: the network now.
        threshold: of now, for single cells.
        size: side of the network's input, px.

    Returns:
        JSON values: how many cells of how many patients; accuracy and AUC before and now; the loss of accuracy with its
        95 % interval by a bootstrap over patients, and the limit. Fractions, not percent.
    """
    inputs = network_inputs(rehearsal.judged, size)
    labels = np.array([cell.label for cell in rehearsal.judged], np.int64)
    patients = np.array([cell.patient for cell in rehearsal.judged])
    then, at_present = Judged(labels, before.judge(inputs), patients), Judged(labels, now(inputs), patients)
    lost = ((then.probabilities >= before.threshold) == (labels == 1)).astype(np.float64) - (
        (at_present.probabilities >= threshold) == (labels == 1)
    )

    def loss(places: NDArray[np.int64]) -> dict[str, float]:
        return {"accuracy": float(lost[places].mean())}

    found: Estimate = cluster_bootstrap(patients, labels, loss)["accuracy"]
    return {
        "cells": len(labels),
        "patients": len(np.unique(patients)),
        "never_seen": rehearsal.known,
        "accuracy_before": accuracy(then, before.threshold),
        "accuracy_now": accuracy(at_present, threshold),
        "auc_before": auc(then),
        "auc_now": auc(at_present),
        "loss": found._asdict(),
        "limit": LIMIT,
    }
