"""Outlined cells: their boxes, their kinds, and which of them are counted."""

from __future__ import annotations

from importlib import resources

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge.images.files import read_image
from edge.segmentation.finder import CellFinder
from edge.segmentation.outlines import CellKind
from edge.simulation.cell import sample_cell
from edge.simulation.field import FieldSettings, draw_field
from edge.simulation.parasite import STAGES
from edge.simulation.scene import paint_scene
from edge.simulation.single_cell import sample_smear
from edge.simulation.stain import develop, expose
from tests.support.plain_field import counted_centres, draw, grid


def test_the_box_of_a_half_hidden_cell_reaches_round_the_whole_cell(finder: CellFinder) -> None:
    pairs = [place for x, y in grid((800, 600), 40, 3.5) for place in ((x, y), (x + 26, y))]
    found = finder.find(draw(pairs, 40, (800, 600)))
    widths = [cell.box[2] for cell in found.cells if cell.counted]
    assert np.median(widths) > 33
    assert all(cell.mask.shape == (cell.box[3], cell.box[2]) for cell in found.cells)


def test_cells_cut_by_the_border_are_marked_and_not_counted(finder: CellFinder) -> None:
    inside = grid((640, 480), 40)
    found = finder.find(draw([*inside, (0, 250), (639, 130), (330, 479)], 40, (640, 480)))
    assert len(counted_centres(found)) == len(inside)
    assert sum(cell.cut_by_border for cell in found.cells) == 3


def test_platelets_are_not_counted(finder: CellFinder) -> None:
    places = grid((640, 480), 40)
    field = draw(places, 40, (640, 480))
    for x, y in places[::3]:
        cv2.circle(field, (round(x + 34), round(y + 34)), 5, (120, 70, 130), cv2.FILLED)
    assert len(counted_centres(finder.find(field))) == len(places)


@pytest.fixture(scope="module")
def bundled() -> list[NDArray[np.uint8]]:
    folder = resources.files("edge.samples") / "fields"
    return [read_image((folder / f"field_0{number}.jpg").read_bytes()) for number in (1, 2)]


def test_the_white_cell_of_each_bundled_field_is_told(
    finder: CellFinder, bundled: list[NDArray[np.uint8]]
) -> None:
    for field in bundled:
        (white,) = [cell for cell in finder.find(field).cells if cell.kind == CellKind.WHITE]
        assert not white.counted


@pytest.mark.slow
def test_infected_cells_of_every_stage_are_red_cells(finder: CellFinder) -> None:
    rng = np.random.default_rng(5)
    smear = sample_smear(rng, 90.0)
    plain = FieldSettings(width=1280, height=960, cells=40, cell_width=90, platelets=0, grains=0)
    field = draw_field(7, plain, smear)
    cells = tuple(
        cell._replace(plan=sample_cell(rng, 45.0, True, stage=STAGES[number % len(STAGES)]))
        for number, cell in enumerate(field.cells)
    )
    density = paint_scene((0, 0, 1280, 960), cells, (), smear.stain, 3)
    rgb = expose(develop(density, smear.stain, smear.blur), rng, smear.noise)
    kinds = [cell.kind for cell in finder.find(rgb).cells]
    assert kinds.count("red") >= 0.9 * len(cells)
    assert CellKind.WHITE not in kinds


def test_a_heap_that_cannot_be_separated_is_outlined_and_not_counted(finder: CellFinder) -> None:
    heap = [(320.0 + 20 * x, 240.0 + 20 * y) for x in range(4) for y in range(4)]
    lone = [place for place in grid((640, 480), 40) if np.hypot(place[0] - 320, place[1] - 240) > 130]
    found = finder.find(draw([*heap, *lone], 40, (640, 480)))
    (clump,) = [cell for cell in found.cells if cell.clump]
    assert clump.kind == CellKind.RED
    assert np.count_nonzero(clump.mask) > 7 * np.pi / 4 * 40**2
    assert not clump.counted
    assert len(counted_centres(found)) >= len(lone)
