"""How blurred a field is, by the outlines of its cells: all round by the focus, and along one direction by motion.

A step blurred by s has, after a further blur by f, the slope of a normal distribution of variance s² + f². The energy
of that slope, summed across the step, goes with 1 / sqrt(s² + f²): the ratio of the energies at two f gives s, whatever
the step's height. Energies are sums, so that what noise adds to them, which is known from the glass, is taken off; and
they are tensors, so that the ratio is known for every direction: motion blurs the outlines that lie across it.

Measured on fields of five laboratories (`benchmarks/fields/views.py`): noise of 10 grey levels and JPEG of quality 30
change neither figure by more than 0.002 cell widths.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.segmentation.finder import FieldCells
from edge.segmentation.network import CELL_WIDTH

FINE, COARSE = 1.0, 3.0
"""Two scales at which outlines are measured, px of the working picture, in which cells are 32 px wide."""
_RIM, _NEAR = 4, 6
"""How far the outlines reach to both sides, and what is not glass, px of the working picture."""
LEAST_RIM = 400
"""Pixels of outlines from which on blur can be measured: those of a few cells."""
_ENOUGH = 8000
"""Pixels of glass that are enough to know its noise by."""
RIDGE_POINTS, CELL_RIDGE_POINTS = 20, 5
"""Points of outlines that are enough to measure the blur by their ridges, and those of each of one to three cells: a
sharp cell has 8 to 17 of them, one blurred by 0.1 of its width 5 to 12, one blurred by 0.15 hardly any."""
_STRIP_ROWS, _HALO = 256, 16
"""Rows that are measured at a time, and what is seen beyond them: as far as the coarser scale reaches, px."""
_MEDIAN_OF_SQUARES = 0.4549
"""Median over mean of the squares of what is normally distributed."""


class Blur(NamedTuple):
    """Standard deviations of a field's blur, in cell widths.

    Attributes:
        least: in the sharpest direction: what the focus leaves.
        most: in the most blurred one.
    """

    least: float
    most: float

    @property
    def motion(self) -> float:
        """What blurs one direction and not the other; 0.29 of the way of a stage during the exposure."""
        return float(np.sqrt(max(0.0, self.most**2 - self.least**2)))


class Slope(NamedTuple):
    """How steep a field's outlines are at one scale.

    Attributes:
        energy: mean structure tensor round the outlines, without what noise adds, float64 (2, 2).
        ridges: slope at the clear points of the outlines, float32 (n,); the same points at both scales.
    """

    energy: NDArray[np.float64]
    ridges: NDArray[np.float32]


class Slopes(NamedTuple):
    """What both measures of blur need.

    Attributes:
        fine: at `FINE`.
        coarse: at `COARSE`.
        rim: pixels round outlines over which the energies are means.
    """

    fine: Slope
    coarse: Slope
    rim: int


def measure_slopes(found: FieldCells, glass: NDArray[np.bool_]) -> Slopes:
    """Take the slopes of a field's outlines.

    Args:
        found: its cells, and its picture for the finder.
        glass: where that picture shows glass (`glass_of`).
    """
    height, width = found.picture.shape[:2]
    cells = _enlarged(found.labels, found.picture)
    # Within reach of a cell's edge: the dilated mask without the eroded one.
    rim = cv2.morphologyEx(cells, cv2.MORPH_GRADIENT, np.ones((2 * _RIM + 1, 2 * _RIM + 1), np.uint8)) > 0
    ring = cv2.morphologyEx(
        (found.labels > 0).astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)
    )
    ring = cv2.resize(ring, (width, height), interpolation=cv2.INTER_NEAREST) > 0
    every = max(1, int(np.count_nonzero(glass)) // _ENOUGH)
    masks = _Masks(rim, ring, glass)
    strips = [_strip(found.picture, top, masks, every) for top in range(0, height, _STRIP_ROWS)]
    pixels = int(np.count_nonzero(rim))
    fine, coarse = (_joined([strip[scale] for strip in strips], pixels) for scale in (0, 1))
    return Slopes(fine, coarse, pixels)


class _Masks(NamedTuple):
    """Where what is measured, bool (h, w) each: round outlines, on outlines, on glass."""

    rim: NDArray[np.bool_]
    ring: NDArray[np.bool_]
    glass: NDArray[np.bool_]


class _Part(NamedTuple):
    """What a strip tells at one scale."""

    energy: NDArray[np.float64]
    """Sum of the structure tensors of the rim, (2, 2)."""
    ridges: NDArray[np.float32]
    noise: NDArray[np.float32]
    """Squares of both slopes at some of the glass, (2, n)."""


def _strip(picture: NDArray[np.uint8], top: int, masks: _Masks, every: int) -> list[_Part]:
    """Measure some rows at both scales: all of a large field as floats would fill a small board's memory."""
    first = max(0, top - _HALO)
    inner = slice(top - first, top - first + _STRIP_ROWS)
    rows = slice(top, top + _STRIP_ROWS)
    seen = picture[first : top + _STRIP_ROWS + _HALO]
    grey = cv2.cvtColor(seen, cv2.COLOR_RGB2GRAY).astype(np.float32)
    points, parts = masks.ring[rows], []
    for sigma in (FINE, COARSE):
        smooth = cv2.GaussianBlur(grey, (0, 0), sigma)
        across, down = cv2.Scharr(smooth, cv2.CV_32F, 1, 0), cv2.Scharr(smooth, cv2.CV_32F, 0, 1)
        both = np.stack([across[inner], down[inner]])
        here = both[:, masks.rim[rows]].astype(np.float64)
        noise = np.square(both[:, masks.glass[rows]][:, ::every])
        strength = np.asarray(cv2.magnitude(across, down, across), np.float32)
        if sigma == FINE:
            points = points & (strength >= cv2.dilate(strength, np.ones((5, 5), np.uint8)))[inner]
        parts.append(_Part(here @ here.T, strength[inner][points], noise))
    return parts


def _joined(parts: list[_Part], pixels: int) -> Slope:
    """One scale of the whole field: the mean tensor without what noise adds, and all ridges."""
    energy = np.sum([part.energy for part in parts], axis=0) / max(pixels, 1)
    noise = np.concatenate([part.noise for part in parts], axis=1)
    if noise.shape[1] >= LEAST_RIM:
        energy = energy - np.eye(2) * float(np.median(noise, axis=1).sum()) / 2 / _MEDIAN_OF_SQUARES
    return Slope(energy, np.concatenate([part.ridges for part in parts]))


def measure_blur(slopes: Slopes) -> Blur | None:
    """Measure the blur of a field.

    Args:
        slopes: of its outlines.

    Returns:
        The blur, at most 1 cell width; None where there are too few outlines.
    """
    if slopes.rim < LEAST_RIM:
        return None
    values, vectors = np.linalg.eigh(slopes.coarse.energy)
    if values[0] <= 0:
        return None
    whitening = vectors @ np.diag(values**-0.5) @ vectors.T
    low, high = np.linalg.eigvalsh(whitening @ slopes.fine.energy @ whitening)
    return Blur(_spread(float(high)), _spread(float(low)))


def ridge_blur(found: FieldCells, slopes: Slopes) -> float:
    """Blur of the clearest outlines alone, in cell widths; NaN where hardly any stands out.

    Of a field that is far out of focus the finder's outlines no longer lie where the slopes are, and the energies round
    them (`measure_blur`) tell too little. Here the ridges of the slope on the outlines count, and that there are any.
    """
    fine, coarse = slopes.fine.ridges, slopes.coarse.ridges
    whole = sum(cell.counted for cell in found.cells)
    if len(fine) < min(RIDGE_POINTS, CELL_RIDGE_POINTS * max(whole, 1)):
        return float("nan")
    ratio = fine / np.maximum(coarse, 1e-3)
    # The clearest half of the outlines; weak ones are noise.
    ratio = ratio[fine >= np.median(fine)]
    best = float(np.clip(np.percentile(ratio, 60), 1.02, COARSE / FINE))
    spread = np.sqrt(max(0.0, (COARSE**2 - (best * FINE) ** 2) / (best**2 - 1)))
    return float(spread / CELL_WIDTH)


def glass_of(found: FieldCells) -> NDArray[np.bool_]:
    """Where the finder's picture shows glass, well away from cells, bool (h, w)."""
    cells = _enlarged(found.labels, found.picture)
    return cv2.dilate(cells, np.ones((2 * _NEAR + 1, 2 * _NEAR + 1), np.uint8)) == 0


def _enlarged(labels: NDArray[np.int32], picture: NDArray[np.generic]) -> NDArray[np.uint8]:
    """The cells' mask in the finder's picture, 1 on cells."""
    size = (picture.shape[1], picture.shape[0])
    mask = cv2.resize((labels > 0).astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    return np.asarray(mask, np.uint8)


def _spread(ratio: float) -> float:
    """The blur that outlines had whose energies at both scales have a ratio, cell widths."""
    least = np.sqrt(1 + (COARSE**2 - FINE**2) / (CELL_WIDTH**2 + FINE**2))
    bounded = float(np.clip(ratio, least, COARSE / FINE))
    return float(np.sqrt(max(0.0, (COARSE**2 - (bounded * FINE) ** 2) / (bounded**2 - 1))) / CELL_WIDTH)
