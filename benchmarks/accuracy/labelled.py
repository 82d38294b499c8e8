"""Cells with known labels, to measure accuracy on: single cells in folders, and cells cut from fields."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.heldout import choose_held_out
from benchmarks.harness.measurement import BenchmarkError
from benchmarks.harness.settings import BenchSettings
from benchmarks.harness.timing import ProgressCallback
from edge.cells.isolation import isolate
from edge.cells.tables import match_rows, read_patient_rows
from edge.errors import ImageError
from edge.images.files import IMAGE_SUFFIXES, read_image
from edge.images.inputs import list_inputs
from edge.inference.model_file import ModelFile
from edge.messages.annotation_codes import AnnotationCode
from edge.messages.bench_codes import BenchCode
from edge.messages.message import Message
from edge.messages.train_codes import TrainCode
from edge.segmentation.finder import CellFinder
from train.data.field_annotations import RED_LABEL, annotated_boxes, annotated_mask
from train.data.patients import label_number, patient_from_name, read_corrections


class LabelledCell(NamedTuple):
    """One cell to be judged.

    Attributes:
        name: of the file or of the field and the box.
        label: 1 parasitised, 0 uninfected.
        patient: whose it is, or of which field: cells of one are alike.
        disputed: whether another reading disputes the label.
        rgb: uint8, (h, w, 3).
        mask: uint8, (h, w), 255 on the cell.
    """

    name: str
    label: int
    patient: str
    disputed: bool
    rgb: NDArray[np.uint8]
    mask: NDArray[np.uint8]


def read_labelled_cells(
    folder: Path,
    *,
    patients: Path | None = None,
    corrections: Path | None = None,
    keeps: Callable[[str], bool] = lambda _: True,
    most: int | None = None,
    report: ProgressCallback | None = None,
) -> tuple[list[LabelledCell], list[Message]]:
    """Read single cells from folders named after their class, isolated as ``classify`` does it.

    Args:
        folder: with ``Parasitized/`` and ``Uninfected/`` somewhere inside.
        patients: CSV file of patients; otherwise the file names tell.
        corrections: CSV file of disputed labels.
        keeps: tells whether cells of a patient are read.
        most: no more cells than this, spread evenly.
        report: told of the progress.

    Returns:
        The cells, and a sentence for each that cannot be judged.

    Raises:
        BenchmarkError: there are none, or of one class only.
        PlasmoliteError: a table cannot be read.
    """
    paths = [file.source for file in list_inputs([folder]).files if isinstance(file.source, Path)]
    files = [path.relative_to(folder).as_posix() for path in paths]
    rows = match_rows(patients, read_patient_rows(patients), files) if patients else {}
    owner = {folder / file: row.value for file, row in rows.items()}
    disputed = {folder / file for file in read_corrections(corrections, files)} if corrections else set()
    listed: list[tuple[Path, int, str]] = []
    for path in paths:
        numbers = (label_number(part) for part in reversed(path.parent.parts))
        label = next((number for number in numbers if number is not None), None)
        patient = owner.get(path) or patient_from_name(path.stem)
        if label is not None and keeps(patient):
            listed.append((path, label, patient))
    if most is not None and len(listed) > most:
        listed = [listed[i] for i in np.linspace(0, len(listed) - 1, most).round().astype(int)]
    if len({label for _, label, _ in listed}) < 2:
        raise BenchmarkError(BenchCode.CELLS_OF_ONE_CLASS, folder=folder, cells=len(listed))
    cells: list[LabelledCell] = []
    refused: list[Message] = []
    for done, (path, label, patient) in enumerate(listed):
        if report and done % 50 == 0:
            report(Message(BenchCode.READING_CELLS), done / len(listed))
        try:
            rgb = read_image(path)
        except ImageError as error:
            refused.append(Message(AnnotationCode.FILE, path=path.name, reason=error.message))
            continue
        mask = isolate(rgb)
        if mask is None:
            reason = Message(TrainCode.NO_SINGLE_CELL)
            refused.append(Message(AnnotationCode.FILE, path=path.name, reason=reason))
            continue
        cells.append(LabelledCell(path.stem, label, patient, path in disputed, rgb, mask))
    return cells, refused


def read_held_out_cells(
    folder: Path, settings: BenchSettings, models: list[ModelFile], report: ProgressCallback
) -> tuple[list[LabelledCell], list[Message], Message]:
    """Read the labelled cells of patients that no model learnt from, with a sentence that says which these are."""
    held_out = choose_held_out(settings.split, models)
    cells, refused = read_labelled_cells(
        folder,
        patients=settings.patients,
        corrections=settings.corrections,
        keeps=held_out.keeps,
        most=settings.most_cells,
        report=report,
    )
    return cells, refused, held_out.sentence


def read_boxed_cells(folder: Path, report: ProgressCallback | None = None) -> list[LabelledCell]:
    """Cut the labelled cells out of annotated fields, by box and mask.

    Args:
        folder: with ``boxes.csv`` (image, label, x, y, w, h), ``images/`` and ``masks/`` (PNG, 255 on cells). In each
            box the largest piece of the mask is the cell; boxes of other things than red cells are left out.
        report: told of the progress.

    Raises:
        BenchmarkError: the folder is not like that.
        ImageError: a picture cannot be read.
    """
    marked = annotated_boxes(folder)
    cells: list[LabelledCell] = []
    for done, (name, boxes) in enumerate(marked.items()):
        if report:
            report(Message(BenchCode.CUTTING_FIELDS), done / len(marked))
        rgb = read_image(folder / "images" / name)
        whole = annotated_mask(folder, name)
        for number, box in enumerate(boxes):
            if not box.infected and box.label != RED_LABEL:
                continue
            x, y, width, height = (int(value) for value in box.box)
            mask = largest_piece(whole[max(0, y) : y + height, max(0, x) : x + width])
            if mask is not None:
                picture = rgb[max(0, y) : y + height, max(0, x) : x + width]
                cells.append(LabelledCell(f"{name} {number}", int(box.infected), name, False, picture, mask))
    if len({cell.label for cell in cells}) < 2:
        raise BenchmarkError(BenchCode.BOXES_OF_ONE_CLASS, folder=folder)
    return cells


def read_found_cells(folder: Path, report: ProgressCallback | None = None) -> list[LabelledCell]:
    """Find the cells of uninfected fields with our own cell finder: all that would be counted.

    Raises:
        BenchmarkError: the folder has no pictures, or no cell was found in any.
        ImageError: a picture cannot be read.
    """
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES)
    finder = CellFinder()
    cells = [
        cell
        for number, path in enumerate(paths)
        for cell in _found_in(finder, path, report, number / len(paths))
    ]
    if not cells:
        raise BenchmarkError(TrainCode.NO_RED_CELL, folders=str(folder))
    return cells


def _found_in(
    finder: CellFinder, path: Path, report: ProgressCallback | None, done: float
) -> Iterator[LabelledCell]:
    if report:
        report(Message(BenchCode.FINDING_UNINFECTED), done)
    rgb = read_image(path)
    for number, cell in enumerate(finder.find(rgb).cells):
        if cell.counted:
            x, y, width, height = cell.box
            picture = rgb[y : y + height, x : x + width]
            yield LabelledCell(f"{path.name} {number}", 0, path.name, False, picture, cell.mask)


def largest_piece(mask: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """The largest connected piece of a mask, 0/255; None where it is under 8 px wide."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((mask > 127).astype(np.uint8), connectivity=4)
    if count < 2:
        return None
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    if min(stats[largest, cv2.CC_STAT_WIDTH], stats[largest, cv2.CC_STAT_HEIGHT]) < 8:
        return None
    return (labels == largest).astype(np.uint8) * 255
