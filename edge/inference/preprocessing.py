"""From the picture of one cell to what the network sees: the one definition for training and device.

Training, conversion, the command line and the server all call :func:`network_input`; a model's manifest names
the version of it that the model was trained through, and another version is refused.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import ImageError
from edge.messages.codes import Code

PREPROCESSING_VERSION = 1
"""Raised whenever :func:`network_input` gives other pixels for the same cell."""

MIN_CELL_SIDE = 8
"""Pixels. A cell narrower than this carries no parasite that anybody could see."""


def network_input(rgb: NDArray[np.uint8], mask: NDArray[np.uint8], *, size: int) -> NDArray[np.uint8]:
    """Cut a cell out, blacken what is outside it, and scale it to fill the network's square.

    The cell's bounding box is scaled with its proportions kept until its longer side fills the square, and
    centred; the rest is black. The NIH cell images look like this already, apart from their sizes. Of a cell that is
    reduced, processors of another kind may round a few values to the next grey level.

    Args:
        rgb: RGB, uint8, shape (h, w, 3): a picture of one cell.
        mask: uint8, shape (h, w), non-zero on the cell.
        size: side of the network's square input, in pixels.

    Returns:
        RGB, uint8, shape (size, size, 3).

    Raises:
        ImageError: the mask is empty, or the cell is under 8 pixels wide.
    """
    x, y, width, height = cell_extent(mask)
    cell = cv2.copyTo(rgb[y : y + height, x : x + width], mask[y : y + height, x : x + width])
    scale = size / max(width, height)
    new_width = max(1, round(width * scale))
    new_height = max(1, round(height * scale))
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    resized = cv2.resize(cell, (new_width, new_height), interpolation=interpolation)
    square = np.zeros((size, size, 3), np.uint8)
    left, top = (size - new_width) // 2, (size - new_height) // 2
    square[top : top + new_height, left : left + new_width] = resized
    return square


def cell_extent(mask: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    """Find the bounding box of the cell in its picture.

    Args:
        mask: uint8, shape (h, w), non-zero on the cell.

    Returns:
        The box (x, y, w, h) in pixels.

    Raises:
        ImageError: the mask is empty, or the cell is under 8 pixels wide.
    """
    x, y, width, height = cv2.boundingRect(mask)
    if width == 0 or height == 0:
        raise ImageError(Code.CELL_BLACK)
    if min(width, height) < MIN_CELL_SIDE:
        raise ImageError(Code.CELL_TOO_SMALL, width=width, height=height, least=MIN_CELL_SIDE)
    return x, y, width, height
