"""How often the 95 % interval holds the truth when slides differ as real ones do, and how wide it is.

`python -m benchmarks.interval.coverage` gives the whole table, with 2,000 slides a row. Here a part of its rows is
drawn with fewer; PLASMOLITE_SLIDES=2000 takes all of them with as many slides as it says, which takes an hour.
"""

import math
import os

import pytest

from benchmarks.interval.coverage import Coverage, main, measure, table
from benchmarks.interval.simulated_slides import ELSEWHERE, INDEPENDENT, Row, rows

pytestmark = pytest.mark.slow

SLIDES = int(os.environ.get("PLASMOLITE_SLIDES", "120"))
EVERY = 1 if "PLASMOLITE_SLIDES" in os.environ else 8
"""Of the rows, how many are run: all where the number of slides is given."""

WIDEST, WIDEST_OTHERWISE = {INDEPENDENT: 2.5, ELSEWHERE: 7.0}, 4.0
"""How many times as wide as an oracle's the median interval of up to 2,000 cells may be: where only the count is in
doubt (and fields may differ), of any number of cells; where nothing was measured at the laboratory, whose rates the
oracle knows; and where the rates differ from slide to slide, or suspects are left that nobody looked at."""
WIDEST_OF_EXPECTED = 2.5
"""The same of 2,000 cells and more beside an oracle that knows how the rates differ from slide to slide and not more.
By two fields, which 200 cells are, nobody can tell how fields differ."""


def noise(share: float) -> float:
    """Three standard errors of a share."""
    return 3 * math.sqrt(share * (1 - share) / SLIDES)


@pytest.mark.parametrize("row", list(rows())[::EVERY], ids=str)
def test_the_interval_holds_the_truth_as_often_as_it_says(row: Row) -> None:
    found = measure(row, SLIDES)
    print(found)  # noqa: T201 - read with -s
    assert found.held >= 0.93 - noise(0.93)
    if row.name == INDEPENDENT and row.truth and row.cells >= 2000:
        assert found.held <= 0.975 + noise(0.975)
    if row.name == INDEPENDENT or row.cells <= 2000:
        assert found.width <= WIDEST.get(row.name, WIDEST_OTHERWISE) * found.oracle
    if row.review is None and row.cells >= 2000:
        assert found.width <= WIDEST_OF_EXPECTED * found.expected


def test_the_table_has_a_line_a_kind_and_size() -> None:
    kinds = {(row.name, row.cells) for row in rows()}
    shown = table(Coverage(row, 2, 0.954, 0.0125, 0.0112, 0.0112) for row in rows()).splitlines()
    assert len(shown) == 2 + len(kinds)
    assert "| independent | 2,000 | 95.4: 1.2 (1.1) |" in shown[4]


def test_the_command_prints_the_rows_asked_for_in_their_order(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--slides", "4", "--rows", "independent, 200 cells", "--processes", "2"])
    said, progress = capsys.readouterr()
    wanted = [row for row in rows() if str(row).startswith("independent, 200 cells")]
    assert [line.partition(": held")[0] for line in progress.splitlines()] == list(map(str, wanted))
    held = f"{100 * measure(wanted[0], 4).held:.1f}"
    assert said.splitlines()[2].startswith(f"| independent | 200 | {held}: ")
