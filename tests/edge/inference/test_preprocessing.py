"""What the network sees of a cell: cut out, black outside, scaled to fill the square."""

import hashlib

import cv2
import numpy as np
import pytest

from edge.errors import ImageError
from edge.inference.preprocessing import network_input


def _disc(side: int, radius: int) -> tuple[np.ndarray, np.ndarray]:
    mask = np.zeros((side, side), np.uint8)
    cv2.circle(mask, (side // 2, side // 2), radius, 255, cv2.FILLED)
    rgb = np.full((side, side, 3), 230, np.uint8)
    rgb[mask > 0] = (200, 120, 140)
    return rgb, mask


def test_the_background_outside_the_mask_becomes_black_and_the_cell_fills_the_square() -> None:
    rgb, mask = _disc(200, 40)
    seen = network_input(rgb, mask, size=96)
    assert seen.shape == (96, 96, 3)
    assert seen[0, 0].max() == 0
    np.testing.assert_array_equal(seen[48, 48], (200, 120, 140))
    assert seen[48, 1].max() > 0
    assert seen[:, :, 0].max() == 200


def test_what_lies_outside_the_mask_changes_nothing() -> None:
    rgb, mask = _disc(200, 40)
    cut = cv2.copyTo(rgb, mask)
    np.testing.assert_array_equal(network_input(cut, mask, size=96), network_input(rgb, mask, size=96))


def test_what_is_black_at_the_edge_of_the_mask_belongs_to_the_cell() -> None:
    rgb, mask = _disc(200, 40)
    rgb[60:70] = 0
    seen = network_input(rgb, mask, size=96)
    assert np.flatnonzero(seen.any(axis=(1, 2)))[0] > 5
    assert np.flatnonzero(seen.any(axis=(0, 2)))[0] == 0


def test_proportions_are_kept() -> None:
    rgb = np.full((30, 90, 3), 150, np.uint8)
    seen = network_input(rgb, np.full((30, 90), 255, np.uint8), size=96)
    rows = np.flatnonzero(seen.max(axis=(1, 2)))
    assert len(rows) == 32
    assert seen[:, :].any(axis=2).any(axis=0).all()


def test_the_scale_of_the_camera_does_not_matter() -> None:
    small, large = (network_input(*_disc(side, side * 2 // 5), size=96).astype(int) for side in (100, 300))
    assert np.abs(small - large).mean() < 3


@pytest.mark.parametrize("side", [40, 3])
def test_no_cell_is_an_error(side: int) -> None:
    with pytest.raises(ImageError, match="no cell"):
        network_input(np.full((side, side, 3), 200, np.uint8), np.zeros((side, side), np.uint8), size=96)


def test_a_cell_of_a_few_pixels_is_an_error() -> None:
    with pytest.raises(ImageError, match="too small"):
        network_input(np.full((5, 5, 3), 200, np.uint8), np.full((5, 5), 255, np.uint8), size=96)


def _speckled(width: int, height: int, number: int) -> tuple[np.ndarray, np.ndarray]:
    """An oval of noise with a dark rim and black specks, by whole numbers alone: the same on every machine."""
    rgb = np.random.default_rng(number).integers(0, 256, (height, width, 3)).astype(np.uint8)
    down, right = np.mgrid[:height, :width]
    far = ((2 * right - width) * height) ** 2 + ((2 * down - height) * width) ** 2
    mask = np.where(far <= (width * height) ** 2, 255, 0).astype(np.uint8)
    rgb[far > (width * height) ** 2 * 3 // 4] //= 16
    return rgb, mask


# Sides smaller and larger than the input of 96 px, and as large. Where a cell is reduced, ARM rounds otherwise than
# x86: of 27,648 values two differ by one grey level.
@pytest.mark.parametrize(
    ("width", "height", "golden"),
    [
        (9, 9, "297c118ab507e3d6"),
        (40, 33, "3842c9c0cd351f72"),
        (71, 71, "7791275b101c7260"),
        (96, 96, "8576a6413aba246b"),
        (97, 64, "77c3efd124a89197"),
        (130, 180, "f2600ffe1df73ea7 a55e6b9d28f86f1c"),
        (192, 192, "25941deb781b0992"),
        (301, 287, "84580b2f5517e26c"),
    ],
)
def test_the_same_cell_gives_the_same_input_as_ever(width: int, height: int, golden: str) -> None:
    seen = network_input(*_speckled(width, height, width), size=96)
    assert hashlib.sha256(seen.tobytes()).hexdigest()[:16] in golden.split()
