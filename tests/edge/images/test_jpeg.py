"""JPEG files that are damaged inside are refused; untidy but whole ones are read."""

from importlib.resources import files

import cv2
import numpy as np
import pytest

from edge.errors import ImageError
from edge.images.files import read_image

_FIELD = (files("edge.samples") / "fields/field_02.jpg").read_bytes()


@pytest.mark.parametrize("place", range(1, 9))
@pytest.mark.parametrize("put", [bytes(1500), b""], ids=["zeros", "missing"])
def test_a_jpeg_that_is_damaged_inside_is_refused(place: int, put: bytes) -> None:
    start = len(_FIELD) * place // 10
    with pytest.raises(ImageError, match="damaged"):
        read_image(_FIELD[:start] + put + _FIELD[start + 1500 :])


def test_a_first_half_that_somebody_closed_with_an_end_marker_is_refused() -> None:
    with pytest.raises(ImageError, match="damaged"):
        read_image(_FIELD[: len(_FIELD) // 2] + b"\xff\xd9")


def _stray(before: bytes) -> bytes:
    place = _FIELD.rfind(before) if before == b"\xff\xd9" else _FIELD.find(before)
    return _FIELD[:place] + b"\x11" + _FIELD[place:]


@pytest.mark.parametrize(
    "untidy",
    [
        pytest.param(_FIELD + b"maker's own data" * 100, id="trailer"),
        pytest.param(_stray(b"\xff\xc4"), id="stray byte before the tables"),
        pytest.param(_stray(b"\xff\xd9"), id="stray byte before the end"),
        pytest.param(_FIELD[:2] + b"\xff\xff\xfe\x00\x07hello" + _FIELD[2:], id="fill byte and comment"),
    ],
)
def test_an_untidy_but_whole_jpeg_is_read_as_the_tidy_one(untidy: bytes) -> None:
    np.testing.assert_array_equal(read_image(untidy), read_image(_FIELD))


@pytest.mark.parametrize(
    "parameters", [[cv2.IMWRITE_JPEG_PROGRESSIVE, 1], [cv2.IMWRITE_JPEG_RST_INTERVAL, 4]]
)
def test_other_ways_to_write_a_jpeg_are_read(parameters: list[int]) -> None:
    data = cv2.imencode(".jpg", cv2.imdecode(np.frombuffer(_FIELD, np.uint8), 1), parameters)[1].tobytes()
    assert read_image(data).shape == (960, 1280, 3)
    place = len(data) // 2
    with pytest.raises(ImageError, match="damaged"):
        read_image(data[:place] + bytes(800) + data[place + 800 :])
