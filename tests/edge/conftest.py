"""The finder of cells, opened once for all tests."""

import pytest

from edge.segmentation.finder import CellFinder
from edge.segmentation.network import CellNetwork


@pytest.fixture(scope="session")
def finder() -> CellFinder:
    """The shipped cell finder, one thread."""
    return CellFinder(CellNetwork(threads=1))
