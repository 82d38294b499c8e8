"""HEIC and AVIF pictures, as telephones take them: read where the library of the extra ``heic`` is installed."""

from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import ImageError
from edge.messages.codes import Code

HEIF_SUFFIXES = frozenset({".heic", ".heif", ".hif"})
_BRANDS = (b"hei", b"hev", b"mif1", b"msf1")  # ISO/IEC 23008-12, annex B


def can_read_heif() -> bool:
    """Whether the library is installed."""
    return find_spec("pillow_heif") is not None


def is_heif(data: bytes) -> bool:
    """Whether a file begins as one of the family."""
    return data[4:8] == b"ftyp" and data[8:12].startswith(_BRANDS)


def heif_size(data: bytes) -> tuple[int, int]:
    """Read width and height from the header.

    Raises:
        ImageError: the library is not installed, or the file is damaged.
    """
    if not can_read_heif():
        raise ImageError(Code.PICTURE_HEIF)
    width, height = _opened(data).size
    return int(width), int(height)


def decode_heif(data: bytes) -> NDArray[np.uint8]:
    """Decode the first picture, upright, (h, w, 3) or (h, w, 4), blue first.

    Raises:
        ImageError: the file is damaged.
    """
    try:
        pixels = np.asarray(_opened(data))
    except ImageError:
        raise
    except Exception as error:  # the library raises what libheif meets
        raise ImageError(Code.PICTURE_DAMAGED, format="HEIC") from error
    return np.asarray(pixels, np.uint8)


def _opened(data: bytes) -> Any:
    import pillow_heif  # noqa: PLC0415 - an extra, and slow to import

    try:
        file = pillow_heif.open_heif(data, bgr_mode=True)
    except Exception as error:  # the library raises what libheif meets
        raise ImageError(Code.PICTURE_DAMAGED, format="HEIC") from error
    return file[file.primary_index]
