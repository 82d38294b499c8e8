"""The drawn slide: every view agrees with every other, and with the truth."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from edge.simulation.placement import SlideSettings
from edge.simulation.slide import TILE, SimulatedSlide

SETTINGS = SlideSettings(width=2000, height=1500, cell_width=40.0, parasitaemia=0.3)


@pytest.fixture(scope="module")
def slide() -> SimulatedSlide:
    return SimulatedSlide(11, SETTINGS)


def test_two_views_have_the_same_pixels_where_they_overlap(slide: SimulatedSlide) -> None:
    first, second = slide.view(100, 90, 320, 240), slide.view(171, 133, 320, 240)
    assert np.array_equal(first[43:, 71:], second[:-43, :-71])


def test_defocused_views_agree_too(slide: SimulatedSlide) -> None:
    first = slide.view(100, 90, 200, 150, focus=2.0)
    second = slide.view(140, 120, 200, 150, focus=2.0)
    assert np.array_equal(first[30:, 40:], second[:-30, :-40])


def test_views_do_not_depend_on_where_one_looked_before(slide: SimulatedSlide) -> None:
    fresh = SimulatedSlide(11, SETTINGS)
    fresh.view(900, 900, 64, 64)
    assert np.array_equal(fresh.view(300, 200, 300, 200), slide.view(300, 200, 300, 200))


def test_tiles_meet_without_a_seam() -> None:
    bare = SimulatedSlide(1, SETTINGS._replace(spacing=3.0))
    strip = bare.view(TILE - 100, TILE - 100, 200, 200).astype(int)
    steps = np.abs(np.diff(strip.sum(axis=2), axis=1)).mean(axis=0)
    assert steps[99] < 3 * np.median(steps) + 1


@pytest.mark.slow
def test_the_cache_stays_within_its_bound() -> None:
    small = SimulatedSlide(2, SETTINGS._replace(cache_megabytes=1))
    before = small.view(0, 0, 200, 200)
    small.view(0, 0, 1500, 1000)
    assert sum(tile.nbytes for tile in small._tiles.values()) <= 1_000_000
    assert np.array_equal(small.view(0, 0, 200, 200), before)


def test_a_pickled_slide_is_small_and_draws_the_same(slide: SimulatedSlide) -> None:
    slide.view(0, 0, 300, 300)
    data = pickle.dumps(slide)
    assert len(data) < 4096
    assert np.array_equal(pickle.loads(data).view(20, 30, 200, 100), slide.view(20, 30, 200, 100))  # noqa: S301


@pytest.mark.slow
def test_threads_see_the_same_slide() -> None:
    shared = SimulatedSlide(3, SETTINGS)
    places = [(x, y) for x in (0, 150, 300) for y in (0, 120)] * 2
    with ThreadPoolExecutor(4) as pool:
        views = list(pool.map(lambda place: shared.view(place[0], place[1], 200, 160), places))
    alone = SimulatedSlide(3, SETTINGS)
    assert all(
        np.array_equal(view, alone.view(place[0], place[1], 200, 160))
        for view, place in zip(views, places, strict=True)
    )


def test_windows_side_by_side_name_each_cell_once(slide: SimulatedSlide) -> None:
    pieces = [
        cell
        for x in range(0, 2000, 500)
        for y in range(0, 1500, 300)
        for cell in slide.cells_within(x, y, 500, 300)
    ]
    assert len(pieces) == len(set(pieces))
    assert set(pieces) == set(slide.all_cells())


def test_whole_cells_lie_within_the_window(slide: SimulatedSlide) -> None:
    cells = slide.cells_within(100, 100, 400, 300, whole=True)
    assert cells
    for cell in cells:
        x, y, w, h = cell.box
        assert x >= 100
        assert y >= 100
        assert x + w <= 500
        assert y + h <= 400


def test_the_truth_lies_where_the_stain_is(slide: SimulatedSlide) -> None:
    window = (200, 150, 600, 450)
    rgb = slide.view(*window)
    density = -np.log(np.maximum(rgb[..., 1], 1) / slide.smear.stain.white[1])
    stained = density > 0.4 * slide.smear.stain.haemoglobin[1]
    for cell in slide.cells_within(*window, whole=True):
        x, y, w, h = cell.box
        inside = cell.mask() > 0
        assert stained[y - 150 : y - 150 + h, x - 200 : x - 200 + w][inside].mean() > 0.85


def test_the_parasitaemia_is_the_one_asked_for(slide: SimulatedSlide) -> None:
    cells = slide.all_cells()
    share = sum(cell.infected for cell in cells) / len(cells)
    # Four standard deviations of a binomial share.
    assert abs(share - 0.3) < 4 * np.sqrt(0.3 * 0.7 / len(cells))


def test_cells_keep_their_distance(slide: SimulatedSlide) -> None:
    places = np.array([(cell.x, cell.y) for cell in slide.all_cells()])
    apart = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))
    assert apart[~np.eye(len(places), dtype=bool)].min() >= 40.0


def test_beyond_the_edge_is_bare_glass(slide: SimulatedSlide) -> None:
    outside = slide.view(2200, 300, 128, 96)
    assert np.abs(outside.reshape(-1, 3).mean(axis=0) - slide.smear.stain.white).max() < 4
    assert slide.cells_within(2200, 300, 128, 96) == ()


def test_a_defocused_view_is_less_sharp(slide: SimulatedSlide) -> None:
    def sharpness(rgb: np.ndarray) -> float:
        return float(cv2.Laplacian(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), cv2.CV_64F).var())

    sharp = sharpness(slide.view(400, 300, 300, 200))
    assert sharpness(slide.view(400, 300, 300, 200, focus=3.0)) < sharp / 3
    assert sharpness(slide.view(400, 300, 300, 200, motion=(9.0, 4.0))) < sharp / 1.5


def test_motion_does_not_shift_the_picture(slide: SimulatedSlide) -> None:
    still = slide.view(400, 300, 256, 256)[..., 1].astype(np.float32)
    moved = slide.view(400, 300, 256, 256, motion=(8.0, 0.0))[..., 1].astype(np.float32)
    (dx, dy), _ = cv2.phaseCorrelate(still, moved)
    assert abs(dx) < 0.6
    assert abs(dy) < 0.6


def test_noise_differs_from_frame_to_frame_but_not_within_one(slide: SimulatedSlide) -> None:
    first, again, other = (slide.view(0, 0, 128, 96, noise=frame) for frame in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    clean = slide.view(0, 0, 128, 96).astype(int)
    assert 0.4 < (first - clean).std() < 3


def test_a_view_of_nothing_is_refused(slide: SimulatedSlide) -> None:
    with pytest.raises(ValueError, match="at least one pixel"):
        slide.view(0, 0, 0, 10)


def test_settings_out_of_range_are_named() -> None:
    with pytest.raises(ValueError, match=r"spacing is 0\.1"):
        SimulatedSlide(0, SlideSettings(spacing=0.1))
