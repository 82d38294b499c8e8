"""How the verdicts of several runtimes are compared."""

from typing import Any

import pytest

from deploy.proof.runtime_agreement import compare, fields_table, table


def scores(values: list[float], runtime: str = "a 1") -> dict[str, Any]:
    model = {"sha256": "s", "inputs": "i", "threshold": 0.5, "scores": values}
    record = {"runtime": runtime, "machine": "m", "python": "3", "numpy": "2", "opencv": "5"}
    return {**record, "models": {"x.tflite": model}}


def test_agreement_counts_equal_scores_flips_and_the_largest_difference() -> None:
    first = scores([0.1, 0.4, 0.9, 0.9])
    (row,) = compare(first, scores([0.1, 0.6, 0.9, 0.8]))
    assert (row["same"], row["flips"], row["flipped"]) == (0.5, 0.25, 1)
    assert row["largest"] == pytest.approx(0.2)
    assert "1 (25.000%)" in table(first, [row])


def test_scores_of_other_cells_are_not_compared() -> None:
    with pytest.raises(SystemExit, match="other cells"):
        compare(scores([0.1]), scores([0.1, 0.2], "b 2"))


def test_cells_found_are_compared_to_the_pixel() -> None:
    first = {**scores([]), "fields": [{"picture": "p", "boxes": [[0, 0, 9, 9], [20, 0, 9, 9]]}]}
    other = {**scores([], "b 2"), "fields": [{"picture": "p", "boxes": [[0, 0, 9, 9], [21, 0, 9, 9]]}]}
    assert fields_table(first, [other]).endswith("| yes | 2 | 1 |")
