"""How many pixels a picture has, asked of its header alone: before it is read, let alone decoded."""

import io
import warnings
from pathlib import Path

import numpy as np
from PIL import Image

from edge.errors import ImageError
from edge.images.heif import heif_size, is_heif
from edge.images.inputs import CellFile
from edge.images.pages import Page
from edge.messages.message import Message

_BEGINNING = 16


def pixels_of(file: CellFile) -> int | None:
    """Tell the pixels of a picture; 0 of what is not there, None where its header does not say.

    Of several pages in a file those of the one that is asked for count.
    """
    source, number = file.source, 0
    if isinstance(source, Message):
        return 0
    if isinstance(source, np.ndarray):
        return int(source.shape[0] * source.shape[1])
    if isinstance(source, Page):
        source, number = source
    try:
        # What is too large for Pillow is refused later, in words of its own.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(source if isinstance(source, Path) else io.BytesIO(source)) as picture:
                if number:
                    picture.seek(number)
                return picture.width * picture.height
    except Exception:  # a damaged file makes Pillow raise KeyError, struct.error and more
        return _of_heif(source)


def _of_heif(source: Path | bytes) -> int | None:
    try:
        if isinstance(source, Path):
            with source.open("rb") as file:
                # A file that is no picture may be of any size.
                begins = file.read(_BEGINNING)
                data = begins + file.read() if is_heif(begins) else b""
        else:
            data = source
        width, height = heif_size(data) if is_heif(data) else (0, 0)
    except (OSError, ImageError):
        return None
    return width * height or None
