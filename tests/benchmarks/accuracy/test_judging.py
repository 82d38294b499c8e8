"""Candidates over the same cells."""

from pathlib import Path

import cv2
import numpy as np

from benchmarks.accuracy.judging import Candidate, judge_all
from benchmarks.accuracy.labelled import read_labelled_cells
from tests.support.quick_benchmark import no_report


def test_each_preparation_is_made_once_and_judged_by_each_candidate(drawn: Path) -> None:
    prepared = []

    def prepare(rgb: np.ndarray, _: np.ndarray) -> np.ndarray:
        prepared.append(rgb)
        return cv2.resize(rgb, (4, 4))

    def candidate(name: str, value: float) -> Candidate:
        return Candidate(
            name, "same", prepare, lambda inputs: np.full(len(inputs), value, np.float32), 0.5, 0.5
        )

    cells, _ = read_labelled_cells(drawn / "cells")
    judged = judge_all([candidate("a", 0.25), candidate("b", 0.75)], cells, no_report)
    assert len(prepared) == len(cells)
    assert set(judged["a"].probabilities) == {0.25}
    assert set(judged["b"].probabilities) == {0.75}
