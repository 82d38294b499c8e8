"""Drawn cells: the same from the same seed, and true to what is said of them."""

import cv2
import numpy as np
import pytest

from edge.simulation.cell import outline_box, paint_cell, sample_cell
from edge.simulation.parasite import STAGES, paint_parasites
from edge.simulation.single_cell import draw_cell, sample_smear
from edge.simulation.stain import PALETTES, develop, sample_stain, stain_of, value_noise


def test_a_seed_draws_the_same_cell_again() -> None:
    first, second = draw_cell(3, True), draw_cell(3, True)
    assert np.array_equal(first.rgb, second.rgb)
    assert first.stage == second.stage


def test_seeds_draw_different_cells() -> None:
    first, second = draw_cell(3, False), draw_cell(4, False)
    assert first.rgb.shape != second.rgb.shape or not np.array_equal(first.rgb, second.rgb)


def test_outside_the_mask_is_black_and_inside_is_not() -> None:
    for seed in range(12):
        cell = draw_cell(seed, seed % 2 == 0)
        assert not cell.rgb[cell.mask == 0].any()
        assert cell.rgb[cell.mask > 0].max(axis=1).min() > 60


def test_the_cell_touches_all_sides_of_its_crop_but_for_one_pixel() -> None:
    cell = draw_cell(5, False)
    height, width = cell.mask.shape
    assert cv2.boundingRect(cell.mask) == (1, 1, width - 2, height - 2)


def test_cells_are_as_large_as_those_photographed_by_phone() -> None:
    sides = [max(draw_cell(seed, False).rgb.shape[:2]) for seed in range(40)]
    assert 110 < np.median(sides) < 150


@pytest.mark.parametrize("stage", STAGES)
def test_chromatin_is_darker_in_green_than_the_rest_of_the_cell(stage: str) -> None:
    for seed in range(8):
        cell = draw_cell(seed, True, stage=stage)
        assert cell.label == "Parasitized"
        chromatin = cell.parasite > 0
        host = (cv2.erode(cell.mask, np.ones((9, 9))) > 0) & ~chromatin
        assert chromatin.sum() >= 25
        assert not (chromatin & (cell.mask == 0)).any()
        green = cell.rgb[..., 1].astype(float)
        assert green[chromatin].mean() < np.median(green[host]) - 25


def test_a_healthy_cell_has_nothing_as_dark_as_chromatin() -> None:
    for seed in range(20):
        cell = draw_cell(seed, False)
        assert cell.label == "Uninfected"
        assert not cell.parasite.any()
        inside = cell.rgb[cv2.erode(cell.mask, np.ones((9, 9))) > 0][:, 1].astype(float)
        assert inside.min() > np.median(inside) * 0.72


def test_only_the_parasite_tells_an_infected_cell_from_its_healthy_twin() -> None:
    rng = np.random.default_rng(1)
    healthy = sample_cell(rng, 60.0, False)
    infected = healthy._replace(stage="ring")
    stain = stain_of(PALETTES["rose"])
    plain, changed = paint_cell(healthy, stain), paint_cell(infected, stain)
    assert np.array_equal(plain.mask, changed.mask)
    differs = np.abs(plain.density - changed.density).max(axis=2) > 1e-4
    assert 0.01 < differs.mean() / (plain.mask > 0).mean() < 0.4


def test_an_unknown_stage_is_refused() -> None:
    grid = np.zeros((3, 3), np.float32)
    with pytest.raises(ValueError, match="'egg' is no stage"):
        paint_parasites(grid, grid, 0.1, "egg", np.random.default_rng(0))


def test_the_box_of_an_outline_is_that_of_its_mask() -> None:
    for seed in range(10):
        plan = sample_cell(np.random.default_rng(seed), 40.0, False)
        mask = paint_cell(plan, stain_of(PALETTES["slate"])).mask
        x, y, w, h = cv2.boundingRect(mask)
        box = outline_box(plan, plan.reach, plan.reach)
        assert np.abs(np.subtract(box, (x, y, w, h))).max() <= 1


def test_empty_glass_has_the_white_of_its_stain() -> None:
    stain = sample_stain(np.random.default_rng(2))
    light = develop(np.zeros((4, 4, 3), np.float32), stain)
    assert np.allclose(light, stain.white)


def test_a_palette_gives_its_own_colours_back() -> None:
    palette = PALETTES["salmon"]
    stain = stain_of(palette)
    cell = stain.white * np.exp(-stain.haemoglobin)
    chromatin = cell * np.exp(-stain.chromatin)
    assert np.allclose(cell, palette.cell, atol=0.01)
    assert np.allclose(chromatin, palette.chromatin, atol=0.01)


def test_position_noise_is_a_function_of_the_place_alone() -> None:
    whole = value_noise((-40, -40, 120, 120), 7, seed=5)
    part = value_noise((3, -21, 30, 40), 7, seed=5)
    assert np.array_equal(part, whole[19:59, 43:73])
    assert not np.array_equal(part, value_noise((3, -21, 30, 40), 7, seed=6))
    assert np.abs(whole).max() <= 1.0


def test_a_smear_shares_its_stain_between_its_cells() -> None:
    smear = sample_smear(np.random.default_rng(9))
    colours = [
        np.median(cell.rgb[cell.mask > 0], axis=0)
        for cell in (draw_cell(seed, False, smear=smear) for seed in range(6))
    ]
    others = [
        np.median(cell.rgb[cell.mask > 0], axis=0) for cell in (draw_cell(seed, False) for seed in range(6))
    ]
    assert np.std(colours, axis=0).max() < np.std(others, axis=0).max()
