"""Compares an export with the Keras model it came from, in the runtime that the device uses."""

import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.cells.files import CellFile, judge_files
from edge.errors import PlasmoliteError
from edge.inference.classifier import Classifier
from edge.inference.model_file import ModelFile
from edge.inference.precision import Precision
from edge.inference.preprocessing import PREPROCESSING_VERSION
from edge.messages.train_codes import ConvertCode
from train.evaluation.metrics import Judged, accuracy, auc, sensitivity, specificity

_TIMED_CELLS = 1024


class KerasComparison(NamedTuple):
    """One export beside the Keras model, on the test patients."""

    precision: Precision
    accuracy: float
    sensitivity: float
    specificity: float
    auc: float
    accuracy_change: float
    """Export minus Keras; the same for the three that follow. Fractions, not percent."""
    sensitivity_change: float
    specificity_change: float
    auc_change: float
    flips: float
    """Share of the cells whose verdict is another one."""
    largest_difference: float
    """Of the probability."""
    mean_difference: float
    """Mean absolute difference of the probability."""
    size: int
    """Bytes of the flatbuffer."""
    latency: float
    """Milliseconds a cell in batches of 32, the best of three rounds on this machine; reported, not gated."""
    runtime: str


class UnreadableCellError(PlasmoliteError):
    """A test cell that training read can no longer be read."""


def judge_with(
    flatbuffer: bytes, inputs: NDArray[np.uint8], threads: int
) -> tuple[NDArray[np.float64], Classifier]:
    """Judge preprocessed cells with an export that has no manifest yet.

    Args:
        flatbuffer: the export.
        inputs: uint8, shape (n, size, size, 3).
        threads: of the interpreter.

    Returns:
        Probabilities, float64, shape (n,), and the classifier that gave them.
    """
    classifier = open_export(flatbuffer, inputs.shape[1], threads)
    return classifier.probabilities(inputs).astype(np.float64), classifier


def open_export(flatbuffer: bytes, size: int, threads: int) -> Classifier:
    """Open an export that has no manifest yet; ``size`` is the side of its input, px."""
    manifest = {
        "name": "unreleased",
        "version": "0",
        "precision": "",
        "sha256": "",
        "input": {"size": size, "preprocessing": PREPROCESSING_VERSION},
    }
    return Classifier(ModelFile(Path("export.tflite"), flatbuffer, manifest), threads=threads)


def _judge_files(classifier: Classifier, files: Iterable[CellFile]) -> NDArray[np.float64]:
    """Judge cells from their encoded pictures, as ``plasmolite classify`` does: P(Parasitized), shape (n,).

    The check that a picture shows a red cell is left out: the network's figures are over all test cells.
    """
    values = []
    for verdict in judge_files(classifier, 0.5, files, accept_anything=True):
        if verdict.probability is None:
            raise UnreadableCellError(
                ConvertCode.CELL_NOT_JUDGED, cell=verdict.image, reason=verdict.error or ""
            )
        values.append(verdict.probability)
    return np.array(values, np.float64)


def _seconds(classifier: Classifier, inputs: NDArray[np.uint8]) -> float:
    began = time.perf_counter()
    classifier.probabilities(inputs)
    return time.perf_counter() - began


def compare(
    precision: Precision,
    flatbuffer: bytes,
    files: Iterable[CellFile],
    inputs: NDArray[np.uint8],
    keras: Judged,
    *,
    threshold: float,
    threads: int,
) -> tuple[KerasComparison, Judged]:
    """Run an export over the files of the test cells and lay its figures beside those of the Keras model.

    Args:
        precision: of the export.
        flatbuffer: the export.
        files: the test cells' encoded pictures, which the export judges as ``plasmolite classify`` does.
        inputs: some of the test cells to take the time with, uint8, shape (n, size, size, 3).
        keras: what the Keras model said of the same cells, by their inputs.
        threshold: the operating point that verdicts are compared at.
        threads: of the interpreter.

    Returns:
        The comparison and what the export said.

    Raises:
        UnreadableCellError: a file cannot be judged.
    """
    classifier = open_export(flatbuffer, inputs.shape[1], threads)
    probabilities = _judge_files(classifier, files)
    judged = keras._replace(probabilities=probabilities)
    some = inputs[:_TIMED_CELLS]
    latency = min(_seconds(classifier, some) for _ in range(3)) / len(some) * 1e3
    difference = np.abs(probabilities - keras.probabilities)
    figures = {
        "accuracy": (accuracy(judged, threshold), accuracy(keras, threshold)),
        "sensitivity": (sensitivity(judged, threshold), sensitivity(keras, threshold)),
        "specificity": (specificity(judged, threshold), specificity(keras, threshold)),
        "auc": (auc(judged), auc(keras)),
    }
    comparison = KerasComparison(
        precision=precision,
        **{name: now for name, (now, _) in figures.items()},
        **{f"{name}_change": now - then for name, (now, then) in figures.items()},
        flips=float(np.mean((probabilities >= threshold) != (keras.probabilities >= threshold))),
        largest_difference=float(difference.max()),
        mean_difference=float(difference.mean()),
        size=len(flatbuffer),
        latency=latency,
        runtime=f"{classifier.runtime.name} {classifier.runtime.version}, {threads} threads",
    )
    return comparison, judged
