"""From frame to frame by the pictures alone: how far the stage moved, and how sharp the frame is.

A thumbnail of a quarter of the frame's width or less is enough to follow a stage, in a few milliseconds. It
tells where to expect the next field; where a field really lies is recognised by its cells
(:mod:`edge.live.registration.point_patterns`), so that small errors here never add up.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

THUMBNAIL_WIDTH = 320
"""Width to which a frame is shrunk for following it, pixels."""
LEAST_CORRELATION = 0.5
"""Smallest correlation coefficient of the common area that is believed. Of 45 pairs of fields of one slide
with nothing in common none reached it; the same field blurred by 2 pixels reaches 0.96 to 0.99."""
LEAST_OVERLAP = 0.15
"""Smallest share of the frame that must be common."""


class Thumbnail(NamedTuple):
    """A frame as the follower keeps it.

    Attributes:
        picture: float32 (h, w), light relative to its surroundings, mean near 0.
        zoom: pixels of the frame for one of the thumbnail.
        sharpness: how much of the thumbnail's contrast is in its finest detail, along the direction that has
            least of it. Noise and JPEG blocks are finer than a thumbnail shows; motion takes the detail away along
            its own direction. Compares frames of one slide, and has no meaning between slides.
        size: width and height of the frame, pixels.
    """

    picture: NDArray[np.float32]
    zoom: float
    sharpness: float
    size: tuple[int, int]


class Movement(NamedTuple):
    """How far the field moved over the slide from one frame to another, in pixels of the frame."""

    x: float
    y: float
    correlation: float
    """Of the common area, LEAST_CORRELATION to 1."""


def take_thumbnail(rgb: NDArray[np.uint8]) -> Thumbnail:
    """Shrink a frame for following it.

    Args:
        rgb: RGB, uint8, shape (h, w, 3).
    """
    green = np.ascontiguousarray(rgb[:, :, 1])  # where haemoglobin and stain absorb most
    zoom = max(1.0, green.shape[1] / THUMBNAIL_WIDTH)
    size = (max(8, round(green.shape[1] / zoom)), max(8, round(green.shape[0] / zoom)))
    small = cv2.resize(green, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    # Dividing by the surroundings takes out the lamp's and the lens's shading, which stands still while the
    # slide moves and would pull every shift towards zero.
    around = _surroundings(small)
    picture = np.asarray(cv2.divide(small, cv2.max(around, 1.0)) - np.float32(1), np.float32)
    return Thumbnail(picture, zoom, _least_detail(picture), (rgb.shape[1], rgb.shape[0]))


def _surroundings(small: NDArray[np.float32]) -> NDArray[np.float32]:
    """A thumbnail blurred by a tenth of its width; float32 (h, w).

    Blurred so far, nothing is left that a quarter of its pixels would not show.
    """
    height, width = small.shape
    quarter = cv2.resize(small, (max(2, width // 4), max(2, height // 4)), interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(quarter, (0, 0), width / 40)
    return np.asarray(cv2.resize(blurred, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _least_detail(picture: NDArray[np.float32]) -> float:
    """Mean square of the second derivative along that of four directions which has least, over the variance."""
    across, down = cv2.Sobel(picture, cv2.CV_32F, 2, 0), cv2.Sobel(picture, cv2.CV_32F, 0, 2)
    mixed = cv2.Sobel(picture, cv2.CV_32F, 1, 1)
    between = (across + down) / 2
    along = (across, down, between + mixed, between - mixed)
    least = min(cv2.norm(one, cv2.NORM_L2SQR) for one in along) / picture.size
    _, deviation = cv2.meanStdDev(picture)
    return float(least / (deviation.item() ** 2 + 1e-6))


def estimate_motion(before: Thumbnail, after: Thumbnail) -> Movement | None:
    """Tell how the field moved between two frames.

    Phase correlation (Kuglin & Hines 1975) finds the shift of the picture up to whole widths and heights of
    it; the overlays that are left are told apart by the correlation of what they have in common.

    Args:
        before: the earlier frame.
        after: the later frame, of the same size.

    Returns:
        The movement of the field over the slide, or None when the frames have too little in common.
    """
    if before.picture.shape != after.picture.shape:
        return None
    height, width = before.picture.shape
    window = cv2.createHanningWindow((width, height), cv2.CV_32F)
    # Copies, because OpenCV (5.0 at least) lays the window over its inputs where they stand.
    (dx, dy), _ = cv2.phaseCorrelate(before.picture.copy(), after.picture.copy(), window)
    best: tuple[float, float, float] | None = None
    for x in {dx, dx - width if dx > 0 else dx + width}:
        for y in {dy, dy - height if dy > 0 else dy + height}:
            correlation = _correlation_of_overlap(before.picture, after.picture, round(x), round(y))
            if correlation is not None and (best is None or correlation > best[2]):
                best = (x, y, correlation)
    if best is None or best[2] < LEAST_CORRELATION:
        return None
    # The picture moves against the field: cells wander left when the camera goes right.
    return Movement(-best[0] * after.zoom, -best[1] * after.zoom, best[2])


def overlaps_agree(
    before: Thumbnail, after: Thumbnail, x: float, y: float, *, least_overlap: float = LEAST_OVERLAP
) -> bool:
    """Whether two frames show the same where they overlap, the later one lying (x, y) pixels further.

    Args:
        before: one frame.
        after: another, of the same size.
        x: pixels of the frame to the right.
        y: pixels of the frame downwards.
        least_overlap: smallest share of the frame that must be common.
    """
    if before.picture.shape != after.picture.shape:
        return False
    at_x, at_y = round(-x / after.zoom), round(-y / after.zoom)
    # A thumbnail's pixel is coarser than the place: the best of the nine overlays around it counts.
    found = [
        _correlation_of_overlap(
            before.picture, after.picture, at_x + across, at_y + down, least_overlap=least_overlap
        )
        for across in (-1, 0, 1)
        for down in (-1, 0, 1)
    ]
    return (
        max((correlation for correlation in found if correlation is not None), default=0.0)
        >= LEAST_CORRELATION
    )


def _correlation_of_overlap(
    before: NDArray[np.float32],
    after: NDArray[np.float32],
    x: int,
    y: int,
    *,
    least_overlap: float = LEAST_OVERLAP,
) -> float | None:
    """Correlation coefficient of two pictures where they overlap, the second shifted back by (x, y)."""
    height, width = before.shape
    wide, high = width - abs(x), height - abs(y)
    if wide <= 0 or high <= 0 or wide * high < least_overlap * width * height:
        return None
    first = before[max(0, -y) : max(0, -y) + high, max(0, -x) : max(0, -x) + wide]
    second = after[max(0, y) : max(0, y) + high, max(0, x) : max(0, x) + wide]
    first = first - first.mean()
    second = second - second.mean()
    spread = float(np.sqrt((first * first).sum() * (second * second).sum()))
    # Two empty stretches of glass agree on nothing, wherever they lie.
    return float((first * second).sum()) / spread if spread > 1e-3 * first.size else None
