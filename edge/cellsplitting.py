"""From what the network sees to one label per cell, touching and overlapping cells told apart.

Every pixel of a cell points at the centre of its cell; a cell is a centre together with the pixels that point
at it (after Cheng et al., Panoptic-DeepLab, CVPR 2020).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.cellnetwork import CELL_WIDTH, STRIDE, Sight

# All lengths below are in pixels of the sight's grid, on which a typical cell is 16 wide.
GRID_WIDTH = CELL_WIDTH / STRIDE
# Two centres nearer than this share of a cell's width are one.
NEAREST_CENTRES = 0.22
# A peak of the centre map is a centre from this probability on.
CENTRE_PROBABILITY = 0.3
CELL_PROBABILITY = 0.5
# A centre with fewer pixels than this share of a typical cell is an artefact beside a real one.
LEAST_SHARE = 0.12


def separate(sight: Sight) -> NDArray[np.int32]:
    """Label the cells of a sight.

    Args:
        sight: from `CellNetwork.see`.

    Returns:
        int32 (h, w) on the sight's grid, 0 on glass, 1..n on cells, every label in use.
    """
    on_cell = sight.cell > _logit(CELL_PROBABILITY)
    seeds = _centres(sight, on_cell)
    labels = _assign(sight, on_cell, seeds)
    sizes = np.bincount(labels.ravel())
    weak = sizes < LEAST_SHARE * np.pi / 4 * GRID_WIDTH**2
    weak[0] = False
    if weak.any():
        rows, columns = np.nonzero(seeds)
        seeds[rows[weak[labels[rows, columns]]], columns[weak[labels[rows, columns]]]] = 0
        labels = _assign(sight, on_cell, seeds)
    return labels


def _logit(probability: float) -> float:
    return float(np.log(probability / (1 - probability)))


def _centres(sight: Sight, on_cell: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Peaks of the centre map, uint8 0/1."""
    height = cv2.GaussianBlur(1 / (1 + np.exp(-sight.centre.astype(np.float32))), (0, 0), 0.8)
    reach = 2 * round(NEAREST_CENTRES * GRID_WIDTH) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    peaks = (height >= cv2.dilate(height, kernel)) & (height > CENTRE_PROBABILITY * 0.8) & on_cell
    return peaks.astype(np.uint8)


def _assign(sight: Sight, on_cell: NDArray[np.bool_], seeds: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Give each pixel the seed nearest to where it points; regions without a seed keep one label each."""
    rows, columns = np.nonzero(on_cell)
    labels = np.zeros(on_cell.shape, np.int32)
    if rows.size == 0:
        return labels
    components_count, components = cv2.connectedComponents(on_cell.astype(np.uint8), connectivity=4)
    seeded = np.zeros(components_count, bool)
    seeded[components[seeds > 0]] = True
    count = 0
    if seeds.any():
        seed_count, seed_labels = cv2.connectedComponents(seeds, connectivity=8)
        count = seed_count - 1
        _, nearest = cv2.distanceTransformWithLabels(
            1 - seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_CCOMP
        )
        # The transform numbers its regions in its own way.
        names = np.zeros(int(nearest.max()) + 1, np.int32)
        names[nearest[seeds > 0]] = seed_labels[seeds > 0]
        offset = sight.offset[rows, columns].astype(np.float32)
        height, width = on_cell.shape
        x = np.clip(np.rint(columns + offset[:, 0]), 0, width - 1).astype(np.int32)
        y = np.clip(np.rint(rows + offset[:, 1]), 0, height - 1).astype(np.int32)
        labels[rows, columns] = names[nearest[y, x]]
    lone = ~seeded[components[rows, columns]]
    labels[rows[lone], columns[lone]] = count + components[rows[lone], columns[lone]]
    # Number the labels without gaps.
    used = np.bincount(labels[rows, columns], minlength=1) > 0
    used[0] = False
    names_in_use = np.zeros(used.size, np.int32)
    names_in_use[used] = np.arange(1, int(used.sum()) + 1)
    return names_in_use[labels]
