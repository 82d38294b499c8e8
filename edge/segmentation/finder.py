"""From a field to its cells: where each lies, which pixels are its own, and what kind of cell it is."""

from __future__ import annotations

import logging
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.segmentation.background import (
    Background,
    density_levels,
    estimate_background,
    lit_area,
    optical_density,
)
from edge.segmentation.foreground import estimate_cell_width, typical_density
from edge.segmentation.network import (
    CELL_WIDTH,
    GLASS_LEVEL,
    STRIDE,
    CellNetwork,
    SegmentationMaps,
    picture_scaling,
)
from edge.segmentation.outlines import FoundCell, Measured, measure_labels, outline_cells
from edge.segmentation.settings import FinderSettings
from edge.segmentation.splitting import separate

_LOG = logging.getLogger("plasmolite.finder")

# The first look, that finds glass and the width of the cells, is taken at these lengths of the longer side, the
# next one only where cells are narrower than this.
FIRST_LOOKS, LEAST_AT_LOOK = (384, 768, 2048), 10.0
# Largest picture that is enlarged for its small cells, and rows of it that are converted at a time.
WORKING_PIXELS, STRIP = 4_000_000, 1024
# Scales of the working picture in one doubling: cells are 30 to 34 px wide in it.
STEPS = 6
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
        maps: what the network saw, on its grid.
        labels: int32, the cells on that grid.
        measured: what is known of each label.
    """

    cells: tuple[FoundCell, ...]
    background: Background
    cell_width: float
    lit_share: float
    typical: float
    picture: NDArray[np.uint8]
    maps: SegmentationMaps
    labels: NDArray[np.int32]
    measured: Measured


class CellFinder:
    """Finds cells with the shipped network.

    Args:
        network: the network; by default the shipped one.
        settings: what it is believed from.
    """

    def __init__(self, network: CellNetwork | None = None, settings: FinderSettings | None = None) -> None:
        self._network = network or CellNetwork()
        self._settings = settings or FinderSettings()

    def worker(self, *, sparing: bool = False) -> CellFinder:
        """A finder alike, whose network has one thread and waits for nobody; a sparing one keeps less memory."""
        return CellFinder(self._network.worker(sparing=sparing), self._settings)

    def give_up_buffers(self) -> None:
        """Let go of what is kept for the next field; to be called where memory is short."""
        self._network.give_up_buffers()

    def find(self, rgb: NDArray[np.uint8], cell_width: float | None = None) -> FieldCells:
        """Find the cells of a field of a thin smear.

        Args:
            rgb: uint8 (h, w, 3), 640x480 to 20 megapixels, cells 25 to 250 px wide.
            cell_width: px, of a typical red cell, if known (a live camera's last field); else found.

        Returns:
            What was found, possibly nothing.
        """
        pyramid = ImagePyramid(rgb)
        look = _coarse_estimate(pyramid, cell_width)
        height, width = rgb.shape[:2]
        all_lit = look.lit_share == 1
        cell_width, seen = look.cell_width, 0.0
        for attempt in range(2):
            wanted = float(np.clip(cell_width, SMALLEST_CELL, LARGEST_CELL))
            # Enlarging small cells helps in small pictures only, and costs most in large ones.
            largest = max(1.0, float(np.sqrt(WORKING_PIXELS / (width * height))))
            scale = min(_stepped(CELL_WIDTH / wanted), 1.5, largest)
            size = (max(16, round(width * scale)), max(16, round(height * scale)))
            picture = _picture_of(pyramid.at(size), look.background, look.typical)
            lit = look.lit if all_lit else cv2.resize(look.lit, size, interpolation=cv2.INTER_NEAREST)
            if not all_lit:
                picture[lit == 0] = int(GLASS_LEVEL)
            maps = self._network.predict(picture)
            labels = separate(maps, self._settings)
            measured = measure_labels(maps, labels, self._settings)
            seen = measured.typical_width * STRIDE / scale
            if attempt or not seen or max(seen / wanted, wanted / seen) < WIDTH_TOLERANCE:
                break
            cell_width = seen
        _LOG.debug("field %d x %d px: scale %.3f, cell width %.1f px", width, height, scale, seen or wanted)
        zoom = (STRIDE * width / size[0], STRIDE * height / size[1])
        dark = None if all_lit else cv2.erode(lit, np.ones((5, 5), np.uint8))[::STRIDE, ::STRIDE] == 0
        cells = outline_cells(maps, labels, measured, dark, self._settings, zoom=zoom, field=(width, height))
        return FieldCells(
            tuple(cells),
            look.background,
            seen or wanted,
            look.lit_share,
            look.typical,
            picture,
            maps,
            labels,
            measured,
        )


def _stepped(scale: float) -> float:
    """The nearest scale of a fixed row, so that the network keeps its size from field to field of a slide."""
    return float(2 ** (round(np.log2(scale) * STEPS) / STEPS))


class ImagePyramid:
    """A field at smaller sizes; halving is cheap, so every size is made from the nearest half above it.

    Args:
        rgb: uint8 (h, w, 3), the field.
    """

    def __init__(self, rgb: NDArray[np.uint8]) -> None:
        self._halves = [rgb]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the field, px."""
        height, width = self._halves[0].shape[:2]
        return width, height

    def at(self, size: tuple[int, int]) -> NDArray[np.uint8]:
        """The field at a width and height, uint8 (height, width, 3)."""
        level = 0
        while self._half_of(level, size):
            level += 1
            if level == len(self._halves):
                height, width = self._halves[-1].shape[:2]
                half = cv2.resize(self._halves[-1], (width // 2, height // 2), interpolation=cv2.INTER_AREA)
                self._halves.append(np.asarray(half, np.uint8))
        best = self._halves[level]
        if size == (best.shape[1], best.shape[0]):
            return best
        # Less than halved from here: no need for the area's mean, which takes six times as long.
        return np.asarray(cv2.resize(best, size, interpolation=cv2.INTER_LINEAR), np.uint8)

    def _half_of(self, level: int, size: tuple[int, int]) -> bool:
        """Whether the next half is still no smaller than the size wanted."""
        height, width = self._halves[level].shape[:2]
        return width // 2 >= size[0] and height // 2 >= size[1]


class CoarseEstimate(NamedTuple):
    """What a small picture of the field tells.

    Attributes:
        background: the glass.
        lit: uint8, 255 where the small picture is lit.
        lit_share: share of it, 0 to 1.
        typical: optical density of a typical cell.
        cell_width: px in the field, of a typical cell; 0 where nothing is stained.
    """

    background: Background
    lit: NDArray[np.uint8]
    lit_share: float
    typical: float
    cell_width: float


def _coarse_estimate(pyramid: ImagePyramid, cell_width: float | None) -> CoarseEstimate:
    """Find glass, stain and the width of the cells; the width only where it is not given."""
    width, height = pyramid.size
    for length in FIRST_LOOKS:
        scale = min(1.0, length / max(height, width))
        small = pyramid.at((round(width * scale), round(height * scale)))
        lit = lit_area(small)
        background = estimate_background(small, lit)
        density = optical_density(small, background)
        typical = typical_density(density, lit)
        at_look = 0.0
        if cell_width is None:
            at_look = estimate_cell_width(density, lit, typical)
        if cell_width is not None or at_look >= LEAST_AT_LOOK or scale >= 1:
            break
    lit_share = cv2.countNonZero(lit) / lit.size
    return CoarseEstimate(background, lit, lit_share, typical, cell_width or at_look / scale)


def _picture_of(work: NDArray[np.uint8], background: Background, typical: float) -> NDArray[np.uint8]:
    """The network's picture, some rows at a time: as floats, a 20-megapixel field would not fit."""
    height = work.shape[0]
    picture = np.empty_like(work)
    scaling = picture_scaling(typical)
    for top in range(0, height, STRIP):
        bottom = min(top + STRIP, height)
        span = (top / height, bottom / height)
        picture[top:bottom] = density_levels(work[top:bottom], background, scaling, span)
    return picture
