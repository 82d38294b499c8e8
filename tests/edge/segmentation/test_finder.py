"""Cells of drawn fields whose truth is known."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import edge.segmentation.finder
from benchmarks.accuracy.field_annotations import annotated_boxes, annotated_mask
from benchmarks.fields.__main__ import compare_boxes
from edge.images.files import read_image
from edge.segmentation.finder import CellFinder, FieldCells, Reductions
from edge.segmentation.network import CellNetwork
from edge.segmentation.outlines import CellKind
from edge.simulation.cell import sample_cell
from edge.simulation.field import FieldSettings, draw_field
from edge.simulation.parasite import STAGES
from edge.simulation.scene import paint_scene
from edge.simulation.single_cell import sample_smear
from edge.simulation.stain import develop, expose
from tests.support.plain_field import draw, grid


@pytest.fixture(scope="module")
def finder() -> CellFinder:
    return CellFinder(CellNetwork(threads=1))


def counted_centres(found: FieldCells) -> NDArray[np.float64]:
    return np.array([cell.centre for cell in found.cells if cell.counted]).reshape(-1, 2)


@pytest.mark.parametrize("width", [26, 40, 105])
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
    monkeypatch.setattr(edge.segmentation.finder, "seek_cell_width", lambda *_: pytest.fail("sought"))
    assert len(counted_centres(finder.find(draw(places, 40, (640, 480)), 40.0))) == len(places)


def test_overlapping_cells_are_told_apart(finder: CellFinder) -> None:
    pairs = [place for x, y in grid((800, 600), 40, 3.5) for place in ((x, y), (x + 30, y + 8))]
    found = finder.find(draw(pairs, 40, (800, 600)))
    assert len(counted_centres(found)) == pytest.approx(len(pairs), rel=0.05)


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


def test_glass_between_cells_is_not_filled(finder: CellFinder) -> None:
    ring = [(320 + 46 * np.cos(a), 240 + 46 * np.sin(a)) for a in np.arange(7) * 2 * np.pi / 7]
    field = draw(
        [*ring, *[p for p in grid((640, 480), 40) if np.hypot(p[0] - 320, p[1] - 240) > 110]], 40, (640, 480)
    )
    cells = finder.find(field).cells
    assert sum(np.hypot(cell.centre[0] - 320, cell.centre[1] - 240) < 60 for cell in cells) == len(ring)
    for cell in cells:
        x, y, w, h = cell.box
        if x <= 320 < x + w and y <= 240 < y + h:
            assert cell.mask[240 - y, 320 - x] == 0


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


def test_real_fields_hold_about_the_annotated_number_of_cells(finder: CellFinder, shared_data: Path) -> None:
    folder = shared_data / "fields" / "bbbc041"
    boxes = annotated_boxes(folder)
    name = sorted(boxes)[0]
    truth = annotated_mask(folder, name)
    result = compare_boxes(finder.find(read_image(folder / "images" / name)), boxes[name], truth)
    assert 2 * result.matched / (result.annotated + result.found) > 0.95
    assert result.dice > 0.94


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
    assert kinds.count(CellKind.RED) >= 0.9 * len(cells)
    assert CellKind.WHITE not in kinds


def test_a_field_reduced_keeps_its_colours() -> None:
    field = np.full((300, 401, 3), (200, 120, 40), np.uint8)
    sizes = Reductions(field)
    for size in ((401, 300), (200, 150), (77, 58), (500, 374)):
        reduced = sizes.at(size)
        assert reduced.shape == (size[1], size[0], 3)
        assert np.abs(reduced.astype(int) - field[0, 0]).max() <= 1
