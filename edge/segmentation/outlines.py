"""The found cells laid back on the field: outlines at full resolution, and what kind of cell each is."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.segmentation.network import SegmentationMaps, chances
from edge.segmentation.settings import FinderSettings

# A cell's hidden side is at most this share of a typical cell's width away from its centre.
HIDDEN_REACH = 0.55
# Labels of no more pixels than this say nothing of the width of cells.
SMALLEST = 16
# Shares of a typical cell's area: smaller is a fragment, larger no single red cell.
FRAGMENT_SHARE, CLUMP_SHARE = 0.28, 2.6
# Likewise, of a white cell. A lymphocyte can be smaller, but so is a red cell that a schizont fills, which looks
# like a white cell to the network and must not be left out of a count of parasites.
WHITE_SHARE = 1.5


class CellKind(StrEnum):
    """What a found object is."""

    RED = "red"
    WHITE = "white"
    """A white cell."""
    FRAGMENT = "fragment"
    """A platelet, debris or dirt."""


class FoundCell(NamedTuple):
    """One cell of a field.

    Attributes:
        box: x, y, width, height of its mask in the field, px.
        centre: x, y of the mask's centroid in the field, px.
        mask: uint8 (height, width) of the box, 255 on the cell.
        kind: what it is.
        cut_by_border: the field's border, or that of the lit area, cuts it.
        clump: no single cell has this shape; it holds several that could not be told apart.
        label: its number in `FieldCells.labels`.
        area: px of its visible part.
        outlined: area within its outline, which runs through the centres of its outermost pixels, px.
        solidity: that area over the area of its convex hull, 0 to 1.
    """

    box: tuple[int, int, int, int]
    centre: tuple[float, float]
    mask: NDArray[np.uint8]
    kind: CellKind
    cut_by_border: bool
    clump: bool
    label: int
    area: float = 0.0
    outlined: float = 0.0
    solidity: float = 1.0

    @property
    def counted(self) -> bool:
        """Whether it is one whole red cell."""
        return self.kind == CellKind.RED and not self.cut_by_border and not self.clump

    def contour(self) -> NDArray[np.int32]:
        """Its outline: x, y of the mask's outermost pixels in the field, px, int32 (n, 2)."""
        padded = cv2.copyMakeBorder(self.mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
        contours, _ = cv2.findContours(padded, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        corner = (self.box[0] - 1, self.box[1] - 1)
        return np.asarray(max(contours, key=len).reshape(-1, 2) + np.array(corner), np.int32)

    def moved(self, x: int, y: int) -> FoundCell:
        """The same cell in a field whose corner is (x, y) px further to the upper left."""
        left, top, width, height = self.box
        centre = (self.centre[0] + x, self.centre[1] + y)
        return self._replace(box=(left + x, top + y, width, height), centre=centre)


class Measured(NamedTuple):
    """What is known of each label on the grid, arrays (labels + 1,); row 0 is the glass.

    Attributes:
        area: pixels.
        cell: mean probability that its pixels are a cell's.
        centre: highest probability that a centre is in it.
        is_white: whether it is a white cell, by the network and its size.
        at_edge: whether it reaches the picture's border.
    """

    area: NDArray[np.int64]
    cell: NDArray[np.float64]
    centre: NDArray[np.float32]
    is_white: NDArray[np.bool_]
    at_edge: NDArray[np.bool_]

    @property
    def typical_width(self) -> float:
        """Median width of the red cells that no border cuts, on the grid; 0 where there are none."""
        whole = ~self.at_edge & ~self.is_white & (self.area > SMALLEST)
        whole[0] = False
        chosen = np.sort(self.area[whole])
        if chosen.size == 0:
            return 0.0
        # Weighted by area, so that platelets do not count.
        half = int(np.searchsorted(np.cumsum(chosen), 0.45 * chosen.sum()))
        return float(np.sqrt(4 * chosen[half] / np.pi))


def measure_labels(maps: SegmentationMaps, labels: NDArray[np.int32], settings: FinderSettings) -> Measured:
    """Measure the labels of a network's maps.

    Args:
        maps: of the field.
        labels: its cells, every label in use.
        settings: of the finder.
    """
    count = int(labels.max()) + 1
    flat = labels.ravel()
    area = np.bincount(flat, minlength=count)
    size = np.maximum(area, 1)
    at_edge = np.zeros(count, bool)
    for line in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        at_edge[line] = True
    centre = np.zeros(count, np.float32)
    np.maximum.at(centre, flat, chances(maps.centre).ravel())

    def mean_chance(logits: NDArray[np.float16]) -> NDArray[np.float64]:
        return np.bincount(flat, chances(logits).ravel(), count) / size

    like_white = mean_chance(maps.white) > settings.white
    measured = Measured(area, mean_chance(maps.cell), centre, like_white, at_edge)
    least = WHITE_SHARE * np.pi / 4 * measured.typical_width**2
    return measured._replace(is_white=like_white & (area > least))


def outline_cells(
    maps: SegmentationMaps,
    labels: NDArray[np.int32],
    measured: Measured,
    dark: NDArray[np.bool_] | None,
    settings: FinderSettings,
    *,
    zoom: tuple[float, float],
    field: tuple[int, int],
) -> list[FoundCell]:
    """Lay each label back on the field at full resolution and say what it is.

    Args:
        maps: of the field.
        labels: its cells.
        measured: of these labels.
        dark: bool, on the grid, what is at unlit parts of the field; None where all is lit.
        settings: of the finder.
        zoom: field px per grid px, in x and y.
        field: width and height of the field, px.
    """
    usual = max(measured.typical_width, 4.0) ** 2 * np.pi / 4
    levels = np.rint(255 * chances(maps.cell)).astype(np.uint8)
    pointed = _pointed_centres(maps, labels)
    reach = HIDDEN_REACH * float(np.sqrt(4 * usual / np.pi)) * (zoom[0] + zoom[1]) / 2
    near_dark = np.zeros(measured.area.size, bool)
    if dark is not None:
        near_dark[labels[dark]] = True
    sure = (measured.cell >= settings.sure_cell) & (measured.centre >= settings.sure_centre)
    red = sure & (measured.area >= FRAGMENT_SHARE * usual)
    clump = measured.area > CLUMP_SHARE * usual
    white = measured.is_white & (measured.area >= FRAGMENT_SHARE * usual)
    # Python's own numbers: numpy's scalars would take a third of this loop's time.
    centres_x, centres_y = (values.tolist() for values in pointed)
    areas, reds, whites = measured.area.tolist(), red.tolist(), white.tolist()
    clumps, darks = clump.tolist(), near_dark.tolist()
    rows, columns = labels.shape
    cells: list[FoundCell] = []
    for label, (x, y, w, h) in enumerate(label_boxes(labels).tolist(), start=1):
        if areas[label] < 0.03 * usual:
            continue
        # Two more pixels round it, for the slope of the outline: with one, it ends flat where the slope is gentle.
        x0, y0, x1, y1 = max(0, x - 2), max(0, y - 2), min(columns, x + w + 2), min(rows, y + h + 2)
        own = labels[y0:y1, x0:x1]
        other = cv2.compare(own, 0, cv2.CMP_NE) & ~cv2.compare(own, label, cv2.CMP_EQ)
        soft = cv2.bitwise_and(levels[y0:y1, x0:x1], ~other)
        placed = _enlarge(soft, (x0, y0), zoom, field, 255 * settings.outline)
        if placed is None:
            continue
        box, mask = placed.box, placed.mask
        edge = _at_border(box, field)
        if cv2.countNonZero(other):
            middle = ((centres_x[label] + 0.5) * zoom[0], (centres_y[label] + 0.5) * zoom[1])
            box, mask = _with_hidden_part(box, mask, middle, reach, field)
        red_or_not = CellKind.RED if reds[label] else CellKind.FRAGMENT
        kind = CellKind.WHITE if whites[label] else red_or_not
        cut = edge or darks[label]
        shape = (placed.area, placed.outlined, placed.solidity)
        cells.append(FoundCell(box, placed.centre, mask, kind, cut, clumps[label], label, *shape))
    return cells


def _at_border(box: tuple[int, int, int, int], field: tuple[int, int]) -> bool:
    x, y, w, h = box
    return x <= 1 or y <= 1 or x + w >= field[0] - 1 or y + h >= field[1] - 1


def _pointed_centres(
    maps: SegmentationMaps, labels: NDArray[np.int32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where the pixels of each label point on average, x and y on the grid: the centre of the whole cell."""
    rows, columns = np.nonzero(labels)
    values = labels[rows, columns]
    counts = np.maximum(np.bincount(values), 1)
    offset = maps.offset[rows, columns].astype(np.float32)
    return (
        np.bincount(values, columns + offset[:, 0]) / counts,
        np.bincount(values, rows + offset[:, 1]) / counts,
    )


def _with_hidden_part(
    box: tuple[int, int, int, int],
    mask: NDArray[np.uint8],
    middle: tuple[float, float],
    reach: float,
    field: tuple[int, int],
) -> tuple[tuple[int, int, int, int], NDArray[np.uint8]]:
    """Widen the box of a cell that lies partly under or beside another to the whole cell.

    A cell reaches as far on the hidden side of its centre as on the visible one, up to `reach` px. The mask stays
    what it is, with an empty margin.
    """
    x, y, w, h = box
    sides = []
    for start, length, centre, end in ((x, w, middle[0], field[0]), (y, h, middle[1], field[1])):
        half = min(max(centre - start, start + length - centre), reach)
        low, high = round(centre - half), round(centre + half)
        sides.append((max(0, min(start, low)), min(end, max(start + length, high))))
    (left, right), (top, bottom) = sides
    if (left, top, right - left, bottom - top) == box:
        return box, mask
    padded = cv2.copyMakeBorder(
        mask, y - top, bottom - y - h, x - left, right - x - w, cv2.BORDER_CONSTANT, value=0
    )
    return (left, top, right - left, bottom - top), padded


class _Placed(NamedTuple):
    """A label's outline on the field: box, mask, centroid, areas in px and solidity."""

    box: tuple[int, int, int, int]
    mask: NDArray[np.uint8]
    centre: tuple[float, float]
    area: float
    outlined: float
    solidity: float


def _enlarge(
    soft: NDArray[np.uint8],
    corner: tuple[int, int],
    zoom: tuple[float, float],
    field: tuple[int, int],
    level: float,
) -> _Placed | None:
    """Lay a soft mask on the grid back on the field, cut at a level; None where nothing is left of it."""
    # Whole field pixels: half a pixel at most off the true place.
    left, top = round(corner[0] * zoom[0]), round(corner[1] * zoom[1])
    size = round(soft.shape[1] * zoom[0]), round(soft.shape[0] * zoom[1])
    large = cv2.resize(soft, size, interpolation=cv2.INTER_LINEAR)[: field[1] - top, : field[0] - left]
    _, mask = cv2.threshold(large, level, 255, cv2.THRESH_BINARY)
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return None
    outline = contours[0] if len(contours) == 1 else max(contours, key=cv2.contourArea)
    x, y, w, h = cv2.boundingRect(outline)
    filled = np.zeros((h, w), np.uint8)
    cv2.drawContours(filled, [outline], -1, 255, cv2.FILLED, offset=(-x, -y))
    # The outline runs through the centres of the outermost pixels.
    moments = cv2.moments(outline)
    within = moments["m00"]
    column, row = (moments["m10"] / within, moments["m01"] / within) if within else (x + w / 2, y + h / 2)
    solidity = within / max(cv2.contourArea(cv2.convexHull(outline)), 1.0)
    area = float(cv2.countNonZero(filled))
    return _Placed(
        (left + x, top + y, w, h), filled, (left + column, top + row), area, within, min(solidity, 1.0)
    )


def label_boxes(labels: NDArray[np.int32]) -> NDArray[np.int64]:
    """Bounding boxes of labels 1..n, (n, 4): x, y, w, h; all labels must be in use."""
    rows, columns = np.nonzero(labels)
    values = labels[rows, columns]
    order = np.argsort(values, kind="stable")
    starts = np.flatnonzero(np.diff(values[order], prepend=0))
    if starts.size == 0:
        return np.empty((0, 4), np.int64)
    rows, columns = rows[order], columns[order]
    left, right = np.minimum.reduceat(columns, starts), np.maximum.reduceat(columns, starts)
    top, bottom = np.minimum.reduceat(rows, starts), np.maximum.reduceat(rows, starts)
    return np.stack([left, top, right - left + 1, bottom - top + 1], axis=1)
