"""Figures over all folds of the patients: every patient is judged once, by a model that never saw it.

Each fold's model is exported and run in the device's runtime, so the figures are those of the files that a device would
run. Verdicts are taken at each fold's own threshold, chosen on its own validation patients.
"""

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from convert.comparison import judge_with
from convert.finished_run import open_finished_run
from convert.tflite.calibration_set import choose_calibration_set
from convert.tflite.export import export
from edge.atomic_file import write_atomically
from edge.inference.precision import Precision
from edge.messages.message import Message
from edge.messages.train_codes import ConvertCode
from train.evaluation.metrics import Estimate, Judged, accuracy, auc, measure, sensitivity_at_specificity
from train.model.batches import network_inputs
from train.model.network import load_network
from train.reporting.results import STATED_SPECIFICITY
from train.run_folder import MODEL_FILE

SUMMARY_FILE, EXPORT_FILE = "crossvalidation.json", "int8.tflite"


class Fold(NamedTuple):
    """What one fold's exported model says of the patients that it never saw."""

    judged: Judged
    disputed: NDArray[np.bool_]
    threshold: float
    flips: float
    """Share of verdicts in which it differs from its Keras model."""


class Summary(NamedTuple):
    """The folds together, by population (``original`` labels, ``undisputed`` cells)."""

    mean: dict[str, dict[str, float]]
    """The mean over the folds of each fold's figure."""
    by_fold: dict[str, dict[str, list[float]]]
    pooled: dict[str, dict[str, Estimate]]
    """All cells at once, logits shifted so that each fold's threshold is one half; 95 % intervals by patients."""


def judge_fold(run: Path, report: Callable[[Message], None] = lambda _: None) -> Fold:
    """Judge a run's test patients with its int8 export, in the device's runtime.

    No gate stands before it: a figure is wanted of every fold, and how far the export is from its Keras model is one of
    them. The export is kept in the run's folder and made once.

    Args:
        run: folder of a finished training run.
        report: told what is done next.

    Raises:
        PlasmoliteError: the run is not finished, its data cannot be read, or the export failed.
    """
    report(Message(ConvertCode.READING_CELLS))
    finished = open_finished_run(run)
    settings, record = finished.settings, finished.record
    exported = run / EXPORT_FILE
    if not exported.exists() or exported.stat().st_mtime < (run / MODEL_FILE).stat().st_mtime:
        report(Message(ConvertCode.EXPORTING, precision=Precision.INT8))
        calibration = choose_calibration_set(finished.run_data, settings.image_size, settings.seed)
        flatbuffer = export(load_network(run / MODEL_FILE), Precision.INT8, calibration.inputs)
        write_atomically(exported, flatbuffer)
    report(Message(ConvertCode.JUDGING_TEST_PATIENTS))
    said, _ = judge_with(exported.read_bytes(), network_inputs(record.test_samples, settings.image_size), 2)
    threshold = record.thresholds["cell"]
    judged = record.test._replace(probabilities=said)
    flips = np.mean((judged.probabilities >= threshold) != (record.test.probabilities >= threshold))
    return Fold(judged, record.disputed, threshold, float(flips))


def summarise(folds: Sequence[Fold]) -> Summary:
    """Lay the folds' figures together.

    Args:
        folds: of one set of patients, each patient in the test of exactly one of them.
    """
    by_fold: dict[str, dict[str, list[float]]] = {}
    mean: dict[str, dict[str, float]] = {}
    pooled: dict[str, dict[str, Estimate]] = {}
    for population in ("original", "undisputed"):
        parts = [
            fold.judged if population == "original" else fold.judged.at(~fold.disputed) for fold in folds
        ]
        by_fold[population] = {
            "accuracy": [accuracy(part, fold.threshold) for part, fold in zip(parts, folds, strict=True)],
            "auc": [auc(part) for part in parts],
            f"sensitivity at {STATED_SPECIFICITY:.1%} specificity": [
                sensitivity_at_specificity(part, STATED_SPECIFICITY) for part in parts
            ],
        }
        mean[population] = {name: float(np.mean(values)) for name, values in by_fold[population].items()}
        together = Judged(
            np.concatenate([part.labels for part in parts]),
            np.concatenate(
                [
                    _centred(part.probabilities, fold.threshold)
                    for part, fold in zip(parts, folds, strict=True)
                ]
            ),
            np.concatenate([part.patients for part in parts]),
        )
        pooled[population] = measure(together, 0.5)
    return Summary(mean, by_fold, pooled)


def write_summary(path: Path, summary: Summary, folds: Sequence[Fold]) -> None:
    """Write the figures as JSON and, beside it, each cell's probability as CSV."""
    record = {
        "folds": len(folds),
        "cells": sum(len(fold.judged.labels) for fold in folds),
        "patients": len(np.unique(np.concatenate([fold.judged.patients for fold in folds]))),
        "flips": [fold.flips for fold in folds],
        "mean": summary.mean,
        "by_fold": summary.by_fold,
        "pooled": {
            population: {name: estimate._asdict() for name, estimate in figures.items()}
            for population, figures in summary.pooled.items()
        },
    }
    path.write_text(json.dumps(record, indent=1) + "\n", "utf-8")
    with path.with_suffix(".csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["fold", "patient", "label", "disputed", "threshold", "probability"])
        for number, fold in enumerate(folds):
            for label, probability, patient, disputed in zip(*fold.judged, fold.disputed, strict=True):
                writer.writerow(
                    [number, patient, label, int(disputed), f"{fold.threshold:.6f}", f"{probability:.8f}"]
                )


def _centred(probabilities: NDArray[np.float64], threshold: float) -> NDArray[np.float64]:
    """Shift the logits so that the threshold comes to one half."""
    inside = np.clip(probabilities, 1e-9, 1 - 1e-9)
    logits = np.log(inside / (1 - inside)) - np.log(threshold / (1 - threshold))
    # Rounding must not take a cell that stands at the threshold across it.
    logits = np.where(probabilities >= threshold, np.maximum(logits, 0), logits)
    return 1 / (1 + np.exp(-logits))
