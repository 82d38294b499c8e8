"""Whether a picture has colour: parasites are told by their stain, which a grey picture does not show.

A monochrome camera, a green filter or a capture program's "grey scale" gives one measurement a pixel, whatever tint the
file has. Its channels then keep one ratio all over the picture, which no stained cell does.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.types import Mask, Rgb

LEAST_IN_CELL = 0.008
"""Of 300 NIH cells the least is 0.0124. Grey ones have 0, tinted ones up to 0.005; tinted JPEG files, whose blocks
have colours of their own, 0.03 to 0.05: these are not told from cells."""
LEAST_IN_FIELD = 0.035
"""Of 86 fields of eight sets the least is 0.055; the same in grey, tinted and stored as JPEG 75, reach 0.034."""
_NEUTRAL = 2.0
"""Grey levels that the channels' means may differ by in a picture that is grey without a tint."""
_SIDE = 400
_DARK = 24  # grey levels; below, one level more or less is a ratio of its own
_EMPTY = 24  # a channel that all but a hundredth of the pixels stay below holds nothing but what JPEG leaves


def colour_spread(rgb: Rgb, mask: Mask | None = None) -> float:
    """Measure how far the channels' ratios differ between pixels.

    Args:
        rgb: uint8 (h, w, 3).
        mask: uint8 (h, w), 255 on what is asked about; None for all of it.

    Returns:
        Standard deviation of the natural logarithms of red over green and of blue over green, as one figure; 0 where
        two channels are empty.
    """
    step = max(1, max(rgb.shape[:2]) // _SIDE)
    small = rgb[::step, ::step]
    pixels: NDArray[np.uint8] = small[mask[::step, ::step] > 0] if mask is not None else small.reshape(-1, 3)
    if not len(pixels) or np.count_nonzero(np.percentile(pixels, 99, axis=0) >= _EMPTY) < 2:
        return 0.0
    bright = pixels[pixels.min(axis=1) >= _DARK].astype(np.float32)
    if len(bright) < len(pixels) // 10:
        bright = pixels.astype(np.float32) + 1
    logarithms = np.asarray(cv2.log(bright), np.float32).reshape(-1, 3)
    ratios = logarithms[:, [0, 2]] - logarithms[:, 1:2]
    return float(np.sqrt(ratios.var(axis=0).sum()))


def is_neutral(rgb: Rgb, mask: Mask) -> bool:
    """Whether a picture's channels are as bright as each other, uint8 (h, w, 3), where the mask, (h, w), is 255."""
    means = cv2.mean(rgb, mask)[:3]
    return max(means) - min(means) <= _NEUTRAL
