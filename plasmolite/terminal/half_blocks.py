"""A small picture in the terminal: two pixels a character, by the upper half block in two colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
from rich.style import Style
from rich.text import Text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def half_blocks(rgb: NDArray[np.uint8], columns: int) -> Text:
    """Draw a picture with characters that are twice as high as wide.

    Args:
        rgb: RGB, uint8, shape (h, w, 3).
        columns: characters across, at least 1.
    """
    height, width = rgb.shape[:2]
    rows = max(2, 2 * round(columns * height / width / 2))
    method = cv2.INTER_AREA if columns < width else cv2.INTER_CUBIC
    small = cv2.resize(rgb, (columns, rows), interpolation=method)
    text = Text(no_wrap=True)
    for upper, lower in zip(small[0::2], small[1::2], strict=True):
        for above, below in zip(upper, lower, strict=True):
            text.append("▀", Style(color=_hex(above), bgcolor=_hex(below)))
        text.append("\n")
    return text


def _hex(pixel: NDArray[np.uint8]) -> str:
    red, green, blue = (int(value) for value in pixel)
    return f"#{red:02x}{green:02x}{blue:02x}"
