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
    """Slope of a picture's grey levels at one scale.

    Attributes:
        across: float32 (h, w), from left to right.
        down: float32 (h, w), from top to bottom.
    """

    across: NDArray[np.float32]
    down: NDArray[np.float32]


class Slopes(NamedTuple):
    """Both scales, which both measures of blur need."""

    fine: Slope
    coarse: Slope


def measure_slopes(found: FieldCells) -> Slopes:
    """Take the slopes of the finder's picture of a field."""
    grey = cv2.cvtColor(found.picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return Slopes(_slope(grey, FINE), _slope(grey, COARSE))


def measure_blur(found: FieldCells, glass: NDArray[np.bool_], slopes: Slopes) -> Blur | None:
    """Measure the blur of a field.

    Args:
        found: its cells, and its picture for the finder.
        glass: where that picture shows glass (`glass_of`).
        slopes: of that picture.

    Returns:
        The blur, at most 1 cell width; None where there are too few outlines.
    """
    cells = _enlarged(found.labels, found.picture)
    near = cv2.dilate(cells, np.ones((2 * _RIM + 1, 2 * _RIM + 1), np.uint8))
    inner = cv2.erode(cells, np.ones((2 * _RIM + 1, 2 * _RIM + 1), np.uint8))
    rim = (near > 0) & (inner == 0)
    if np.count_nonzero(rim) < LEAST_RIM:
        return None
    fine, coarse = (_energy(slope, rim, glass) for slope in slopes)
    values, vectors = np.linalg.eigh(coarse)
    if values[0] <= 0:
        return None
    whitening = vectors @ np.diag(values**-0.5) @ vectors.T
    low, high = np.linalg.eigvalsh(whitening @ fine @ whitening)
    return Blur(_spread(float(high)), _spread(float(low)))


def ridge_blur(found: FieldCells, slopes: Slopes) -> float:
    """Blur of the clearest outlines alone, in cell widths; NaN where hardly any stands out.

    Of a field that is far out of focus the finder's outlines no longer lie where the slopes are, and the energies round
    them (`measure_blur`) tell too little. Here the ridges of the slope on the outlines count, and that there are any.
    """
    fine, coarse = (np.asarray(cv2.magnitude(*slope), np.float32) for slope in slopes)
    cells = (found.labels > 0).astype(np.uint8)
    ring = cv2.morphologyEx(cells, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    ring = cv2.resize(ring, (fine.shape[1], fine.shape[0]), interpolation=cv2.INTER_NEAREST) > 0
    ring &= fine >= cv2.dilate(fine, np.ones((5, 5), np.uint8))
    whole = sum(cell.counted for cell in found.cells)
    if np.count_nonzero(ring) < min(RIDGE_POINTS, CELL_RIDGE_POINTS * max(whole, 1)):
        return float("nan")
    ratio = fine[ring] / np.maximum(coarse[ring], 1e-3)
    # The clearest half of the outlines; weak ones are noise.
    ratio = ratio[fine[ring] >= np.median(fine[ring])]
    best = float(np.clip(np.percentile(ratio, 60), 1.02, COARSE / FINE))
    spread = np.sqrt(max(0.0, (COARSE**2 - (best * FINE) ** 2) / (best**2 - 1)))
    return float(spread / CELL_WIDTH)


def _slope(grey: NDArray[np.float32], sigma: float) -> Slope:
    smooth = cv2.GaussianBlur(grey, (0, 0), sigma)
    across, down = cv2.Scharr(smooth, cv2.CV_32F, 1, 0), cv2.Scharr(smooth, cv2.CV_32F, 0, 1)
    return Slope(np.asarray(across, np.float32), np.asarray(down, np.float32))


def glass_of(found: FieldCells) -> NDArray[np.bool_]:
    """Where the finder's picture shows glass, well away from cells, bool (h, w)."""
    cells = _enlarged(found.labels, found.picture)
    return cv2.dilate(cells, np.ones((2 * _NEAR + 1, 2 * _NEAR + 1), np.uint8)) == 0


def _enlarged(labels: NDArray[np.int32], picture: NDArray[np.generic]) -> NDArray[np.uint8]:
    """The cells' mask in the finder's picture, 1 on cells."""
    size = (picture.shape[1], picture.shape[0])
    mask = cv2.resize((labels > 0).astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    return np.asarray(mask, np.uint8)


def _energy(slope: Slope, rim: NDArray[np.bool_], glass: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Mean structure tensor of the outlines at one scale, (2, 2), without what noise adds."""
    across, down = slope
    mask = rim.astype(np.uint8)
    xx, xy, yy = (
        cv2.mean(cv2.multiply(one, other), mask)[0]
        for one, other in ((across, across), (across, down), (down, down))
    )
    tensor = np.array([[xx, xy], [xy, yy]], np.float64)
    places = np.flatnonzero(glass)
    if len(places) < LEAST_RIM:
        return tensor
    some = places[:: max(1, len(places) // _ENOUGH)]
    noise = np.median(np.square(across.ravel()[some])) + np.median(np.square(down.ravel()[some]))
    return tensor - np.eye(2) * float(noise) / 2 / _MEDIAN_OF_SQUARES


def _spread(ratio: float) -> float:
    """The blur that outlines had whose energies at both scales have a ratio, cell widths."""
    least = np.sqrt(1 + (COARSE**2 - FINE**2) / (CELL_WIDTH**2 + FINE**2))
    bounded = float(np.clip(ratio, least, COARSE / FINE))
    return float(np.sqrt(max(0.0, (COARSE**2 - (bounded * FINE) ** 2) / (bounded**2 - 1))) / CELL_WIDTH)
