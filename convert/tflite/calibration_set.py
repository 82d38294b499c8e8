"""Chooses the cells on which the quantiser sees how large each activation gets."""

import hashlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.inference.verdicts import LABELS
from train.model.batches import network_inputs
from train.run import RunData

CALIBRATION_CELLS = 400


class CalibrationSet(NamedTuple):
    """The chosen cells."""

    inputs: NDArray[np.uint8]
    """As the network sees them, uint8, shape (n, size, size, 3)."""
    sha256: str
    """Over names and pixels, in order."""


def choose_calibration_set(
    run_data: RunData, size: int, seed: int, cells: int = CALIBRATION_CELLS
) -> CalibrationSet:
    """Draw cells of training patients, both classes in equal number.

    Disputed cells are left out: nobody knows what they show.

    Args:
        run_data: of the run.
        size: side of the network's input.
        seed: of the draw.
        cells: how many to draw; fewer where a class has fewer.
    """
    train = run_data.split.train[~run_data.disputed(run_data.split.train)]
    labels = run_data.data.labels()[train]
    rng = np.random.default_rng((seed, cells))
    each = min(cells // len(LABELS), *(int((labels == label).sum()) for label in range(len(LABELS))))
    chosen = np.concatenate(
        [rng.choice(train[labels == label], each, replace=False) for label in range(len(LABELS))]
    )
    rng.shuffle(chosen)
    samples = [run_data.data.samples[i] for i in chosen]
    inputs = network_inputs(samples, size)
    digest = hashlib.sha256()
    for sample, picture in zip(samples, inputs, strict=True):
        digest.update(sample.name.encode() + b"\0" + picture.tobytes())
    return CalibrationSet(inputs, digest.hexdigest())
