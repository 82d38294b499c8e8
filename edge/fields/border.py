"""The picture within a drawn border: a frame, a page's margin, the bars of a screenshot.

A border is taken off before cells are looked for, or cells that the picture's edge cuts would count as whole. Black is
left to :func:`edge.segmentation.background.lit_area`, which knows round eyepieces too.
"""

import numpy as np
from numpy.typing import NDArray

from edge.types import Box, Rgb

_ALIKE = 2  # grey levels that a border's pixels differ by, as JPEG leaves them
_BLACK = 24
_EDGE_SHARE = 0.98  # of the outermost line that has one colour
_LINE_SHARE = 0.7  # of a further line of the border: letters of a tool bar lie on it
_PICTURE_SHARE = 0.4  # of a line of the picture at most: cells come in gradually where glass is blown out
_LEAST_LEFT = 0.25  # of width and height


def picture_within_border(rgb: Rgb) -> Box:
    """Find the part of a picture within its border.

    Args:
        rgb: uint8 (h, w, 3).

    Returns:
        x, y, width, height; the whole picture where it has no border.
    """
    height, width = rgb.shape[:2]
    x, y, right, bottom = 0, 0, width, height
    # The bars of a screenshot have several colours, one behind the other.
    for _ in range(8):
        before = (x, y, right, bottom)
        y += _lines_of_border(rgb[y:bottom, x:right])
        bottom -= _lines_of_border(rgb[y:bottom, x:right][::-1])
        x += _lines_of_border(rgb[y:bottom, x:right].transpose(1, 0, 2))
        right -= _lines_of_border(rgb[y:bottom, x:right].transpose(1, 0, 2)[::-1])
        if before == (x, y, right, bottom):
            break
        if right - x < _LEAST_LEFT * width or bottom - y < _LEAST_LEFT * height:
            return 0, 0, width, height
    return x, y, right - x, bottom - y


def _lines_of_border(lines: NDArray[np.uint8]) -> int:
    """How many of the first lines, (n, pixels, 3), are a border of one colour that ends at once."""
    if len(lines) < 3:
        return 0
    colour = np.median(lines[0], axis=0)
    if colour.max() < _BLACK or _share(lines[0], colour) < _EDGE_SHARE:
        return 0
    for number in range(1, len(lines)):
        share = _share(lines[number], colour)
        if share < _LINE_SHARE:
            # A line between the two may be a mixture of them.
            following = min(number + 1, len(lines) - 1)
            ends = min(share, _share(lines[following], colour)) <= _PICTURE_SHARE
            return number + (share > _PICTURE_SHARE) if ends else 0
    return 0


def _share(line: NDArray[np.uint8], colour: NDArray[np.float64]) -> float:
    return float(np.mean(np.abs(line - colour).max(axis=1) <= _ALIKE))
