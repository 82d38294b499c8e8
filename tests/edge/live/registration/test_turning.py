"""A camera that is turned on the way counts each cell once, and pictures that differ are not laid on each other."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.live.counting import SlideCounter
from edge.live.registration.motion import take_thumbnail
from edge.live.registration.picture_check import pack_thumbnail, shows_the_same, unpack_thumbnail
from edge.live.registration.slide_map import Place, SeenField
from edge.live.registration.turning import turn_between, turn_points
from edge.live.sources.frame import Frame
from edge.live.states import LiveState, Placement
from edge.types import Rgb
from tests.support.slides.disc_slide import CELL_WIDTH, DiscReader, DiscSlide
from tests.support.slides.small_slide import begin, open_store

SLIDE = DiscSlide()
SIZE = (640, 480)


def turned_view(x: int, y: int, turn: float) -> Rgb:
    """What a camera sees that is turned clockwise about its middle."""
    around = SLIDE.view(x - 100, y - 100, 840, 680)
    matrix = cv2.getRotationMatrix2D((419.5, 339.5), turn, 1.0)
    return np.asarray(cv2.warpAffine(around, matrix, (840, 680)), np.uint8)[100:580, 100:740]


@pytest.mark.slow
@pytest.mark.parametrize("turn", [2.0, -3.0])
def test_a_camera_that_turns_between_the_lines_counts_every_cell_once(tmp_path: Path, turn: float) -> None:
    lines = [(120, 0.0), (360, turn)]
    corners = [(x, y, by) for y, by in lines for x in range(120, 700, 180)]
    with open_store(tmp_path) as store:
        slide = begin(store)
        counter = SlideCounter(store, slide, DiscReader())
        outcomes = [
            counter.consider(Frame(turned_view(x, y, by), number, 0.0, "disc slide"))
            for number, (x, y, by) in enumerate(corners, start=1)
        ]
        places = [outcome.place for outcome in outcomes]
        assert counter.map is not None
        assert len(counter.map.regions) == 1
        assert places[-1] is not None
        assert places[-1].turn == pytest.approx(turn, abs=0.5)
        middles = np.array([(x + 320, y + 240) for x, y, _ in corners])
        inside = np.zeros(len(SLIDE.centres), bool)
        for middle, (_, _, by) in zip(middles, corners, strict=True):
            seen = turn_points(SLIDE.centres - middle + np.array([320, 240]), -by, SIZE)
            inside |= np.all((seen > 16) & (seen < np.array(SIZE) - 16), axis=1)
        assert store.counts(slide).cells == pytest.approx(int(inside.sum()), abs=3)


def test_a_camera_is_followed_up_to_a_turn_of_twenty_degrees(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        counter = SlideCounter(store, begin(store), DiscReader())
        turns = range(0, 28, 2)
        outcomes = [
            counter.consider(
                Frame(turned_view(300 + 40 * (turn % 4), 300, turn), turn + 1, 0.0, "disc slide")
            )
            for turn in turns
        ]
        followed = [outcome.place and round(outcome.place.turn) for outcome in outcomes[:10]]
        assert followed == list(turns[:10])
        assert LiveState.UNPLACED in {outcome.state for outcome in outcomes[10:]}
        assert max(outcome.place.turn for outcome in outcomes if outcome.place) <= 20


def test_a_turn_is_told_by_the_cells() -> None:
    rng = np.random.default_rng(1)
    points = rng.uniform(0, 600, (60, 2))
    on_map = turn_points(points, 1.2, SIZE) + np.array([30, 40])
    assert turn_between(on_map, points, (30, 40), 60.0) == pytest.approx(1.2, abs=0.05)
    assert turn_between(on_map[:5], points, (30, 40), CELL_WIDTH) == 0


@pytest.mark.parametrize(("at", "same"), [((420, 330), True), ((900, 900), False)])
def test_a_field_shows_the_same_only_where_its_picture_does(at: tuple[int, int], same: bool) -> None:
    kept = pack_thumbnail(take_thumbnail(SLIDE.view(400, 300)))
    stored = SeenField(1, Place(1, 0.0, 0.0, Placement.FIRST), SIZE)
    thumbnail = take_thumbnail(SLIDE.view(*at))
    there = Place(1, 20.0, 30.0, Placement.RECOGNISED)
    assert shows_the_same(thumbnail, there, [stored], lambda _: {1: kept}) is same
    assert shows_the_same(thumbnail, there, [stored], lambda _: {})  # then only the cells can tell


def test_a_glimpse_is_kept_small_and_nearly_as_it_was() -> None:
    thumbnail = take_thumbnail(SLIDE.view(400, 300))
    data = pack_thumbnail(thumbnail)
    assert len(data) < 20_000
    assert np.abs(unpack_thumbnail(data, SIZE).picture - thumbnail.picture).mean() < 0.02
