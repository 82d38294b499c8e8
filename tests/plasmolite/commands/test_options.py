"""Numbers that options take, and those that they do not."""

import pytest
from click.testing import CliRunner

from plasmolite.console import main


@pytest.mark.parametrize(
    "arguments",
    [
        ["classify", "--threshold", "nan", "cells"],
        ["explain", "--threshold", "nan", "--out", "why.png", "cell.png"],
        ["analyze", "--cell-width", "NaN", "fields"],
        ["simulate", "--out", "drawn", "--blur", "nan"],
        ["simulate", "--out", "drawn", "--cells-per-field", "100001"],
        ["live", "--source", "simulator", "--seed", "-1"],
    ],
)
def test_what_is_in_no_range_is_refused(arguments: list[str]) -> None:
    answer = CliRunner().invoke(main, arguments)
    assert answer.exit_code == 2
    assert "is not in the range" in answer.output
