"""A virtual camera moves over a slide: the cells counted on the way against the whole slide at once.

The camera takes 1280 x 960 px. It goes over the slide in a raster whose fields overlap by 30 %, or in a random walk
that keeps crossing itself. A cell belongs to the comparison when it lay wholly within at least one accepted frame.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from edge.calibration.setup import set_up_slide
from edge.images.files import read_image
from edge.live.setup import SlideRequest, find_or_begin, slide_task
from edge.live.sources.frame import Frame
from edge.live.states import LiveState
from edge.segmentation.finder import CellFinder
from edge.simulation.placement import SlideSettings
from edge.simulation.slide import SimulatedSlide
from edge.slides.store import SlideStore
from edge.types import Rgb
from tests.support.cameras.stepped_stage import whole_within

pytestmark = pytest.mark.slow

WIDTH, HEIGHT = 1280, 960
OVERLAP = 0.3
MARGIN = 2
"""Cells that touch the frame's rim to within so many pixels may or may not be whole: left out of the comparison."""
WALK_FRAMES = 40

Corner = tuple[int, int]


class Panned(NamedTuple):
    """What a count along a way came to."""

    accepted: list[Corner]
    cells: int
    parasitised: int
    worst_position_px: float


def raster(side: int) -> Iterator[Corner]:
    """Yield the corners of a raster, there and back, the last flush with the edge."""
    across = [*range(0, side - WIDTH, round(WIDTH * (1 - OVERLAP))), side - WIDTH]
    down = [*range(0, side - HEIGHT, round(HEIGHT * (1 - OVERLAP))), side - HEIGHT]
    for line, y in enumerate(down):
        for x in across if line % 2 == 0 else across[::-1]:
            yield x, y


def walk(side: int) -> Iterator[Corner]:
    """Yield the corners of a walk with inertia that is drawn back to the middle, so that it crosses itself."""
    rng = np.random.default_rng(1)
    room = np.array([side - WIDTH, side - HEIGHT], float)
    at, speed = room / 2, np.zeros(2)
    for _ in range(WALK_FRAMES):
        speed = 0.9 * speed + rng.normal(0, 50, 2) - 0.004 * (at - room / 2)
        at = np.clip(at + speed, 0, room)
        yield int(at[0]), int(at[1])


def count_along(corners: list[Corner], view: Callable[[int, int, int], Rgb], folder: Path) -> Panned:
    """Count along a way as `plasmolite live` does."""
    setup = set_up_slide(threads=1)
    accepted, counted_at = [], []
    with SlideStore(folder / "slides.sqlite") as store:
        slide = find_or_begin(store, setup, SlideRequest("pan"), "pan")
        task = slide_task(setup, store, slide, cells_wanted=1_000_000)
        for number, (x, y) in enumerate(corners, start=1):
            state = task.consider(Frame(view(x, y, number), number, 0.0, "pan")).state
            if state in {LiveState.COUNTED, LiveState.NOTHING_NEW, LiveState.STILL}:
                accepted.append((x, y))
            if state == LiveState.COUNTED:
                counted_at.append((x, y))
        counts = store.counts(slide)
        fields = [stored.field for stored in store.fields(slide)]
    assert len({field.island for field in fields}) == 1
    placed = np.array([(field.x, field.y) for field in fields])
    true = np.array(counted_at) - np.array(counted_at[0])
    return Panned(accepted, counts.cells, counts.parasitized, float(np.abs(placed - true).max()))


@pytest.mark.parametrize("way", [raster, walk])
def test_every_cell_of_a_drawn_slide_is_counted_once_and_the_infected_called(
    way: Callable[[int], Iterator[Corner]], tmp_path: Path
) -> None:
    side = 3200
    # The walk sees a part of the slide: one cell in twelve is infected, so that it meets enough of them.
    drawn = SimulatedSlide(7, SlideSettings(width=side, height=side, parasitaemia=0.08))
    panned = count_along(
        list(way(side)), lambda x, y, number: drawn.view(x, y, WIDTH, HEIGHT, noise=number), tmp_path
    )
    cells = drawn.all_cells()
    seen = seen_whole([cell.box for cell in cells], panned)
    infected = sum(cell.infected for cell, whole in zip(cells, seen, strict=True) if whole)
    assert panned.cells == pytest.approx(seen.sum(), rel=0.01)
    assert panned.parasitised == pytest.approx(infected, abs=1)
    assert infected > 10
    assert panned.worst_position_px < 1.5


@pytest.mark.parametrize("way", [raster, walk])
def test_every_cell_of_a_photographed_slide_is_counted_once(
    way: Callable[[int], Iterator[Corner]], shared_data: Path, tmp_path: Path
) -> None:
    side = 2600
    photograph = read_image(shared_data / "fields" / "pan" / "uninfected_slide.jpg")[:side, :side]
    panned = count_along(list(way(side)), lambda x, y, _: photograph[y : y + HEIGHT, x : x + WIDTH], tmp_path)
    found = [cell.box for cell in CellFinder().find(photograph).cells if cell.counted]
    assert panned.cells == pytest.approx(seen_whole(found, panned).sum(), rel=0.01)
    assert panned.worst_position_px < 1.5


def seen_whole(boxes: list[tuple[int, int, int, int]], panned: Panned) -> np.ndarray:
    """Tell for each box whether it lay wholly within an accepted frame."""
    inner = [(x + MARGIN, y + MARGIN) for x, y in panned.accepted]
    return whole_within(np.array(boxes), inner, (WIDTH - 2 * MARGIN, HEIGHT - 2 * MARGIN))
