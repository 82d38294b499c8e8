"""The constants of the live count, just inside and just outside of each."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.fields.analyser import FoundField
from edge.live.counting import SlideCounter
from edge.live.registration.region import MapCell, Region
from edge.live.sources.frame import Frame
from edge.live.states import LiveState, Placement
from edge.types import Rgb
from tests.support.slides.disc_slide import CELL_WIDTH, DiscReader, DiscSlide
from tests.support.slides.small_slide import begin, open_store

SLIDE = DiscSlide()


def state_of_second(folder: Path, first: Rgb, second: Rgb) -> LiveState:
    """Count two views of a slide one after the other; return the state of the second."""
    with open_store(folder) as store:
        counter = SlideCounter(store, begin(store), DiscReader())
        assert counter.consider(Frame(first, 1, 0.0, "x")).state == LiveState.COUNTED
        return counter.consider(Frame(second, 2, 0.0, "x")).state


@pytest.mark.parametrize(("pixels", "still"), [(2, True), (5, False)])
def test_a_stage_is_still_below_a_tenth_of_a_cell(tmp_path: Path, pixels: int, still: bool) -> None:
    state = state_of_second(tmp_path, SLIDE.view(300, 300), SLIDE.view(300 + pixels, 300))
    assert (state == LiveState.STILL) is still


# Of the first view, the detail that is left is 0.36 and 0.32.
@pytest.mark.parametrize(("sigma", "blurred"), [(1.2, False), (1.3, True)])
def test_a_frame_is_left_out_where_it_is_blurred_far_beyond_what_is_judged(
    tmp_path: Path, sigma: float, blurred: bool
) -> None:
    second = np.asarray(cv2.GaussianBlur(SLIDE.view(400, 300), (0, 0), sigma), np.uint8)
    state = state_of_second(tmp_path, SLIDE.view(300, 300), second)
    assert (state == LiveState.BLURRED) is blurred


@pytest.mark.parametrize(("pixels", "stored"), [(4, False), (12, True)])
def test_a_field_without_a_new_cell_is_stored_from_two_percent_of_new_area(
    tmp_path: Path, pixels: int, stored: bool
) -> None:
    # Cells in the middle and glass all round, so that no cell is cut and none is new. New area is measured on a
    # grid of 24 columns: either none or one of them.
    glass = np.full((480, 700, 3), SLIDE.picture[0, 0], np.uint8)
    inner = SLIDE.view(300, 300, 400, 300)
    whole = [cell for cell in DiscReader().find(inner).cells if not cell.cut_by_border]
    assert len(whole) > 10
    for cell in whole:
        x, y, w, h = cell.box
        glass[y + 90 : y + 90 + h, x + 120 : x + 120 + w] = inner[y : y + h, x : x + w]
    state = state_of_second(tmp_path, glass[:, :640], glass[:, pixels : pixels + 640])
    assert state == (LiveState.COUNTED if stored else LiveState.NOTHING_NEW)
    assert pixels / CELL_WIDTH > 0.1  # it has moved, by more than a stage at rest does


class ScaledReader(DiscReader):
    """Finds the discs and says that they are as much wider as it is told."""

    scale = 1.0

    def find(self, rgb: Rgb, cell_width: float | None = None) -> FoundField:
        """Find the discs."""
        found = super().find(rgb, cell_width)
        return found._replace(cell_width=found.cell_width * self.scale)


@pytest.mark.parametrize(("scale", "looked_for"), [(1.19, True), (1.21, False)])
def test_a_picture_is_looked_for_on_the_map_where_its_cells_are_as_wide_to_a_fifth(
    tmp_path: Path, scale: float, looked_for: bool
) -> None:
    with open_store(tmp_path) as store:
        reader = ScaledReader()
        counter = SlideCounter(store, begin(store), reader)
        counter.consider(Frame(SLIDE.view(300, 300), 1, 0.0, "x", "0" * 64, apart=True))
        reader.scale = scale
        outcome = counter.consider(Frame(SLIDE.view(400, 300), 2, 0.0, "x", "1" * 64, apart=True))
        assert outcome.place is not None
        # Where it was not looked for, it begins a region, which is then seen to be the other one's.
        assert outcome.place.how == (Placement.RECOGNISED if looked_for else Placement.FIRST)


@pytest.mark.parametrize(("distance", "same"), [(19, True), (21, False)])
def test_a_cell_within_half_a_width_of_a_counted_one_is_that_one(distance: int, same: bool) -> None:
    region = Region(40.0)
    counted = MapCell(100.0, 100.0, 7)
    region.add_cells([counted])
    assert (region.cell_at(100.0 + distance, 100.0) == counted) is same
