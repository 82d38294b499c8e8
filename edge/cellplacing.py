"""The found cells laid back on the field: outlines at full resolution, and what kind of cell each is."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.cellnetwork import CELL_LEVEL, GLASS_LEVEL, STRIDE, Sight

# The nucleus of a white cell: this many times a typical red cell's density, this much redder in what it absorbs
# (azure takes red light, haemoglobin hardly), and as large as this share of a red cell; the parasites of an
# infected red cell reach the first two, not the third.
NUCLEUS_DENSITY, NUCLEUS_TINT, NUCLEUS_SHARE = 1.6, 1.15, 0.45
# A white cell is larger than a red one.
WHITE_SHARE = 1.1
# The outline lies where the network finds cell and glass this likely.
OUTLINE_PROBABILITY = 0.4
# A cell's hidden side is at most this share of a typical cell's width away from its centre.
HIDDEN_REACH = 0.55
# What the network is less sure of, at its centre and on average over its pixels, is debris or out of focus.
SURE_CENTRE, SURE_CELL = 0.62, 0.9
# Shares of a typical cell's area: smaller is a fragment, larger no single red cell.
FRAGMENT_SHARE, CLUMP_SHARE = 0.28, 2.6


class FoundCell(NamedTuple):
    """One cell of a field.

    Attributes:
        box: x, y, width, height of its mask in the field, px.
        centre: x, y of the mask's centroid in the field, px.
        mask: uint8 (height, width) of the box, 255 on the cell.
        kind: "red", "white" (a white cell) or "fragment" (platelet, debris, dirt).
        cut_by_border: the field's border, or that of the lit area, cuts it.
        clump: no single cell has this shape; it holds several that could not be told apart.
        label: its number in `FieldCells.labels`.
    """

    box: tuple[int, int, int, int]
    centre: tuple[float, float]
    mask: NDArray[np.uint8]
    kind: str
    cut_by_border: bool
    clump: bool
    label: int

    @property
    def counted(self) -> bool:
        """Whether it is one whole red cell."""
        return self.kind == "red" and not self.cut_by_border and not self.clump


def typical_width(labels: NDArray[np.int32]) -> float:
    """Median width of the cells that no border cuts, on the grid; 0 where there are none."""
    sizes = np.bincount(labels.ravel())
    if sizes.size < 2:
        return 0.0
    whole = np.ones(sizes.size, bool)
    whole[np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))] = False
    whole[0] = False
    chosen = sizes[whole & (sizes > 16)]
    if chosen.size == 0:
        return 0.0
    # Weighted by area, so that platelets do not count.
    chosen = np.sort(chosen)
    half = int(np.searchsorted(np.cumsum(chosen), 0.45 * chosen.sum()))
    return float(np.sqrt(4 * chosen[half] / np.pi))


def nucleus_pixels(picture: NDArray[np.uint8], labels: NDArray[np.int32]) -> NDArray[np.int64]:
    """Count the pixels of each label that are stained like a nucleus, int64 (labels + 1,)."""
    height, width = labels.shape
    strength = (picture[::STRIDE, ::STRIDE][:height, :width].astype(np.float32) - GLASS_LEVEL) / (
        CELL_LEVEL - GLASS_LEVEL
    )
    # Red light over green light absorbed.
    tint = strength[..., 0] / np.maximum(strength[..., 1], 0.1)
    mean = strength.mean(axis=2)
    counts = np.bincount(labels.ravel())[1:]
    if counts.size == 0:
        return np.zeros(1, np.int64)
    # The median cell, not the median pixel: in a small field one white cell may be most of what is stained.
    weights = np.maximum(counts, 1)
    usual = float(np.median(np.bincount(labels.ravel(), mean.ravel())[1:] / weights))
    usual_tint = float(np.median(np.bincount(labels.ravel(), tint.ravel())[1:] / weights))
    nucleus = (mean > NUCLEUS_DENSITY * max(usual, 0.2)) & (tint > NUCLEUS_TINT * max(usual_tint, 0.2))
    return np.bincount(labels[nucleus], minlength=int(labels.max()) + 1)


def lay_on_field(
    sight: Sight,
    labels: NDArray[np.int32],
    lit: NDArray[np.uint8],
    *,
    zoom: tuple[float, float],
    field: tuple[int, int],
    nuclei: NDArray[np.int64],
) -> list[FoundCell]:
    """Measure each label and lay it back on the field at full resolution.

    Args:
        sight: of the field.
        labels: its cells.
        lit: uint8, lit area at the working size, a little eroded.
        zoom: field px per grid px, in x and y.
        field: width and height of the field, px.
        nuclei: pixels of nucleus of each label.
    """
    usual = max(typical_width(labels), 4.0) ** 2 * np.pi / 4
    cells: list[FoundCell] = []
    chance = 1 / (1 + np.exp(-sight.cell.astype(np.float32)))
    levels = np.rint(255 * chance).astype(np.uint8)
    least_centre = np.log(SURE_CENTRE / (1 - SURE_CENTRE))
    pointed = _pointed_centres(sight, labels)
    reach = HIDDEN_REACH * float(np.sqrt(4 * usual / np.pi)) * (zoom[0] + zoom[1]) / 2
    dark = lit[::STRIDE, ::STRIDE] == 0
    for label, (x, y, w, h) in enumerate(_boxes(labels), start=1):
        # One more pixel round it, for the slope of the outline.
        x0, y0 = max(0, x - 1), max(0, y - 1)
        x1, y1 = min(labels.shape[1], x + w + 1), min(labels.shape[0], y + h + 1)
        own = labels[y0:y1, x0:x1]
        mine = own == label
        area = int(np.count_nonzero(mine))
        if area < 0.03 * usual:
            continue
        soft = np.where(mine | (own == 0), levels[y0:y1, x0:x1], 0).astype(np.uint8)
        placed = _enlarge(soft, (x0, y0), zoom, field)
        if placed is None:
            continue
        box, mask, centre = placed
        visible = box
        if np.any((own != 0) & ~mine):
            middle = ((pointed[0][label] + 0.5) * zoom[0], (pointed[1][label] + 0.5) * zoom[1])
            box, mask = _with_hidden_part(box, mask, middle, reach, field)
        edge = _at_border(visible, field)
        near_dark = bool((dark[y0:y1, x0:x1][: mine.shape[0], : mine.shape[1]] & mine).any())
        sure = (
            levels[y0:y1, x0:x1][mine].mean() >= 255 * SURE_CELL
            and sight.centre[y0:y1, x0:x1][mine].max() >= least_centre
        )
        kind = "red" if sure and area >= FRAGMENT_SHARE * usual else "fragment"
        if area > WHITE_SHARE * usual and nuclei[label] > NUCLEUS_SHARE * usual:
            kind = "white"
        cells.append(FoundCell(box, centre, mask, kind, edge or near_dark, area > CLUMP_SHARE * usual, label))
    return cells


def _at_border(box: tuple[int, int, int, int], field: tuple[int, int]) -> bool:
    x, y, w, h = box
    return x <= 1 or y <= 1 or x + w >= field[0] - 1 or y + h >= field[1] - 1


def _pointed_centres(
    sight: Sight, labels: NDArray[np.int32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where the pixels of each label point on average, x and y on the grid: the centre of the whole cell."""
    rows, columns = np.nonzero(labels)
    values = labels[rows, columns]
    counts = np.maximum(np.bincount(values), 1)
    offset = sight.offset[rows, columns].astype(np.float32)
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
    padded = cv2.copyMakeBorder(
        mask, y - top, bottom - y - h, x - left, right - x - w, cv2.BORDER_CONSTANT, value=0
    )
    return (left, top, right - left, bottom - top), padded


def _enlarge(
    soft: NDArray[np.uint8],
    corner: tuple[int, int],
    zoom: tuple[float, float],
    field: tuple[int, int],
) -> tuple[tuple[int, int, int, int], NDArray[np.uint8], tuple[float, float]] | None:
    """Box, mask and centroid in the field of a soft mask on the grid; None where nothing is left of it."""
    left, top = int(corner[0] * zoom[0]), int(corner[1] * zoom[1])
    right = min(field[0], int(np.ceil((corner[0] + soft.shape[1]) * zoom[0])))
    bottom = min(field[1], int(np.ceil((corner[1] + soft.shape[0]) * zoom[1])))
    # Pixel centres: field px i lies at (i + 0.5) / zoom - 0.5 on the grid.
    matrix = np.array(
        [
            [1 / zoom[0], 0, (left + 0.5) / zoom[0] - 0.5 - corner[0]],
            [0, 1 / zoom[1], (top + 0.5) / zoom[1] - 0.5 - corner[1]],
        ]
    )
    large = cv2.warpAffine(
        soft,
        matrix,
        (right - left, bottom - top),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    _, mask = cv2.threshold(large, 255 * OUTLINE_PROBABILITY, 255, cv2.THRESH_BINARY)
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return None
    outline = max(contours, key=cv2.contourArea)
    x, y, w, h = cv2.boundingRect(outline)
    filled = np.zeros((h, w), np.uint8)
    cv2.drawContours(filled, [outline], -1, 255, cv2.FILLED, offset=(-x, -y))
    moments = cv2.moments(filled, binaryImage=True)
    centre = (left + x + moments["m10"] / moments["m00"], top + y + moments["m01"] / moments["m00"])
    return (left + x, top + y, w, h), filled, centre


def _boxes(labels: NDArray[np.int32]) -> NDArray[np.int64]:
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
