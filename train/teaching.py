"""Lets finished models have a say in what a network should say of each picture: distillation.

A label says 0 or 1 however little of the parasite the drawn variation has left; a teacher, which sees that very
variation, says how much of it can still be seen (Hinton et al. 2015, "Distilling the knowledge in a neural network",
arXiv:1503.02531; teacher and student shown the same picture: Beyer et al. 2022, arXiv:2106.05237).
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.classifier import Classifier
from edge.modelfile import load_model
from train.dataset import DataSet
from train.patients import patient_token
from train.settings import SettingsError
from train.split import Split

_SUREST = 1e-6
"""Probabilities nearer to 0 or 1 count as this near in the mean of several teachers."""


class Teachers:
    """Finished models whose mean opinion takes the place of a share of each label."""

    def __init__(self, classifiers: Sequence[Classifier], share: float) -> None:
        """Let some models teach.

        Args:
            classifiers: of the models; calls of several threads wait for each other.
            share: of their opinion in what the network should say, 0 to 1; the rest is the label's.
        """
        self._classifiers = tuple(classifiers)
        self._share = share

    def aims(self, cells: Sequence[NDArray[np.uint8]], labels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Say what the network should say of some pictures.

        Args:
            cells: RGB, uint8, (h, w, 3) each, black outside the cell, just as the network is to see them.
            labels: what their labels say, float32, shape (n,), 0 to 1.

        Returns:
            float32, shape (n,), 0 to 1: the weighted mean of the label and of the sigmoid of the teachers' mean logit.
        """
        said = np.clip([one.classify(cells) for one in self._classifiers], _SUREST, 1 - _SUREST)
        logit = np.log(said / (1 - said)).mean(axis=0)
        opinion = 1 / (1 + np.exp(-logit))
        return np.asarray(self._share * opinion + (1 - self._share) * labels, np.float32)

    def describe(self) -> list[dict[str, object]]:
        """Name each teacher, for the record of the run: name, version, precision and hash."""
        return [
            {
                "name": one.model.name,
                "version": one.model.manifest["version"],
                "precision": one.model.manifest["precision"],
                "sha256": one.model.sha256,
            }
            for one in self._classifiers
        ]


def read_teachers(paths: Sequence[Path], share: float, data: DataSet, split: Split) -> Teachers:
    """Load the teachers of a run and make sure that none has learnt from the patients that it is measured on.

    That can be told where a teacher learnt from the same data, whose manifest then names the patients by the same
    tokens. Of one that learnt from other data only its user can know.

    Raises:
        SettingsError: a teacher has learnt from a patient of this run's validation or test part.
        ModelFileError: a file is missing or no model of this program.
    """
    held = {
        patient_token(data.samples[i].patient, data.fingerprint) for i in (*split.validation, *split.test)
    }
    classifiers = []
    for path in paths:
        model = load_model(path)
        learnt = model.manifest.get("data", {}).get("split", {}).get("train", ())
        seen = held.intersection(learnt)
        if seen:
            raise SettingsError(
                f"The teacher {path} has learnt from {len(seen)} patients whom this run would be validated or tested "
                "on. Give the run the teacher's own --seed, --folds and --fold, or its --split."
            )
        classifiers.append(Classifier(model, threads=1))
    return Teachers(classifiers, share)
