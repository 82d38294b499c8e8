"""Matches that chance brings about place no field."""

import numpy as np
import pytest

from edge.live.registration.point_patterns import ANYWHERE, find_shifts

CELL_WIDTH, SIZE = 30.0, (640, 480)


@pytest.mark.parametrize("seed", [0, 2, 3])
def test_a_random_field_is_placed_nowhere_on_a_map_so_dense_that_most_cells_match_somewhere(
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    # Half of all places lie within reach of one of these cells.
    dense = rng.uniform(0, [1600, 1200], (5200, 2))
    field = rng.uniform(0, SIZE, (16, 2))
    assert not find_shifts(dense, field, field_size=SIZE, cell_width=CELL_WIDTH)
    anyhow = ANYWHERE._replace(chance=1.0)
    assert find_shifts(dense, field, field_size=SIZE, cell_width=CELL_WIDTH, criteria=anyhow)
