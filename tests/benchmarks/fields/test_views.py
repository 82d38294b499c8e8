"""The table of what a poor view costs spoils fields in the ways that its checks measure."""

import pytest

from benchmarks.fields.views import Way, ways
from edge.fields.quality import CheckName, judge_quality
from edge.segmentation.finder import CellFinder
from tests.support.plain_field import draw, grid

STRONGEST = {way.check: way for way in ways() if way.name != "nothing"}
"""The last of the ways for each check."""


@pytest.mark.slow
@pytest.mark.parametrize("way", [STRONGEST[name] for name in STRONGEST if name != CheckName.FLICKER])
def test_each_way_raises_what_its_check_measures(way: Way) -> None:
    field, finder = draw(grid((640, 480), 40), 40, (640, 480)), CellFinder()
    before, after = (
        {check.name: check.value for check in judge_quality(rgb, finder.find(rgb)).checks}
        for rgb in (field, way.spoil(field, 40.0))
    )
    assert after[way.check] > 2 * before[way.check]
