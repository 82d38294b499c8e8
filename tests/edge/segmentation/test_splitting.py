"""Cells that touch or overlap, told apart."""

from __future__ import annotations

import numpy as np
import pytest

from edge.segmentation.finder import CellFinder
from tests.support.plain_field import counted_centres, draw, grid


def test_overlapping_cells_are_told_apart(finder: CellFinder) -> None:
    pairs = [place for x, y in grid((800, 600), 40, 3.5) for place in ((x, y), (x + 30, y + 8))]
    found = finder.find(draw(pairs, 40, (800, 600)))
    assert len(counted_centres(found)) == pytest.approx(len(pairs), rel=0.05)


def test_glass_between_cells_is_not_filled(finder: CellFinder) -> None:
    ring = [(320 + 46 * np.cos(a), 240 + 46 * np.sin(a)) for a in np.arange(7) * 2 * np.pi / 7]
    field = draw(
        [*ring, *[p for p in grid((640, 480), 40) if np.hypot(p[0] - 320, p[1] - 240) > 110]],
        40,
        (640, 480),
    )
    cells = finder.find(field).cells
    assert sum(np.hypot(cell.centre[0] - 320, cell.centre[1] - 240) < 60 for cell in cells) == len(ring)
    for cell in cells:
        x, y, w, h = cell.box
        if x <= 320 < x + w and y <= 240 < y + h:
            assert cell.mask[240 - y, 320 - x] == 0
