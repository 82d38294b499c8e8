"""Everything that decides how a training comes out, in one immutable value that is written into the run."""

import json
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from edge.errors import PlasmoliteError
from edge.messages.message import Message, reason_of
from edge.messages.train_codes import TrainCode


class LabelPolicy(StrEnum):
    """What the network learns of cells whose label another reading disputes."""

    PUBLISHED = "published"
    """The published label."""
    CORRECTED = "corrected"
    """The label of the other reading."""
    SOFT = "soft"
    """Something between the two: nobody knows."""
    EXCLUDE = "exclude"
    """Nothing."""


class SplitBy(StrEnum):
    """What names the patient of a cell."""

    TABLE = "table"
    FOLDER = "folder"
    NAME = "name"


class InitialWeights(StrEnum):
    """Initial weights of MobileNetV2 that are no file."""

    IMAGENET = "imagenet"
    """Downloaded by Keras."""
    NONE = "none"
    """Random."""


class Variation(StrEnum):
    """A part of the variation of cells that a training can leave out, to measure what it brings."""

    MIXING = "mixing"
    """Of a cell's density over the colour channels: another dye, another hue."""
    GREY = "grey"
    """Cameras without colours."""
    CAMERA = "camera"
    """Defocus, motion, sharpening, noise and JPEG."""


_LISTS = ("uninfected_fields", "laboratories", "left_out", "without")
PATHS = (
    "data",
    "patients",
    "corrections",
    "uninfected_fields",
    "laboratories",
    "split",
    "weights",
    "rehearse",
    "rehearse_patients",
)
"""The settings that are paths."""


class SettingsError(PlasmoliteError):
    """The settings contradict each other, or those of the run folder that is to go on."""


LEAST_SHOWN = 3000
"""Cells that an epoch shows at least, unless told otherwise: few cells in as many epochs are too few steps to learn in.
Of 1,154 cells of 60 patients, six epochs of `nano` found 5 of 107 infected test cells at the threshold for fields when
each showed the training cells once."""


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """Settings of one training run."""

    data: str
    """Folder or zip file of labelled cells."""
    patients: str | None = None
    """CSV file of patients."""
    positive: str | None = None
    """What the folders of infected cells are called beside ``Parasitized``, parted by commas."""
    negative: str | None = None
    """What those of uninfected cells are called beside ``Uninfected``."""
    split_by: str | None = None
    """What tells the patients: ``table``, ``folder`` or ``name``; by default the table where there is one, else the
    file names."""
    corrections: str | None = None
    """CSV file of corrected labels."""
    label_policy: LabelPolicy = LabelPolicy.PUBLISHED
    """What the network learns of disputed cells."""
    disputed_target: float = 0.5
    """What the network should say of the published label of a disputed cell under the policy ``soft``, 0 to 1."""
    uninfected_fields: tuple[str, ...] = ()
    """Folders of fields of other laboratories' uninfected blood, whose cells are learnt from too."""
    laboratories: tuple[str, ...] = ()
    """Folders of other laboratories' fields with the parasites marked, or of their infected cells."""
    left_out: tuple[str, ...] = ()
    """Patients or smears of them, ``laboratory/patient``, that are kept for a test."""
    foreign_share: float = 0.8
    """Cells of other laboratories an epoch, as a share of the number of the others."""
    graft_share: float = 0.55
    """Share of them that are infected, most by the parasite of another cell."""
    split: str | None = None
    """A split file to reuse; otherwise one is made from the seed."""
    folds: int = 5
    """How many folds the patients are dealt into; one of them is the test set."""
    fold: int = 0
    """Which one, from 0."""
    by_cell: bool = False
    """Whether the split ignores patients, as many published figures do. Cells of one patient then stand on both
    sides and the figures leak: for comparison with such figures alone, never for a release."""
    weights: str = InitialWeights.IMAGENET.value
    """``imagenet``, ``none``, an ``.h5`` file without top, or a released ``.tflite`` model or the ``model.keras`` of a
    run to go on from."""
    rehearse: str | None = None
    """Folder or zip file of cells that the network has learnt from before, not to be forgotten."""
    rehearse_patients: str | None = None
    """CSV file of their patients."""
    rehearse_share: float = 1.0
    """Cells of it an epoch, for each cell of ``data`` that an epoch shows."""
    image_size: int = 96
    """Side of the network's square input in pixels, a multiple of 32."""
    alpha: float = 1.0
    """Width multiplier of MobileNetV2."""
    batch_size: int = 64
    epoch_share: float | None = None
    """Share of the labelled cells that an epoch shows, other ones each time; above 1 they are shown again, varied anew.
    None: all, and of fewer than `LEAST_SHOWN` as many times as it takes to show so many."""
    head_epochs: int = 1
    head_rate: float = 1e-3
    """Adam's rate in phase 1, in which the base is frozen."""
    tune_epochs: int = 8
    tune_rate: float = 3e-4
    """Adam's rate at the start of phase 2, falling to zero along a cosine."""
    averaging: float = 0.35
    """Share of phase 2 over which the moving average of the weights that is kept reaches back; 0 keeps the weights
    themselves."""
    tune_from: int = 0
    """The first of the base's layers that phase 2 trains; 0 trains all of it."""
    settle_epochs: int = 1
    """Epochs that end phase 2 with the weights rounded as int8 will round them; 0 leaves them as they are."""
    settle_rate: float = 1e-4
    label_smoothing: float = 0.02
    patience: int = 4
    """Epochs without a better validation loss after which a phase ends early."""
    augmentation: bool = True
    disturbances: bool = True
    """Whether the augmentation draws crenation, refractile specks and sharp pale centres."""
    without: tuple[Variation, ...] = ()
    """Parts of the augmentation that are left out, for an ablation."""
    seed: int = 0

    def share_shown(self, cells: int) -> float:
        """Share of so many labelled cells that an epoch shows."""
        return max(1.0, LEAST_SHOWN / cells) if self.epoch_share is None else self.epoch_share

    def located(self) -> "TrainingSettings":
        """Return the same settings with every path absolute, so that they mean the same from any folder."""
        places: dict[str, Any] = {}
        for name in PATHS:
            value = getattr(self, name)
            if isinstance(value, tuple):
                places[name] = tuple(str(Path(one).resolve()) for one in value)
            elif value is not None and not (name == "weights" and value in [*InitialWeights]):
                places[name] = str(Path(value).resolve())
        return replace(self, **places)

    def differences(self, others: "TrainingSettings") -> list[Message]:
        """Name the settings in which others differ, with both values; paths are compared as places."""
        mine, theirs = asdict(self.located()), asdict(others.located())
        return [
            Message(TrainCode.DIFFERS, name=name.replace("_", " "), there=str(value), here=str(theirs[name]))
            for name, value in mine.items()
            if value != theirs[name]
        ]

    def check(self) -> None:
        """Refuse settings that cannot work.

        Raises:
            SettingsError: with one sentence for each thing that is wrong.
        """
        wrong: list[Message] = []
        for name in PATHS:
            value = getattr(self, name)
            if value == "" or (isinstance(value, tuple) and "" in value):  # it would name the current folder
                wrong.append(Message(TrainCode.EMPTY_PATH, name=name.replace("_", " ")))
        if self.image_size % 32 or not 32 <= self.image_size <= 512:
            wrong.append(Message(TrainCode.IMAGE_SIZE, size=self.image_size))
        if self.label_policy not in [*LabelPolicy]:
            wrong.append(Message(TrainCode.LABEL_POLICY, policies=[*LabelPolicy]))
        if self.label_policy != LabelPolicy.PUBLISHED and self.corrections is None:
            wrong.append(Message(TrainCode.NO_CORRECTIONS, policy=self.label_policy))
        if self.split_by == SplitBy.TABLE and self.patients is None:
            wrong.append(Message(TrainCode.NO_TABLE_TO_SPLIT_BY))
        if self.split_by in {SplitBy.FOLDER, SplitBy.NAME} and self.patients is not None:
            wrong.append(Message(TrainCode.PATIENTS_TOLD_TWICE, path=self.patients, by=self.split_by))
        if self.weights not in [*InitialWeights] and not Path(self.weights).is_file():
            wrong.append(Message(TrainCode.NO_WEIGHTS, path=self.weights))
        if self.rehearse is not None and not self.weights.endswith((".tflite", ".keras")):
            wrong.append(Message(TrainCode.NOTHING_TO_REHEARSE))
        if not 0 <= self.fold < self.folds or self.folds < 2:
            wrong.append(Message(TrainCode.NO_FOLD, fold=self.fold, folds=self.folds))
        if self.batch_size < 1 or min(self.head_epochs, self.tune_epochs, self.settle_epochs) < 0:
            wrong.append(Message(TrainCode.NOT_POSITIVE))
        if wrong:
            raise SettingsError(Message.of_all(wrong))

    def write(self, path: Path) -> None:
        """Write the settings as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", "utf-8")

    @classmethod
    def read(cls, path: Path) -> "TrainingSettings":
        """Read the settings of a run folder.

        Raises:
            SettingsError: the file is missing or not one that this version wrote.
        """
        try:
            found = json.loads(path.read_text("utf-8"))
            return cls(**{**found, **{name: tuple(found.get(name, ())) for name in _LISTS}})
        except (OSError, ValueError, TypeError) as error:
            raise SettingsError(TrainCode.NO_SETTINGS, path=path, reason=reason_of(error)) from error
