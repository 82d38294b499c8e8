"""Drawn fields: exact truth, in the range of cameras that fields are analysed from."""

import numpy as np
import pytest

from edge.simulation.field import FieldSettings, draw_field
from edge.simulation.single_cell import sample_smear

SMALL = FieldSettings(width=480, height=360, cells=16, cell_width=60.0, grains=0, platelets=0, shading=0.0)


def test_a_seed_draws_the_same_field_again() -> None:
    first, second = draw_field(4, SMALL), draw_field(4, SMALL)
    assert np.array_equal(first.rgb, second.rgb)
    assert first.cells == second.cells


def test_the_field_has_the_size_and_the_cells_asked_for() -> None:
    field = draw_field(1, SMALL)
    assert field.rgb.shape == (360, 480, 3)
    assert field.rgb.dtype == np.uint8
    assert len(field.cells) == 16


def test_the_masks_of_the_truth_cover_the_stained_pixels_and_no_others() -> None:
    field = draw_field(2, SMALL, sample_smear(np.random.default_rng(3), 60.0))
    density = -np.log(np.maximum(field.rgb[..., 1], 1) / field.smear.stain.white[1])
    stained = density > 0.5 * field.smear.stain.haemoglobin[1] * 0.8
    truth = field.mask() > 0
    dice = 2 * (stained & truth).sum() / (stained.sum() + truth.sum())
    assert dice > 0.95


@pytest.mark.parametrize("parasitaemia", [0.0, 0.25, 1.0])
def test_the_share_of_infected_cells_is_the_one_asked_for(parasitaemia: float) -> None:
    field = draw_field(5, SMALL._replace(parasitaemia=parasitaemia))
    assert sum(cell.infected for cell in field.cells) == parasitaemia * len(field.cells)
    assert all((cell.stage is not None) == cell.infected for cell in field.cells)


def test_infected_cells_hold_darker_pixels_than_healthy_ones() -> None:
    field = draw_field(6, SMALL._replace(parasitaemia=0.5))
    darkest: dict[bool, list[int]] = {True: [], False: []}
    for cell in field.cells:
        if not field.cut_by_border(cell):
            x, y, w, h = cell.box
            green = field.rgb[y : y + h, x : x + w, 1][cell.mask() > 0]
            darkest[cell.infected].append(int(np.percentile(green, 1)))
    assert max(darkest[True]) < min(darkest[False])


def test_without_overlap_no_two_centres_are_closer_than_a_cell_is_wide() -> None:
    field = draw_field(7, SMALL._replace(cells=60))
    places = np.array([(cell.x, cell.y) for cell in field.cells])
    apart = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))
    assert (apart[~np.eye(len(places), dtype=bool)] >= 60.0).all()


def test_overlapping_cells_darken_each_other() -> None:
    field = draw_field(8, SMALL._replace(cells=24, overlap=0.5, parasitaemia=0.0, width=320, height=240))
    depth = np.zeros(field.rgb.shape[:2], int)
    for cell in field.cells:
        x, y, w, h = cell.box
        x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + w, 320), min(y + h, 240)
        depth[y0:y1, x0:x1] += cell.mask()[y0 - y : y1 - y, x0 - x : x1 - x] > 0
    green = field.rgb[..., 1].astype(float)
    assert (depth == 2).any()
    assert green[depth == 2].mean() < green[depth == 1].mean() - 5


def test_cells_cut_by_the_border_are_known() -> None:
    field = draw_field(9, SMALL)
    for cell in field.cells:
        x, y, w, h = cell.box
        cut = min(x, y) < 0 or x + w > 480 or y + h > 360
        assert field.cut_by_border(cell) == cut


def test_an_eyepiece_is_round_on_black() -> None:
    field = draw_field(10, SMALL._replace(eyepiece=True))
    assert field.rgb[:8, :8].max() < 8
    assert field.rgb[170:190, 230:250].mean() > 60


def test_no_cell_lies_outside_the_eyepiece_and_its_edge_cuts_cells_too() -> None:
    field = draw_field(13, SMALL._replace(eyepiece=True, cells=30))
    away = {cell: np.hypot(cell.x - 240, cell.y - 180) for cell in field.cells}
    assert max(away.values()) <= 173
    assert all(field.cut_by_border(cell) for cell in field.cells if away[cell] > 155)
    assert not any(field.cut_by_border(cell) for cell in field.cells if away[cell] < 125)
    assert max(away.values()) > 155


def test_a_field_is_painted_without_seams_between_its_strips() -> None:
    settings = SMALL._replace(height=1100, cells=0, width=200)
    rows = draw_field(14, settings).rgb.astype(float).mean(axis=(1, 2))
    steps = np.abs(np.diff(rows))
    assert steps[[511, 1023]].max() < 6 * np.median(steps)


@pytest.mark.parametrize("cell_width", [25.0, 250.0])
def test_the_smallest_and_the_largest_cells_can_be_drawn(cell_width: float) -> None:
    field = draw_field(11, FieldSettings(width=640, height=480, cells=4, cell_width=cell_width))
    widths = [max(cell.box[2:]) for cell in field.cells]
    assert cell_width * 0.75 < np.mean(widths) < cell_width * 1.4


def test_white_cells_are_larger_than_red_ones_and_dark() -> None:
    field = draw_field(12, SMALL._replace(white_cells=1, cells=4))
    white = field.bystanders[0]
    assert white.kind == "white"
    assert white.width > 80


def test_settings_out_of_range_are_all_named() -> None:
    with pytest.raises(ValueError, match=r"cell_width is 12, .* 25 and 250\. parasitaemia is 2,"):
        draw_field(0, FieldSettings(cell_width=12, parasitaemia=2))
