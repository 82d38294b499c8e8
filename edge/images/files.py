"""Pictures from disk, network or standard input to RGB arrays.

Inside the program every picture is RGB, uint8, shape (height, width, 3); OpenCV's BGR ends here.
"""

import stat
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import ImageError
from edge.images.header import ImageFormat, read_header
from edge.images.heif import decode_heif
from edge.images.jpeg import check_whole
from edge.images.pages import Page, decode_frame, pictures_in
from edge.images.tiff import decode_page, read_pages
from edge.messages.codes import Code
from edge.messages.message import system_reason
from edge.types import Rgb

IMAGE_SUFFIXES = frozenset(
    {
        ".png",
        ".apng",
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".jif",
        ".webp",
        ".bmp",
        ".tif",
        ".tiff",
        ".btf",
        ".tf8",
    }
)
"""Of files that a folder is searched for; a file that is named singly may have any name."""

MAX_PIXELS = 64_000_000
"""Larger pictures are refused before decoding: three times the 20 megapixels of a good camera."""
MAX_FILE_BYTES = 256 * 1024 * 1024
"""Larger files are refused before reading: 64 megapixels of uncompressed RGB fit."""


def read_image(source: Path | bytes | Rgb | Page, *, max_pixels: int = MAX_PIXELS) -> Rgb:
    """Decode one picture of any usual kind to RGB; what is RGB already is returned as it is.

    Transparent becomes black (the outside of a cut-out cell is black), 16 bits become 8, and a camera's EXIF
    rotation is applied. Grey becomes RGB of three equal channels; no cell of it is judged, for the stain is missing.

    Args:
        source: a file, its encoded bytes, a page of it, or an array: RGB, uint8, shape (height, width, 3).
        max_pixels: pictures of more pixels are refused, unread.

    Returns:
        RGB, uint8, shape (height, width, 3).

    Raises:
        ImageError: the picture cannot be read, is cut off or damaged inside, is too large, or is one of several in
            its file; the message says which.
        ValueError: an array of another type or shape.
    """
    if isinstance(source, np.ndarray):
        return _checked(source)
    file = source.file if isinstance(source, Page) else source
    data = file if isinstance(file, bytes) else read_file(file)
    header = read_header(data)
    number = source.number if isinstance(source, Page) else _only_picture(data)
    width, height = header.width, header.height
    if header.format == ImageFormat.TIFF:
        width, height = read_pages(data)[number][:2]
    if width * height > max_pixels:
        raise ImageError(Code.PICTURE_TOO_LARGE, width=width, height=height, megapixels=max_pixels / 1e6)
    return _to_rgb(_decode(data, header.format, number))


def _only_picture(data: bytes) -> int:
    pictures = pictures_in(data)
    if len(pictures) > 1:
        raise ImageError(Code.PICTURE_SEVERAL, pictures=len(pictures))
    return pictures[0]


def _decode(data: bytes, kind: ImageFormat, number: int) -> NDArray[np.generic]:
    """Decode one picture of a file, blue first, of any depth, and refuse what its decoder calls damaged."""
    if kind == ImageFormat.TIFF:
        return decode_page(data, read_pages(data)[number], number)
    if kind == ImageFormat.HEIF:
        return decode_heif(data)
    # OpenCV hands over what it has of a WebP whose data are damaged; the same library tells Pillow that they are.
    if kind == ImageFormat.WEBP or number or pictures_in(data) != [0]:
        return decode_frame(data, number, kind.upper())
    if kind == ImageFormat.JPEG:
        check_whole(data)
    # Only with the colour flag does OpenCV turn a photograph upright; only without it does it keep alpha.
    flags = cv2.IMREAD_COLOR if kind == ImageFormat.JPEG else cv2.IMREAD_UNCHANGED
    try:
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise ImageError(Code.PICTURE_DAMAGED, format=kind.upper()) from error
    if decoded is None or decoded.size == 0:
        raise ImageError(Code.PICTURE_DAMAGED, format=kind.upper())
    return np.asarray(decoded)


def read_file(path: Path) -> bytes:
    """Read a file that may hold a picture.

    Raises:
        ImageError: it cannot be read, is no regular file, or is too large to be looked at.
    """
    try:
        found = path.stat()
        if found.st_size > MAX_FILE_BYTES:
            raise ImageError(
                Code.PICTURE_FILE_TOO_LARGE, size=found.st_size / 2**20, most=MAX_FILE_BYTES / 2**20
            )
        # A named pipe or a device would keep the program waiting for ever.
        if not stat.S_ISREG(found.st_mode):
            raise ImageError(Code.PICTURE_NOT_A_FILE)
        return path.read_bytes()
    except OSError as error:
        raise ImageError(Code.PICTURE_NOT_OPENED, reason=system_reason(error)) from error


def _checked(array: NDArray[np.generic]) -> Rgb:
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3 or array.size == 0:
        raise ValueError(
            f"a picture in memory is RGB, uint8, of shape (height, width, 3); this one is {array.dtype}, "
            f"{array.shape}"
        )
    return array.view(np.uint8)


def _to_rgb(decoded: NDArray[np.generic]) -> Rgb:
    pixels = _to_eight_bits(decoded)
    if pixels.ndim == 2:
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB), np.uint8)
    channels = pixels.shape[2]
    if channels == 3:
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8)
    if channels == 4:
        rgb = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGB), np.uint8)
        alpha = pixels[:, :, 3]
        # Some programs leave the fourth channel empty; a picture of nothing but glass is none.
        if alpha.min() == 255 or alpha.max() == 0:
            return rgb
        opacity = np.repeat(alpha[:, :, None], 3, axis=2)
        return np.asarray(cv2.multiply(rgb, opacity, scale=1 / 255), np.uint8)
    if channels in {1, 2}:  # grey, or grey with alpha
        return np.repeat(pixels[:, :, :1], 3, axis=2)
    raise ImageError(Code.PICTURE_CHANNELS, channels=channels)


def _to_eight_bits(decoded: NDArray[np.generic]) -> Rgb:
    if decoded.dtype == np.uint8:
        return np.asarray(decoded, np.uint8)
    if decoded.dtype == np.uint16:
        # Cameras store 10 and 12 bits in 16-bit files without saying so: the brightest pixels tell, without the few
        # of a sensor that are always bright.
        step = max(1, min(decoded.shape[:2]) // 500)
        brightest = int(np.percentile(np.asarray(decoded[::step, ::step], np.uint16), 99.9))
        bits = next(bits for bits in (8, 10, 12, 14, 16) if brightest < 1 << bits)
        return np.asarray(cv2.convertScaleAbs(decoded, alpha=255 / ((1 << bits) - 1)), np.uint8)
    raise ImageError(Code.PICTURE_DEPTH, type=str(decoded.dtype))
