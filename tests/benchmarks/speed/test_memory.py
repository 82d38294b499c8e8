"""Fields are judged within the memory that is left, and as they are without a bound."""

from pathlib import Path

import pytest

from benchmarks.speed.memory import Judged, judge_in_child, write_fields

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc"),
]

THREADS = 4


def in_both_ways(folder: Path, megapixels: float, count: int, left: int) -> tuple[Judged, Judged]:
    write_fields(folder, megapixels, count)
    return judge_in_child(folder, THREADS, 10**12), judge_in_child(folder, THREADS, left)


@pytest.mark.parametrize(
    ("megapixels", "fields", "left"),
    [pytest.param(1.2, 12, 150_000_000, id="small"), pytest.param(16, 3, 330_000_000, id="large")],
)
def test_fields_are_judged_within_what_is_left(
    tmp_path: Path, megapixels: float, fields: int, left: int
) -> None:
    free, bound = in_both_ways(tmp_path / "fields", megapixels, fields, left)
    assert free.workers == THREADS
    assert bound.peak - bound.start <= left
    # Without the bound they take more: the test would else hold of any program.
    assert free.peak - free.start > left
    assert bound.cells == free.cells
    assert all(len(cells) > 50 for cells in bound.cells)
