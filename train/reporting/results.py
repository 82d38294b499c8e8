"""Ends a run: calibrates the network, saves it, judges validation and test cells, measures and reports."""

import csv
import json
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from edge.atomic_file import atomic_file
from edge.messages.message import Message
from train.data.dataset import Sample
from train.evaluation.baseline import baseline_probabilities
from train.evaluation.forgetting import before_of, measure_forgetting
from train.evaluation.metrics import (
    Estimate,
    Judged,
    measure,
    sensitivity_at_specificity,
)
from train.evaluation.thresholds import BATCH, Judge, choose_thresholds
from train.evaluation.usefulness import lead_over, reservations, weaknesses
from train.model.batches import network_inputs
from train.model.network import HEAD_NAMES, SAVED_SUFFIX, load_network, with_probability
from train.run import RunData, training_targets
from train.run_folder import MODEL_FILE
from train.settings import TrainingSettings

METRICS_FILE, PREDICTIONS_FILE = "metrics.json", "predictions.csv"
STATED_SPECIFICITY = 0.999
"""At which the sensitivity is told beside the other figures: one false alarm in a thousand cells."""


class Results(NamedTuple):
    """What a run came to."""

    validation: Judged
    test: Judged
    test_samples: tuple[Sample, ...]
    disputed: NDArray[np.bool_]
    """Of the test cells, those whose published label another reading disputes."""
    thresholds: dict[str, float]
    """``cell`` and ``field``, chosen on validation patients."""
    calibration: dict[str, float]
    figures: dict[str, dict[str, Estimate]]
    """By population and judge: ``original``, ``undisputed``, ``baseline``, ``baseline undisputed``."""
    lead: Estimate
    """Of the AUC over that of two hand-made features, on the undisputed test cells."""
    forgetting: dict[str, Any] | None = None
    """What it lost of what it could before, where it went on from another network (`train.evaluation.forgetting`)."""
    baseline: Judged | None = None
    """The test cells again, judged by two hand-made features; not kept in the run folder."""

    @property
    def weaknesses(self) -> list[Message]:
        """In what the network is of no use, as sentences (`train.evaluation.usefulness`)."""
        return weaknesses(self.test.at(~self.disputed), self.thresholds, self.lead)

    @property
    def reservations(self) -> list[Message]:
        """What the test cells are too few to tell, as sentences."""
        return reservations(self.test.at(~self.disputed), self.lead)


def finish(network: keras.Model, settings: TrainingSettings, run_data: RunData, out: Path) -> Results:
    """Calibrate and save the model, judge held-out cells, write the figures.

    Args:
        network: from pixels to logits, as :func:`train.run.fit` returns it.
        settings: of the run.
        run_data: of the run.
        out: the run folder.
    """
    split, data = run_data.split, run_data.data
    validation_samples = [data.samples[i] for i in split.validation]
    test_samples = tuple(data.samples[i] for i in split.test)
    logits = _predict(network, validation_samples, settings.image_size)
    labels = data.labels()
    undisputed = ~run_data.disputed(split.validation)
    calibration = _calibrate(network, logits[undisputed], labels[split.validation][undisputed])
    model = with_probability(network)
    with atomic_file(out / MODEL_FILE) as part:
        model.save(part)

    validation = _judged(model, validation_samples, settings.image_size)
    test = _judged(model, test_samples, settings.image_size)
    disputed = run_data.disputed(split.test)
    kept, _ = training_targets(settings, run_data)
    baseline = test._replace(
        probabilities=baseline_probabilities([data.samples[i] for i in kept], labels[kept], test_samples)
    )
    thresholds = choose_thresholds(
        lambda inputs: _judge(model, inputs),
        validation.at(undisputed),
        [cell for cell, sure in zip(validation_samples, undisputed, strict=True) if sure and not cell.label],
        run_data.others.held if run_data.others else (),
        size=settings.image_size,
        seed=settings.seed,
    )
    figures = {
        "original": measure(test, thresholds["cell"]),
        "baseline": measure(baseline, 0.5),
    }
    if disputed.any():
        figures["undisputed"] = measure(test.at(~disputed), thresholds["cell"])
        figures["baseline undisputed"] = measure(baseline.at(~disputed), 0.5)
    forgetting = _forgetting(model, settings, run_data, thresholds["cell"]) if run_data.rehearsal else None
    lead = lead_over(baseline.at(~disputed), test.at(~disputed))
    results = Results(
        validation, test, test_samples, disputed, thresholds, calibration, figures, lead, forgetting, baseline
    )
    _write(results, out, data.fingerprint)
    return results


def _forgetting(
    model: keras.Model, settings: TrainingSettings, run_data: RunData, threshold: float
) -> dict[str, Any]:
    assert run_data.rehearsal is not None  # noqa: S101 - for the type checker; the caller asked
    weights = Path(settings.weights)
    saved = load_network(weights, compile=False) if weights.suffix == SAVED_SUFFIX else None

    def by(network: keras.Model) -> Judge:
        return lambda inputs: np.concatenate(
            [_judge(network, inputs[start : start + BATCH]) for start in range(0, len(inputs), BATCH)]
        )

    before = before_of(weights, None if saved is None else by(saved))
    return measure_forgetting(run_data.rehearsal, before, by(model), threshold, size=settings.image_size)


def _calibrate(
    network: keras.Model, logits: NDArray[np.float64], labels: NDArray[np.int64]
) -> dict[str, float]:
    """Scale and shift the last layer so that its probabilities are frequencies (Platt 1999).

    Both classes weigh the same, however many cells of each there are: a probability then means what it would among as
    many infected as uninfected cells, and the thresholds rest on that.

    Done on validation patients, and folded into the weights of the last layer: every export is calibrated
    then, without a step of its own on the device.
    """
    regression = LogisticRegression(C=1e6, class_weight="balanced").fit(logits[:, None], labels)
    scale, offset = float(regression.coef_[0, 0]), float(regression.intercept_[0])
    last = network.get_layer(HEAD_NAMES[-1])
    kernel, bias = last.get_weights()
    last.set_weights([kernel * scale, bias * scale + offset])
    return {"scale": scale, "offset": offset}


def _judged(model: keras.Model, samples: tuple[Sample, ...] | list[Sample], size: int) -> Judged:
    return Judged(
        np.array([sample.label for sample in samples], np.int64),
        _predict(model, samples, size),
        np.array([sample.patient for sample in samples]),
    )


def _predict(
    model: keras.Model, samples: tuple[Sample, ...] | list[Sample], size: int
) -> NDArray[np.float64]:
    values = []
    for start in range(0, len(samples), BATCH):
        values.append(_judge(model, network_inputs(samples[start : start + BATCH], size)))
    return np.concatenate(values)


def _judge(model: keras.Model, inputs: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Judge ``BATCH`` cells or fewer; always as many, since every other number would be compiled anew."""
    filled = np.zeros((BATCH, *inputs.shape[1:]), np.float32)
    filled[: len(inputs)] = inputs
    return np.asarray(model.predict_on_batch(filled), np.float64)[: len(inputs), 0]


def _write(results: Results, out: Path, fingerprint: str) -> None:
    undisputed = results.test.at(~results.disputed)
    record = {
        "data": fingerprint,
        "thresholds": results.thresholds,
        "calibration": results.calibration,
        "test_cells": len(results.test.labels),
        "test_patients": len(np.unique(results.test.patients)),
        "disputed_test_cells": int(results.disputed.sum()),
        **({"forgetting": results.forgetting} if results.forgetting else {}),
        "sensitivity_at_specificity_0.999_undisputed": sensitivity_at_specificity(
            undisputed, STATED_SPECIFICITY
        ),
        "auc_over_baseline_undisputed": results.lead._asdict(),
        "figures": {
            population: {name: estimate._asdict() for name, estimate in figures.items()}
            for population, figures in results.figures.items()
        },
    }
    (out / METRICS_FILE).write_text(json.dumps(record, indent=1) + "\n", "utf-8")
    with (out / PREDICTIONS_FILE).open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["cell", "patient", "label", "disputed", "probability"])
        rows = zip(results.test_samples, results.disputed, results.test.probabilities, strict=True)
        for sample, disputed, probability in rows:
            writer.writerow([sample.name, sample.patient, sample.label, int(disputed), f"{probability:.8f}"])
