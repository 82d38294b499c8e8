"""White cells told from infected red ones by how much of them is dark."""

from __future__ import annotations

import cv2
import numpy as np

from edge.cellnetwork import CELL_LEVEL, GLASS_LEVEL, STRIDE
from edge.whitecells import white_by_nucleus

RADIUS = 8
# What haemoglobin and stained chromatin absorb of red, green and blue light, in typical cells.
RED_CELL, CHROMATIN, CYTOPLASM = (0.4, 1.3, 1.3), (1.6, 2.4, 1.8), (0.6, 0.8, 0.5)


def told(width: float, inside: float, of: tuple[float, float, float]) -> bool:
    """Whether a cell among red ones is told as white.

    Args:
        width: of the cell, in red ones.
        inside: share of its area that chromatin covers.
        of: what the rest of it absorbs.
    """
    labels = np.zeros((60, 240), np.int32)
    strength = np.zeros((60, 240, 3), np.float32)
    for number in range(6):
        place, radius = (20 + 40 * number, 30), RADIUS
        if number == 3:
            radius = round(RADIUS * width)
        cv2.circle(labels, place, radius, number + 1, cv2.FILLED)
        cv2.circle(strength, place, radius, of if number == 3 else RED_CELL, cv2.FILLED)
        if number == 3 and inside:
            cv2.circle(strength, place, round(radius * np.sqrt(inside)), CHROMATIN, cv2.FILLED)
    levels = np.clip(GLASS_LEVEL + strength * (CELL_LEVEL - GLASS_LEVEL), 0, 255).astype(np.uint8)
    picture = levels.repeat(STRIDE, axis=0).repeat(STRIDE, axis=1)
    white = white_by_nucleus(picture, labels, np.pi * RADIUS**2)
    assert not white[[0, 1, 2, 3, 5, 6]].any()
    return bool(white[4])


def test_a_cell_that_its_nucleus_fills_is_white() -> None:
    assert told(1.5, 0.5, CYTOPLASM)


def test_an_infected_cell_that_its_parasite_does_not_fill_is_red() -> None:
    assert not told(1.2, 0.15, RED_CELL)


def test_a_large_cell_with_a_lobed_nucleus_is_white_and_without_one_is_red() -> None:
    assert told(1.7, 0.15, CYTOPLASM)
    assert not told(1.7, 0.0, RED_CELL)


def test_what_is_dark_but_smaller_than_a_red_cell_is_not_white() -> None:
    assert not told(0.8, 0.9, RED_CELL)
