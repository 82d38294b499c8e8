"""Pictures from disk, network or standard input to RGB arrays.

Inside the program every picture is RGB, uint8, shape (height, width, 3); OpenCV's BGR ends here.
"""

import stat
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import ImageError
from edge.images.header import read_header
from edge.messages.codes import Code
from edge.messages.message import system_reason
from edge.types import Rgb

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"})

MAX_PIXELS = 64_000_000
"""Larger pictures are refused before decoding: three times the 20 megapixels of a good camera."""
MAX_FILE_BYTES = 256 * 1024 * 1024
"""Larger files are refused before reading: 64 megapixels of uncompressed RGB fit."""


def read_image(source: Path | bytes | Rgb, *, max_pixels: int = MAX_PIXELS) -> Rgb:
    """Decode one picture of any usual kind to RGB; what is RGB already is returned as it is.

    Grey becomes RGB, transparent becomes black (the outside of a cut-out cell is black), 16 bits become 8,
    and a camera's EXIF rotation is applied.

    Args:
        source: a file, its encoded bytes, or an array: RGB, uint8, shape (height, width, 3).
        max_pixels: pictures of more pixels are refused, unread.

    Returns:
        RGB, uint8, shape (height, width, 3).

    Raises:
        ImageError: the picture cannot be read, is cut off, or is too large; the message says which.
        ValueError: an array of another type or shape.
    """
    if isinstance(source, np.ndarray):
        return _checked(source)
    data = source if isinstance(source, bytes) else _read_file(source)
    header = read_header(data)
    if header.width * header.height > max_pixels:
        raise ImageError(
            Code.PICTURE_TOO_LARGE,
            width=header.width,
            height=header.height,
            megapixels=max_pixels / 1e6,
        )
    # Only with the colour flag does OpenCV turn a photograph upright; only without it does it keep alpha.
    flags = cv2.IMREAD_COLOR if header.format == "jpeg" else cv2.IMREAD_UNCHANGED
    try:
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise ImageError(Code.PICTURE_DAMAGED, format=header.format.upper()) from error
    if decoded is None or decoded.size == 0:
        raise ImageError(Code.PICTURE_DAMAGED, format=header.format.upper())
    return _to_rgb(np.asarray(decoded))


def _read_file(path: Path) -> bytes:
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
        if alpha.min() == 255:
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
        # Cameras store 10 and 12 bits in 16-bit files without saying so: the brightest pixel tells.
        brightest = int(decoded.max())
        bits = next(bits for bits in (8, 10, 12, 14, 16) if brightest < 1 << bits)
        return np.asarray(cv2.convertScaleAbs(decoded, alpha=255 / ((1 << bits) - 1)), np.uint8)
    raise ImageError(Code.PICTURE_DEPTH, type=str(decoded.dtype))
