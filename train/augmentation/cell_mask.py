"""Which pixels of a cut-out cell are the cell and which are the black round it."""

import cv2
import numpy as np
from numpy.typing import NDArray

BLACK_LEVEL = 12
"""Green level up to which a pixel of a cut-out cell is outside it: decoders leave traces round the edge."""


def cell_mask(cell: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Tell a cut-out cell, RGB uint8 (h, w, 3), from the black round it: uint8 (h, w), 255 on the cell.

    What is black inside the cell belongs to it: the chromatin of a parasite can let no green light through.
    """
    lit = cv2.threshold(np.ascontiguousarray(cell[:, :, 1]), BLACK_LEVEL, 255, cv2.THRESH_BINARY)[1]
    outlines, _ = cv2.findContours(lit, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return np.asarray(cv2.drawContours(lit, outlines, -1, 255, cv2.FILLED), np.uint8)
