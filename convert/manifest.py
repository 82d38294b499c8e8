"""Writes what a released model says of itself: the manifest inside its file."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from convert.comparison import KerasComparison
from convert.tflite.calibration_set import CalibrationSet
from edge.about import RESEARCH_USE
from edge.inference.preprocessing import PREPROCESSING_VERSION
from edge.inference.verdicts import LABELS
from train.data.patients import patient_token
from train.evaluation.metrics import Judged, measure, roc_table
from train.evaluation.thresholds import describe_field_threshold
from train.reporting.record import RunRecord
from train.run_folder import DATA_FILE, ENVIRONMENT_FILE, SPLIT_FILE, describe_environment
from train.settings import TrainingSettings


def make_manifest(
    *,
    name: str,
    version: str,
    settings: TrainingSettings,
    results: RunRecord,
    judged: Judged,
    comparison: KerasComparison,
    calibration_set: CalibrationSet,
    run: Path,
    sources: str,
) -> dict[str, Any]:
    """Describe an export.

    Args:
        name: of the model, such as ``standard``.
        version: of the release.
        settings: of the training run.
        results: of the training run.
        judged: what this export says of the test cells.
        comparison: of this export with the Keras model.
        calibration_set: which cells the quantiser saw.
        run: the run folder.
        sources: what it learnt from and under what licences, in words.

    Returns:
        Everything but the format and the hash, which :func:`edge.inference.model_file.with_manifest` adds.
    """
    undisputed = judged.at(~results.disputed)
    data = json.loads((run / DATA_FILE).read_text("utf-8"))
    del data["rejected"]
    # Whoever measures the model again must know which patients it has never seen, and nobody else their names.
    patients = json.loads((run / SPLIT_FILE).read_text("utf-8"))["patients"]
    data["split"] = {
        part: sorted(patient_token(name, data["fingerprint"]) for name in names)
        for part, names in patients.items()
    }
    points = {
        "cell": "best mean of sensitivity and specificity on the undisputed cells of the validation patients",
        "field": describe_field_threshold(
            results.thresholds["field"], others=bool(settings.uninfected_fields)
        ),
    }
    populations = {"undisputed": undisputed, "original": judged}
    return {
        "name": name,
        "version": version,
        "precision": comparison.precision,
        "labels": list(LABELS),
        "intended_use": RESEARCH_USE,
        "input": {
            "size": settings.image_size,
            "dtype": "uint8",
            "channels": "RGB",
            "preprocessing": PREPROCESSING_VERSION,
        },
        "output": f"probability of {LABELS[1]}, float32",
        "calibration": {
            "method": "Platt scaling on validation patients, both classes weighing the same, folded into the last "
            "layer",
            **results.calibration,
        },
        "operating_points": {
            point: {
                "threshold": results.thresholds[point],
                "chosen": chosen,
                **{
                    population: rates(cells, results.thresholds[point])
                    for population, cells in populations.items()
                },
            }
            for point, chosen in points.items()
        },
        "measured": {
            population: {
                figure: estimate._asdict()
                for figure, estimate in measure(cells, results.thresholds["cell"]).items()
            }
            for population, cells in populations.items()
        },
        "measured_on": "patients held out from training; intervals 95 %, by bootstrap over patients",
        "against_keras": comparison._asdict(),
        "roc": roc_table(undisputed),
        "data": data,
        "training": {
            "settings": _without_folders(asdict(settings)),
            "environment": _without_folders(json.loads((run / ENVIRONMENT_FILE).read_text("utf-8"))),
        },
        "conversion": {
            "calibration_cells": len(calibration_set.inputs),
            "calibration_sha256": calibration_set.sha256,
            "environment": _without_folders(describe_environment()),
        },
        "licence": "Apache-2.0",
        "sources": sources,
    }


def _without_folders(value: Any) -> Any:
    """Leave of every absolute path its last name: a released model does not tell the folders of who made it."""
    if isinstance(value, dict):
        return {key: _without_folders(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_without_folders(one) for one in value]
    if not isinstance(value, str):
        return value
    option, equals, place = value.partition("=") if value.startswith("--") else ("", "", value)
    return f"{option}{equals}{Path(place).name}" if Path(place).is_absolute() else value


def rates(judged: Judged, threshold: float) -> dict[str, int]:
    """Count what is called right at a threshold, and of how many."""
    infected = judged.labels == 1
    return {
        "true_positives": int(np.sum(judged.probabilities[infected] >= threshold)),
        "infected": int(infected.sum()),
        "true_negatives": int(np.sum(judged.probabilities[~infected] < threshold)),
        "uninfected": int((~infected).sum()),
    }
