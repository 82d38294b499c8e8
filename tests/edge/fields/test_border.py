"""Borders are taken off before cells are looked for, and nothing else is."""

from importlib.resources import files

import cv2
import numpy as np
import pytest

from edge.fields.border import picture_within_border
from edge.images.files import read_image
from edge.types import Rgb

_FIELD = read_image((files("edge.samples") / "fields/field_01.jpg").read_bytes())
_HEIGHT, _WIDTH = _FIELD.shape[:2]


def _framed(level: int, size: int = 80) -> Rgb:
    framed = cv2.copyMakeBorder(_FIELD, size, size, size, size, cv2.BORDER_CONSTANT, value=(level,) * 3)
    return np.asarray(framed, np.uint8)


@pytest.mark.parametrize("level", [255, 128])
@pytest.mark.parametrize("quality", [None, 90])
def test_a_frame_is_found_to_the_pixel(level: int, quality: int | None) -> None:
    framed = _framed(level)
    if quality is not None:
        framed = cv2.imdecode(cv2.imencode(".jpg", framed, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], 1)
    found = picture_within_border(framed)
    near = 0 if quality is None else 8  # a JPEG's block
    assert np.abs(np.array(found) - (80, 80, _WIDTH, _HEIGHT)).max() <= 2 * near


def test_the_bars_of_a_screenshot_are_found() -> None:
    screen = np.full((_HEIGHT + 180, _WIDTH + 240, 3), 240, np.uint8)
    screen[:40] = (80, 60, 50)
    screen[120 : 120 + _HEIGHT, 220 : 220 + _WIDTH] = _FIELD
    for row in range(10):
        place = (20, 170 + 60 * row)
        cv2.putText(screen, f"Tool {row}", place, cv2.FONT_HERSHEY_SIMPLEX, 0.8, (40, 40, 40), 2)
    assert picture_within_border(screen) == (220, 120, _WIDTH, _HEIGHT)


@pytest.mark.parametrize(
    "picture",
    [
        pytest.param(_FIELD, id="field"),
        pytest.param(_framed(0), id="black surroundings"),
        pytest.param(np.clip(_FIELD.astype(int) + 60, 0, 255).astype(np.uint8), id="blown out glass"),
        pytest.param(np.full((100, 100, 3), 200, np.uint8), id="one colour"),
        pytest.param(_FIELD[:2, :2], id="hardly a picture"),
    ],
)
def test_what_has_no_border_is_left_as_it_is(picture: Rgb) -> None:
    height, width = picture.shape[:2]
    assert picture_within_border(picture) == (0, 0, width, height)
