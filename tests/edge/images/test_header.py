"""What the header of a picture says before it is decoded."""

import contextlib
import struct

import cv2
import numpy as np
import pytest

from edge.errors import ImageError
from edge.images.files import read_image
from edge.images.header import ImageFormat, ImageHeader, read_header

_COLOURS = np.random.default_rng(0).integers(0, 256, (30, 40, 3)).astype(np.uint8)


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tiff", ".webp", ".jpg"])
def test_the_header_tells_format_and_size_before_decoding(suffix: str) -> None:
    data = cv2.imencode(suffix, _COLOURS)[1].tobytes()
    header = read_header(data)
    assert (header.width, header.height) == (40, 30)


@pytest.mark.parametrize("lost", range(1, 17))
@pytest.mark.parametrize("suffix", [".png", ".bmp", ".webp", ".jpg"])
def test_the_header_tells_that_the_last_bytes_are_missing(suffix: str, lost: int) -> None:
    data = cv2.imencode(suffix, _COLOURS)[1].tobytes()
    # The checksum behind a PNG's last word, and the byte that pads a WebP, carry no pixel.
    if (suffix, lost) in {*((".png", number) for number in range(1, 5)), (".webp", 1)}:
        assert read_header(data[:-lost]) == read_header(data)
    else:
        with pytest.raises(ImageError):
            read_header(data[:-lost])


@pytest.mark.parametrize("lost", range(1, 17))
@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tiff", ".webp", ".jpg"])
def test_a_picture_that_lacks_its_last_bytes_is_refused_or_whole(suffix: str, lost: int) -> None:
    data = cv2.imencode(suffix, _COLOURS)[1].tobytes()
    whole = read_image(data)
    with contextlib.suppress(ImageError):
        assert np.array_equal(read_image(data[:-lost]), whole)


def _tiff(strips: int, stated: int, held: int) -> bytes:
    """A grey TIFF of 8 x 8 px with its directory before its pixels: as many bytes stated as held, or more."""
    long, entries = 4, 8
    tables = 8 + 2 + 12 * entries + 4
    start = tables + (8 * strips if strips > 1 else 0)
    offsets = [start + number * stated for number in range(strips)]
    tags = [(256, 1, 8), (257, 1, 8), (258, 1, 8), (259, 1, 1), (262, 1, 1)]
    tags.append((273, strips, tables if strips > 1 else start))
    tags.append((278, 1, 8 // strips))
    tags.append((279, strips, tables + 4 * strips if strips > 1 else stated))
    directory = b"".join(struct.pack("<HHII", tag, long, count, value) for tag, count, value in tags)
    lists = struct.pack(f"<{2 * strips}I", *offsets, *[stated] * strips) if strips > 1 else b""
    head = struct.pack("<2sHIH", b"II", 42, 8, entries) + directory + struct.pack("<I", 0) + lists
    return head + bytes(held)


@pytest.mark.parametrize("strips", [1, 2])
def test_a_tiff_whose_last_strip_ends_behind_the_file_is_refused(strips: int) -> None:
    stated = 64 // strips
    assert read_header(_tiff(strips, stated, 64)) == ImageHeader(ImageFormat.TIFF, 8, 8)
    with pytest.raises(ImageError, match="truncated"):
        read_header(_tiff(strips, stated, 63))
