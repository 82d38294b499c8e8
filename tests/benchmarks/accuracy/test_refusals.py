"""The share of other pictures that the red-cell check refuses."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.accuracy.refusals import cut_squares_of, measure_refusals
from edge.images.encode import encode_png
from edge.simulation.single_cell import draw_cell
from tests.support.quick_benchmark import no_report


def test_strangers_are_cut_whole_and_in_squares() -> None:
    page = np.full((300, 200, 3), 255, np.uint8)
    whole, *squares = cut_squares_of(page, np.random.default_rng(0))
    assert whole is page
    assert len(squares) == 20
    assert all(one.shape[0] == one.shape[1] <= 200 for one in squares)


def test_the_share_of_strangers_refused_is_that_of_pictures_without_a_red_cell(tmp_path: Path) -> None:
    # Too small to be cut further, so that each counts once.
    letter = np.full((50, 50, 3), 255, np.uint8)
    cv2.putText(letter, "G", (10, 38), cv2.FONT_HERSHEY_SIMPLEX, 1.3, (20, 160, 20), 5)
    cell = cv2.resize(draw_cell(3, infected=False).rgb, (50, 50), interpolation=cv2.INTER_AREA)
    dot = np.full((50, 50, 3), 255, np.uint8)
    cv2.circle(dot, (25, 25), 3, (20, 20, 20), cv2.FILLED)
    pictures = {"cell": cell, "letter": letter, "dot": dot, "blank": np.full((50, 50, 3), 200, np.uint8)}
    for name, picture in pictures.items():
        (tmp_path / f"{name}.png").write_bytes(encode_png(picture))
    found = {one.figure: one.value for one in measure_refusals(tmp_path, 0, no_report)}
    assert found["strangers"] == 4
    assert found["strangers refused"] == pytest.approx(3 / 4)
