"""Which cells an epoch shows: a share of them, all, or few cells again and again, varied anew each time."""

import numpy as np
import pytest

from train.augmentation.stain_and_camera import Strength
from train.data.dataset import Sample
from train.model.batches import CellBatches
from train.settings import LEAST_SHOWN, TrainingSettings

CELLS = [
    Sample(f"c{grey}", grey % 2, "p", np.full((40, 40, 3), grey, np.uint8), np.full((40, 40), 255, np.uint8))
    for grey in range(20, 220, 20)
]
TARGETS = np.arange(len(CELLS), dtype=np.float32) / 10
"""Each cell's own, by which it is known again."""


def shown(share: float, strength: Strength | None = None) -> tuple[np.ndarray, np.ndarray]:
    """All that an epoch shows: pictures, and the number of the cell of each."""
    batches = CellBatches(
        CELLS, TARGETS, size=32, batch_size=5, seed=3, epoch=1, share=share, strength=strength
    )
    pictures, targets = zip(*(batches[number] for number in range(len(batches))), strict=True)
    return np.concatenate(pictures), np.rint(10 * np.concatenate(targets)[:, 0]).astype(int)


@pytest.mark.parametrize(("share", "times"), [(0.5, {0, 1}), (1.0, {1}), (1.5, {1, 2}), (3.0, {3})])
def test_an_epoch_shows_the_cells_as_often_as_its_share_says(share: float, times: set[int]) -> None:
    _, numbers = shown(share)
    assert len(numbers) == share * len(CELLS)
    assert set(np.bincount(numbers, minlength=len(CELLS)).tolist()) == times


def test_a_cell_that_is_shown_again_is_varied_anew() -> None:
    pictures, numbers = shown(3.0)
    for number in range(len(CELLS)):
        first, second, third = pictures[numbers == number]
        assert not np.array_equal(first, second)
        assert not np.array_equal(second, third)
    plain, numbers = shown(2.0, Strength(plain=1.0))
    first, second = plain[numbers == 4]
    assert np.median(first[first > 0]) == pytest.approx(np.median(second[second > 0]), abs=2)


def test_few_cells_are_gone_through_until_an_epoch_is_long_enough_and_a_stated_share_holds() -> None:
    settings = TrainingSettings(data="cells")
    assert settings.share_shown(LEAST_SHOWN * 5) == 1
    assert settings.share_shown(LEAST_SHOWN // 4) == 4
    assert TrainingSettings(data="cells", epoch_share=1).share_shown(100) == 1
