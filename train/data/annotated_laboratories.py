"""Infected and uninfected cells of other laboratories, cut from fields in which somebody marked the parasites.

Three layouts are read; what a folder holds tells which:

- ``masks/`` beside ``images/``: one 0/255 mask a field, a blob a parasite, and ``patients.csv`` (image, patient).
- ``parasite_boxes.csv`` (image, smear, x, y, w, h, px) beside ``images/``: a box a parasite. ``restored_strips/`` marks
  pixels that are not real, and no cell that has any is learnt from; the parasites are lifted from the crops in
  ``parasites/`` and laid on other cells (:mod:`train.augmentation.grafting`).
- pictures alone: each shows one infected cell with its surroundings.

Cells are found and cut by the device's own finder.
"""

import hashlib
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.cells.isolation import isolate
from edge.cells.tables import named_rows, numbers_of
from edge.images.files import IMAGE_SUFFIXES, read_image
from edge.messages.train_codes import TrainCode
from edge.segmentation.finder import CellFinder
from edge.segmentation.outlines import CellKind
from edge.types import Box
from train.augmentation.grafting import lift_from_crop
from train.data.dataset import DataError, Sample, cut_out
from train.data.parasite_marks import INFECTED, UNINFECTED, Labeller, by_boxes, by_mask

_SMALLEST_SIDE = 12


class LabelledField(NamedTuple):
    """One field: its picture, whose it is (patient or smear), and the function that labels its found cells."""

    name: str
    group: str
    rgb: NDArray[np.uint8]
    label: Labeller


class Laboratory(NamedTuple):
    """What is learnt from one laboratory; samples carry ``laboratory/group`` as their patient."""

    name: str
    infected: tuple[Sample, ...]
    uninfected: tuple[Sample, ...]
    parasites: tuple[NDArray[np.float32], ...]
    """Optical densities to graft, as :func:`train.augmentation.grafting.lift_parasite` gives them."""
    fingerprint: str
    """SHA-256 over names, labels and pixels of the cells, and the parasites."""


def read_laboratory(
    folder: Path, left_out: frozenset[str] = frozenset(), *, size: int, every: int = 1
) -> Laboratory:
    """Read what can be learnt from one laboratory.

    Args:
        folder: in one of the three layouts.
        left_out: patients or smears, ``laboratory/group``, that are kept for a test.
        size: side of the network's input, px.
        every: take one of so many marked fields.

    Raises:
        DataError: the folder is missing or has neither pictures nor fields.
        TableError: its table cannot be read.
        ImageError: a picture cannot be read.
    """
    if not folder.is_dir():
        raise DataError(TrainCode.NO_LABORATORY, folder=folder)
    samples: list[Sample] = []
    parasites: list[NDArray[np.float32]] = []
    finder = CellFinder()
    if (folder / "images").is_dir():
        clean = not (folder / "restored_strips").is_dir()
        for field in read_labelled_fields(folder)[::every]:
            if f"{folder.name}/{field.group}" not in left_out:
                samples += _cells_of(finder, field, folder.name, learn_infected=clean, size=size)
        for path in _pictures(folder / "parasites"):
            smear = path.stem.split("_")[1].split("-")[0] if "_" in path.stem else ""
            lifted = lift_from_crop(read_image(path)) if f"{folder.name}/{smear}" not in left_out else None
            if lifted is not None:
                parasites.append(lifted)
    else:
        samples = [
            cell for path in _pictures(folder) if (cell := _alone(path, folder.name, size)) is not None
        ]
    if not samples:
        raise DataError(TrainCode.LABORATORY_EMPTY, folder=folder)
    digest = hashlib.sha256()
    for sample in samples:
        digest.update(
            f"{sample.name}\t{sample.label}\t{sample.image.shape}\n".encode() + sample.image.tobytes()
        )
    for parasite in parasites:
        digest.update(parasite.tobytes())
    infected, uninfected = (
        tuple(one for one in samples if one.label == label) for label in (INFECTED, UNINFECTED)
    )
    return Laboratory(folder.name, infected, uninfected, tuple(parasites), digest.hexdigest())


def read_labelled_fields(folder: Path) -> list[LabelledField]:
    """Read the fields of a laboratory with the rule by which each one's found cells are labelled.

    Raises:
        DataError: nothing says where the parasites are.
        TableError: its table cannot be read.
    """
    if (folder / "masks").is_dir():
        return [
            LabelledField(
                row["image"],
                row["patient"],
                read_image(folder / "images" / row["image"]),
                by_mask(_mask(folder / "masks" / f"{Path(row['image']).stem}.png")),
            )
            for row in named_rows(folder / "patients.csv", ("image", "patient"))
        ]
    if (folder / "parasite_boxes.csv").is_file():
        boxes: dict[str, list[Box]] = defaultdict(list)
        smears = {}
        table = folder / "parasite_boxes.csv"
        for row in named_rows(table, ("image", "smear", *"xywh")):
            x, y, w, h = map(round, numbers_of(table, row, "xywh"))
            boxes[row["image"]].append((x, y, w, h))
            smears[row["image"]] = row["smear"]
        fields = []
        for path in _pictures(folder / "images"):
            rgb = read_image(path)
            strips = _mask(folder / "restored_strips" / f"{path.stem}.png", rgb.shape[:2])
            group = smears.get(path.name, path.stem.split("-")[0])
            fields.append(LabelledField(path.name, group, rgb, by_boxes(boxes[path.name], strips)))
        return fields
    raise DataError(TrainCode.LABORATORY_WITHOUT_MARKS, folder=folder)


def _cells_of(
    finder: CellFinder, field: LabelledField, laboratory: str, *, learn_infected: bool, size: int
) -> list[Sample]:
    cells = finder.find(field.rgb).cells
    red = [cell for cell in cells if cell.kind == CellKind.RED and min(cell.box[2:]) >= _SMALLEST_SIDE]
    samples = []
    for number, (cell, label) in enumerate(zip(red, field.label(red), strict=True)):
        if cell.counted and (label == UNINFECTED or (label == INFECTED and learn_infected)):
            x, y, w, h = cell.box
            cut = cut_out(field.rgb[y : y + h, x : x + w], cell.mask, size)
            name = f"{laboratory}/{field.name}#{number}"
            samples.append(
                Sample(name, label, f"{laboratory}/{field.group}", cut.image, cut.mask, cut.halved_input)
            )
    return samples


def _alone(path: Path, laboratory: str, size: int) -> Sample | None:
    """The infected cell in the middle of its picture; None where none stands out."""
    rgb = read_image(path)
    mask = isolate(rgb)
    if mask is None or min(cv2.boundingRect(mask)[2:]) < _SMALLEST_SIDE:
        return None
    cut = cut_out(rgb, mask, size)
    patient = f"{laboratory}/{path.stem.split('_')[0]}"
    return Sample(f"{laboratory}/{path.name}", INFECTED, patient, cut.image, cut.mask, cut.halved_input)


def _pictures(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)


def _mask(path: Path, shape: tuple[int, int] | None = None) -> NDArray[np.bool_]:
    """A 0/255 mask as bool (h, w); all False of a shape where there is no file and a shape is given."""
    mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if mask is None:
        if shape is None:
            raise DataError(TrainCode.NO_MASK, path=path)
        return np.zeros(shape, np.bool_)
    return np.asarray(mask > 127, np.bool_)
