"""The types that every part of the program shares."""

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Rgb = NDArray[np.uint8]
"""A picture: RGB, uint8, shape (height, width, 3)."""
Mask = NDArray[np.uint8]
"""Which pixels belong to a thing: uint8, shape (height, width), 0 outside it and 255 on it."""
Points = NDArray[np.float64]
"""Places in a picture: (x, y) in px, float64, shape (n, 2)."""
Box = tuple[int, int, int, int]
"""A rectangle of pixels: x and y of its upper left corner, width and height."""


class Label(StrEnum):
    """What a cell is called. The values are part of every file and answer, and stay as they are."""

    UNINFECTED = "Uninfected"
    PARASITIZED = "Parasitized"
    INCONCLUSIVE = "Inconclusive"
    """Neither: the probability is between two thresholds beyond which errors are rarer. Only where asked for."""


class FieldOutcome(StrEnum):
    """What became of a picture of a field."""

    COUNTED = "counted"
    REFUSED = "refused"
    """A quality check failed."""
    COPY = "copy"
    """The same pixels as a picture before it."""
    UNREADABLE = "unreadable"
