"""Pictures that leave the program: they hold what was given, and crops show a cell with what is around it."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.errors import ImageError
from edge.images.encode import (
    CROP_MARGIN,
    crop_cell,
    decode_mask,
    encode_jpeg,
    encode_mask,
    encode_png,
    shrink,
    write_png,
)
from edge.images.files import read_image
from edge.types import Rgb


@pytest.fixture
def picture() -> Rgb:
    return np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)


def test_png_keeps_every_pixel_and_the_order_of_the_colours(picture: Rgb, tmp_path: Path) -> None:
    write_png(tmp_path / "a.png", picture)
    assert (tmp_path / "a.png").read_bytes() == encode_png(picture)
    assert np.array_equal(read_image(tmp_path / "a.png"), picture)


def test_jpeg_keeps_colours_and_a_higher_quality_is_nearer(tmp_path: Path) -> None:
    red = np.full((32, 32, 3), (200, 40, 60), np.uint8)
    red[::4, ::3] = (20, 90, 200)
    errors = []
    for quality in (20, 95):
        (tmp_path / "a.jpg").write_bytes(encode_jpeg(red, quality))
        errors.append(np.abs(read_image(tmp_path / "a.jpg").astype(int) - red).mean())
    assert errors[1] < errors[0]
    assert errors[1] < 30


def test_a_picture_without_pixels_cannot_be_encoded() -> None:
    with pytest.raises((ImageError, cv2.error)):
        encode_png(np.zeros((0, 0, 3), np.uint8))


def test_a_mask_is_given_back_as_it_was_and_a_damaged_one_refused() -> None:
    mask = np.zeros((31, 17), np.uint8)
    cv2.circle(mask, (8, 15), 7, 255, -1)
    data = encode_mask(mask)
    assert np.array_equal(decode_mask(data), mask)
    assert len(data) < mask.size
    with pytest.raises(ImageError):
        decode_mask(data[:20])


def test_a_crop_shows_the_cell_with_its_margin_and_stays_inside_the_field(picture: Rgb) -> None:
    margin = round(CROP_MARGIN * 8)
    assert np.array_equal(
        crop_cell(picture, (20, 10, 8, 6), 999), picture[10 - margin : 16 + margin, 20 - margin : 28 + margin]
    )
    assert np.array_equal(crop_cell(picture, (0, 0, 8, 8), 999), picture[: 8 + margin, : 8 + margin])
    assert max(crop_cell(picture, (20, 10, 8, 6), 5).shape) == 5


def test_a_picture_is_made_smaller_and_never_larger(picture: Rgb) -> None:
    assert shrink(picture, 0.5).shape == (20, 30, 3)
    assert shrink(picture, 1.0) is picture
    assert shrink(picture, 1e-6).shape == (1, 1, 3)
