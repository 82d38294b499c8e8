"""Simulated changes of a cell's picture."""

import numpy as np
import pytest

from benchmarks.accuracy.changes import CHANGES, changed
from edge.simulation.single_cell import draw_cell


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_a_change_changes_the_cell_and_keeps_its_mask_in_step(change) -> None:  # type: ignore[no-untyped-def]
    cell = draw_cell(3, infected=True)
    rgb = np.ascontiguousarray(cell.rgb)
    mask = (rgb.max(axis=2) > 0).astype(np.uint8) * 255
    picture, new_mask = changed(rgb, mask, change)
    assert picture.dtype == np.uint8
    assert picture.shape[:2] == new_mask.shape
    assert set(np.unique(new_mask)) <= {0, 255}
    assert picture.shape != rgb.shape or not np.array_equal(picture, rgb)
    again, _ = changed(rgb, mask, change)
    np.testing.assert_array_equal(picture, again)
