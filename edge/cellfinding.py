"""From a field to its cells: where each lies, which pixels are its own, and what kind of cell it is."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.background import Background, estimate_background, lit_area, optical_density
from edge.cellnetwork import (
    CELL_LEVEL,
    CELL_WIDTH,
    GLASS_LEVEL,
    STRIDE,
    CellNetwork,
    Sight,
    network_picture,
)
from edge.cellsplitting import separate
from edge.foreground import estimate_cell_width, find_stain, typical_density

# The first look, that finds glass and the width of the cells, is taken at these lengths of the longer side, the
# next one only where cells are narrower than this.
FIRST_LOOKS, LEAST_AT_LOOK = (512, 1024, 2048), 10.0
# Largest picture that is enlarged for its small cells, and rows of it that are converted at a time.
WORKING_PIXELS, STRIP = 4_000_000, 1024
# Widths of cells in a field, px, that the finder is made for, with some room.
SMALLEST_CELL, LARGEST_CELL = 14.0, 400.0
# The network was trained on cells of 0.67 to 1.5 times its usual width; further off, look again.
WIDTH_TOLERANCE = 1.25
# The nucleus of a white cell: this many times a typical red cell's density, this much redder in what it absorbs
# (azure takes red light, haemoglobin hardly), and as large as this share of a red cell; the parasites of an
# infected red cell reach the first two, not the third.
NUCLEUS_DENSITY, NUCLEUS_TINT, NUCLEUS_SHARE = 1.6, 1.15, 0.45
# A white cell is larger than a red one.
WHITE_SHARE = 1.1
# The outline lies where the network finds cell and glass this likely.
OUTLINE_PROBABILITY = 0.4
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


class FieldCells(NamedTuple):
    """What was found in a field.

    Attributes:
        cells: all found objects.
        background: the glass.
        cell_width: px in the field, of a typical red cell.
        lit_share: share of the field that is lit, 0 to 1: less than 1 in a round eyepiece picture.
        typical: optical density of a typical cell, mean of the channels.
        picture: uint8 (h, w, 3), what the network looked at: optical density of the lit field, cells about 32
            px wide, 32 on glass, about 112 on a typical cell.
        sight: what the network saw, on its grid.
        labels: int32, the cells on that grid.
    """

    cells: tuple[FoundCell, ...]
    background: Background
    cell_width: float
    lit_share: float
    typical: float
    picture: NDArray[np.uint8]
    sight: Sight
    labels: NDArray[np.int32]


class CellFinder:
    """Finds cells with the shipped network.

    Args:
        network: the network; by default the shipped one.
    """

    def __init__(self, network: CellNetwork | None = None) -> None:
        self._network = network or CellNetwork()

    def find(self, rgb: NDArray[np.uint8], cell_width: float | None = None) -> FieldCells:
        """Find the cells of a field of a thin smear.

        Args:
            rgb: uint8 (h, w, 3), 640x480 to 20 megapixels, cells 25 to 250 px wide.
            cell_width: px, of a typical red cell, if known (a live camera's last field); else found.

        Returns:
            What was found, possibly nothing.
        """
        height, width = rgb.shape[:2]
        for length in FIRST_LOOKS:
            look = min(1.0, length / max(height, width))
            small = _resized(rgb, (round(width * look), round(height * look)))
            lit = lit_area(small)
            background = estimate_background(small, lit)
            density = optical_density(small, background)
            typical = typical_density(density, lit)
            if cell_width is not None:
                break
            first = estimate_cell_width(find_stain(density, lit, 20).mask)
            at_look = estimate_cell_width(find_stain(density, lit, max(first, 4)).mask)
            if at_look >= LEAST_AT_LOOK or look >= 1 or length == FIRST_LOOKS[-1]:
                cell_width = at_look / look
                break
        lit_share = float(np.count_nonzero(lit) / lit.size)
        seen = 0.0
        for attempt in range(2):
            wanted = float(np.clip(cell_width or 0, SMALLEST_CELL, LARGEST_CELL))
            # Enlarging small cells helps in small pictures only, and costs most in large ones.
            largest = max(1.0, float(np.sqrt(WORKING_PIXELS / (width * height))))
            scale = min(CELL_WIDTH / wanted, 1.5, largest)
            size = (max(16, round(width * scale)), max(16, round(height * scale)))
            picture = _picture_of(_resized(rgb, size), background, typical)
            lit_here = cv2.resize(lit, size, interpolation=cv2.INTER_NEAREST)
            picture[lit_here == 0] = int(GLASS_LEVEL)
            sight = self._network.see(picture)
            labels = separate(sight)
            seen = _typical_width(labels) * STRIDE / scale
            if attempt or not seen or max(seen / wanted, wanted / seen) < WIDTH_TOLERANCE:
                break
            cell_width = seen
        zoom = (STRIDE * width / size[0], STRIDE * height / size[1])
        inner = cv2.erode(lit_here, np.ones((5, 5), np.uint8))
        cells = _lay_on_field(
            sight, labels, inner, zoom=zoom, field=(width, height), nuclei=_nuclei(picture, labels)
        )
        return FieldCells(
            tuple(cells), background, seen or wanted, lit_share, typical, picture, sight, labels
        )


_FINDER: list[CellFinder] = []


def find_cells(rgb: NDArray[np.uint8], cell_width: float | None = None) -> FieldCells:
    """Find the cells of a field with a finder that is made at the first call; see `CellFinder.find`."""
    if not _FINDER:
        _FINDER.append(CellFinder())
    return _FINDER[0].find(rgb, cell_width)


def _resized(rgb: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    if size == (rgb.shape[1], rgb.shape[0]):
        return rgb
    smaller = size[0] < rgb.shape[1]
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR))


def _picture_of(work: NDArray[np.uint8], background: Background, typical: float) -> NDArray[np.uint8]:
    """The network's picture, some rows at a time: as floats, a 20-megapixel field would not fit."""
    height = work.shape[0]
    picture = np.empty_like(work)
    for top in range(0, height, STRIP):
        bottom = min(top + STRIP, height)
        density = optical_density(work[top:bottom], background, (top / height, bottom / height))
        picture[top:bottom] = network_picture(density, typical)
    return picture


def _typical_width(labels: NDArray[np.int32]) -> float:
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


def _nuclei(picture: NDArray[np.uint8], labels: NDArray[np.int32]) -> NDArray[np.int64]:
    """Count the pixels of each label that are stained like a nucleus, int64 (labels + 1,)."""
    height, width = labels.shape
    strength = (picture[::STRIDE, ::STRIDE][:height, :width].astype(np.float32) - GLASS_LEVEL) / (
        CELL_LEVEL - GLASS_LEVEL
    )
    # Red light over green light absorbed.
    tint = strength[..., 0] / np.maximum(strength[..., 1], 0.1)
    inside = labels > 0
    usual_tint = float(np.median(tint[inside])) if inside.any() else 1.0
    nucleus = (strength.mean(axis=2) > NUCLEUS_DENSITY) & (tint > NUCLEUS_TINT * max(usual_tint, 0.2))
    return np.bincount(labels[nucleus], minlength=int(labels.max()) + 1)


def _lay_on_field(
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
    usual = max(_typical_width(labels), 4.0) ** 2 * np.pi / 4
    cells: list[FoundCell] = []
    chance = 1 / (1 + np.exp(-sight.cell.astype(np.float32)))
    levels = np.rint(255 * chance).astype(np.uint8)
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
        edge = (
            box[0] <= 1 or box[1] <= 1 or box[0] + box[2] >= field[0] - 1 or box[1] + box[3] >= field[1] - 1
        )
        near_dark = bool((dark[y0:y1, x0:x1][: mine.shape[0], : mine.shape[1]] & mine).any())
        kind = "fragment" if area < FRAGMENT_SHARE * usual else "red"
        if area > WHITE_SHARE * usual and nuclei[label] > NUCLEUS_SHARE * usual:
            kind = "white"
        cells.append(FoundCell(box, centre, mask, kind, edge or near_dark, area > CLUMP_SHARE * usual, label))
    return cells


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
