"""Varied cells: decided by the generator alone, black outside, and another picture each time."""

import numpy as np
import pytest

from edge.inference.preprocessing import network_input
from edge.simulation.single_cell import draw_cell
from train.augmentation.stain_and_camera import Strength, augment
from train.data.dataset import Sample
from train.model.batches import CellBatches, network_inputs


@pytest.fixture(scope="module")
def cell() -> np.ndarray:
    """One drawn cell on black."""
    rgb: np.ndarray = draw_cell(np.random.SeedSequence(4), infected=True).rgb
    return rgb


def batches(cell: np.ndarray, seed: int = 1, epoch: int = 0) -> CellBatches:
    samples = [Sample(str(number), number % 2, "p", cell) for number in range(6)]
    targets = np.arange(6, dtype=np.float32)
    return CellBatches(samples, targets, size=32, batch_size=3, seed=seed, epoch=epoch)


@pytest.mark.parametrize("seed", range(12))
def test_the_same_state_gives_the_same_picture(cell: np.ndarray, seed: int) -> None:
    first, second = (augment(cell, np.random.default_rng(seed), Strength()) for _ in range(2))
    assert np.array_equal(first, second)


def test_states_give_different_pictures(cell: np.ndarray) -> None:
    pictures = [
        network_input(augment(cell, np.random.default_rng(seed), Strength()), size=32) for seed in range(12)
    ]
    assert len({picture.tobytes() for picture in pictures}) == 12


@pytest.mark.parametrize("seed", range(12))
def test_outside_the_cell_a_variation_is_black(cell: np.ndarray, seed: int) -> None:
    shown = augment(cell, np.random.default_rng(seed), Strength())
    assert shown.dtype == np.uint8
    rim = np.concatenate([shown[0], shown[-1], shown[:, 0], shown[:, -1]])
    assert rim.max() == 0
    assert shown.max() > 100


def test_turning_alone_leaves_the_colours_as_they_are(cell: np.ndarray) -> None:
    inside = cell[cell.min(axis=2) > 30].mean(axis=0)
    for seed in range(6):
        shown = augment(cell, np.random.default_rng(seed), Strength(plain=1.0))
        assert np.abs(shown[shown.min(axis=2) > 30].mean(axis=0) - inside).max() < 6


def test_the_cell_that_is_given_stays_untouched(cell: np.ndarray) -> None:
    before = cell.copy()
    augment(cell, np.random.default_rng(0), Strength(plain=0.0))
    assert np.array_equal(cell, before)


def test_batches_depend_on_seed_and_epoch_alone(cell: np.ndarray) -> None:
    first, second = batches(cell), batches(cell)
    second[1]  # the order of asking must not matter
    for number in range(len(first)):
        for mine, other in zip(first[number], second[number], strict=True):
            assert np.array_equal(mine, other)


def test_another_epoch_has_other_pictures_in_another_order(cell: np.ndarray) -> None:
    first, second = (np.concatenate([batches(cell, epoch=epoch)[n][1] for n in (0, 1)]) for epoch in (0, 1))
    assert not np.array_equal(first, second)
    assert not np.array_equal(batches(cell)[0][0], batches(cell, epoch=1)[0][0])


def test_what_keras_calls_between_epochs_changes_nothing(cell: np.ndarray) -> None:
    epoch = batches(cell)
    before = epoch[0][0]
    epoch.on_epoch_end()
    assert np.array_equal(epoch[0][0], before)


def test_every_cell_comes_once_an_epoch_with_its_own_target(cell: np.ndarray) -> None:
    epoch = batches(cell)
    targets = np.concatenate([epoch[number][1] for number in range(len(epoch))])
    assert sorted(targets[:, 0].tolist()) == [0, 1, 2, 3, 4, 5]


def test_held_out_cells_are_preprocessed_as_on_the_device(cell: np.ndarray) -> None:
    inputs = network_inputs([Sample("a", 1, "p", cell)], 64)
    assert np.array_equal(inputs[0], network_input(cell, size=64))


def test_a_cell_that_is_nearly_black_stays_a_cell_in_every_variation() -> None:
    dark = np.zeros((60, 60, 3), np.uint8)
    dark[5:55, 8:52] = 14
    for seed in range(40):
        shown = augment(dark, np.random.default_rng(seed), Strength(plain=0.0))
        assert network_input(shown, size=32).any()
