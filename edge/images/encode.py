"""RGB arrays to picture files, and the small pictures that are shown of fields and cells."""

from pathlib import Path

import cv2
import numpy as np

from edge.atomic_file import write_atomically
from edge.errors import ImageError
from edge.messages.codes import Code
from edge.types import Box, Mask, Rgb

CROP_MARGIN = 0.25
"""What a crop shows around a cell, as a share of its longer side: enough to tell dirt from a parasite."""


def encode_jpeg(rgb: Rgb, quality: int) -> bytes:
    """Encode a picture as JPEG.

    Args:
        rgb: uint8 (h, w, 3), at least one pixel.
        quality: 1 to 100.

    Raises:
        ImageError: OpenCV cannot encode it.
    """
    return _encode(".jpg", rgb, [cv2.IMWRITE_JPEG_QUALITY, quality])


def encode_png(rgb: Rgb) -> bytes:
    """Encode a picture as PNG, without loss.

    Args:
        rgb: uint8 (h, w, 3), at least one pixel.

    Raises:
        ImageError: OpenCV cannot encode it.
    """
    return _encode(".png", rgb, [])


def encode_mask(mask: Mask) -> bytes:
    """Encode a mask as PNG of one bit a pixel.

    Args:
        mask: uint8 (h, w), non-zero inside.

    Raises:
        ImageError: OpenCV cannot encode it.
    """
    done, encoded = cv2.imencode(".png", mask, [cv2.IMWRITE_PNG_BILEVEL, 1])
    if not done:
        raise ImageError(Code.PICTURE_NOT_ENCODED)
    return encoded.tobytes()


def decode_mask(data: bytes) -> Mask:
    """Decode what `encode_mask` gave: uint8 (h, w), 0 or 255.

    Raises:
        ImageError: it is damaged.
    """
    mask = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    if mask is None:
        raise ImageError(Code.PICTURE_DAMAGED, format="PNG")
    return np.asarray(mask, np.uint8)


def write_png(path: Path, rgb: Rgb) -> None:
    """Write a picture as PNG, whole or not at all.

    Args:
        path: the file to make; its folder must exist.
        rgb: uint8 (h, w, 3).

    Raises:
        OSError: the disk is full or the folder cannot be written to.
    """
    write_atomically(path, encode_png(rgb))


def crop_cell(rgb: Rgb, box: Box, side: int) -> Rgb:
    """Cut a cell out of its field with a little of what is around it.

    Args:
        rgb: the field, uint8 (h, w, 3).
        box: of the cell in the field, px.
        side: longer side of the result at most, px.
    """
    x, y, width, height = box
    margin = round(CROP_MARGIN * max(width, height))
    crop = rgb[max(0, y - margin) : y + height + margin, max(0, x - margin) : x + width + margin]
    return shrink(crop, side / max(crop.shape[:2]))


def shrink(rgb: Rgb, scale: float) -> Rgb:
    """Make a picture smaller.

    Args:
        rgb: uint8 (h, w, 3).
        scale: new width over old; at 1 and more the picture is returned as it is.
    """
    if scale >= 1:
        return rgb
    height, width = rgb.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


def _encode(suffix: str, rgb: Rgb, parameters: list[int]) -> bytes:
    done, encoded = cv2.imencode(suffix, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), parameters)
    if not done:
        raise ImageError(Code.PICTURE_NOT_ENCODED)
    return encoded.tobytes()
