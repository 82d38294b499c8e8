"""A cell is counted once, however many frames show it."""

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.errors import StoreFullError
from edge.live.counting import Outcome, SlideCounter
from edge.live.registration.motion import estimate_motion, take_thumbnail
from edge.live.registration.point_patterns import ANYWHERE, find_shifts, nearest
from edge.live.sources.frame import Frame
from edge.live.states import LiveState
from edge.messages.codes import Code
from edge.slides.joining import UNSEEN_OVERLAP, counted_twice_at_most
from edge.slides.records import Slide
from edge.slides.store import SlideStore
from tests.support.slides.disc_slide import CELL_WIDTH, DiscReader, DiscSlide, out_of_focus
from tests.support.slides.small_slide import begin, open_store

SLIDE = DiscSlide()
SIZE = (640, 480)


def frame_at(x: int, y: int, number: int = 1, *, apart: bool = False, sha256: str | None = None) -> Frame:
    return Frame(SLIDE.view(x, y), number, 0.0, "disc slide", sha256, apart)


def count(counter: SlideCounter, corners: Iterable[tuple[int, int]]) -> list[Outcome]:
    return [counter.consider(frame_at(x, y, number)) for number, (x, y) in enumerate(corners, start=1)]


def counter_of(store: SlideStore, slide: Slide) -> SlideCounter:
    return SlideCounter(store, slide, DiscReader())


def raster() -> list[tuple[int, int]]:
    """30 % overlap, there and back."""
    across, down = [0, 448, 896, 960], [0, 336, 672, 1008, 1120]
    return [(x, y) for line, y in enumerate(down) for x in (across if line % 2 == 0 else across[::-1])]


def test_a_raster_counts_every_cell_once(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        slide = begin(store)
        outcomes = count(counter_of(store, slide), raster())
        counts = store.counts(slide)
        assert counts.cells == SLIDE.whole_in(raster())
        assert counts.parasitized == SLIDE.infected.sum()
        places = [outcome.place for outcome in outcomes]
        assert all(
            place is not None
            and place.x == pytest.approx(x, abs=1.5)
            and place.y == pytest.approx(y, abs=1.5)
            for place, (x, y) in zip(places, raster(), strict=True)
        )


@pytest.mark.slow
def test_a_walk_that_comes_back_on_itself_counts_every_cell_once(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    at, speed, corners = np.array([400.0, 500.0]), np.zeros(2), []
    for _ in range(60):
        speed = 0.8 * speed + rng.normal(0, 50, 2)
        at = np.clip(at + speed, 0, [960, 1120])
        corners.append((int(at[0]), int(at[1])))
    with open_store(tmp_path) as store:
        slide = begin(store)
        count(counter_of(store, slide), corners)
        assert store.counts(slide).cells == pytest.approx(SLIDE.whole_in(corners), rel=0.005)


def test_a_still_field_adds_nothing_and_is_not_judged_again(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        slide, reader = begin(store), DiscReader()
        counter = SlideCounter(store, slide, reader)
        states = [outcome.state for outcome in count(counter, [(300, 300)] * 5 + [(301, 300)] * 3)]
        assert states == ["counted"] + ["still"] * 7
        assert reader.classified == store.counts(slide).cells == SLIDE.whole_in([(300, 300)])


def test_a_blurred_frame_is_skipped(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        counter = counter_of(store, begin(store))
        count(counter, [(0, 0), (100, 0)])
        blurred = cv2.GaussianBlur(SLIDE.view(300, 0), (0, 0), 3)
        assert counter.consider(Frame(np.asarray(blurred, np.uint8), 3, 0.0, "x")).state == "blurred"
        assert counter.consider(frame_at(300, 0, 4)).state == "counted"


def test_a_place_seen_before_is_recognised_after_a_jump(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        slide = begin(store)
        counter = counter_of(store, slide)
        count(counter, raster()[:8])
        before = store.counts(slide).cells
        outcome = counter.consider(frame_at(37, 21, 9))
        assert outcome.place is not None
        assert (round(outcome.place.x), round(outcome.place.y)) == (37, 21)
        assert store.counts(slide).cells == before


@pytest.mark.slow
def test_stretches_that_meet_are_joined_and_their_cells_counted_once(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        slide = begin(store)
        counter = counter_of(store, slide)
        apart = [(0, 0), (100, 0), (900, 900), (900, 900), (850, 950)]
        count(counter, apart)
        assert counter.map is not None
        assert len(counter.map.regions) == 2
        bridge = [(900, 700), (900, 500), (700, 350), (450, 200), (250, 100), (100, 0)]
        count(counter, bridge)
        assert len(counter.map.regions) == 1
        assert store.counts(slide).cells == SLIDE.whole_in(apart + bridge)
        assert "stretches joined" in [entry.action for entry in store.audit(slide)]
        assert store.faults() == []


def two_lines(offset: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Two lines of fields, the second so many pixels further down; it begins far from where the first one ends."""
    there = [(x, 0) for x in range(0, 961, 160)]
    return there, [(x, offset) for x, _ in there]


@pytest.mark.slow
def test_stretches_are_joined_by_an_overlap_too_narrow_for_any_single_field(tmp_path: Path) -> None:
    there, back = two_lines(390)
    with open_store(tmp_path) as store:
        slide = begin(store)
        counter = counter_of(store, slide)
        count(counter, there)
        counter.forget_position()
        outcomes = count(counter, [back[0], *back])
        assert all(outcome.place is None or outcome.place.how != "recognised" for outcome in outcomes)
        assert counter.map is not None
        assert len(counter.map.regions) == 1
        assert store.counts(slide).cells == SLIDE.whole_in(there + back)


@pytest.mark.parametrize("resumed", [False, True])
def test_a_source_that_was_away_is_looked_for_first_where_the_stage_was(
    tmp_path: Path, *, resumed: bool
) -> None:
    there, back = [(0, 0), (100, 0)], [(100, 390), (100, 390)]
    with open_store(tmp_path) as store:
        slide = begin(store)
        counter = counter_of(store, slide)
        count(counter, there)
        if resumed:
            counter = counter_of(store, slide)
        else:
            counter.forget_position()
        count(counter, back)
        assert counter.map is not None
        assert len(counter.map.regions) == 1
        assert store.counts(slide).cells == SLIDE.whole_in(there + back)


def test_what_unjoined_stretches_count_twice_is_bounded(tmp_path: Path) -> None:
    assert ANYWHERE.matches / ANYWHERE.agreement <= UNSEEN_OVERLAP
    there, back = two_lines(410)
    with open_store(tmp_path) as store:
        slide = begin(store)
        counter = counter_of(store, slide)
        count(counter, there)
        counter.forget_position()
        count(counter, [back[0], *back])
        assert counter.map is not None
        assert len(counter.map.regions) == 2
        twice = store.counts(slide).cells - SLIDE.whole_in(there + back)
        regions = [region.cells for region in counter.map.regions.values()]
        assert 0 < twice <= counted_twice_at_most(regions)


@pytest.mark.parametrize(
    ("regions", "twice"), [([], 0), ([900], 0), ([5, 900], 5), ([100, 100], 16), ([3, 40, 40], 19)]
)
def test_no_more_cells_can_be_counted_twice_than_a_region_has(regions: list[int], twice: int) -> None:
    assert counted_twice_at_most(regions) == twice


def test_one_unknown_frame_begins_no_stretch(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        slide = begin(store)
        counter = counter_of(store, slide)
        count(counter, [(0, 0)])
        before = store.counts(slide)
        assert counter.consider(frame_at(900, 900, 2)).state == LiveState.UNPLACED
        assert counter.consider(frame_at(10, 5, 3)).place is not None
        assert counter.map is not None
        assert len(counter.map.regions) == 1
        assert store.counts(slide).cells - before.cells < 40


def test_a_resumed_slide_counts_on_where_it_was(tmp_path: Path) -> None:
    corners = raster()[:12]
    with open_store(tmp_path) as store:
        count(counter_of(store, begin(store)), corners[:6])
    with open_store(tmp_path) as store:
        slide = store.slide("S-1")
        count(counter_of(store, slide), corners[4:])
        assert store.counts(slide).cells == SLIDE.whole_in(corners)


def test_another_resolution_is_scaled_to_that_of_the_slide(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        slide = begin(store)
        counter = counter_of(store, slide)
        count(counter, [(300, 300)])
        before = store.counts(slide).cells
        finer = np.asarray(cv2.resize(SLIDE.view(300, 300), (1280, 960)), np.uint8)
        outcome = counter.consider(Frame(finer, 2, 0.0, "x"))
        assert outcome.state in {"still", "nothing new"}
        assert store.counts(slide).cells == before


def test_a_cropped_frame_of_another_scale_is_measured_once_and_found_again(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        slide, reader = begin(store), DiscReader()
        counter = SlideCounter(store, slide, reader)
        count(counter, [(300, 300)])
        before, finds = store.counts(slide).cells, reader.finds
        for number in (2, 3):
            view = SLIDE.view(340 + 40 * number, 360, 400, 400)
            finer = np.asarray(cv2.resize(view, (800, 800)), np.uint8)
            outcome = counter.consider(Frame(finer, number, 0.0, "x"))
            assert outcome.place is not None
            assert (outcome.place.x, outcome.place.y) == (
                pytest.approx(40 + 40 * number, abs=2),
                pytest.approx(60, abs=2),
            )
        assert reader.finds == finds + 3
        assert store.counts(slide).cells == before


def test_a_field_that_the_store_cannot_take_is_not_on_the_map(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_store(tmp_path) as store:
        slide = begin(store)
        counter = counter_of(store, slide)
        with monkeypatch.context() as patch:

            def full(*_: object, **__: object) -> None:
                raise StoreFullError(Code.STORE_FULL, path="slides.sqlite", doing="")

            patch.setattr(store, "add_field", full)
            with pytest.raises(StoreFullError):
                counter.consider(frame_at(0, 0))
        assert counter.consider(frame_at(0, 0, 2)).new_cells == SLIDE.whole_in([(0, 0)])
        assert store.counts(slide).cells == SLIDE.whole_in([(0, 0)])


def test_pictures_that_somebody_took_may_lie_apart_and_are_each_noted(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        slide, reader = begin(store), DiscReader()
        counter = SlideCounter(store, slide, reader)
        corners = [(0, 0), (450, 0), (900, 1000)]
        for number, (x, y) in enumerate(corners):
            counter.consider(frame_at(x, y, number + 1, apart=True, sha256=f"{number}" * 64))
        reader.quality = out_of_focus()
        refused = counter.consider(frame_at(200, 700, 4, apart=True, sha256="3" * 64))
        assert refused.state == "refused"
        assert store.counts(slide).cells == SLIDE.whole_in(corners)
        assert store.files_taken(slide) == {digit * 64 for digit in "0123"}


def test_a_point_pattern_is_found_under_jitter_and_missing_cells() -> None:
    rng = np.random.default_rng(2)
    inside = SLIDE.centres[((SLIDE.centres > [500, 300]) & (SLIDE.centres < [1140, 780])).all(axis=1)]
    field = inside[rng.random(len(inside)) > 0.15] - [500, 300]
    shift = find_shifts(
        SLIDE.centres, field + rng.normal(0, 1.5, field.shape), field_size=SIZE, cell_width=CELL_WIDTH
    )[0]
    assert (shift.x, shift.y) == (pytest.approx(500, abs=1.5), pytest.approx(300, abs=1.5))


@pytest.mark.parametrize("seed", range(10, 18))
def test_a_point_pattern_of_another_slide_is_not_found(seed: int) -> None:
    other = DiscSlide(seed, side=700).centres
    field = other[((other > 20) & (other < [640, 480])).all(axis=1)]
    assert not find_shifts(SLIDE.centres, field, field_size=SIZE, cell_width=CELL_WIDTH)


@pytest.mark.parametrize(("dx", "dy"), [(0, 0), (60, -40), (-90, 10)])
def test_a_movement_is_followed_by_the_pictures_under_uneven_light(dx: int, dy: int) -> None:
    lamp = np.linspace(0.7, 1.0, 640)[None, :, None]
    before = take_thumbnail((SLIDE.view(400, 400) * lamp).astype(np.uint8))
    after = take_thumbnail((SLIDE.view(400 + dx, 400 + dy) * lamp).astype(np.uint8))
    movement = estimate_motion(before, after)
    assert movement is not None
    assert (movement.x, movement.y) == (pytest.approx(dx, abs=3), pytest.approx(dy, abs=3))


def test_following_leaves_a_glimpse_as_it_was() -> None:
    before, after = take_thumbnail(SLIDE.view(400, 400)), take_thumbnail(SLIDE.view(440, 400))
    kept = before.picture.copy()
    estimate_motion(before, after)
    assert np.array_equal(before.picture, kept)


def test_empty_glass_and_strange_fields_are_followed_nowhere() -> None:
    glass = take_thumbnail(np.full((480, 640, 3), 220, np.uint8))
    assert estimate_motion(glass, glass) is None
    assert estimate_motion(take_thumbnail(SLIDE.view(0, 0)), take_thumbnail(SLIDE.view(900, 1000))) is None


def test_the_nearest_point_is_the_same_whether_the_table_is_filled_at_once_or_in_parts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(7)
    points, queries = rng.uniform(0, 100, (50, 2)), rng.uniform(0, 100, (40, 2))
    at_once = nearest(points, queries)
    monkeypatch.setattr("edge.live.registration.point_patterns._PAIRS_AT_ONCE", 120)
    in_parts = nearest(points, queries)
    assert np.array_equal(at_once[0], in_parts[0])
    assert np.array_equal(at_once[1], in_parts[1])
    assert at_once[0][3] == pytest.approx(np.hypot(*(points - queries[3]).T).min())
