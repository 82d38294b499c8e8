"""From a field to its cells: where each lies, which pixels are its own, and what kind of cell it is."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.background import Background, estimate_background, lit_area, optical_density
from edge.cellsplitting import split_cells
from edge.foreground import estimate_cell_width, find_stain

# Cells are sought in a copy of the field in which they are this wide.
WORKING_WIDTH = 32.0
# The first look, that finds the width of the cells, is taken at this length of the longer side.
FIRST_LOOK = 1024
SMALLEST_CELL, LARGEST_CELL = 12.0, 400.0


class FoundCell(NamedTuple):
    """One cell of a field.

    Attributes:
        box: x, y, width, height of its mask in the field, px.
        centre: x, y of the mask's centroid in the field, px.
        mask: uint8 (height, width) of the box, 255 on the cell.
        kind: "red", "white" (a white cell) or "fragment" (platelet, debris, dirt).
        cut_by_border: the field's border, or that of the lit area, cuts it.
        clump: no single cell has this shape; it holds several that could not be told apart.
    """

    box: tuple[int, int, int, int]
    centre: tuple[float, float]
    mask: NDArray[np.uint8]
    kind: str
    cut_by_border: bool
    clump: bool

    @property
    def counted(self) -> bool:
        """Whether it is a whole red cell."""
        return self.kind == "red" and not self.cut_by_border and not self.clump


class FieldCells(NamedTuple):
    """What was found in a field."""

    cells: tuple[FoundCell, ...]
    background: Background
    cell_width: float
    stained: NDArray[np.uint8]
    typical: float
    noise: float


def find_cells(rgb: NDArray[np.uint8], cell_width: float | None = None) -> FieldCells:
    """Find the cells of a field of a thin smear."""
    height, width = rgb.shape[:2]
    look = min(1.0, FIRST_LOOK / max(height, width))
    small = cv2.resize(rgb, None, fx=look, fy=look, interpolation=cv2.INTER_AREA) if look < 1 else rgb
    lit = lit_area(small)
    background = estimate_background(small, lit)
    if cell_width is None:
        density = optical_density(small, background)
        stain = find_stain(density, lit, 20)
        first = estimate_cell_width(stain.mask)
        stain = find_stain(density, lit, first)
        cell_width = estimate_cell_width(stain.mask) / look
    cell_width = float(np.clip(cell_width, SMALLEST_CELL, LARGEST_CELL))
    scale = WORKING_WIDTH / cell_width
    size = (max(16, round(width * scale)), max(16, round(height * scale)))
    work = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    lit = cv2.resize(lit, size, interpolation=cv2.INTER_NEAREST)
    stain = find_stain(optical_density(work, background), lit, WORKING_WIDTH)
    labels = split_cells(stain.mask, WORKING_WIDTH)
    cells = _cells_of(labels, lit, (width / size[0], height / size[1]), (width, height))
    return FieldCells(tuple(cells), background, cell_width, stain.mask, stain.typical, stain.noise)


def _cells_of(
    labels: NDArray[np.int32],
    lit: NDArray[np.uint8],
    zoom: tuple[float, float],
    field: tuple[int, int],
) -> list[FoundCell]:
    """Measure each label and lay it back on the field."""
    cells: list[FoundCell] = []
    height, width = labels.shape
    area_of_cell = np.pi / 4 * WORKING_WIDTH**2
    order = np.bincount(labels.ravel())
    for label, (x, y, w, h) in enumerate(_boxes(labels), start=1):
        area = order[label]
        if w == 0 or area < 0.02 * area_of_cell:
            continue
        piece = (labels[y : y + h, x : x + w] == label).astype(np.uint8) * 255
        ring = lit[max(0, y - 1) : y + h + 1, max(0, x - 1) : x + w + 1]
        cut = x <= 1 or y <= 1 or x + w >= width - 1 or y + h >= height - 1 or bool((ring == 0).any())
        left, top = round(x * zoom[0]), round(y * zoom[1])
        right, bottom = min(field[0], round((x + w) * zoom[0])), min(field[1], round((y + h) * zoom[1]))
        mask = cv2.resize(piece, (right - left, bottom - top), interpolation=cv2.INTER_LINEAR)
        mask = (mask > 127).astype(np.uint8) * 255
        moments = cv2.moments(piece, binaryImage=True)
        centre = (
            float((x + moments["m10"] / moments["m00"] + 0.5) * zoom[0]),
            float((y + moments["m01"] / moments["m00"] + 0.5) * zoom[1]),
        )
        kind = "fragment" if area < 0.3 * area_of_cell else "red"
        cells.append(
            FoundCell(
                (left, top, right - left, bottom - top), centre, mask, kind, cut, area > 2.2 * area_of_cell
            )
        )
    return cells


def _boxes(labels: NDArray[np.int32]) -> NDArray[np.int64]:
    """Bounding boxes of labels 1..n, (n, 4): x, y, w, h; zeros where a label is missing."""
    count = int(labels.max())
    rows, columns = np.nonzero(labels)
    values = labels[rows, columns]
    low = np.full((count + 1, 2), np.iinfo(np.int64).max)
    high = np.full((count + 1, 2), -1)
    np.minimum.at(low, values, np.stack([columns, rows], axis=1))
    np.maximum.at(high, values, np.stack([columns, rows], axis=1))
    size = high - low + 1
    boxes = np.concatenate([low, size], axis=1)[1:]
    boxes[high[1:, 0] < 0] = 0
    return boxes
