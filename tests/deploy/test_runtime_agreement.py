"""Combinations of Python and runtime: what is installed, what is tested, and how verdicts are compared."""

from typing import Any

import pytest

from deploy.bundle import ROOT
from deploy.combinations import (
    COMBINATIONS,
    Combination,
    Outcome,
    find_python,
    lowest,
    outcomes_table,
    replace_between,
    wanted,
)
from deploy.edge_tests import edge_tests
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


def test_the_tests_of_edge_leave_out_what_a_device_lacks() -> None:
    names = {path.relative_to(ROOT / "tests").as_posix() for path in edge_tests()}
    assert "edge/inference/test_classifier.py" in names
    assert not names & {
        "server/wsgi/test_serve.py",
        "train/test_run.py",
        "convert/test_export.py",
        "server/test_browser.py",
    }
    assert all((ROOT / "tests" / name).is_file() for name in names)


def test_the_lowest_releases_are_those_that_the_project_allows() -> None:
    assert lowest("numpy>=1.26,<2") == "numpy==1.26.*,<2"
    packages = wanted(Combination("3.11", "edge", "ai-edge-litert", lowest=True))
    assert any(package.startswith("ai-edge-litert==") for package in packages)


def test_the_legacy_runtime_comes_with_what_it_needs() -> None:
    legacy = next(one for one in COMBINATIONS if one.runtime == "tflite-runtime")
    packages = " ".join(wanted(legacy))
    assert "tflite-runtime==" in packages
    assert "ai-edge-litert" not in packages


def test_a_python_that_is_not_there_is_not_found() -> None:
    assert find_python("3.0") is None


def test_a_failed_combination_stands_out_in_the_table() -> None:
    versions = {"python": "3.11.7", "numpy": "2.4", "opencv-python-headless": "5.0", "ai-edge-litert": "2.3"}
    found = outcomes_table([Outcome(COMBINATIONS[0], versions, passed=False, said="1 failed")])
    assert "| **failed:** 1 failed |" in found


def test_a_table_takes_the_place_of_the_one_before() -> None:
    document = "a\n<!-- tests -->\nold\n<!-- /tests -->\nb\n"
    once = replace_between(document, "tests", "new")
    assert once == "a\n<!-- tests -->\n\nnew\n\n<!-- /tests -->\nb\n"
    assert replace_between(once, "tests", "new") == once


def test_a_document_without_a_place_for_the_table_is_an_error() -> None:
    with pytest.raises(ValueError, match="<!-- agreement -->"):
        replace_between("text", "agreement", "table")
