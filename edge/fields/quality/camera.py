"""What a camera does to a field: noise, blocks of a compression, rows out of step, bands of flickering light."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.segmentation.background import Background
from edge.segmentation.finder import FieldCells
from edge.segmentation.network import CELL_LEVEL, GLASS_LEVEL
from edge.types import Rgb

_BLOCK = 8
"""Side of a block of JPEG, px."""
_SAMPLED = 5
"""Every so many columns, or rows, are enough to measure what runs across all of them."""
_MOST_STEP = 24
"""A larger step between neighbours is an outline's, not a block's, grey levels."""
_SECOND_DIFFERENCES = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32) / 6
"""Leaves of a picture its noise, of the same standard deviation (Immerkaer 1996)."""
_LEAST_GLASS = 400
"""Pixels of glass from which on noise and bands can be measured."""
_LEAST_SEEN = 0.05
"""Share of a row or column that must be glass for its light to be known."""
_ENOUGH = 8000
"""Pixels of glass that are enough to know its noise by."""
_GAUSSIAN = 0.6745
"""Median of the absolute values of what is normally distributed, over its standard deviation."""


def measure_noise(rgb: Rgb, found: FieldCells, glass: NDArray[np.bool_]) -> float:
    """Noise on the glass, over its brightness, at the scale at which cells are 32 px wide.

    At that scale what is finer than a parasite is averaged out, and what a compression leaves of the noise is still
    seen.

    Args:
        rgb: the field, uint8 (h, w, 3).
        found: its cells.
        glass: where the finder's picture shows glass.

    Returns:
        Standard deviation of the green channel over the glass's green; 0 where no glass is seen.
    """
    height, width = found.picture.shape[:2]
    green = cv2.extractChannel(rgb, 1)
    small = cv2.resize(green, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)
    fine = cv2.filter2D(small, cv2.CV_32F, _SECOND_DIFFERENCES)[glass]
    if len(fine) < _LEAST_GLASS:
        return 0.0
    here = np.abs(fine[:: max(1, len(fine) // _ENOUGH)])
    return float(np.median(here) / _GAUSSIAN / max(found.background.colour[1], 1))


def measure_blocks(rgb: Rgb, background: Background) -> float:
    """Mean step between neighbouring 8 x 8 blocks beyond that between other pixels, over the glass's brightness.

    Only pictures at the size at which they were compressed show it.
    """
    steps = []
    for axis, part in enumerate((rgb[:, ::_SAMPLED, 1], rgb[::_SAMPLED, :, 1])):
        green = part.astype(np.int16)
        between = np.minimum(np.abs(np.diff(green, axis=axis)), _MOST_STEP).mean(axis=1 - axis)
        whole = len(between) // _BLOCK * _BLOCK
        if not whole:
            return 0.0
        by_place = between[:whole].reshape(-1, _BLOCK).mean(axis=0)
        steps.append(by_place[_BLOCK - 1] - by_place[[0, 1, _BLOCK - 3, _BLOCK - 2]].mean())
    return float(max(0.0, np.mean(steps)) / max(background.colour[1], 1))


def measure_comb(rgb: Rgb) -> float:
    """How much neighbouring rows differ, over how much rows two apart do; mean squares.

    About 0.3 in a picture, 1 in noise; more only where every second row was taken at another time.
    """
    green = rgb[:, ::_SAMPLED, 1].astype(np.float32)
    next_row = float(np.mean(np.square(green[1:] - green[:-1])))
    second = float(np.mean(np.square(green[2:] - green[:-2])))
    return next_row / second if second > 0 else 0.0


def measure_bands(found: FieldCells, glass: NDArray[np.bool_]) -> float:
    """Amplitude of bands of light along the rows of the sensor, in densities of a typical cell.

    Shading varies along both sides of a picture; a lamp that flickers while the sensor is read row by row, along one.
    """
    grey = cv2.cvtColor(found.picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    by_row = _unevenness(grey, glass, 1)
    # What the rows have in common is taken off before the columns are asked: else bands would show in both.
    by_column = _unevenness(grey - by_row[:, None], glass, 0)
    amplitude = np.sqrt(2 * max(0.0, float(np.var(by_row)) - float(np.var(by_column))))
    return float(amplitude / (CELL_LEVEL - GLASS_LEVEL))


def _unevenness(grey: NDArray[np.float32], glass: NDArray[np.bool_], axis: int) -> NDArray[np.float32]:
    """The glass's mean along one side of the picture, without what is slow; 0 where too little glass is seen."""
    seen = glass.sum(axis=axis)
    known = seen > _LEAST_SEEN * grey.shape[axis]
    uneven = np.zeros(len(seen), np.float32)
    if np.count_nonzero(known) < 0.3 * len(seen):
        return uneven
    mean = np.where(glass, grey, 0).sum(axis=axis)[known] / seen[known]
    at = np.linspace(-1, 1, len(known))[known]
    slow = np.polynomial.polynomial.polyval(at, np.polynomial.polynomial.polyfit(at, mean, 2))
    uneven[known] = mean - slow
    return uneven
