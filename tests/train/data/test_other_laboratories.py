"""Cells of other laboratories, the parasites grafted on them, and what only looks like a parasite."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge.cells.isolation import BLACK_LEVEL
from edge.images.encode import write_png
from edge.simulation.sets import SetPlan, write_set
from train.augmentation.artefacts import add_artefact
from train.augmentation.grafting import graft, lift_parasite
from train.data.dataset import DataError, Sample
from train.data.other_laboratories import Grafting, read_other_cells
from train.model.batches import CellBatches

_PINK = (205, 150, 160)
_PURPLE = (110, 40, 130)


def disc(colour: tuple[int, int, int] = _PINK, side: int = 100) -> NDArray[np.uint8]:
    """A plain round cell on black."""
    cell = np.zeros((side, side, 3), np.uint8)
    cv2.circle(cell, (side // 2, side // 2), side // 2 - 2, colour, -1)
    return cell


def infected(x: int = 40, y: int = 55) -> NDArray[np.uint8]:
    """The same with a purple dot."""
    cell = disc()
    cv2.circle(cell, (x, y), 7, _PURPLE, -1)
    return cell


def lit(cell: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The mask of such a cell."""
    return np.asarray(cell.any(axis=2) * 255, np.uint8)


def lifted() -> NDArray[np.float32]:
    parasite = lift_parasite(infected(), lit(infected()))
    assert parasite is not None
    return parasite


def test_a_lifted_parasite_stands_in_the_middle_and_nothing_else_comes_with_it() -> None:
    green = lifted()[:, :, 1]
    rows, columns = np.nonzero(green > 0.5)
    assert abs(rows.mean() - 50) < 2
    assert abs(columns.mean() - 50) < 2
    assert np.abs(green[:20]).max() < 0.05


def test_a_healthy_cell_has_no_parasite_to_lift() -> None:
    assert lift_parasite(disc(), lit(disc())) is None


def test_a_parasite_at_the_rim_is_left_where_it_is() -> None:
    cell = infected(x=6, y=50)
    assert lift_parasite(cell, lit(cell)) is None


def test_a_graft_darkens_the_cell_inside_and_leaves_black_black() -> None:
    host = disc((150, 160, 190), side=41)
    changed = [graft(host, lit(host), [lifted()], np.random.default_rng(seed)) for seed in range(20)]
    for cell in changed:
        assert cell.shape == host.shape
        assert not cell[host.sum(axis=2) == 0].any()
        assert cell[host.sum(axis=2) > 0].min() > BLACK_LEVEL
        assert (cell.astype(int) - host).min() < -30


def test_the_same_state_gives_the_same_graft() -> None:
    one, other = (graft(disc(), lit(disc()), [lifted()], np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(one, other)


def test_disturbances_leave_the_plasma_alone_and_never_make_the_outline_larger() -> None:
    mask = disc()[:, :, 1]
    mask = cv2.threshold(mask, 12, 255, cv2.THRESH_BINARY)[1]
    darkness = np.where(mask[:, :, None] > 0, np.float32(0.3), np.float32(0)).repeat(3, axis=2)
    altered = 0
    for seed in range(60):
        shown, outline = add_artefact(darkness, mask, np.random.default_rng(seed))
        assert shown.shape == darkness.shape
        assert np.isfinite(shown).all()
        assert not (outline & ~mask).any()
        altered += not np.array_equal(shown, darkness)
    assert 5 < altered < 40  # some cells, not most


@pytest.mark.slow
def test_fields_give_their_cells_and_hold_some_back(tmp_path: Path) -> None:
    list(write_set(tmp_path, SetPlan(cells=0, fields=6, seed=1)))
    (tmp_path / "fields" / "broken.png").write_bytes(b"no picture")
    found = read_other_cells([tmp_path / "fields"], size=32)
    assert found.fields == 7
    assert len(found.samples) > 20
    assert found.held
    assert not {one.patient for one in found.samples} & {one.patient for one in found.held}
    assert [one.file for one in found.rejected] == ["fields/broken.png"]
    assert all(one.label == 0 and min(one.image.shape[:2]) > 8 for one in found.samples)


def test_folders_without_a_cell_are_refused(tmp_path: Path) -> None:
    write_png(tmp_path / "blank.png", np.full((300, 300, 3), 200, np.uint8))
    with pytest.raises(DataError, match="No red cell"):
        read_other_cells([tmp_path], size=32)
    with pytest.raises(DataError, match="does not exist"):
        read_other_cells([tmp_path / "nowhere"], size=32)


def test_batches_mix_foreign_cells_in_and_call_the_grafted_ones_parasitised() -> None:
    mask = lit(disc(side=40))
    home = [Sample(f"h{i}", i % 2, "p", disc(side=40), mask) for i in range(40)]
    cells = [Sample(f"f{i}", 0, "q", disc((150, 160, 190), side=40), mask) for i in range(60)]
    targets = np.full(40, 0.5, np.float32)  # so that only a foreign cell has a target of 0 or 1
    grafting = Grafting(cells, (), [lifted()], share=0.5, grafted=0.5)
    epochs = [
        CellBatches(home, targets, size=32, batch_size=20, seed=3, epoch=epoch, others=grafting)
        for epoch in (0, 1, 0)
    ]
    said = [np.concatenate([one[index][1] for index in range(len(one))])[:, 0] for one in epochs]
    assert [len(one) for one in epochs] == [3, 3, 3]
    assert (said[0] == 0.5).sum() == 40
    assert 3 < (said[0] == 1).sum() < 17
    assert np.array_equal(said[0], said[2])
    assert not np.array_equal(said[0], said[1])
