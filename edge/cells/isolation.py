"""One cell in one picture: which of its pixels are the cell.

The published single-cell pictures are already cut and black outside the cell; pictures from elsewhere
have their background, and often parts of neighbours, round the cell. Both end as the same mask here.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

# Share of a picture's outermost pixels that must be black for it to count as already cut. Measured on 1,520
# NIH cells: 0.65 to 0.99; a picture with glass round its cell has none.
BLACK_BORDER_SHARE = 0.3
BLACK_LEVEL = 8
"""Grey level of each channel up to which a pixel counts as the black round a cut-out cell: JPEG leaves up to this."""
# The working size: a cell's outline needs no more.
WORKING_SIDE = 96
# Weakest optical density of a cell against its glass; the least and most of the picture that it may cover.
LEAST_DENSITY = 0.04
LEAST_AREA = 0.04
MOST_AREA = 0.97


def isolate(rgb: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """Mask the central cell of a single-cell picture.

    Args:
        rgb: uint8 (h, w, 3), one cell, either black outside it or with its background round it.

    Returns:
        uint8 (h, w), 255 on the cell and 0 elsewhere, one connected piece without holes; None where no cell
        stands out from the background at the picture's middle (a blank picture, or one filled by the cell).
    """
    black = _up_to(rgb, 0)
    exact = bool(black[0].any() or black[-1].any())
    if not exact or not _on_border(black):
        nearly_black = _up_to(rgb, BLACK_LEVEL)
        if not _on_border(nearly_black):
            return _against_glass(rgb)
        black = black if exact else nearly_black
    return _largest_piece(cv2.bitwise_not(black), least_area=0.02)


def whole_picture(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Mask all that is not black: uint8 (h, w), 255 or 0; for pictures in which no cell stands out."""
    return cv2.bitwise_not(_up_to(rgb, BLACK_LEVEL))


def _on_border(black: NDArray[np.uint8]) -> bool:
    """Tell whether enough of a picture's outermost pixels are black; those in the corners count twice."""
    edges = (black[0], black[-1], black[:, 0], black[:, -1])
    count = sum(np.count_nonzero(edge) for edge in edges)
    return bool(count >= BLACK_BORDER_SHARE * sum(len(edge) for edge in edges))


def _up_to(rgb: NDArray[np.uint8], level: int) -> NDArray[np.uint8]:
    """255 where no channel is above a level, 0 elsewhere."""
    return np.asarray(cv2.inRange(rgb, (0, 0, 0), (level, level, level)), np.uint8)


def _largest_piece(mask: NDArray[np.uint8], least_area: float) -> NDArray[np.uint8] | None:
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return None
    largest = max(contours, key=cv2.contourArea)
    if cv2.contourArea(largest) < least_area * mask.size:
        return None
    filled = np.zeros_like(mask)
    cv2.drawContours(filled, [largest], -1, 255, cv2.FILLED)
    return filled


def _against_glass(rgb: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    height, width = rgb.shape[:2]
    scale = min(1.0, WORKING_SIDE / max(height, width))
    if scale * min(height, width) < 1:  # a line, of which nothing would be left
        return None
    small = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else rgb
    if min(small.shape[:2]) < 8:
        return None
    levels = _density_levels(small)
    threshold, _ = cv2.threshold(levels, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    # Otsu's threshold lies halfway; the outline of a pale cell with a dark parasite lies lower.
    threshold = max(0.7 * threshold, 255 * LEAST_DENSITY)
    dark = (levels > threshold).astype(np.uint8) * 255
    piece = _central_piece(_without_neighbours(_filled(dark)))
    if piece is None or not LEAST_AREA < np.count_nonzero(piece) / piece.size < MOST_AREA:
        return None
    return (cv2.resize(piece, (width, height), interpolation=cv2.INTER_LINEAR) > 127).astype(np.uint8) * 255


def _density_levels(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Optical density against the glass at the picture's border, smoothed, one density unit to 255 levels."""
    smooth = cv2.GaussianBlur(rgb, (0, 0), 1.0).astype(np.float32)
    border = np.concatenate([smooth[0], smooth[-1], smooth[:, 0], smooth[:, -1]])
    brightness = border.mean(axis=1)
    # Neighbours may lie on most of the border; the glass is its bright end.
    glass = border[brightness >= np.percentile(brightness, 75)].mean(axis=0)
    density = np.log(np.maximum(glass, 2.0) / np.maximum(smooth, 2.0)).mean(axis=2)
    return np.clip(density * 255, 0, 255).astype(np.uint8)


def _filled(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(np.zeros_like(mask), contours, -1, 255, cv2.FILLED)


def _without_neighbours(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Drop the corners, where only neighbours lie, and open the bridges to what touches the cell."""
    height, width = mask.shape
    frame = np.zeros_like(mask)
    # The picture frames the cell: its inscribed ellipse, a little enlarged, holds all of it.
    cv2.ellipse(frame, ((width / 2, height / 2), (1.08 * width, 1.08 * height), 0), 255, cv2.FILLED)
    reach = max(3, round(0.2 * min(height, width)) | 1)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    opened = cv2.morphologyEx(cv2.bitwise_and(mask, frame), cv2.MORPH_OPEN, kernel)
    core = _central_piece(opened)
    if core is None:
        return cv2.bitwise_and(mask, frame)
    # Give the outline its spikes back, but not the neighbour beyond the bridge.
    near = cv2.dilate(core, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach // 2 | 1, reach // 2 | 1)))
    return cv2.bitwise_and(cv2.bitwise_and(mask, frame), near)


def _central_piece(mask: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    count, labels, stats, centres = cv2.connectedComponentsWithStats(mask, connectivity=4)
    if count < 2:
        return None
    height, width = mask.shape
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    away = np.linalg.norm(centres - middle, axis=1) / np.hypot(width, height)
    worth = np.sqrt(stats[:, cv2.CC_STAT_AREA] / mask.size) - 1.5 * away
    worth[0] = -np.inf
    return _largest_piece((labels == int(np.argmax(worth))).astype(np.uint8) * 255, least_area=0.0)
