"""Touching and overlapping cells, told apart by the shape of the region that they form together."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def split_cells(mask: NDArray[np.uint8], cell_width: float) -> NDArray[np.int32]:
    """Label the cells of a mask.

    Peaks of the smoothed distance map at least half a cell apart are cells; pixels go to a peak along the
    distance map (watershed).

    Args:
        mask: uint8 (h, w), 255 on cells.
        cell_width: px, of a typical cell in this mask.

    Returns:
        int32 (h, w), 0 on glass, 1..n on cells.
    """
    distance = cv2.distanceTransform(mask, cv2.DIST_L2, 5)
    smooth = cv2.GaussianBlur(distance, (0, 0), max(0.7, 0.06 * cell_width))
    reach = max(3, round(0.45 * cell_width) | 1)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    peaks = (smooth >= cv2.dilate(smooth, kernel)) & (smooth > 0.12 * cell_width)
    dots = cv2.dilate(peaks.astype(np.uint8), np.ones((3, 3), np.uint8))
    # Each stained pixel goes to its nearest peak of the same region.
    seeds = (peaks & (mask > 0)).astype(np.uint8)
    _, nearest = cv2.distanceTransformWithLabels(1 - seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_CCOMP)
    _, components = cv2.connectedComponents((mask > 0).astype(np.uint8), connectivity=4)
    joint = components.astype(np.int64) * (int(nearest.max()) + 1) + nearest
    joint[mask == 0] = 0
    _, labels = np.unique(joint, return_inverse=True)
    return labels.reshape(mask.shape).astype(np.int32)
