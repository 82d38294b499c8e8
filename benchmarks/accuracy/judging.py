"""The models whose verdicts are measured: ours, other systems', and the Keras model behind ours."""

import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.changes import Change, changed
from benchmarks.accuracy.labelled import LabelledCell
from benchmarks.harness.candidates import load_models
from benchmarks.harness.measurement import BenchmarkError
from benchmarks.harness.other_systems import OtherModel, parse_system
from benchmarks.harness.settings import BenchSettings
from benchmarks.harness.timing import ProgressCallback
from edge.inference.classifier import Classifier
from edge.inference.levelling import typical_logit
from edge.inference.model_file import ModelFile
from edge.inference.preprocessing import network_input
from edge.inference.runtime import find_runtime
from edge.inference.second_look import in_doubt, look_again, look_at_cells_again
from edge.messages.bench_codes import BenchCode
from edge.messages.message import Message
from train.evaluation.metrics import Judged, Values

_PORTION = 256
"""Cells that are prepared at a time, so that the inputs of a large folder never stand in memory at once."""


class Candidate(NamedTuple):
    """A model that judges cells."""

    name: str
    preparation: str
    """Candidates of the same preparation see the same inputs."""
    prepare: Callable[[NDArray[np.uint8], NDArray[np.uint8]], NDArray[Any]]
    """Picture and mask of a cell to the network's input."""
    probabilities: Callable[[NDArray[Any]], NDArray[np.floating]]
    """Inputs to probabilities of *parasitised*."""
    cell_threshold: float
    field_threshold: float
    model: ModelFile | None = None
    """Ours only."""
    one_look: Callable[[NDArray[Any]], NDArray[np.floating]] | None = None
    """Ours only: what the network says before any second look."""


def open_candidates(settings: BenchSettings) -> tuple[list[Candidate], list[OtherModel]]:
    """Open our models and other systems' in the device's runtime.

    Raises:
        PlasmoliteError: one cannot be read.
    """
    runtime = find_runtime()
    threads = max(settings.threads)
    candidates = [
        _ours(model, Classifier(model, threads=threads, runtime=runtime))
        for model in load_models(settings.models)
    ]
    others = [parse_system(text) for text in settings.other_systems]
    candidates += [
        Candidate(
            one.name,
            one.name,
            one.prepare,
            lambda inputs, one=one: one.probabilities(inputs, runtime, threads),  # type: ignore[misc]
            0.5,
            0.5,
        )
        for one in others
    ]
    return candidates, others


def _ours(model: ModelFile, classifier: Classifier) -> Candidate:
    return Candidate(
        model.name,
        f"{model.input_size} px",
        lambda rgb, mask: network_input(rgb, mask, size=model.input_size),
        classifier.cell_probabilities,
        model.operating_point("cell").threshold,
        model.operating_point("field").threshold,
        model,
        classifier.probabilities,
    )


def open_keras(path: Path, candidates: list[Candidate]) -> Candidate:
    """Open the Keras model that some of our candidates were exported from, at their thresholds.

    Raises:
        BenchmarkError: it cannot be loaded, or none of the candidates has its input.
        ImportError: TensorFlow is not installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    keras = import_module("keras")
    try:
        model = keras.models.load_model(path, compile=False)
        size = int(model.input_shape[1])
    except (OSError, ValueError, TypeError) as error:
        raise BenchmarkError(BenchCode.KERAS_NOT_LOADED, path=path, reason=str(error)) from error
    ours = next((one for one in candidates if one.model and one.model.input_size == size), None)
    if ours is None:
        raise BenchmarkError(BenchCode.KERAS_OTHER_SIZE, path=path, size=size)

    def one_look(inputs: NDArray[Any]) -> NDArray[np.float32]:
        values = model.predict(inputs.astype(np.float32), batch_size=64, verbose=0)
        return np.asarray(values, np.float32)[:, 0]

    def probabilities(inputs: NDArray[Any]) -> NDArray[np.float64]:
        above = ours.model.second_look if ours.model else None
        return look_at_cells_again(one_look, inputs, one_look(inputs), above)

    return ours._replace(name="Keras", probabilities=probabilities, model=None, one_look=None)


def judge_all(
    candidates: list[Candidate],
    cells: list[LabelledCell],
    report: ProgressCallback,
    *,
    change: Change | None = None,
) -> dict[str, Judged]:
    """Judge cells with every candidate, as they are or changed; each cell is prepared once a preparation."""
    found: dict[str, list[Values]] = {candidate.name: [] for candidate in candidates}
    title = Message(BenchCode.JUDGING)
    if change:
        title = Message(BenchCode.JUDGING_UNDER, change=change.name)
    for start in range(0, len(cells), _PORTION):
        report(title, start / len(cells))
        pictures = [
            changed(cell.rgb, cell.mask, change) if change else (cell.rgb, cell.mask)
            for cell in cells[start : start + _PORTION]
        ]
        inputs: dict[str, NDArray[Any]] = {}
        for candidate in candidates:
            if candidate.preparation not in inputs:
                inputs[candidate.preparation] = np.stack([candidate.prepare(*cell) for cell in pictures])
            values = candidate.probabilities(inputs[candidate.preparation])
            found[candidate.name].append(np.asarray(values, np.float64))
    labels = np.array([cell.label for cell in cells], np.int64)
    patients = np.array([cell.patient for cell in cells])
    return {name: Judged(labels, np.concatenate(values), patients) for name, values in found.items()}


def judge_fields(
    candidates: list[Candidate], cells: list[LabelledCell], report: ProgressCallback
) -> dict[str, Judged]:
    """Judge cells that were cut from fields; ours as the device judges those of each field."""
    judged = judge_all([one for one in candidates if one.model is None], cells, report)
    labels = np.array([cell.label for cell in cells], np.int64)
    fields = np.array([cell.patient for cell in cells])
    for one in candidates:
        if one.model and one.one_look:
            values = np.empty(len(cells))
            for field in np.unique(fields):
                places = np.flatnonzero(fields == field)
                inputs = np.stack([one.prepare(cells[place].rgb, cells[place].mask) for place in places])
                said = one.one_look(inputs)
                values[places] = look_again(
                    one.one_look,
                    inputs,
                    said,
                    levelling=one.model.levelling,
                    typical=typical_logit(said),
                    doubt=in_doubt(one.model.second_look, one.model.operating_point("field").threshold),
                )
            judged[one.name] = Judged(labels, values, fields)
    return judged
