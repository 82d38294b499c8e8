"""Cells that a network has learnt from before, shown again so that it does not forget them, and others to judge.

A network that goes on with the cells of one laboratory alone forgets the others; old examples among the new ones are
the best guard against it (arXiv:2507.23648).
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from edge.messages.train_codes import TrainCode
from train.data.dataset import DataError, Sample, load_dataset
from train.data.patients import PatientSource, patient_token


class Rehearsal(NamedTuple):
    """Cells of the set that the network began with."""

    learnt: tuple[Sample, ...]
    """Of patients that are shown again."""
    judged: tuple[Sample, ...]
    """Of patients that the network has never seen: what it says of them before and after tells whether it forgot."""
    fingerprint: str
    known: bool
    """Whether it is known that the network never saw those; otherwise half of the patients were put aside."""

    def draw(self, number: int, seed: int, epoch: int) -> list[Sample]:
        """Draw the cells of one epoch, half of each class, other ones each time."""
        rng = np.random.default_rng((seed, epoch, number))
        chosen: list[Sample] = []
        for label in (0, 1):
            cells = [cell for cell in self.learnt if cell.label == label]
            places = rng.choice(len(cells), min(len(cells), number // 2), replace=False)
            chosen += [cells[place] for place in places]
        return chosen


def read_rehearsal(
    source: Path,
    patients: PatientSource,
    before: Mapping[str, Any] | None,
    progress: Callable[[int, int], None] | None = None,
    *,
    size: int,
) -> Rehearsal:
    """Read the cells and tell those that may be learnt from again from those that the network never saw.

    Args:
        source: folder or zip file of cells in Parasitized/ and Uninfected/.
        patients: what tells whose each cell is.
        before: which patients the network learnt from (`train.start_from.learnt_and_kept`); ``None`` if unknown.
        progress: called with (files done, files in all).
        size: side of the network's input, px.

    Raises:
        DataError: the cells cannot be read, or one of the two parts would lack a class.
    """
    data = load_dataset(source, patients, progress, size=size)
    parts = _parts(sorted({sample.patient for sample in data.samples}), before)
    known = parts is not None
    if parts is None:
        names = sorted({sample.patient for sample in data.samples})
        parts = dict(zip(names, ("train", "test") * len(names), strict=False))
    learnt, judged = (
        tuple(sample for sample in data.samples if parts.get(sample.patient) == part)
        for part in ("train", "test")
    )
    for cells, lack in ((learnt, TrainCode.REHEARSED_OF_ONE_CLASS), (judged, TrainCode.JUDGED_OF_ONE_CLASS)):
        if {cell.label for cell in cells} != {0, 1}:
            raise DataError(lack, path=source)
    return Rehearsal(learnt, judged, data.fingerprint, known)


def _parts(names: list[str], before: Mapping[str, Any] | None) -> dict[str, str] | None:
    """The part of each patient in the earlier training; None where these are not its patients."""
    if before is None:
        return None
    part_of = {patient: part for part, found in before["split"].items() for patient in found}
    fingerprint = before["fingerprint"]
    found = {
        name: part_of[key]
        for name in names
        if (key := patient_token(name, fingerprint) if fingerprint else name) in part_of
    }
    return found if {"train", "test"} <= set(found.values()) else None
