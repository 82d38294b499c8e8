"""From the picture of one cell to what the network sees: the one definition for training and device.

Training, conversion, the command line and the server all call :func:`network_input`; a model's manifest names
the version of it that the model was trained through, and another version is refused.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import ImageError

PREPROCESSING_VERSION = 1
"""Raised whenever :func:`network_input` gives other pixels for the same cell."""

MIN_CELL_SIDE = 8
"""Pixels. A cell narrower than this carries no parasite that anybody could see."""

_BLACK = 12
"""Brightest value that still counts as the black outside of a cut-out cell: JPEG leaves noise up to here."""


def network_input(
    rgb: NDArray[np.uint8], mask: NDArray[np.uint8] | None = None, *, size: int
) -> NDArray[np.uint8]:
    """Cut a cell out, blacken what is outside it, and scale it to fill the network's square.

    The cell's bounding box is scaled with its proportions kept until its longer side fills the square, and
    centred; the rest is black. The NIH cell images look like this already, apart from their sizes.

    Args:
        rgb: RGB, uint8, shape (h, w, 3): a picture of one cell.
        mask: uint8, shape (h, w), non-zero on the cell; ``None`` when the outside is black already.
        size: side of the network's square input, in pixels.

    Returns:
        RGB, uint8, shape (size, size, 3).

    Raises:
        ImageError: there is no cell (mask empty or picture black), or it is under 8 pixels wide.
    """
    x, y, width, height = cell_extent(rgb, mask)
    cell = rgb[y : y + height, x : x + width]
    if mask is not None:
        cell = cv2.copyTo(cell, mask[y : y + height, x : x + width])
    scale = size / max(width, height)
    new_width = max(1, round(width * scale))
    new_height = max(1, round(height * scale))
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    resized = cv2.resize(cell, (new_width, new_height), interpolation=interpolation)
    square = np.zeros((size, size, 3), np.uint8)
    left, top = (size - new_width) // 2, (size - new_height) // 2
    square[top : top + new_height, left : left + new_width] = resized
    return square


def cell_extent(rgb: NDArray[np.uint8], mask: NDArray[np.uint8] | None = None) -> tuple[int, int, int, int]:
    """Find the bounding box of the cell in its picture.

    Args:
        rgb: RGB, uint8, shape (h, w, 3).
        mask: uint8, shape (h, w), non-zero on the cell; ``None`` when the outside is black.

    Returns:
        The box (x, y, w, h) in pixels.

    Raises:
        ImageError: there is no cell, or it is under 8 pixels wide.
    """
    if mask is None:
        # The green channel alone suffices and is a third of the work: haemoglobin leaves it above black.
        mask = cv2.threshold(np.ascontiguousarray(rgb[:, :, 1]), _BLACK, 255, cv2.THRESH_BINARY)[1]
    x, y, width, height = cv2.boundingRect(mask)
    if width == 0 or height == 0:
        raise ImageError("There is no cell in the picture: it is black all over.")
    if min(width, height) < MIN_CELL_SIDE:
        raise ImageError(
            f"The cell is too small: {width} x {height} pixels, and at least "
            f"{MIN_CELL_SIDE} are needed to see a parasite."
        )
    return x, y, width, height
