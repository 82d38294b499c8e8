"""Reads the size of an encoded picture from its header, before anything is decoded.

A few kilobytes can claim to be a picture of many gigabytes (a decompression bomb), and OpenCV hands back
half a picture for a truncated file without a word. Both are found here, in the bytes, for the formats that
cameras and microscopes write: PNG, JPEG, WebP, BMP, TIFF, and HEIC where its library is installed.
"""

import struct
from enum import StrEnum
from typing import NamedTuple

from edge.errors import ImageError
from edge.images.heif import heif_size, is_heif
from edge.images.pages import TIFF_SIGNATURES
from edge.images.tiff import read_pages
from edge.messages.codes import Code

# JPEG start-of-frame markers, ITU-T T.81 table B.1: those that carry the picture's size.
_JPEG_SIZED = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
_JPEG_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})


class ImageFormat(StrEnum):
    """A format of pictures that is read here."""

    PNG = "png"
    JPEG = "jpeg"
    WEBP = "webp"
    BMP = "bmp"
    TIFF = "tiff"
    HEIF = "heif"


class ImageHeader(NamedTuple):
    """What the header of an encoded picture says of it."""

    format: ImageFormat
    width: int
    """Pixels a row, before any EXIF rotation."""
    height: int
    """Rows, before any EXIF rotation."""


def read_header(data: bytes) -> ImageHeader:
    """Tell format and size of an encoded picture, and that its end is there.

    Args:
        data: the whole encoded file.

    Raises:
        ImageError: the bytes are empty, no picture of a format that is read here, or cut off.
    """
    if not data:
        raise ImageError(Code.PICTURE_EMPTY)
    try:
        for signature, parse in _PARSERS:
            if data.startswith(signature):
                header = parse(data)
                break
        else:
            if not is_heif(data):
                raise ImageError(Code.PICTURE_NOT_ONE)
            header = ImageHeader(ImageFormat.HEIF, *heif_size(data))
    except (struct.error, IndexError) as error:
        raise ImageError(Code.PICTURE_TRUNCATED_HEADER) from error
    if header.width <= 0 or header.height <= 0:
        raise ImageError(Code.PICTURE_IMPOSSIBLE_SIZE, width=header.width, height=header.height)
    return header


def _png(data: bytes) -> ImageHeader:
    if data[12:16] != b"IHDR":
        raise ImageError(Code.PICTURE_DAMAGED, format="PNG")
    width, height = struct.unpack_from(">II", data, 16)
    if b"IEND" not in data[-64:] and b"IEND" not in data:
        raise ImageError(Code.PICTURE_TRUNCATED, format="PNG")
    return ImageHeader(ImageFormat.PNG, width, height)


def _jpeg(data: bytes) -> ImageHeader:
    position = 2
    while True:
        while data[position] != 0xFF:
            position += 1
        while data[position] == 0xFF:
            position += 1
        marker = data[position]
        position += 1
        if marker in _JPEG_SIZED:
            height, width = struct.unpack_from(">HH", data, position + 3)
            break
        if marker == 0xD9:
            raise ImageError(Code.PICTURE_DAMAGED, format="JPEG")
        if marker not in _JPEG_WITHOUT_LENGTH:
            (length,) = struct.unpack_from(">H", data, position)
            position += max(length, 2)
    # Cameras append data of their own after the end marker, so it is looked for from the back.
    if data.rfind(b"\xff\xd9") < position:
        raise ImageError(Code.PICTURE_TRUNCATED, format="JPEG")
    return ImageHeader(ImageFormat.JPEG, width, height)


def _webp(data: bytes) -> ImageHeader:
    if data[8:12] != b"WEBP":
        raise ImageError(Code.PICTURE_NOT_ONE)
    (riff_size,) = struct.unpack_from("<I", data, 4)
    if riff_size + 8 > len(data) + 1:
        raise ImageError(Code.PICTURE_TRUNCATED, format="WebP")
    kind = data[12:16]
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return ImageHeader(ImageFormat.WEBP, width & 0x3FFF, height & 0x3FFF)
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return ImageHeader(ImageFormat.WEBP, (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1)
    if kind == b"VP8X":
        width = int.from_bytes(data[24:27], "little") + 1
        height = int.from_bytes(data[27:30], "little") + 1
        if len(data) < 30:
            raise ImageError(Code.PICTURE_TRUNCATED, format="WebP")
        return ImageHeader(ImageFormat.WEBP, width, height)
    raise ImageError(Code.PICTURE_DAMAGED, format="WebP")


def _bmp(data: bytes) -> ImageHeader:
    declared, _, offset, header_size = struct.unpack_from("<IIII", data, 2)
    if header_size == 12:
        width, height = struct.unpack_from("<HH", data, 18)
        bits, compression = struct.unpack_from("<H", data, 24)[0], 0
    else:
        width, height, _, bits, compression = struct.unpack_from("<iiHHI", data, 18)
    needed = offset + (abs(width) * bits + 31) // 32 * 4 * abs(height) if compression in {0, 3} else declared
    if len(data) < needed:
        raise ImageError(Code.PICTURE_TRUNCATED, format="BMP")
    return ImageHeader(ImageFormat.BMP, abs(width), abs(height))


def _tiff(data: bytes) -> ImageHeader:
    pages = read_pages(data)
    if not pages:
        raise ImageError(Code.PICTURE_DAMAGED, format="TIFF")
    return ImageHeader(ImageFormat.TIFF, pages[0].width, pages[0].height)


_PARSERS = (
    (b"\x89PNG\r\n\x1a\n", _png),
    (b"\xff\xd8\xff", _jpeg),
    (b"RIFF", _webp),
    (b"BM", _bmp),
    *((signature, _tiff) for signature in TIFF_SIGNATURES),
)
