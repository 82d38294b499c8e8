"""Reads back what a finished run wrote: thresholds, calibration, and what it said of each test cell."""

import csv
import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.messages.message import reason_of
from edge.messages.train_codes import TrainCode
from train.data.dataset import Sample
from train.evaluation.metrics import Estimate, Judged
from train.reporting.results import METRICS_FILE, PREDICTIONS_FILE
from train.run import RunData
from train.run_folder import MODEL_FILE
from train.settings import SettingsError


class RunRecord(NamedTuple):
    """What a conversion needs to know of a finished run."""

    test: Judged
    """What the Keras model said of the test cells."""
    test_samples: tuple[Sample, ...]
    disputed: NDArray[np.bool_]
    """Of the test cells, those whose published label another reading disputes."""
    thresholds: dict[str, float]
    """``cell`` and ``field``."""
    calibration: dict[str, float]
    forgetting: dict[str, Any] | None
    """What the network lost of what it could before it went on (`train.evaluation.forgetting`)."""
    lead: Estimate
    """Of its AUC over that of two hand-made features, on the undisputed test cells."""


def is_finished(run: Path) -> bool:
    """Tell whether a run has come to its model and its figures."""
    return all((run / name).exists() for name in (MODEL_FILE, PREDICTIONS_FILE, METRICS_FILE))


def read_record(run: Path, run_data: RunData) -> RunRecord:
    """Read the record of a finished run.

    Args:
        run: the run folder.
        run_data: the data it was trained on, read again.

    Raises:
        SettingsError: the run is not finished, or its data have changed since.
    """
    try:
        record = json.loads((run / METRICS_FILE).read_text("utf-8"))
        fingerprint, thresholds, calibration = (record[key] for key in ("data", "thresholds", "calibration"))
        lead = _lead(record)
        with (run / PREDICTIONS_FILE).open(newline="", encoding="utf-8") as stream:
            said = {row["cell"]: float(row["probability"] or "") for row in csv.DictReader(stream)}
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise SettingsError(TrainCode.NOT_FINISHED, folder=run, reason=reason_of(error)) from error
    samples = tuple(run_data.data.samples[i] for i in run_data.split.test)
    if fingerprint != run_data.data.fingerprint or any(sample.name not in said for sample in samples):
        raise SettingsError(TrainCode.DATA_CHANGED, folder=run)
    test = Judged(
        np.array([sample.label for sample in samples], np.int64),
        np.array([said[sample.name] for sample in samples]),
        np.array([sample.patient for sample in samples]),
    )
    return RunRecord(
        test=test,
        test_samples=samples,
        disputed=run_data.disputed(run_data.split.test),
        thresholds=thresholds,
        calibration=calibration,
        forgetting=record.get("forgetting"),
        lead=lead,
    )


def _lead(record: dict[str, Any]) -> Estimate:
    """Read the lead over the baseline; a run of a former version kept the two figures alone."""
    if "auc_over_baseline_undisputed" in record:
        known = record["auc_over_baseline_undisputed"]
        return Estimate(*(float(known[name]) for name in Estimate._fields))
    figures = record["figures"]
    own, baseline = (
        float(figures.get(undisputed, figures[population])["auc"]["value"])
        for undisputed, population in (("undisputed", "original"), ("baseline undisputed", "baseline"))
    )
    return Estimate(own - baseline, own - baseline, own - baseline)
