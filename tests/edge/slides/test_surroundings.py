"""A cell among its neighbours, out of the picture that the store keeps of its field."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.images.encode import encode_jpeg
from edge.images.files import read_image
from edge.slides.store import SlideStore
from edge.slides.surroundings import (
    CELL_WIDTH,
    LONGEST_SIDE,
    REACH,
    field_picture,
    stored_picture,
    surroundings,
)
from tests.support.slides.old_store import write_old_store
from tests.support.slides.small_slide import begin, cells_of, field_at, open_store

CELL = (200, 60, 120)


def field_with_cells() -> np.ndarray:
    """A field as `small_slide.field_at` tells of, 640 x 480, with `small_slide.cells_of` drawn as squares."""
    rgb = np.full((480, 640, 3), 220, np.uint8)
    rgb[100:140, 100:140] = CELL
    rgb[100:140, 150:190] = (40, 160, 40)
    return rgb


def test_the_cell_lies_in_the_middle_with_its_neighbour_beside_it(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        slide = begin(store)
        cells = cells_of(0.9, 0.1)
        store.add_field(
            slide, field_at(), cells, [b"crop"] * 2, picture=stored_picture(field_with_cells(), 40.0)
        )
        (cell, other) = store.cells(slide)
        view = surroundings(store, slide, cell)
        assert view is not None
        shown = read_image(view)
        side = shown.shape[0]
        assert shown.shape == (side, side, 3)
        assert side == 320  # the 200 px around a cell of 40, enlarged to what can be looked at
        scale = side / (REACH * 40)
        np.testing.assert_allclose(shown[side // 2, side // 2], CELL, atol=12)
        np.testing.assert_allclose(shown[side // 2, side // 2 + round(50 * scale)], (40, 160, 40), atol=25)
        np.testing.assert_allclose(shown[side // 2 + round(50 * scale), side // 2], 220, atol=12)
        # The machine passed the other one: it has its surroundings all the same.
        assert surroundings(store, slide, other) is not None


def test_beyond_the_border_of_the_field_it_is_grey(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        slide = begin(store)
        rgb = np.full((480, 640, 3), 90, np.uint8)
        near = cells_of(0.9, x=0.0)
        store.add_field(slide, field_at(), near, [b"crop"], picture=stored_picture(rgb, 40.0))
        shown = read_image(surroundings(store, slide, store.cells(slide)[0]) or b"")
        np.testing.assert_allclose(shown[5, 5], (225, 225, 225), atol=6)
        np.testing.assert_allclose(shown[160, 310], 90, atol=6)


def test_a_field_is_kept_as_large_as_its_cells_need_and_never_larger(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (750, 1000, 3), np.uint8)
    fine = cv2.resize(noise, (4000, 3000))
    # Cells of 128 px: at half the size they have the width that a crop shows.
    assert read_image(stored_picture(noise, 2 * CELL_WIDTH)).shape[:2] == (375, 500)
    assert max(read_image(stored_picture(fine, CELL_WIDTH)).shape) == LONGEST_SIDE
    assert read_image(stored_picture(noise, 20.0)).shape == noise.shape


def test_a_slide_that_was_counted_before_fields_were_kept_has_none(tmp_path: Path) -> None:
    path = tmp_path / "old.sqlite"
    write_old_store(path, version=8)
    for read_only in (True, False):
        with SlideStore(path, read_only=read_only) as store:
            slide = store.slide("old")
            assert surroundings(store, slide, store.cells(slide)[0]) is None


def test_a_deleted_slide_leaves_no_picture_of_its_fields(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        slide = begin(store)
        store.add_field(
            slide, field_at(), cells_of(0.9), [b"crop"], picture=encode_jpeg(field_with_cells(), 80)
        )
        assert field_picture(store, slide, 1) is not None
        store.delete_slide(slide, who="Amina")
        assert store.database.rows("SELECT count(*) AS n FROM pictures")[0]["n"] == 0


@pytest.mark.parametrize("width", [640, 1280])
def test_the_box_is_found_again_whatever_the_field_was_scaled_by(tmp_path: Path, width: int) -> None:
    scale = width / 640
    large = cv2.resize(field_with_cells(), None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST)
    with open_store(tmp_path) as store:
        slide = begin(store)
        field = field_at()._replace(width=width, height=round(480 * scale), cell_width=40 * scale)
        (one,) = cells_of(0.9)
        box = tuple(round(value * scale) for value in one.cell.box)
        moved = one._replace(cell=one.cell._replace(box=box))
        store.add_field(slide, field, [moved], [b"crop"], picture=stored_picture(large, 40 * scale))
        shown = read_image(surroundings(store, slide, store.cells(slide)[0]) or b"")
        middle = shown.shape[0] // 2
        np.testing.assert_allclose(shown[middle, middle], CELL, atol=14)
