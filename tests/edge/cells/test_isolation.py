"""The cell of a single-cell picture, found on black and on glass alike, as the model was trained to see it."""

from importlib import resources
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.cells.isolation import isolate
from edge.images.files import read_image
from edge.images.inputs import list_inputs
from edge.types import Rgb


def cut_cell(side: int = 100, outside: int = 0) -> Rgb:
    """A pink disc on a flat ground, with a hole of ground inside it."""
    rgb = np.full((side, side, 3), outside, np.uint8)
    cv2.circle(rgb, (side // 2, side // 2), side // 2 - 4, (200, 120, 140), cv2.FILLED)
    cv2.circle(rgb, (side // 2, side // 2), side // 10, (outside,) * 3, cv2.FILLED)
    return rgb


def mask_on_black_by_definition(rgb: Rgb) -> Rgb | None:
    """The mask of an already cut cell, pixel by pixel as its definition reads; None for other pictures."""
    border = np.concatenate([rgb[0], rgb[-1], rgb[:, 0], rgb[:, -1]]).max(axis=1)
    if (border <= 8).sum() < 0.3 * len(border):
        return None
    exact = (rgb[0].max(axis=1) == 0).any() or (rgb[-1].max(axis=1) == 0).any()
    lit = (rgb.max(axis=2) > (0 if exact else 8)).astype(np.uint8) * 255
    contours, _ = cv2.findContours(lit, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    mask = np.zeros_like(lit)
    return cv2.drawContours(mask, [max(contours, key=cv2.contourArea)], -1, 255, cv2.FILLED)


def sample_pictures() -> list[Rgb]:
    folder = Path(str(resources.files("edge.samples"))) / "cells"
    return [read_image(path) for path in sorted(folder.glob("*.png"))]


def variants(rgb: Rgb, seed: int) -> list[Rgb]:
    """The picture as it is, with noise in its black, through JPEG, and cropped so that it touches one edge."""
    noise = np.random.default_rng(seed).integers(0, 7, rgb.shape).astype(np.uint8)
    jpeg = cv2.imdecode(cv2.imencode(".jpg", rgb, [cv2.IMWRITE_JPEG_QUALITY, 70])[1], cv2.IMREAD_COLOR)
    return [rgb, cv2.max(rgb, noise), np.asarray(jpeg, np.uint8), np.ascontiguousarray(rgb[len(rgb) // 8 :])]


def test_a_cell_on_black_is_masked_with_its_holes_filled() -> None:
    mask = isolate(cut_cell())
    assert mask is not None
    assert mask[50, 50] == 255
    assert mask[0, 0] == 0
    assert abs(int(np.count_nonzero(mask)) - np.pi * 46**2) < 150


def test_drawn_cells_get_the_mask_of_the_definition_bit_by_bit() -> None:
    pictures = [one for seed, rgb in enumerate(sample_pictures()) for one in variants(rgb, seed)]
    wanted = [mask_on_black_by_definition(rgb) for rgb in pictures]
    assert sum(mask is not None for mask in wanted) >= 40
    for rgb, mask in zip(pictures, wanted, strict=True):
        if mask is not None:
            np.testing.assert_array_equal(isolate(rgb), mask)


@pytest.mark.slow
def test_real_cells_get_the_mask_of_the_definition_bit_by_bit(shared_data: Path) -> None:
    files = list_inputs([shared_data / "nih-malaria" / "cell_images"]).files
    for seed, file in enumerate(files[:: len(files) // 120]):
        for rgb in variants(read_image(Path(str(file.source))), seed)[:3]:
            np.testing.assert_array_equal(isolate(rgb), mask_on_black_by_definition(rgb))


def test_a_cell_on_glass_is_found_without_its_neighbour() -> None:
    rgb = np.full((100, 100, 3), 225, np.uint8)
    cv2.circle(rgb, (50, 50), 32, (190, 120, 140), cv2.FILLED)
    cv2.circle(rgb, (2, 2), 14, (190, 120, 140), cv2.FILLED)
    mask = isolate(cv2.GaussianBlur(rgb, (0, 0), 1.0))
    assert mask is not None
    assert mask[50, 50] == 255
    assert mask[4, 4] == 0


@pytest.mark.parametrize("level", [0, 120, 255])
def test_a_blank_picture_holds_no_cell(level: int) -> None:
    assert isolate(np.full((80, 80, 3), level, np.uint8)) is None


@pytest.mark.parametrize("shape", [(1, 2000), (2000, 1), (40, 9000)])
def test_in_a_line_no_cell_stands_out(shape: tuple[int, int]) -> None:
    assert isolate(np.full((*shape, 3), 200, np.uint8)) is None
