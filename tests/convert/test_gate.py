"""The gate between an export and its release: what it lets pass and what it refuses."""

import keras
import numpy as np

from convert.comparison import Comparison, compare
from convert.export import export
from convert.fault_injection import add_noise
from convert.gate import DEFAULT_LIMITS, failures
from edge.cells.files import CellFile
from edge.inference.precision import Precision
from train.evaluation.metrics import Judged


def test_the_gate_passes_an_equal_export_and_refuses_a_spoilt_one(
    model: keras.Model,
    exports: dict[Precision, bytes],
    files: list[CellFile],
    cells: np.ndarray,
    said: np.ndarray,
) -> None:
    before = Judged(np.arange(60) % 2, said, np.array([f"p{i % 6}" for i in range(60)]))
    threshold = float(np.median(said))
    good, _ = compare(
        "float32", exports[Precision.FLOAT32], files, cells, before, threshold=threshold, threads=1
    )
    assert failures(good, DEFAULT_LIMITS["float32"], 60) == []
    spoilt = keras.models.clone_model(model)
    spoilt.set_weights(model.get_weights())
    add_noise(spoilt, 0.5)
    bad, _ = compare(
        "float32", export(spoilt, "float32", cells[:20]), files, cells, before, threshold=threshold, threads=1
    )
    refused = failures(bad, DEFAULT_LIMITS["float32"], 60)
    assert refused
    assert all("points" in sentence for sentence in refused)


def test_a_figure_that_is_not_a_number_fails_the_gate() -> None:
    same = dict.fromkeys(Comparison._fields, 0.0)
    nothing_known = Comparison(
        **{**same, "precision": Precision.INT8, "size": 1, "runtime": "", "flips": float("nan")}
    )
    assert failures(nothing_known, DEFAULT_LIMITS["int8"], 5000)


def test_a_refusal_says_where_one_test_cell_weighs_more_than_the_limit() -> None:
    worse = Comparison(
        **{**dict.fromkeys(Comparison._fields, 0.0), "precision": Precision.INT8, "size": 1, "runtime": ""}
    )._replace(accuracy_change=-0.005)
    few, many = (failures(worse, DEFAULT_LIMITS["int8"], cells) for cells in (200, 1000))
    assert [few[0]] == many
    assert "of 200 test cells a single one is 0.500 points" in few[1]
    assert "at least 1,000" in few[1]
