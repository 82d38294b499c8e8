"""The pictures of one file: pages of a TIFF, frames of an animated PNG or WebP."""

import io
import mmap
import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edge.errors import ImageError
from edge.images.tiff import MOST_PAGES, blue_first, pages_to_judge, read_pages
from edge.messages.codes import Code

TIFF_SIGNATURES = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
_PNG, _WEBP = b"\x89PNG\r\n\x1a\n", b"RIFF"
_ANIMATED = 0x02  # flag of a WebP's VP8X chunk


class Page(NamedTuple):
    """One of several pictures of a file: the file or its bytes, and the picture's place in it, from 0."""

    file: Path | bytes
    number: int


def pictures_in(data: bytes | mmap.mmap) -> list[int]:
    """Tell which pictures of a file are to be judged, by their places in it.

    Args:
        data: the whole file.

    Returns:
        ``[0]`` for a file of one picture, whatever is wrong with it. Smaller copies of another page are left out.

    Raises:
        ImageError: its pages are not pictures of their own, or too many.
    """
    try:
        if data[:4] in TIFF_SIGNATURES:
            pages = read_pages(data)
            return pages_to_judge(pages) if pages else [0]
        if _is_animated(data):
            with Image.open(io.BytesIO(data[:]), formats=["PNG", "WEBP"]) as file:
                frames = getattr(file, "n_frames", 1)
            if frames > MOST_PAGES:
                raise ImageError(Code.PICTURE_TOO_MANY_PAGES, most=MOST_PAGES)
            return list(range(frames))
    except (struct.error, OSError, SyntaxError, ValueError):
        pass  # damaged: decoding says so
    return [0]


def pictures_of_file(path: Path) -> list[int]:
    """Tell which pictures of a file on disk are to be judged; see :func:`pictures_in`.

    Raises:
        ImageError: its pages are not pictures of their own, or too many.
    """
    try:
        if not path.is_file() or not path.stat().st_size:
            return [0]
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return pictures_in(data)
    except (OSError, ValueError):
        return [0]  # reading it says why


def decode_frame(data: bytes, number: int, format_name: str) -> NDArray[np.uint8]:
    """Decode one frame of an animated picture, blue first, (h, w, 3) or (h, w, 4).

    Raises:
        ImageError: it is damaged.
    """
    try:
        with Image.open(io.BytesIO(data), formats=["PNG", "WEBP"]) as file:
            file.seek(number)
            return blue_first(file)
    except Exception as error:  # a damaged file makes Pillow raise KeyError, struct.error and more
        raise ImageError(Code.PICTURE_DAMAGED, format=format_name) from error


def _is_animated(data: bytes | mmap.mmap) -> bool:
    if data[:8] == _PNG:
        return data.find(b"acTL", 0, max(data.find(b"IDAT"), 0)) > 0
    return data[:4] == _WEBP and data[12:16] == b"VP8X" and bool(int.from_bytes(data[20:21]) & _ANIMATED)
