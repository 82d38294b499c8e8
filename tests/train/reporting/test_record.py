"""What a finished run wrote is read back, or the run is refused with a sentence."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from train.data.dataset import DataSet, Sample
from train.data.split import Split
from train.reporting.record import read_record
from train.run import RunData
from train.settings import SettingsError

CELL, MASK = np.zeros((9, 9, 3), np.uint8), np.full((9, 9), 255, np.uint8)
DATA = DataSet(
    tuple(Sample(f"c{number}", number % 2, "p", CELL, MASK) for number in range(4)), (), "as it was"
)
RUN_DATA = RunData(DATA, Split(np.arange(0), np.arange(0), np.arange(4)), {})
METRICS: dict[str, Any] = {
    "data": "as it was",
    "thresholds": {"cell": 0.5, "field": 0.9},
    "calibration": {},
    "figures": {"baseline": {"auc": {"value": 0.9}}, "original": {"auc": {"value": 0.875}}},
}
SAID = "cell,label,probability\n" + "".join(f"c{number},0,0.25\n" for number in range(4))


def write(run: Path, metrics: str, said: str) -> Path:
    (run / "metrics.json").write_text(metrics)
    (run / "predictions.csv").write_text(said)
    return run


def test_what_was_said_of_the_test_cells_is_read_back(tmp_path: Path) -> None:
    record = read_record(write(tmp_path, json.dumps(METRICS), SAID), RUN_DATA)
    assert record.test.probabilities.tolist() == [0.25] * 4
    assert record.lead == pytest.approx((-0.025, -0.025, -0.025))


def test_the_lead_over_the_baseline_is_read_with_its_interval(tmp_path: Path) -> None:
    lead = {"auc_over_baseline_undisputed": {"value": 0.01, "low": -0.02, "high": 0.03}}
    assert read_record(write(tmp_path, json.dumps(METRICS | lead), SAID), RUN_DATA).lead == (
        0.01,
        -0.02,
        0.03,
    )


def test_the_undisputed_cells_tell_the_lead_of_an_older_run(tmp_path: Path) -> None:
    figures = METRICS["figures"] | {
        "baseline undisputed": {"auc": {"value": 0.95}},
        "undisputed": {"auc": {"value": 0.99}},
    }
    record = read_record(write(tmp_path, json.dumps(METRICS | {"figures": figures}), SAID), RUN_DATA)
    assert record.lead == pytest.approx((0.04, 0.04, 0.04))


@pytest.mark.parametrize(
    ("metrics", "said"),
    [
        ("", SAID),
        ("[]", SAID),
        ("{}", SAID),
        (json.dumps(METRICS | {"figures": {}}), SAID),
        (json.dumps(METRICS), SAID[: SAID.rindex(",")]),
        (json.dumps(METRICS), SAID + '"' + "x" * 140_000),
    ],
    ids=["empty", "list", "object", "no figures", "cut", "quote"],
)
def test_a_damaged_record_is_refused(tmp_path: Path, metrics: str, said: str) -> None:
    with pytest.raises(SettingsError, match="holds no finished training run"):
        read_record(write(tmp_path, metrics, said), RUN_DATA)
