"""One picture from a source, with when and where it came from."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Frame(NamedTuple):
    """A frame on its way from a source to the count.

    Attributes:
        rgb: RGB, uint8, shape (height, width, 3).
        number: counted from 1 in the source, dropped frames included.
        taken_at: when it arrived, seconds of the monotonic clock.
        name: of the file, or of the source.
        sha256: of the file it came from; None for a camera's frames.
        apart: it need not touch the frame before it: a picture that somebody chose to take.
    """

    rgb: NDArray[np.uint8]
    number: int
    taken_at: float
    name: str
    sha256: str | None = None
    apart: bool = False
