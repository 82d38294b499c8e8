"""Frames of another resolution than the slide's: a camera that was replugged, or set anew, on the way."""

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.fields.analyser import FieldReader

_SAME_SHAPE = 0.02
"""Width over height may differ by this where the camera scales the same field to another number of pixels."""
_SCALES = (1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4, 1.0, 4 / 3, 3 / 2, 2.0, 3.0, 4.0)
"""Scales between the modes of a sensor, which bins its pixels or skips some of them."""
_SAME_SCALE = 0.1
"""The width of cells tells a scale to this share; one that lies so near to a mode's is taken to be it. A scale
that is off by 3 % would put cells at the field's edge next to themselves."""


class SlideScale:
    """Scales frames so that their cells are as wide as those of the slide.

    Args:
        size: width and height of the slide's first field, pixels.
        cell_width: usual width of a cell there, pixels.
        reader: measures the cells of a frame whose shape is another.
    """

    def __init__(self, size: tuple[int, int], cell_width: float, reader: FieldReader) -> None:
        self._size = size
        self._cell_width = cell_width
        self._reader = reader
        # By size of the frame, the size to which it is scaled: measured once, for measuring costs a look.
        self._known = {size: size}

    def apply(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Scale a frame, RGB uint8 (h, w, 3); one of the slide's own size is given back as it is."""
        size = (rgb.shape[1], rgb.shape[0])
        scaled = self._known.get(size) or self._measure(rgb)
        if scaled == size:
            return rgb
        shrinks = scaled[0] < size[0]
        resized = cv2.resize(rgb, scaled, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
        return np.asarray(resized, np.uint8)

    def _measure(self, rgb: NDArray[np.uint8]) -> tuple[int, int]:
        height, width = rgb.shape[:2]
        if abs(width / height - self._size[0] / self._size[1]) < _SAME_SHAPE:
            self._known[width, height] = self._size
            return self._size
        # The camera crops, perhaps scaled too: the cells tell.
        found = self._reader.find(rgb)
        measured = self._cell_width / found.cell_width
        mode = min(_SCALES, key=lambda scale: abs(measured / scale - 1))
        scale = mode if abs(measured / mode - 1) < _SAME_SCALE else measured
        scaled = (max(1, round(width * scale)), max(1, round(height * scale)))
        if found.quality.refused is None:  # what a bad frame shows is not remembered
            self._known[width, height] = scaled
        return scaled
