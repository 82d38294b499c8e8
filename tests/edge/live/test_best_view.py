"""A cell is judged where it is seen best; one that was never seen well is counted and not judged."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.fields.quality import Check, CheckName, QualityReport
from edge.filing.export import slide_json
from edge.live.counting import MOST_COUNTED_STRAIN, SlideCounter
from edge.live.sources.frame import Frame
from edge.live.states import LiveState
from edge.messages.codes import Code
from edge.messages.message import Message
from edge.slides.store import SlideStore
from edge.types import Rgb
from tests.support.slides.disc_slide import CELL_WIDTH, DiscReader, DiscSlide
from tests.support.slides.small_slide import begin, open_store

SLIDE = DiscSlide()
LIMIT = 0.05


def view_of(strain: float) -> QualityReport:
    """The report of a field that motion has blurred so much."""
    why = None if strain <= 1 else Message(Code.FIELD_MOVED)
    return QualityReport((Check(CheckName.MOTION, strain * LIMIT, (0.0, LIMIT), strain <= 1, why),))


class Stage:
    """A slide that is counted frame by frame, each with a view as good as is said."""

    def __init__(self, store: SlideStore) -> None:
        self.store, self.slide, self.reader = store, begin(store), DiscReader()
        self.counter = SlideCounter(store, self.slide, self.reader)
        self._number = 0

    def show(self, rgb: Rgb, strain: float) -> LiveState:
        """Consider a picture whose view has such a strain."""
        self.reader.quality = view_of(strain)
        self._number += 1
        return self.counter.consider(Frame(rgb, self._number, 0.0, "disc slide")).state

    def at(self, x: int, y: int, strain: float) -> LiveState:
        """Consider what lies at a place of the slide."""
        return self.show(SLIDE.view(x, y), strain)


def test_what_was_seen_blurred_waits_and_is_judged_when_it_is_seen_sharply(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        stage = Stage(store)
        whole = SLIDE.whole_in([(300, 300)])
        assert stage.at(300, 300, 1.4) == "not judged"
        blurred = store.counts(stage.slide)
        assert (blurred.cells, blurred.parasitized, blurred.unjudged) == (0, 0, whole)
        assert stage.at(300, 300, 0.3) == "counted"
        sharp = store.counts(stage.slide)
        assert (sharp.cells, sharp.unjudged) == (whole, 0)
        assert sharp.parasitized > 0
        told = slide_json(store, stage.slide)
        assert {cell["field"] for cell in told["cells"]} == {2}
        assert {(view["field"], view["view_strain"]) for view in told["earlier_views"]} == {(1, 1.4)}
        assert len(told["earlier_views"]) == whole
        (entry,) = [entry for entry in store.audit(stage.slide) if entry.action == "cells seen better"]
        assert entry.detail == {"field": 2, "better": whole, "withdrawn": 0}


@pytest.mark.parametrize(("strain", "state"), [(2.4, LiveState.NOT_JUDGED), (2.6, LiveState.BLURRED)])
def test_cells_are_counted_up_to_two_and_a_half_times_the_limit(
    tmp_path: Path, strain: float, state: LiveState
) -> None:
    with open_store(tmp_path) as store:
        assert Stage(store).at(300, 300, strain) == state


@pytest.mark.parametrize(("sigma", "still"), [(0.45, True), (0.5, False)])
def test_a_stage_at_rest_is_looked_at_again_where_its_detail_changed_by_fifteen_percent(
    tmp_path: Path, sigma: float, still: bool
) -> None:
    # The detail that is left is 0.87 and 0.82 of the first view's, which was not the best.
    second = np.asarray(cv2.GaussianBlur(SLIDE.view(300, 300), (0, 0), sigma), np.uint8)
    with open_store(tmp_path) as store:
        stage = Stage(store)
        assert stage.at(300, 300, 0.8) == LiveState.COUNTED
        assert (stage.show(second, 0.8) == LiveState.STILL) is still


def test_cells_that_are_never_seen_sharply_stay_counted_and_not_judged(tmp_path: Path) -> None:
    corners = [(0, 0), (150, 0), (300, 0), (450, 0)]
    with open_store(tmp_path) as store:
        stage = Stage(store)
        for x, y in corners:
            stage.at(x, y, 1.5)
        counts = store.counts(stage.slide)
        assert (counts.cells, counts.unjudged) == (0, SLIDE.whole_in(corners))
        assert store.cells(stage.slide) == []


@pytest.mark.parametrize(("strain", "again"), [(0.7, False), (0.6, True)])
def test_only_a_clearly_better_view_is_judged_again(tmp_path: Path, strain: float, again: bool) -> None:
    with open_store(tmp_path) as store:
        stage = Stage(store)
        stage.at(300, 300, 0.9)
        cells, first = store.counts(stage.slide).cells, stage.reader.classified
        stage.at(320, 300, strain)
        new = store.counts(stage.slide).cells - cells
        assert (stage.reader.classified - first > new) is again
        assert bool(store.earlier_views(stage.slide)) is again
        assert store.counts(stage.slide).cells == SLIDE.whole_in([(300, 300), (320, 300)])


def test_a_worse_view_changes_nothing(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        stage = Stage(store)
        stage.at(300, 300, 0.3)
        before = store.cells(stage.slide)
        assert stage.at(310, 300, 1.8) in {"not judged", "nothing new"}
        assert store.cells(stage.slide) == before
        assert store.earlier_views(stage.slide) == []


def test_a_field_that_shows_too_little_is_not_even_counted(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        stage = Stage(store)
        stage.at(300, 300, 0.3)
        assert stage.at(700, 300, MOST_COUNTED_STRAIN + 0.1) == "blurred"
        assert store.counts(stage.slide).cells == SLIDE.whole_in([(300, 300)])


def test_two_cells_that_ran_together_in_the_blur_are_two_when_they_are_seen_sharply(tmp_path: Path) -> None:
    sharp = SLIDE.view(300, 300).copy()
    distance = np.hypot(*(SLIDE.centres - (620, 540)).T)
    x, y = (round(float(c)) for c in SLIDE.centres[distance.argmin()] - 300)
    blurred = sharp.copy()
    cv2.circle(blurred, (x, y), CELL_WIDTH, (225, 215, 220), -1)
    split = blurred.copy()
    cv2.circle(blurred, (x, y), CELL_WIDTH // 2 - 2, (170, 90, 130), -1)
    for side in (-1, 1):
        cv2.circle(split, (x + side * 22, y), CELL_WIDTH // 2 - 2, (170, 90, 130), -1)
    with open_store(tmp_path) as store:
        stage = Stage(store)
        stage.show(blurred, 1.5)
        first = store.counts(stage.slide).unjudged
        stage.show(split, 0.3)
        counts = store.counts(stage.slide)
        assert (counts.cells, counts.unjudged) == (first + 1, 0)
        assert len(store.cells(stage.slide, duplicates=True, unjudged=True)) == first + 2


def test_a_stage_that_stands_is_looked_at_again_until_it_is_seen_well(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        stage = Stage(store)
        assert [stage.at(300, 300, strain) for strain in (1.5, 1.4, 0.2, 0.2)] == [
            "not judged",
            "nothing new",
            "counted",
            "still",
        ]


def test_what_was_seen_blurred_before_a_break_is_judged_after_it(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        stage = Stage(store)
        stage.at(300, 300, 1.5)
    with open_store(tmp_path) as store:
        slide, reader = store.slide("S-1"), DiscReader()
        reader.quality = view_of(0.2)
        SlideCounter(store, slide, reader).consider(Frame(SLIDE.view(310, 300), 1, 0.0, "disc slide"))
        counts = store.counts(slide)
        assert counts.cells + counts.unjudged == SLIDE.whole_in([(300, 300), (310, 300)])
        assert counts.cells == SLIDE.whole_in([(310, 300)])
