"""What a finished run wrote is read back, or the run is refused with a sentence."""

import json
from pathlib import Path

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
METRICS = {
    "data": "as it was",
    "thresholds": {"cell": 0.5, "field": 0.9},
    "calibration": {},
    "figures": {"baseline": {"auc": {"value": 0.9}}},
}
SAID = "cell,label,probability\n" + "".join(f"c{number},0,0.25\n" for number in range(4))


def write(run: Path, metrics: str, said: str) -> Path:
    (run / "metrics.json").write_text(metrics)
    (run / "predictions.csv").write_text(said)
    return run


def test_what_was_said_of_the_test_cells_is_read_back(tmp_path: Path) -> None:
    record = read_record(write(tmp_path, json.dumps(METRICS), SAID), RUN_DATA)
    assert record.test.probabilities.tolist() == [0.25] * 4
    assert record.baseline_auc == 0.9


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
