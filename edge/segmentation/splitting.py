"""From what the network sees to one label per cell, touching and overlapping cells told apart.

Every pixel of a cell points at the centre of its cell; a cell is a centre together with the pixels that point
at it (after Cheng et al., Panoptic-DeepLab, CVPR 2020).
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.segmentation.network import CELL_WIDTH, STRIDE, SegmentationMaps, chances
from edge.segmentation.settings import FinderSettings

# All lengths below are in pixels of the maps' grid, on which a typical cell is 16 wide.
GRID_WIDTH = CELL_WIDTH / STRIDE
# What smoothing leaves of a peak of the centre map.
SMOOTHED = 0.8
# Two centres nearer than this share of a cell's width are one.
NEAREST_CENTRES = 0.22
CELL_PROBABILITY = 0.5
# A centre with fewer pixels than this share of a typical cell is an artefact beside a real one.
LEAST_SHARE = 0.12


def separate(maps: SegmentationMaps, settings: FinderSettings) -> NDArray[np.int32]:
    """Label the cells of a network's maps.

    Args:
        maps: from `CellNetwork.predict`.
        settings: of the finder.

    Returns:
        int32 (h, w) on the maps' grid, 0 on glass, 1..n on cells, every label in use.
    """
    on_cell = maps.cell > _logit(CELL_PROBABILITY)
    pixels = _pixels_of(maps, on_cell)
    seeds = _centres(maps, on_cell, settings.centre)
    labels = _assign(pixels, seeds)
    sizes = np.bincount(labels.ravel())
    weak = sizes < LEAST_SHARE * np.pi / 4 * GRID_WIDTH**2
    weak[0] = False
    rows, columns = np.nonzero(seeds)
    dropped = weak[labels[rows, columns]]
    if dropped.any():
        seeds[rows[dropped], columns[dropped]] = 0
        labels = _assign(pixels, seeds)
    return labels


class _Pixels(NamedTuple):
    """The cells' pixels: where they lie, where they point, and their connected regions."""

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    towards: tuple[NDArray[np.int32], NDArray[np.int32]]
    components: NDArray[np.int32]
    regions: int


def _pixels_of(maps: SegmentationMaps, on_cell: NDArray[np.bool_]) -> _Pixels:
    rows, columns = np.nonzero(on_cell)
    offset = maps.offset[rows, columns].astype(np.float32)
    height, width = on_cell.shape
    x = np.clip(np.rint(columns + offset[:, 0]), 0, width - 1).astype(np.int32)
    y = np.clip(np.rint(rows + offset[:, 1]), 0, height - 1).astype(np.int32)
    regions, components = cv2.connectedComponents(on_cell.astype(np.uint8), connectivity=4)
    return _Pixels(rows, columns, (y, x), np.asarray(components, np.int32), regions)


def _logit(probability: float) -> float:
    return float(np.log(probability / (1 - probability)))


def _centres(maps: SegmentationMaps, on_cell: NDArray[np.bool_], least: float) -> NDArray[np.uint8]:
    """Peaks of the centre map, uint8 0/1."""
    height = cv2.GaussianBlur(chances(maps.centre), (0, 0), 0.8)
    reach = 2 * round(NEAREST_CENTRES * GRID_WIDTH) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    peaks = (height >= cv2.dilate(height, kernel)) & (height > least * SMOOTHED) & on_cell
    return peaks.astype(np.uint8)


def _assign(pixels: _Pixels, seeds: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Give each pixel the seed nearest to where it points; regions without a seed keep one label each."""
    rows, columns, towards, components, regions = pixels
    labels = np.zeros(seeds.shape, np.int32)
    if rows.size == 0:
        return labels
    own_region = components[rows, columns]
    seeded = np.zeros(regions, bool)
    seeded[components[seeds > 0]] = True
    values = np.zeros(rows.size, np.int32)
    count = 0
    if seeded.any():
        seed_count, seed_labels = cv2.connectedComponents(seeds, connectivity=8)
        count = seed_count - 1
        _, nearest = cv2.distanceTransformWithLabels(
            1 - seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_CCOMP
        )
        # The transform numbers its regions in its own way.
        names = np.zeros(int(nearest.max()) + 1, np.int32)
        names[nearest[seeds > 0]] = seed_labels[seeds > 0]
        values = names[nearest[towards]]
    lone = ~seeded[own_region]
    values[lone] = count + own_region[lone]
    # Number the labels without gaps.
    used = np.bincount(values, minlength=1) > 0
    used[0] = False
    names_in_use = np.cumsum(used, dtype=np.int32) * used
    labels[rows, columns] = names_in_use[values]
    return labels
