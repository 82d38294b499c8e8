"""What a model says of a laboratory: whole fields found, cut and judged by the product.

A laboratory is a folder of fields in which somebody marked the parasites, in one of the layouts of
:mod:`train.data.annotated_laboratories`, or with ``boxes.csv`` of all cells (BBBC041).
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.fields.analyser import ClassifiedCell, FieldAnalyser
from edge.images.files import IMAGE_SUFFIXES, read_image
from train.data.annotated_laboratories import LabelledField, read_labelled_fields
from train.data.field_annotations import (
    RED_LABEL,
    WHITE_LABEL,
    LabelledBox,
    annotated_boxes,
    is_whole,
    match_by_overlap,
)
from train.data.parasite_marks import INFECTED, LEFT_OUT, UNINFECTED, Labeller, MarkableCell
from train.evaluation.metrics import Judged

Look = Callable[[LabelledField, ClassifiedCell, int], None]
"""Sees a judged cell, with the field that it is in and its true label."""


class LaboratoryCells(NamedTuple):
    """What a model says of one laboratory's fields.

    Attributes:
        judged: counted cells whose truth is known, with the patient or smear of each.
        fields: number of fields.
        refused: how many of them were refused, by the first check that failed.
    """

    judged: Judged
    fields: int
    refused: dict[str, int]


def judge_laboratory(
    folder: Path, analyser: FieldAnalyser, *, uninfected: bool = False, look: Look | None = None
) -> LaboratoryCells:
    """Judge all fields of one laboratory.

    Args:
        folder: with ``images/`` and marks beside it; or pictures at any depth, where none is infected.
        analyser: finds, cuts and judges.
        uninfected: nobody whose blood it is had malaria: there are no marks.
        look: called with each cell whose truth is known, its field and its label.

    Raises:
        PlasmoliteError: the folder cannot be read.
    """
    labels: list[int] = []
    probabilities: list[float] = []
    groups: list[str] = []
    refused: dict[str, int] = {}
    fields = _uninfected_fields(folder) if uninfected else labelled_fields_of(folder)
    for field in fields:
        result = analyser.analyse(field.rgb, field.name)
        if result.refused is not None:
            reason = next(check.name for check in result.found.quality.checks if not check.passed)
            refused[reason] = refused.get(reason, 0) + 1
            continue
        for cell, label in zip(result.cells, field.label([one.cell for one in result.cells]), strict=True):
            if cell.counted and label != LEFT_OUT:
                labels.append(label)
                probabilities.append(cell.probability)
                groups.append(field.group)
                if look is not None:
                    look(field, cell, label)
    judged = Judged(np.array(labels, np.int64), np.array(probabilities, np.float64), np.array(groups, str))
    return LaboratoryCells(judged, len(fields), refused)


def _uninfected_fields(folder: Path) -> list[LabelledField]:
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES)
    return [
        LabelledField(path.name, path.name, read_image(path), lambda cells: [UNINFECTED] * len(cells))
        for path in paths
    ]


def labelled_fields_of(folder: Path) -> list[LabelledField]:
    """Read the fields of a laboratory, in whichever layout, with the rule by which each one's cells are labelled.

    Raises:
        PlasmoliteError: the folder cannot be read, or nothing says where the parasites are.
    """
    if not (folder / "boxes.csv").is_file():
        return read_labelled_fields(folder)
    boxes = annotated_boxes(folder)
    fields = []
    for name in sorted(boxes):
        rgb = read_image(folder / "images" / name)
        fields.append(LabelledField(name, name, rgb, by_cell_boxes(boxes[name], rgb)))
    return fields


def by_cell_boxes(boxes: Sequence[LabelledBox], rgb: NDArray[np.uint8]) -> Labeller:
    """Label found cells by the annotated box of each whole one; in doubt: those that match none, or a hard one."""
    height, width = rgb.shape[:2]
    whole = [one for one in boxes if one.label != WHITE_LABEL and is_whole(one.box, width, height)]

    def label(cells: Sequence[MarkableCell]) -> list[int]:
        labels = [LEFT_OUT] * len(cells)
        counted = [place for place, cell in enumerate(cells) if cell.counted]
        pairs = match_by_overlap([one.box for one in whole], [cells[place].box for place in counted])
        for row, column in pairs:
            if whole[row].infected or whole[row].label == RED_LABEL:
                labels[counted[column]] = INFECTED if whole[row].infected else UNINFECTED
        return labels

    return label
