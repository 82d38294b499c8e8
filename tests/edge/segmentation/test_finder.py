"""Cells found in painted fields whose truth is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

import edge.segmentation.finder
from edge.segmentation.finder import CellFinder, ImagePyramid
from tests.support.plain_field import counted_centres, draw, grid


@pytest.mark.parametrize("width", [26, 40, pytest.param(105, marks=pytest.mark.slow)])
def test_every_lone_cell_is_found_once_at_any_scale(finder: CellFinder, width: int) -> None:
    size = (640, 480) if width < 100 else (1280, 960)
    places = grid(size, width)
    found = finder.find(draw(places, width, size))
    centres = counted_centres(found)
    assert len(centres) == len(places)
    away = np.linalg.norm(centres[:, None] - np.array(places)[None], axis=2).min(axis=0)
    assert away.max() < 0.1 * width
    assert found.cell_width == pytest.approx(width, rel=0.15)


def test_a_given_cell_width_is_used_and_none_is_sought(
    finder: CellFinder, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = grid((640, 480), 40)
    monkeypatch.setattr(edge.segmentation.finder, "estimate_cell_width", lambda *_: pytest.fail("sought"))
    assert len(counted_centres(finder.find(draw(places, 40, (640, 480)), 40.0))) == len(places)


@pytest.mark.slow
def test_a_round_eyepiece_picture_on_black_is_read(finder: CellFinder) -> None:
    field = draw(grid((900, 700), 40), 40, (900, 700))
    disc = np.zeros(field.shape[:2], np.uint8)
    cv2.circle(disc, (450, 350), 320, 255, cv2.FILLED)
    found = finder.find(cv2.copyTo(field, disc))
    whole = [p for p in grid((900, 700), 40) if np.hypot(p[0] - 450, p[1] - 350) < 290]
    centres = counted_centres(found)
    assert len(centres) == pytest.approx(len(whole), rel=0.1)
    assert np.hypot(*(centres - [450, 350]).T).max() < 320


def test_uneven_light_and_a_cast_change_nothing(finder: CellFinder) -> None:
    places = grid((640, 480), 40)
    y, x = np.mgrid[-1:1:480j, -1:1:640j]
    light = (0.75 + 0.2 * x - 0.1 * y**2)[..., None] * np.array([0.7, 1.0, 0.9])
    field = np.clip(draw(places, 40, (640, 480)) * light, 0, 255).astype(np.uint8)
    assert len(counted_centres(finder.find(field))) == len(places)


def test_a_field_reduced_keeps_its_colours() -> None:
    field = np.full((300, 401, 3), (200, 120, 40), np.uint8)
    pyramid = ImagePyramid(field)
    for size in ((401, 300), (200, 150), (77, 58), (500, 374)):
        reduced = pyramid.at(size)
        assert reduced.shape == (size[1], size[0], 3)
        assert np.abs(reduced.astype(int) - field[0, 0]).max() <= 1
