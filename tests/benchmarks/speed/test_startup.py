"""The first verdict in a real process, its memory, and the weight of the libraries."""

from importlib import resources
from pathlib import Path

import pytest

from benchmarks.harness.measurement import BenchmarkError
from benchmarks.speed.startup import edge_libraries, run_classify
from edge.inference.model_file import default_model_path

SAMPLE = Path(str(resources.files("edge.samples"))) / "cells" / "cell_01.png"


@pytest.mark.slow
def test_a_start_is_a_process_that_judges_and_tells_its_memory() -> None:
    run = run_classify(default_model_path(), SAMPLE)
    assert run.seconds > 0
    assert 20e6 < run.peak_bytes < 2e9


@pytest.mark.slow
def test_a_start_that_fails_is_no_measurement(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="classify"):
        run_classify(tmp_path / "missing.tflite", SAMPLE)


def test_the_libraries_of_the_device_are_weighed_and_no_others() -> None:
    sizes, _ = edge_libraries()
    assert {"numpy", "opencv-python-headless"} <= set(sizes)
    assert "tensorflow" not in sizes
    assert min(sizes.values()) > 0
