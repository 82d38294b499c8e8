"""Counting the pixels of one colour in a drawing."""

import numpy as np

from edge.drawing.marks import Colour
from edge.types import Rgb


def pixels_of(rgb: Rgb, colour: Colour) -> int:
    """How many pixels have exactly this colour."""
    return int((rgb == np.array(colour, np.uint8)).all(axis=2).sum())
