"""Pictures without colour are known, whatever tint their file has."""

from importlib.resources import files

import cv2
import numpy as np
import pytest

from edge.cells.isolation import isolate
from edge.cells.red_cell_check import check_single_cell
from edge.errors import NotACellError
from edge.images.colour import LEAST_IN_CELL, LEAST_IN_FIELD, colour_spread
from edge.images.encode import encode_jpeg
from edge.images.files import read_image
from edge.types import Rgb

_SAMPLES = files("edge.samples")
_CELL = read_image((_SAMPLES / "cells/cell_02.png").read_bytes())
_FIELD = read_image((_SAMPLES / "fields/field_01.jpg").read_bytes())


def _without_colour(rgb: Rgb, tint: tuple[float, float, float]) -> Rgb:
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    return np.clip(grey[:, :, None] * np.array(tint), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    "tint", [(1, 1, 1), (1, 0.85, 0.7), (0, 1, 0)], ids=["grey", "tinted", "green alone"]
)
def test_a_field_without_colour_is_known(tint: tuple[float, float, float]) -> None:
    assert colour_spread(_FIELD) > 2 * LEAST_IN_FIELD
    for grey in (_without_colour(_FIELD, tint), read_image(encode_jpeg(_without_colour(_FIELD, tint), 75))):
        assert colour_spread(grey) < LEAST_IN_FIELD


def test_a_cell_in_neutral_grey_is_judged_since_the_networks_learnt_it() -> None:
    check_single_cell(_without_colour(_CELL, (1, 1, 1)), isolate(_CELL))


@pytest.mark.parametrize("tint", [(1, 0.85, 0.7), (0, 1, 0)], ids=["tinted", "green alone"])
def test_a_cell_of_one_tint_all_over_is_refused(tint: tuple[float, float, float]) -> None:
    mask = isolate(_CELL)
    check_single_cell(_CELL, mask)
    assert colour_spread(_CELL, mask) > 2 * LEAST_IN_CELL
    with pytest.raises(NotACellError, match="no colour"):
        check_single_cell(_without_colour(_CELL, tint), mask)
