"""White cells told by what their nuclei absorb, for a network that does not tell them itself: the shipped one."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.cellnetwork import CELL_LEVEL, GLASS_LEVEL, STRIDE

# A white cell is no smaller than a typical red one ...
LEAST_SIZE = 1.0
# ... and the darkest quarter of it absorbs this many times the red light that red cells do: so much that it can be
# nothing else, or less, in another tint than theirs (the ratio of red to green light absorbed, in natural logs)
# and in proportion to its size. A nucleus fills a white cell; the parasites of an infected cell do not fill theirs.
CERTAIN_DENSITY, LEAST_DENSITY = 2.8, 1.65
LEAST_TINT, LEAST_MASS = 0.1, 5.4
LEAST_DARKNESS = 1.5
# Or it is larger than any infected cell, and a tenth of it is nucleus.
LARGE_SIZE, NUCLEUS_DENSITY, TENTH = 2.2, 1.9, 0.1
QUARTER = 0.25


def white_by_nucleus(
    picture: NDArray[np.uint8], labels: NDArray[np.int32], usual: float
) -> NDArray[np.bool_]:
    """Which labels are white cells.

    Args:
        picture: uint8 (h, w, 3), the network's picture.
        labels: int32 (h / 2, w / 2), its cells, every label in use.
        usual: area of a typical red cell, in pixels of `labels`.

    Returns:
        bool (labels + 1,).
    """
    height, width = labels.shape
    flat = labels.ravel()
    area = np.bincount(flat)
    strength = (picture[::STRIDE, ::STRIDE][:height, :width].astype(np.float32) - GLASS_LEVEL) / (
        CELL_LEVEL - GLASS_LEVEL
    )
    red, green, _ = cv2.split(strength)
    tint = red / np.maximum(green, 0.1)
    mean_red, mean_tint = (np.bincount(flat, values.ravel()) / area for values in (red, tint))
    # Of the median cell, not of the median pixel: in a small field one white cell may be most of what is stained.
    cells = np.flatnonzero(area > 0.25 * usual)
    cells = cells[cells > 0]
    if cells.size == 0:
        return np.zeros(area.size, bool)
    usual_red, usual_tint = (max(float(np.median(v[cells])), 0.05) for v in (mean_red, mean_tint))
    size = area / max(usual, 1.0)

    def above(density: float | NDArray[np.float64], share: float) -> NDArray[np.bool_]:
        """Whether this share of a label absorbs more red light than so many red cells do."""
        least = np.broadcast_to(density, area.shape)[flat] * usual_red
        return np.bincount(flat, red.ravel() > least, area.size) >= share * area

    with np.errstate(divide="ignore"):
        mass = np.maximum(np.sqrt(LEAST_MASS / np.maximum(size, 1e-3)), LEAST_DENSITY)
        tinted = np.abs(np.log(np.maximum(mean_tint, 1e-3) / usual_tint)) > LEAST_TINT
    dark = above(CERTAIN_DENSITY, QUARTER) | (tinted & above(mass, QUARTER))
    # A nucleus is dark in all light, a pointer's shadow across cells that absorb no red light is not.
    dense = strength.mean(axis=2)
    usual_dense = max(float(np.median((np.bincount(flat, dense.ravel()) / area)[cells])), 0.05)
    dark &= np.bincount(flat, dense.ravel() > LEAST_DARKNESS * usual_dense, area.size) >= QUARTER * area
    white = (size > LEAST_SIZE) & dark | (size > LARGE_SIZE) & above(NUCLEUS_DENSITY, TENTH)
    white[0] = False
    return white
