"""Splits cells into train, validation and test by patient, so that no patient stands on two sides."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from edge.errors import PlasmoliteError
from edge.inference.verdicts import LABELS
from edge.messages.message import reason_of
from edge.messages.train_codes import TrainCode
from train.data.dataset import DataSet
from train.data.patients import describe_patients

PARTS = ("train", "validation", "test")
_VALIDATION_FOLDS = 6  # a sixth of the patients who are not in the test


class SplitError(PlasmoliteError):
    """A split cannot be made or reused: too few patients, or the file is of other data."""


class Split(NamedTuple):
    """Indices into a data set's samples, int64, sorted."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]


def split_by_patient(data: DataSet, seed: int, *, fold: int, folds: int) -> Split:
    """Split by patient, both classes in like proportion on each side.

    Args:
        data: the data set.
        seed: the same seed on the same data gives the same split.
        fold: which of the folds is the test set, from 0.
        folds: how many folds the patients are dealt into for the test set.

    Raises:
        SplitError: there are too few patients, or too few with both classes.
    """
    labels = data.labels()
    patients = np.array([sample.patient for sample in data.samples])
    if len(set(patients)) < folds + _VALIDATION_FOLDS:
        raise SplitError(
            TrainCode.TOO_FEW_PATIENTS,
            count=len(set(patients)),
            patients=describe_patients(patients, data.patients_by),
            folds=folds,
            least=folds + _VALIDATION_FOLDS,
        )
    rest, test = _deal(labels, patients, folds, seed, fold)
    train, validation = _deal(labels[rest], patients[rest], _VALIDATION_FOLDS, seed, 0)
    return with_both_classes(Split(rest[train], rest[validation], test), labels)


def write_split(path: Path, data: DataSet, split: Split) -> None:
    """Write the split as JSON: for each part its patients, and the data's fingerprint."""
    parts = {
        part: sorted({data.samples[i].patient for i in indices})
        for part, indices in zip(PARTS, split, strict=True)
    }
    path.write_text(json.dumps({"data": data.fingerprint, "patients": parts}, indent=1) + "\n", "utf-8")


def read_split(path: Path, data: DataSet) -> Split:
    """Read a split back and lay it on a data set.

    Raises:
        SplitError: the file is no split, patients of the data stand in no part of it, or a part lacks one of
            the classes.
    """
    try:
        parts = json.loads(path.read_text("utf-8"))["patients"]
        part_of = {patient: part for part in PARTS for patient in parts[part]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SplitError(TrainCode.NO_SPLIT, path=path, reason=reason_of(error)) from error
    unknown = sorted({sample.patient for sample in data.samples} - set(part_of))
    if unknown:
        raise SplitError(TrainCode.OTHER_SPLIT, path=path, count=len(unknown), first=unknown[0])
    of_sample = np.array([part_of[sample.patient] for sample in data.samples])
    split = Split(*(np.flatnonzero(of_sample == part) for part in PARTS))
    return with_both_classes(split, data.labels())


def is_split_of(path: Path, data: DataSet) -> bool:
    """Tell whether a split was made of these very cells, labels and patients."""
    try:
        return bool(json.loads(path.read_text("utf-8"))["data"] == data.fingerprint)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def with_both_classes(split: Split, labels: NDArray[np.int64]) -> Split:
    """Return a split after making sure that each of its parts has cells of both classes.

    Raises:
        SplitError: one has not.
    """
    for part, indices in zip(PARTS, split, strict=True):
        if len(set(labels[indices].tolist())) < len(LABELS):
            raise SplitError(TrainCode.PART_OF_ONE_CLASS, part=part)
    return split


def _deal(
    labels: NDArray[np.int64], patients: NDArray[np.str_], folds: int, seed: int, fold: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    dealer = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    rest, held_out = list(dealer.split(labels, labels, patients))[fold]
    return rest, held_out
