"""Which pixels of a field are stained, and how wide its cells are."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.segmentation.background import channel_mean

# A cell's outline lies where the stain falls to this share of a typical cell's: a little below half, since
# the rim of a pale cell is thinner than that of its neighbours.
OUTLINE_SHARE = 0.38
# Histograms of optical density have this many bins per unit.
LEVELS = 200
# Cells cover at least this share of a smear; what is stained apart from the rest and covers less is none.
LEAST_STAINED = 0.03
# A connected region is believed where it reaches this share somewhere; fainter is smear, plasma, ghosts.
CORE_SHARE = 0.6
# A region at least this convex (area over that of its hull) is one cell; crenated cells reach 0.9.
CONVEX = 0.9


def typical_density(density: NDArray[np.float32], lit: NDArray[np.uint8]) -> float:
    """Median optical density (mean of channels) of what is stained; 0 where nothing is.

    Args:
        density: float32 (h, w, 3) from `optical_density`.
        lit: uint8 (h, w) from `lit_area`.
    """
    levels = np.asarray(cv2.convertScaleAbs(cv2.max(channel_mean(density), 0.0), alpha=LEVELS), np.uint8)
    counts = cv2.calcHist([levels], [0], lit, [256], [0, 256]).ravel()
    if counts.sum() < 64:
        return 0.0
    threshold = _otsu(counts)
    if counts[threshold + 1 :].sum() < LEAST_STAINED * counts.sum():
        # An eyepiece's pointer or dirt, darker than any cell: the cells are in what remains.
        counts[threshold + 1 :] = 0
        threshold = _otsu(counts)
    # Where dark cells and pale ones mix, Otsu parts these two; half of its level parts both from the glass.
    counts[: int(0.6 * threshold) + 1] = 0
    stained = np.cumsum(counts)
    return float(np.searchsorted(stained, stained[-1] / 2)) / LEVELS if stained[-1] > 16 else 0.0


def _otsu(counts: NDArray[np.float32]) -> int:
    """The level that parts a histogram into two classes of the largest variance between them (Otsu 1979)."""
    below = np.cumsum(counts, dtype=np.float64)
    moment = np.cumsum(counts * np.arange(counts.size), dtype=np.float64)
    above = below[-1] - below
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (moment * above - (moment[-1] - moment) * below) ** 2 / (below * above)
    return int(np.argmax(np.nan_to_num(between, nan=0.0, posinf=0.0)))


def find_stain(
    density: NDArray[np.float32], lit: NDArray[np.uint8], cell_width: float, typical: float | None = None
) -> NDArray[np.uint8]:
    """Segment cells from glass.

    Args:
        density: float32 (h, w, 3) from `optical_density`.
        lit: uint8 (h, w) from `lit_area`, at the same size.
        cell_width: px; sets the smoothing and the largest hole that can be a cell's pallor.
        typical: optical density of a typical cell, if known; else from `typical_density`.

    Returns:
        uint8 (h, w), 255 on cells, pallor included, glass between clumped cells not.
    """
    typical = max(typical_density(density, lit) if typical is None else typical, 1e-3)
    mask, strength = _stained(channel_mean(density), lit, cell_width, typical)
    return fill_pallor(mask, strength, cell_width)


def _stained(
    mean: NDArray[np.float32], lit: NDArray[np.uint8], cell_width: float, typical: float
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Stained pixels, 255, pallor still open, and the smoothed stain in units of a typical cell's."""
    strength = cv2.GaussianBlur(mean, (0, 0), max(0.6, cell_width / 40))
    strength *= np.float32(1 / typical)
    strength[lit == 0] = 0
    low = cv2.compare(strength, OUTLINE_SHARE, cv2.CMP_GT)
    return _reaching(low, strength > CORE_SHARE) * np.uint8(255), np.asarray(strength, np.float32)


def _reaching(low: NDArray[np.uint8], core: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Connected regions of `low` that contain at least one pixel of `core`."""
    count, labels = cv2.connectedComponents(low, connectivity=4)
    keep = np.zeros(count, np.uint8)
    keep[labels[core]] = 1
    keep[0] = 0
    return np.take(keep, labels)


def fill_pallor(
    mask: NDArray[np.uint8], strength: NDArray[np.float32], cell_width: float
) -> NDArray[np.uint8]:
    """Fill the pale centres of cells, but not the glass that clumped cells enclose.

    A hole is pallor when its region is one cell by size and shape, or when it is round, smaller than a cell's
    inside and not as bright as glass. Glass between cells is pointed where the cells touch.
    """
    contours, tree = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    if tree is None:
        return mask
    filled = mask.copy()
    cell_area = np.pi / 4 * cell_width**2
    for contour, (_, _, _, parent) in zip(contours, tree[0], strict=True):
        if parent < 0:
            continue
        area = cv2.contourArea(contour)
        if area > 0.55 * cell_area:
            continue
        if area > 0.02 * cell_area:
            hull_area = max(cv2.contourArea(cv2.convexHull(contour)), 1.0)
            outer = contours[parent]
            outer_area = cv2.contourArea(outer)
            alone = outer_area < 2.2 * cell_area and outer_area > 0.85 * cv2.contourArea(
                cv2.convexHull(outer)
            )
            if not alone and area / hull_area < 0.8:
                continue
            # A place in the hole's middle: glass there is hardly stained.
            x, y, w, h = cv2.boundingRect(contour)
            middle = strength[y + h // 4 : y + h - h // 4, x + w // 4 : x + w - w // 4]
            if not alone and middle.size and float(middle.min()) < 0.12:
                continue
        cv2.drawContours(filled, [contour], -1, 255, cv2.FILLED)
    return filled


def estimate_cell_width(density: NDArray[np.float32], lit: NDArray[np.uint8], typical: float) -> float:
    """Find the width of a typical cell in a picture of which nothing is known.

    Args:
        density: float32 (h, w, 3) from `optical_density`.
        lit: uint8 (h, w) from `lit_area`, at the same size.
        typical: optical density of a typical cell, from `typical_density`.

    Returns:
        px; 0 where nothing is stained.
    """
    mean, typical, width = channel_mean(density), max(typical, 1e-3), 0.0
    # Smoothed for cells of a guessed width, and again for those of the width that was found.
    for least in (20.0, 4.0):
        expected = max(width, least)
        mask, strength = _stained(mean, lit, expected, typical)
        alone = _width_alone(mask)
        width = _width_of_ridges(fill_pallor(mask, strength, expected)) if alone is None else alone
    return width


def cell_width_in(mask: NDArray[np.uint8]) -> float:
    """Find the width of a typical cell in a mask of stained pixels.

    Cells that lie alone are convex: the median of their widths, weighted by area so that platelets and dirt
    do not count. Where too few lie alone, ridges of the distance map of the filled regions give half widths.

    Args:
        mask: uint8 (h, w), 255 on stained pixels; pallor may still be open.

    Returns:
        px; 0 where nothing is stained.
    """
    width = _width_alone(mask)
    return _width_of_ridges(mask) if width is None else width


def _width_alone(mask: NDArray[np.uint8]) -> float | None:
    """Width of the cells that lie alone, open pallor or not; 0 where nothing is stained, None where too few do."""
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    height, width = mask.shape
    alone: list[float] = []
    total = 0.0
    for contour in contours:
        area = cv2.contourArea(contour)
        if area < 12:
            continue
        total += area
        x, y, w, h = cv2.boundingRect(contour)
        if x <= 0 or y <= 0 or x + w >= width or y + h >= height or max(w, h) > 2.2 * min(w, h):
            continue
        if area > CONVEX * cv2.contourArea(cv2.convexHull(contour)):
            alone.append(area)
    if total == 0:
        return 0.0
    areas = np.sort(np.array(alone))
    if areas.size and areas.sum() > 0.1 * total:
        half = int(np.searchsorted(np.cumsum(areas), 0.5 * areas.sum()))
        return float(np.sqrt(4 * areas[min(half, areas.size - 1)] / np.pi))
    return None


def _width_of_ridges(mask: NDArray[np.uint8]) -> float:
    """Width from the distance map's ridges, which run along the middle of the cells; 0 where there are none."""
    distance = cv2.distanceTransform(mask, cv2.DIST_L2, 5)
    ridge = distance[(distance >= cv2.dilate(distance, np.ones((3, 3), np.uint8))) & (distance > 2)]
    return float(2 * np.percentile(ridge, 75)) if ridge.size else 0.0
