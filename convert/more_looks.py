"""Judges an export in all turns of each cell, where one look at each test cell is too few to decide.

An export and the Keras model that it was made from are compared pair by pair. A cell turned is another picture to both,
and as likely a one, so eight turns say more of the small errors of rounding than one. The cells of the validation
patients are looked at too: the network was stopped and calibrated by them, but has not learnt from them. Those that it
learnt from are not: it is surer of them, so fewer verdicts would flip.

What a small laboratory's cells cannot tell of its own model, they cannot be asked of its export: a loss that is surely
below one standard error of the model's own figure passes, too.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from convert.finished_run import FinishedRun
from convert.gate import GateLimits, GateResult, judge_export
from edge.inference.classifier import Classifier
from edge.inference.precision import Precision
from edge.inference.second_look import TURNS, turns
from train.evaluation.metrics import Judged, measure
from train.model.batches import network_inputs
from train.model.network import load_network
from train.run_folder import MODEL_FILE

_DEVIATIONS = 1.96
"""Standard errors from the middle of a 95 % interval to its end."""


class UnseenCells(NamedTuple):
    """The cells of test and validation patients."""

    inputs: NDArray[np.uint8]
    """As the network sees them, uint8, (n, size, size, 3)."""
    labels: NDArray[np.int64]
    patients: NDArray[np.str_]


def unseen_cells(finished: FinishedRun) -> UnseenCells:
    """Read them again."""
    split = finished.run_data.split
    samples = [finished.run_data.data.samples[i] for i in np.concatenate([split.test, split.validation])]
    return UnseenCells(
        network_inputs(samples, finished.settings.image_size),
        np.array([sample.label for sample in samples], np.int64),
        np.array([sample.patient for sample in samples]),
    )


def judge_in_all_turns(
    precision: Precision,
    export: Classifier,
    finished: FinishedRun,
    cells: UnseenCells,
    limits: GateLimits,
) -> GateResult:
    """Compare what an export says of each cell in each turn with what the run's Keras model says of the same.

    Args:
        precision: of the export.
        export: the export.
        finished: the run; its model is read from its folder, as it was trained.
        cells: of `unseen_cells`.
        limits: what may differ.
    """
    model = load_network(finished.folder / MODEL_FILE)
    meant, said = [], []
    for turned in turns(cells.inputs):
        meant.append(model.predict(turned.astype(np.float32), batch_size=64, verbose=0)[:, 0])
        said.append(export.probabilities(turned))
    keras_says = Judged(
        np.tile(cells.labels, TURNS), np.concatenate(meant).astype(np.float64), np.tile(cells.patients, TURNS)
    )
    result = judge_export(
        precision,
        keras_says._replace(probabilities=np.concatenate(said).astype(np.float64)),
        keras_says,
        threshold=finished.record.thresholds["cell"],
        limits=limits,
        margins=_standard_errors(finished),
    )
    return result._replace(cells=len(cells.labels), looks=TURNS)


def _standard_errors(finished: FinishedRun) -> dict[str, float]:
    """Of the Keras model's figures on the test cells. Verdicts that flip change accuracy by their share at most."""
    found = measure(finished.record.test, finished.record.thresholds["cell"])
    errors = {
        name: (found[name].high - found[name].low) / (2 * _DEVIATIONS)
        for name in ("accuracy", "sensitivity", "specificity", "auc")
    }
    return {**errors, "flips": errors["accuracy"]}
