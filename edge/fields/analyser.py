"""A whole field: its cells found and checked, then cut out and classified in batches.

Files, server and live count share these steps. A live count classifies only the cells that no earlier field had
counted: a stage that moves by a third of a field costs a third of the inference.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Protocol

import cv2
import numpy as np

from edge.cells.red_cell_check import is_single_cell
from edge.errors import ImageError
from edge.fields.border import picture_within_border
from edge.fields.empty import seen_small_if_empty
from edge.fields.quality import QualityReport, judge_quality
from edge.inference.classifier import Classifier
from edge.inference.levelling import typical_logit
from edge.inference.preprocessing import MIN_CELL_SIDE, network_input
from edge.inference.second_look import in_doubt, look_again
from edge.inference.verdicts import doubtful, judge
from edge.messages.codes import Code
from edge.messages.message import Message
from edge.segmentation.finder import CellFinder
from edge.segmentation.outlines import CellKind, FoundCell
from edge.types import Label, Rgb

_LOG = logging.getLogger("plasmolite.fields")

CELLS_THAT_TELL = 120
"""Of a slide that is counted live, the latest cells say what is typical of it: about as many as a field has."""
SMOOTHING = 0.008
"""Standard deviation of what smooths a grainy field, in cell widths. Under a moving stage over fields of BBBC041 it
calls 23 of 24 infected cells under noise of 3 grey levels (22 without it) and 22 under noise of 7 (21); in 19 fields of
MP-IDB, grainy as they were taken, 157 of 211 (155), with 8 of 2,133 uninfected ones (8)."""
# A picture narrower than this holds no field, px.
SMALLEST_FIELD = 64


class ClassifiedCell(NamedTuple):
    """One red cell of a field and what the network says of it.

    Attributes:
        cell: where it is and what it looks like.
        probability: of *Parasitized*, 0 to 1, levelled by the field's typical cell where the model says so.
        label: its verdict.
        doubtful: whether a person should look at it, for its probability is near the threshold.
    """

    cell: FoundCell
    probability: float
    label: Label
    doubtful: bool

    @property
    def counted(self) -> bool:
        """Whether it is one whole red cell; cells cut by the border and clumps are not counted."""
        return self.cell.counted

    def to_json(self) -> dict[str, Any]:
        """The cell as an object of the field's `cells`."""
        return {
            "box": list(self.cell.box),
            "probability": round(self.probability, 6),
            "label": self.label,
            "counted": self.counted,
        }


class FoundField(NamedTuple):
    """What was found in a field.

    Attributes:
        width: of the field, px.
        height: of the field, px.
        cells: what was found: red and white cells and fragments, all but those too small to be seen into.
        quality: its checks.
        cell_width: px, of a typical red cell; give it with the next field of the same camera to save time.
        background: colour of the glass, R, G, B in 0..255.
    """

    width: int
    height: int
    cells: tuple[FoundCell, ...]
    quality: QualityReport
    cell_width: float
    background: tuple[int, int, int]


class FieldResult(NamedTuple):
    """A field after classification.

    Attributes:
        name: of the picture.
        found: its cells and checks.
        cells: its red cells, classified, those that are not counted included; none of a refused field.
    """

    name: str
    found: FoundField
    cells: tuple[ClassifiedCell, ...]

    @property
    def refused(self) -> Message | None:
        """Why the field is not counted; None where it is."""
        return self.found.quality.refused

    @property
    def white_cells(self) -> tuple[FoundCell, ...]:
        """The white cells that were seen."""
        return tuple(cell for cell in self.found.cells if cell.kind == CellKind.WHITE)

    @property
    def cell_count(self) -> int:
        """Number of counted red cells."""
        return sum(cell.counted for cell in self.cells)

    @property
    def parasitized_count(self) -> int:
        """Number of counted red cells that are called parasitised."""
        return sum(cell.counted and cell.label == Label.PARASITIZED for cell in self.cells)

    def to_json(self) -> dict[str, Any]:
        """The field as one JSON object."""
        return {
            "image": self.name,
            "width": self.found.width,
            "height": self.found.height,
            **refusal_to_json(self.refused),
            "quality": self.found.quality.to_json(),
            "cells": [cell.to_json() for cell in self.cells],
            "cell_count": self.cell_count,
            "parasitized_count": self.parasitized_count,
            "white_cell_count": len(self.white_cells),
        }


class FieldReader(Protocol):
    """Finds the cells of fields and classifies them: what a live count needs of a `FieldAnalyser`."""

    def find(self, rgb: Rgb, cell_width: float | None = None) -> FoundField:
        """Find the cells of a field and check it."""
        ...

    def classify(
        self, rgb: Rgb, cells: Sequence[FoundCell], *, typical: bool = True, grainy: bool = False
    ) -> list[ClassifiedCell]:
        """Classify cells that were found in a field."""
        ...


class FieldAnalyser:
    """Analyses fields with one classifier and one threshold.

    Args:
        classifier: classifies the cells.
        threshold: probability from which on a cell is parasitised; by default the model's own for fields.
        cell_width: px, of a typical red cell, where known; else found in every field.
        finder: finds the cells; by default the shipped one.
        one_slide: all fields are of one slide, of which each may have but a few cells that are new: the latest
            `CELLS_THAT_TELL` cells say what is typical of it.

    Raises:
        ModelFileError: the model states no threshold for fields, or the finder's model is damaged.
    """

    def __init__(
        self,
        classifier: Classifier,
        threshold: float | None = None,
        *,
        cell_width: float | None = None,
        finder: CellFinder | None = None,
        one_slide: bool = False,
    ) -> None:
        self._classifier = classifier
        self.threshold = (
            classifier.model.operating_point("field").threshold if threshold is None else threshold
        )
        self._cell_width = cell_width
        self._finder = finder or CellFinder()
        self._one_slide = one_slide
        self._latest = np.empty(0, np.float32)

    @property
    def threads(self) -> int:
        """Of one inference, and how many fields are analysed at once where there are several."""
        return self._classifier.threads

    def workers(self, count: int, *, sparing: bool = False) -> list[FieldAnalyser]:
        """Analysers alike that work side by side, of one thread each.

        Where there are fields enough, they analyse more of them a second than one analyser of several threads:
        much of a field's work cannot be shared among threads. Sparing ones keep less memory from field to field.
        """
        return [
            FieldAnalyser(
                classifier,
                self.threshold,
                cell_width=self._cell_width,
                finder=self._finder.worker(sparing=sparing),
            )
            for classifier in self._classifier.workers(count)
        ]

    def give_up_buffers(self) -> None:
        """Let go of what is kept for the next field; to be called where memory is short."""
        self._finder.give_up_buffers()

    def find(self, rgb: Rgb, cell_width: float | None = None) -> FoundField:
        """Find the cells of a field and check it.

        Args:
            rgb: uint8 (h, w, 3).
            cell_width: px, of a typical red cell of this field; overrides the analyser's.

        Returns:
            The cells, also those of a field that is refused.

        Raises:
            ImageError: the picture is too small to be a field.
        """
        height, width = rgb.shape[:2]
        if min(height, width) < SMALLEST_FIELD:
            raise ImageError(Code.FIELD_TOO_SMALL, width=width, height=height, least=SMALLEST_FIELD)
        empty = seen_small_if_empty(rgb)
        if empty is not None:
            found = self._finder.find(empty, cell_width or self._cell_width)
            # Refused as every empty field is; what it was looked at for is not outlined.
            quality = judge_quality(empty, found)
            return FoundField(width, height, (), quality, found.cell_width, found.background.colour)
        x, y, within, down = picture_within_border(rgb)
        rgb = rgb[y : y + down, x : x + within]
        found = self._finder.find(rgb, cell_width or self._cell_width)
        return FoundField(
            width=width,
            height=height,
            cells=tuple(cell.moved(x, y) for cell in found.cells if min(cell.box[2:]) >= MIN_CELL_SIDE),
            quality=judge_quality(rgb, found),
            cell_width=found.cell_width,
            background=found.background.colour,
        )

    def classify(
        self, rgb: Rgb, cells: Sequence[FoundCell], *, typical: bool = True, grainy: bool = False
    ) -> list[ClassifiedCell]:
        """Classify cells that were found in a field.

        Args:
            rgb: the field, uint8 (h, w, 3).
            cells: some of its cells, each at least `MIN_CELL_SIDE` px wide and high.
            typical: whether the field says what is typical of its slide; a blurred one does not.
            grainy: whether noise shows in it: then it is smoothed a little.

        Returns:
            One verdict for each, in their order.
        """
        if not cells:
            return []
        inputs = cut_cells(smoothed(rgb, cells) if grainy else rgb, cells, self._classifier.input_size)
        scores, parent = self._classifier.beside_parent(inputs)
        telling = parent[[cell.counted for cell in cells]]
        if self._one_slide:
            telling = np.concatenate((self._latest, telling))[-CELLS_THAT_TELL:]
            self._latest = telling if typical else self._latest
        bulk = typical_logit(telling)
        model = self._classifier.model
        levelled = look_again(
            self._classifier.probabilities,
            inputs,
            scores,
            levelling=model.levelling,
            typical=bulk,
            doubt=in_doubt(model.second_look, self.threshold),
        )
        return [
            ClassifiedCell(cell, value, judge(value, self.threshold).label, doubtful(value, self.threshold))
            for cell, value in zip(cells, map(float, levelled), strict=True)
        ]

    def analyse(self, rgb: Rgb, name: str, cell_width: float | None = None) -> FieldResult:
        """Find and classify the cells of a field.

        Args:
            rgb: uint8 (h, w, 3).
            name: of the picture, for the result.
            cell_width: px, of a typical red cell of this field; overrides the analyser's.

        Returns:
            The result; a refused field's cells are not classified.

        Raises:
            ImageError: the picture is too small to be a field, or shows one cell.
        """
        begun = time.perf_counter()
        if is_single_cell(rgb):
            raise ImageError(Code.FIELD_IS_A_CELL)
        found = self.find(rgb, cell_width)
        _LOG.debug(
            "%s: %d cells found and checked in %.2f s; failed checks: %s",
            name,
            len(found.cells),
            time.perf_counter() - begun,
            ", ".join(check.name for check in found.quality.checks if not check.passed) or "none",
        )
        red = [] if found.quality.refused is not None else red_cells(found.cells)
        return FieldResult(name, found, tuple(self.classify(rgb, red, grainy=found.quality.grainy)))


def refusal_to_json(refused: Message | None) -> dict[str, Any]:
    """Say in a field's JSON object why it is not counted: the sentence, and the code with its values."""
    return {"refused": None} if refused is None else {"refused": str(refused), **refused.to_json()}


def smoothed(rgb: Rgb, cells: Sequence[FoundCell]) -> Rgb:
    """A field without its finest grain, that a parasite does not need; uint8 (h, w, 3)."""
    width = float(np.median([cell.box[2] for cell in cells]))
    return np.asarray(cv2.GaussianBlur(rgb, (0, 0), SMOOTHING * width), np.uint8)


def red_cells(cells: Iterable[FoundCell]) -> list[FoundCell]:
    """Those that the network classifies: red cells, counted or not."""
    return [cell for cell in cells if cell.kind == CellKind.RED]


def cut_cells(rgb: Rgb, cells: Sequence[FoundCell], size: int) -> Rgb:
    """Cut found cells out of their field as the network wants them, uint8 (n, size, size, 3)."""
    inputs = np.empty((len(cells), size, size, 3), np.uint8)
    for row, cell in zip(inputs, cells, strict=True):
        row[:] = cut_cell(rgb, cell, size)
    return inputs


def cut_cell(rgb: Rgb, cell: FoundCell, size: int) -> Rgb:
    """Cut a found cell out of its field as the network wants it, uint8 (size, size, 3)."""
    x, y, w, h = cell.box
    return network_input(rgb[y : y + h, x : x + w], cell.mask, size=size)
