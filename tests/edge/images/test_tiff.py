"""Pages, kinds and damage of TIFF files."""

import io
import struct
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from edge.errors import ImageError
from edge.images.files import read_image
from edge.images.pages import Page, pictures_in

_COLOURS = np.random.default_rng(0).integers(0, 256, (60, 80, 3)).astype(np.uint8)
_OTHER = 255 - _COLOURS


def _tiff(*pages: np.ndarray, **options: Any) -> bytes:
    first, *others = map(Image.fromarray, pages)
    out = io.BytesIO()
    first.save(out, "TIFF", save_all=True, append_images=others, **options)
    return out.getvalue()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"big_tiff": True},
        {"compression": "tiff_lzw"},
        {"compression": "packbits"},
        {"compression": "tiff_deflate"},
    ],
    ids=str,
)
def test_every_page_is_read_by_its_number(options: dict[str, Any]) -> None:
    data = _tiff(_COLOURS, _OTHER, **options)
    assert pictures_in(data) == [0, 1]
    np.testing.assert_array_equal(read_image(Page(data, 0)), _COLOURS)
    np.testing.assert_array_equal(read_image(Page(data, 1)), _OTHER)


def test_a_file_of_two_pages_is_not_read_as_its_first_alone() -> None:
    with pytest.raises(ImageError, match="2 pictures"):
        read_image(_tiff(_COLOURS, _OTHER))


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_pages_of_one_motif_the_larger_is_read(order: tuple[int, int]) -> None:
    both = (_COLOURS, cv2.resize(_COLOURS, (20, 15)))
    np.testing.assert_array_equal(read_image(_tiff(both[order[0]], both[order[1]])), _COLOURS)


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_deflate", "jpeg"])
@pytest.mark.parametrize("page", [0, 1])
def test_a_page_that_is_damaged_inside_is_refused(compression: str, page: int) -> None:
    smooth = cv2.GaussianBlur(_COLOURS, (0, 0), 3)
    data = bytearray(_tiff(smooth, smooth, compression=compression))
    start = _offset(bytes(data), page)
    data[start + 40 : start + 400] = b"\xff" * 360
    with pytest.raises(ImageError):
        read_image(Page(bytes(data), page))


def _offset(data: bytes, page: int) -> int:
    with Image.open(io.BytesIO(data)) as file:
        file.seek(page)
        return int(file.tag_v2[273][0])


def test_sixteen_bits_of_a_second_page_keep_their_depth(tmp_path: Path) -> None:
    deep = _COLOURS.astype(np.uint16) * 16
    path = tmp_path / "pages.tiff"
    assert cv2.imwritemulti(str(path), [deep, deep[::-1]])
    blue_first = read_image(Page(path.read_bytes(), 1))[:, :, ::-1]
    assert np.abs(blue_first.astype(int) - _COLOURS[::-1]).max() <= 1


@pytest.mark.parametrize("compression", [5, 8])  # LZW, deflate
def test_sixteen_bits_that_are_damaged_inside_are_refused(compression: int) -> None:
    deep = cv2.GaussianBlur(_COLOURS, (0, 0), 3).astype(np.uint16) * 16
    data = bytearray(cv2.imencode(".tiff", deep, [cv2.IMWRITE_TIFF_COMPRESSION, compression])[1].tobytes())
    start = _offset(bytes(data), 0)
    data[start + 40 : start + 400] = b"\xff" * 360
    with pytest.raises(ImageError, match="damaged"):
        read_image(bytes(data))


_OME = '<OME><Image><Pixels SizeC="{c}" SizeZ="{z}" SizeT="1"><Channel SamplesPerPixel="{s}"/></Pixels></Image></OME>'


def test_the_scenes_of_an_ome_tiff_are_pictures_of_their_own() -> None:
    data = _tiff(_COLOURS, _OTHER, description=_OME.format(c=3, z=1, s=3))
    assert pictures_in(data) == [0, 1]


@pytest.mark.parametrize(
    ("description", "said"),
    [
        (_OME.format(c=3, z=5, s=3), "stack of 5"),
        (_OME.format(c=3, z=1, s=1), "channels"),
        ("ImageJ=1.53\nimages=4\nslices=4\n", "stack of 4"),
    ],
)
def test_planes_and_channels_are_not_taken_for_fields(description: str, said: str) -> None:
    with pytest.raises(ImageError, match=said):
        read_image(_tiff(_COLOURS, _OTHER, description=description))


def test_a_grey_page_whose_white_is_zero_is_turned_round() -> None:
    grey = np.full((20, 20), 250, np.uint8)
    data = cv2.imencode(".tiff", grey, [cv2.IMWRITE_TIFF_COMPRESSION, 1])[1].tobytes()
    assert read_image(data).mean() == 250
    place = data.find(
        b"\x06\x01\x03\x00\x01\x00\x00\x00\x01\x00"
    )  # PhotometricInterpretation, short, 1, black is zero
    assert read_image(data[: place + 8] + b"\0" + data[place + 9 :]).mean() == 5


def test_pages_that_lead_back_to_the_first_end() -> None:
    data = bytearray(_tiff(_COLOURS, _OTHER))
    directory = int.from_bytes(data[4:8], "little")
    entries = int.from_bytes(data[directory : directory + 2], "little")
    link = directory + 2 + 12 * entries
    second = int.from_bytes(data[link : link + 4], "little")
    entries = int.from_bytes(data[second : second + 2], "little")
    back = second + 2 + 12 * entries
    data[back : back + 4] = directory.to_bytes(4, "little")
    assert pictures_in(bytes(data)) == [0, 1]


def test_a_file_of_very_many_pages_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.images.tiff.MOST_PAGES", 1)
    with pytest.raises(ImageError, match="more than 1"):
        pictures_in(_tiff(_COLOURS, _OTHER))


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_every_frame_of_an_animated_picture_is_one(kind: str) -> None:
    out = io.BytesIO()
    first, second = Image.fromarray(_COLOURS), Image.fromarray(_OTHER)
    first.save(out, kind, save_all=True, append_images=[second], lossless=True)
    data = out.getvalue()
    assert pictures_in(data) == [0, 1]
    np.testing.assert_array_equal(read_image(Page(data, 1)), _OTHER)


def test_a_bigtiff_whose_first_page_lies_beyond_any_file_is_damaged() -> None:
    data = b"II+\x00" + struct.pack("<HHQ", 8, 0, 2**64 - 8) + bytes(32)
    assert pictures_in(data) == [0]
    with pytest.raises(ImageError):
        read_image(data)


def test_a_deep_page_wider_than_opencv_reads_is_refused() -> None:
    with pytest.raises(ImageError):
        read_image(_tiff(np.zeros((2, 1 << 21), np.uint16)))
