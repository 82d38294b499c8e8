"""A whole field judged: its cells found, cut, classified in batches, and its quality checked."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.errors import ImageError
from edge.fields.quality import QualityReport, judge_quality
from edge.inference.classifier import Classifier
from edge.inference.levelling import level, typical_logit
from edge.inference.preprocessing import MIN_CELL_SIDE, network_input
from edge.inference.verdicts import judge
from edge.messages.codes import Code
from edge.messages.message import Message
from edge.segmentation.finder import CellFinder, FieldCells, FoundCell
from edge.segmentation.outlines import CellKind
from edge.types import Label

_LOG = logging.getLogger("plasmolite.fields")

# A picture narrower than this holds no field, px.
SMALLEST_FIELD = 64


class JudgedCell(NamedTuple):
    """One red cell of a field and what the network says of it.

    Attributes:
        box: x, y, width, height in the field, px.
        centre: x, y of its centroid in the field, px.
        mask: uint8 (height, width), 255 on the cell.
        probability: of *Parasitized*, 0 to 1, levelled by the field's typical cell where the model says so.
        label: its verdict.
        counted: whether it is one whole red cell; cells cut by the border and clumps are not counted.
    """

    box: tuple[int, int, int, int]
    centre: tuple[float, float]
    mask: NDArray[np.uint8]
    probability: float
    label: Label
    counted: bool

    def to_json(self) -> dict[str, Any]:
        """The cell as an object of the field's ``cells``."""
        return {
            "box": list(self.box),
            "probability": round(self.probability, 6),
            "label": self.label,
            "counted": self.counted,
        }


class FieldResult(NamedTuple):
    """What a field holds.

    Attributes:
        name: of the picture.
        width: of the field, px.
        height: of the field, px.
        quality: its checks; a refused field has no cells and is not counted.
        cells: red cells, those that are not counted included.
        white_cells: boxes of the white cells.
        cell_width: px, of a typical red cell; hand it to the next field of the same camera to save time.
        background: colour of the glass, R, G, B in 0..255.
    """

    name: str
    width: int
    height: int
    quality: QualityReport
    cells: tuple[JudgedCell, ...]
    white_cells: tuple[tuple[int, int, int, int], ...]
    cell_width: float
    background: tuple[int, int, int]

    @property
    def refused(self) -> Message | None:
        """Why the field is not counted; None where it is."""
        return self.quality.refused

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
            "width": self.width,
            "height": self.height,
            **refusal_to_json(self.refused),
            "quality": self.quality.to_json(),
            "cells": [cell.to_json() for cell in self.cells],
            "cell_count": self.cell_count,
            "parasitized_count": self.parasitized_count,
            "white_cell_count": len(self.white_cells),
        }


class FieldAnalyser:
    """Judges fields with one classifier and one threshold.

    Args:
        classifier: judges the cells.
        threshold: probability from which on a cell is parasitised; by default the model's own for fields.
        cell_width: px, of a typical red cell, where known; else found in every field.
        finder: finds the cells; by default the shipped one.

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
    ) -> None:
        self._classifier = classifier
        self.threshold = (
            classifier.model.operating_point("field").threshold if threshold is None else threshold
        )
        self._cell_width = cell_width
        self._finder = finder or CellFinder()

    @property
    def threads(self) -> int:
        """Of one inference, and how many fields are judged at once where there are several."""
        return self._classifier.threads

    def workers(self, count: int) -> list[FieldAnalyser]:
        """Analysers alike that work side by side, of one thread each.

        Where there are fields enough, they judge more of them a second than one analyser of several threads: much
        of a field's work cannot be shared among threads.
        """
        return [
            FieldAnalyser(
                classifier, self.threshold, cell_width=self._cell_width, finder=self._finder.worker()
            )
            for classifier in self._classifier.workers(count)
        ]

    def analyse(self, rgb: NDArray[np.uint8], name: str, cell_width: float | None = None) -> FieldResult:
        """Judge one field.

        Args:
            rgb: uint8 (h, w, 3).
            name: of the picture, for the result.
            cell_width: px, of a typical red cell of this field; overrides the analyser's.

        Returns:
            The result; a refused field's cells are not classified.

        Raises:
            ImageError: the picture is too small to be a field.
        """
        height, width = rgb.shape[:2]
        if min(height, width) < SMALLEST_FIELD:
            raise ImageError(Code.FIELD_TOO_SMALL, width=width, height=height, least=SMALLEST_FIELD)
        begun = time.perf_counter()
        found = self._finder.find(rgb, cell_width or self._cell_width)
        quality = judge_quality(rgb, found)
        _LOG.debug(
            "%s: %d cells found and checked in %.2f s; failed checks: %s",
            name,
            len(found.cells),
            time.perf_counter() - begun,
            ", ".join(check.name for check in quality.checks if not check.passed) or "none",
        )
        return FieldResult(
            name=name,
            width=width,
            height=height,
            quality=quality,
            cells=() if quality.refused is not None else self._judge(rgb, found),
            white_cells=tuple(cell.box for cell in found.cells if cell.kind == CellKind.WHITE),
            cell_width=found.cell_width,
            background=found.background.colour,
        )

    def _judge(self, rgb: NDArray[np.uint8], found: FieldCells) -> tuple[JudgedCell, ...]:
        red = judgeable(found.cells)
        said = self._classifier.probabilities(cut_cells(rgb, red, self._classifier.input_size))
        typical = typical_logit(said[[cell.counted for cell in red]])
        probabilities = level(said, self._classifier.model.levelling, typical)
        return tuple(
            JudgedCell(
                cell.box,
                cell.centre,
                cell.mask,
                float(probability),
                judge(float(probability), self.threshold).label,
                cell.counted,
            )
            for cell, probability in zip(red, probabilities, strict=True)
        )


def refusal_to_json(refused: Message | None) -> dict[str, Any]:
    """Say in a field's JSON object why it is not counted: the sentence, and the code with its values."""
    return {"refused": None} if refused is None else {"refused": str(refused), **refused.to_json()}


def judgeable(cells: Iterable[FoundCell]) -> list[FoundCell]:
    """Those that the network judges: red cells, counted or not, that are large enough to be seen into."""
    return [cell for cell in cells if cell.kind == CellKind.RED and min(cell.box[2:]) >= MIN_CELL_SIDE]


def cut_cells(rgb: NDArray[np.uint8], cells: Sequence[FoundCell], size: int) -> NDArray[np.uint8]:
    """Cut found cells out of their field as the network wants them, uint8 (n, size, size, 3)."""
    inputs = np.empty((len(cells), size, size, 3), np.uint8)
    for row, cell in zip(inputs, cells, strict=True):
        row[:] = cut_cell(rgb, cell, size)
    return inputs


def cut_cell(rgb: NDArray[np.uint8], cell: FoundCell, size: int) -> NDArray[np.uint8]:
    """Cut a found cell out of its field as the network wants it, uint8 (size, size, 3)."""
    x, y, w, h = cell.box
    return network_input(rgb[y : y + h, x : x + w], cell.mask, size=size)
