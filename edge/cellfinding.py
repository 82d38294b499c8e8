"""From a field to its cells: where each lies, which pixels are its own, and what kind of cell it is."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.background import Background, estimate_background, lit_area, optical_density
from edge.cellnetwork import (
    CELL_WIDTH,
    GLASS_LEVEL,
    STRIDE,
    CellNetwork,
    Sight,
    network_picture,
)
from edge.cellplacing import FoundCell, lay_on_field, nucleus_pixels, typical_width
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
            seen = typical_width(labels) * STRIDE / scale
            if attempt or not seen or max(seen / wanted, wanted / seen) < WIDTH_TOLERANCE:
                break
            cell_width = seen
        zoom = (STRIDE * width / size[0], STRIDE * height / size[1])
        inner = cv2.erode(lit_here, np.ones((5, 5), np.uint8))
        cells = lay_on_field(
            sight, labels, inner, zoom=zoom, field=(width, height), nuclei=nucleus_pixels(picture, labels)
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
