"""Pictures to RGB arrays and back to files."""

import io
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from edge.errors import ImageError
from edge.images.encode import encode_png, write_png
from edge.images.files import read_image
from tests.support.bad_pictures import write_good_pictures

_COLOURS = np.random.default_rng(0).integers(0, 256, (30, 40, 3)).astype(np.uint8)


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tiff"])
def test_lossless_pictures_come_back_as_rgb(suffix: str) -> None:
    data = cv2.imencode(suffix, cv2.cvtColor(_COLOURS, cv2.COLOR_RGB2BGR))[1].tobytes()
    np.testing.assert_array_equal(read_image(data), _COLOURS)


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tiff", ".webp", ".jpg"])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9])
def test_a_truncated_picture_is_refused_not_shown_half(suffix: str, share: float) -> None:
    data = cv2.imencode(suffix, _COLOURS)[1].tobytes()
    with pytest.raises(ImageError):
        read_image(data[: int(len(data) * share)])


def test_every_variant_of_one_cell_shows_the_same_cell(tmp_path: Path) -> None:
    paths = write_good_pictures(tmp_path)
    first = read_image(paths[0]).astype(int)
    for path in paths[1:-1]:  # the last is grey
        assert np.abs(read_image(path).astype(int) - first).mean() < 6, path.name


def test_a_transparent_outside_becomes_black() -> None:
    pixels = np.full((20, 20, 4), 200, np.uint8)
    pixels[:5, :, 3] = 0
    rgb = read_image(cv2.imencode(".png", pixels)[1].tobytes())
    assert rgb[:5].max() == 0
    assert rgb[5:].min() == 200 * 200 // 255 or rgb[5:].min() >= 156


def test_a_photograph_is_turned_upright() -> None:
    jpeg = cv2.imencode(".jpg", np.zeros((20, 40, 3), np.uint8))[1].tobytes()
    # An EXIF block whose only entry is Orientation (0x0112) = 6: turn by a quarter.
    tiff = b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, 6, 0, 0)
    exif = b"Exif\0\0" + tiff
    turned = jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]
    assert read_image(turned).shape == (40, 20, 3)


def test_a_photograph_cut_off_behind_its_thumbnail_is_refused() -> None:
    # The thumbnail is a JPEG of its own: its end marker is not that of the photograph.
    thumbnail, jpeg = (cv2.imencode(".jpg", _COLOURS[::step, ::step])[1].tobytes() for step in (4, 1))
    exif = b"Exif\0\0" + thumbnail
    whole = jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]
    assert read_image(whole).shape == (30, 40, 3)
    with pytest.raises(ImageError, match="truncated"):
        read_image(whole[:-20])


def test_a_picture_of_too_many_pixels_is_refused_before_decoding() -> None:
    with pytest.raises(ImageError, match="too large"):
        read_image(encode_png(_COLOURS), max_pixels=1000)


def test_a_folder_or_a_missing_file_is_a_sentence_not_a_crash(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.png"):
        with pytest.raises(ImageError):
            read_image(path)


def test_a_written_picture_is_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    write_png(tmp_path / "a.png", _COLOURS)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), _COLOURS)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([".png", ".bmp", ".tiff", ".webp", ".jpg"]),
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=30),
)
def test_damaged_bytes_give_a_picture_or_an_image_error_and_nothing_else(
    suffix: str, changes: list[tuple[int, int]]
) -> None:
    data = bytearray(cv2.imencode(suffix, _COLOURS)[1].tobytes())
    for place, value in changes:
        data[place % len(data)] = value
    try:
        rgb = read_image(bytes(data), max_pixels=4_000_000)
    except ImageError:
        return
    assert rgb.dtype == np.uint8
    assert rgb.ndim == 3
    assert rgb.shape[2] == 3


def test_one_pixel_that_is_always_bright_does_not_darken_a_deep_picture() -> None:
    deep = _COLOURS.astype(np.uint16) * 16
    plain = read_image(cv2.imencode(".png", deep)[1].tobytes())
    deep[5, 5] = 65535
    hot = read_image(cv2.imencode(".png", deep)[1].tobytes())
    hot[5, 5] = plain[5, 5]
    np.testing.assert_array_equal(hot, plain)


def test_a_fourth_channel_that_is_empty_hides_nothing() -> None:
    pixels = np.dstack([_COLOURS, np.zeros(_COLOURS.shape[:2], np.uint8)])
    rgb = read_image(cv2.imencode(".png", pixels)[1].tobytes())
    np.testing.assert_array_equal(rgb[:, :, ::-1], _COLOURS)


@pytest.mark.slow
def test_a_heic_picture_is_read_or_named(monkeypatch: pytest.MonkeyPatch) -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    out = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(cv2.resize(_COLOURS, (320, 240)))).save(out, quality=-1)
    assert read_image(out.getvalue()).shape == (240, 320, 3)
    with pytest.raises(ImageError, match="HEIC picture is damaged"):
        read_image(out.getvalue()[:300])
    monkeypatch.setattr("edge.images.heif.find_spec", lambda _: None)
    with pytest.raises(ImageError, match=r"most compatible.*extra heic"):
        read_image(out.getvalue())
