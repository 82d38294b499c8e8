"""The reference results that the documents quote."""

import re
from pathlib import Path

import pytest

from benchmarks.harness.measurement import read_benchmark

REFERENCES = sorted((Path(__file__).parents[2] / "benchmarks" / "reference").glob("*.json"))


@pytest.mark.parametrize("path", REFERENCES, ids=lambda path: path.stem)
def test_reference_results_say_what_they_are_of_and_name_no_folder(path: Path) -> None:
    benchmark = read_benchmark(path)
    assert benchmark.figures()
    assert not re.search(r"(?<![\w.])/(home|root|tmp|work|Users)/", path.read_text("utf-8"))
    assert benchmark.machine["models"]
    assert re.fullmatch("[0-9a-f]{12}", benchmark.machine["commit"])
