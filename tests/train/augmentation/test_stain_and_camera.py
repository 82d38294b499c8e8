"""Varied cells: decided by the generator alone, black outside, and another picture each time."""

import numpy as np
import pytest

from edge.cells.isolation import BLACK_LEVEL
from edge.inference.preprocessing import network_input
from edge.simulation.single_cell import SimulatedCell, draw_cell
from train.augmentation.stain_and_camera import Strength, augment, motion_kernel
from train.data.dataset import Sample
from train.model.batches import CellBatches, network_inputs
from train.run import variation_of
from train.settings import TrainingSettings, Variation

WHOLE = Strength()


@pytest.fixture(scope="module")
def cell() -> SimulatedCell:
    """One drawn cell on black."""
    return draw_cell(np.random.SeedSequence(4), infected=True)


def varied(cell: SimulatedCell, seed: int, strength: Strength = WHOLE) -> tuple[np.ndarray, np.ndarray]:
    return augment(cell.rgb, cell.mask, np.random.default_rng(seed), strength)


def batches(cell: SimulatedCell, seed: int = 1, epoch: int = 0) -> CellBatches:
    samples = [Sample(str(number), number % 2, "p", cell.rgb, cell.mask) for number in range(6)]
    targets = np.arange(6, dtype=np.float32)
    return CellBatches(samples, targets, size=32, batch_size=3, seed=seed, epoch=epoch)


@pytest.mark.parametrize("seed", range(12))
def test_the_same_state_gives_the_same_picture(cell: SimulatedCell, seed: int) -> None:
    first, second = (varied(cell, seed) for _ in range(2))
    assert np.array_equal(first[0], second[0])
    assert np.array_equal(first[1], second[1])


def test_states_give_different_pictures(cell: SimulatedCell) -> None:
    pictures = [network_input(*varied(cell, seed), size=32) for seed in range(12)]
    assert len({picture.tobytes() for picture in pictures}) == 12


@pytest.mark.parametrize("seed", range(12))
def test_outside_the_cell_a_variation_is_black(cell: SimulatedCell, seed: int) -> None:
    shown, mask = varied(cell, seed)
    assert not shown[mask == 0].any()
    assert shown[mask > 0].min() > BLACK_LEVEL
    assert shown.dtype == np.uint8
    rim = np.concatenate([shown[0], shown[-1], shown[:, 0], shown[:, -1]])
    assert rim.max() == 0
    assert shown.max() > 100


def test_turning_alone_leaves_the_colours_as_they_are(cell: SimulatedCell) -> None:
    inside = cell.rgb[cell.mask > 0].mean(axis=0)
    for seed in range(6):
        shown, mask = varied(cell, seed, Strength(plain=1.0))
        assert np.abs(shown[mask > 0].mean(axis=0) - inside).max() < 6


def test_the_cell_that_is_given_stays_untouched(cell: SimulatedCell) -> None:
    before = cell.rgb.copy(), cell.mask.copy()
    varied(cell, 0, Strength(plain=0.0))
    assert np.array_equal(cell.rgb, before[0])
    assert np.array_equal(cell.mask, before[1])


def test_batches_depend_on_seed_and_epoch_alone(cell: SimulatedCell) -> None:
    first, second = batches(cell), batches(cell)
    second[1]  # the order of asking must not matter
    for number in range(len(first)):
        for mine, other in zip(first[number], second[number], strict=True):
            assert np.array_equal(mine, other)


def test_another_epoch_has_other_pictures_in_another_order(cell: SimulatedCell) -> None:
    first, second = (np.concatenate([batches(cell, epoch=epoch)[n][1] for n in (0, 1)]) for epoch in (0, 1))
    assert not np.array_equal(first, second)
    assert not np.array_equal(batches(cell)[0][0], batches(cell, epoch=1)[0][0])


def test_what_keras_calls_between_epochs_changes_nothing(cell: SimulatedCell) -> None:
    epoch = batches(cell)
    before = epoch[0][0]
    epoch.on_epoch_end()
    assert np.array_equal(epoch[0][0], before)


def test_every_cell_comes_once_an_epoch_with_its_own_target(cell: SimulatedCell) -> None:
    epoch = batches(cell)
    targets = np.concatenate([epoch[number][1] for number in range(len(epoch))])
    assert sorted(targets[:, 0].tolist()) == [0, 1, 2, 3, 4, 5]


def test_held_out_cells_are_preprocessed_as_on_the_device(cell: SimulatedCell) -> None:
    inputs = network_inputs([Sample("a", 1, "p", cell.rgb, cell.mask)], 64)
    assert np.array_equal(inputs[0], network_input(cell.rgb, cell.mask, size=64))


def test_a_cell_that_is_nearly_black_stays_a_cell_in_every_variation() -> None:
    dark = np.zeros((60, 60, 3), np.uint8)
    dark[5:55, 8:52] = 14
    mask = np.asarray(dark.any(axis=2) * 255, np.uint8)
    for seed in range(40):
        shown = augment(dark, mask, np.random.default_rng(seed), Strength(plain=0.0))
        assert network_input(*shown, size=32).any()


@pytest.mark.parametrize("seed", range(4))
def test_a_camera_without_colours_shows_three_equal_channels(cell: SimulatedCell, seed: int) -> None:
    shown, _ = augment(cell.rgb, cell.mask, np.random.default_rng(seed), Strength(plain=0.0, grey=1.0))
    assert np.ptp(shown, axis=2).max() == 0
    assert shown.max() > 60


def test_mixed_channels_give_a_cell_other_hues_at_about_its_darkness(cell: SimulatedCell) -> None:
    still = Strength(
        plain=0.0, grey=0.0, density=0, channel_density=0, white_point=0, dim=0, palette=0, noise=0
    )
    still = still._replace(saturation=(1.0, 1.0), gamma=(1.0, 1.0), artefacts=False)
    hues = []
    for mixed in (0.0, 1.0):
        colours = []
        for seed in range(24):
            rng = np.random.default_rng(seed)
            shown, _ = augment(cell.rgb, cell.mask, rng, still._replace(mixed=mixed))
            inside = shown[shown.min(axis=2) > 30].astype(np.float64)
            red, green, blue = inside.mean(axis=0)
            colours.append(np.log([red / green, green / blue]))
        hues.append(np.std(colours, axis=0).max())
    assert hues[1] > 1.3 * hues[0]


@pytest.mark.parametrize("length", [0.4, 1.0, 3.7, 9.0])
@pytest.mark.parametrize("angle", [0.0, 0.8, 1.6, 2.9])
def test_a_stage_that_moves_takes_no_light_away(length: float, angle: float) -> None:
    kernel = motion_kernel(length, angle)
    assert kernel.shape[0] == kernel.shape[1]
    assert len(kernel) % 2 == 1
    assert abs(float(kernel.sum()) - 1) < 1e-5
    assert kernel.min() >= 0


def test_a_stage_that_moves_sideways_smears_sideways_alone() -> None:
    kernel = motion_kernel(9.0, 0.0)
    assert np.count_nonzero(kernel.sum(axis=0) > 0.01) >= 9
    assert np.count_nonzero(kernel.sum(axis=1) > 0.01) <= 3


@pytest.mark.parametrize("part", Variation)
def test_what_an_ablation_leaves_out_is_no_longer_varied(cell: SimulatedCell, part: Variation) -> None:
    strength = variation_of(TrainingSettings(data="cells", without=(part,)))
    whole = variation_of(TrainingSettings(data="cells"))
    assert strength != whole
    pictures = [varied(cell, seed, strength._replace(plain=0.0))[0] for seed in range(40)]
    grey = [bool((picture[..., 0] == picture[..., 2]).all()) for picture in pictures]
    if part is Variation.GREY:
        assert not any(grey)
    elif part is Variation.MIXING:
        assert strength.mixed == 0
        assert any(grey)
    else:
        noisy = Strength(plain=0.0, noise=80.0)
        assert all(
            np.array_equal(varied(cell, seed, noisy._replace(camera=False))[0], picture)
            for seed, picture in enumerate(pictures)
        )
