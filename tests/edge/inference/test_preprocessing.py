"""What the network sees of a cell: cut out, black outside, scaled to fill the square."""

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
