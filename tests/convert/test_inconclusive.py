"""A third outcome between two thresholds, beyond which errors are rarer than at one."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from convert.inconclusive import ERROR_RATE, choose_undecided_range, describe_inconclusive
from edge.images.encode import write_png
from edge.inference.model_file import default_model_path, load_model, with_manifest
from edge.inference.verdicts import UndecidedRange
from edge.simulation.single_cell import draw_cell
from edge.types import Label
from plasmolite.commands.pictures.classify import command
from train.evaluation.metrics import Judged


def _cells(spread: float) -> Judged:
    rng = np.random.default_rng(3)
    labels = np.arange(4000) % 2
    logits = np.where(labels == 1, 3.0, -3.0) + rng.normal(0, spread, 4000)
    return Judged(labels, 1 / (1 + np.exp(-logits)), np.array([f"p{i % 20}" for i in range(4000)]))


def test_confident_verdicts_err_at_most_at_the_stated_rate_and_no_cell_is_held_back_in_vain() -> None:
    cells = _cells(2.0)
    undecided = choose_undecided_range(cells, 0.5)
    infected = cells.labels == 1
    missed = np.mean(cells.probabilities[infected] < undecided.low)
    alarms = np.mean(cells.probabilities[~infected] >= undecided.high)
    assert 0 < missed <= ERROR_RATE
    assert 0 < alarms <= ERROR_RATE
    held_back = (cells.probabilities >= undecided.low) & (cells.probabilities < undecided.high)
    assert 0.01 < held_back.mean() < 0.5


def test_the_range_holds_the_threshold_where_the_classes_lie_apart() -> None:
    assert choose_undecided_range(_cells(0.2), 0.5) == UndecidedRange(0.5, 0.5)


def test_the_manifest_counts_every_test_cell_by_its_class_and_what_it_is_called() -> None:
    test = Judged(
        np.array([0, 0, 0, 1, 1, 1]), np.array([0.1, 0.5, 0.9, 0.1, 0.5, 0.9]), np.array(list("aabbcc"))
    )
    disputed = np.array([False, False, True, True, False, False])
    validation = Judged(np.array([0, 1]), np.array([0.7, 0.3]), np.array(["v", "w"]))
    described = describe_inconclusive(validation, test, disputed=disputed, threshold=0.5)
    assert described["low"] == 0.3
    assert described["high"] == pytest.approx(0.7)
    each_way = {"called_parasitized": 1, "inconclusive": 1, "called_uninfected": 1}
    assert described["original"] == {"uninfected": each_way, "infected": each_way}
    assert described["undisputed"] == {
        "uninfected": {**each_way, "called_parasitized": 0},
        "infected": {**each_way, "called_uninfected": 0},
    }


def _model_that_states(inconclusive: dict[str, float] | None, folder: Path) -> Path:
    shipped = load_model(default_model_path())
    manifest: dict[str, Any] = {**shipped.manifest, "inconclusive": inconclusive}
    if inconclusive is None:
        del manifest["inconclusive"]
    path = folder / "model.tflite"
    path.write_bytes(with_manifest(shipped.flatbuffer, manifest))
    return path


def _classify(folder: Path, *options: str) -> Result:
    write_png(folder / "cell.png", draw_cell(3, infected=True).rgb)
    return CliRunner().invoke(command, [str(folder / "cell.png"), *options])


def test_inconclusive_is_an_answer_only_where_asked_for(tmp_path: Path) -> None:
    model = str(_model_that_states({"low": 0.0, "high": 1.1}, tmp_path))
    asked = json.loads(_classify(tmp_path, "--model", model, "--json", "--inconclusive").stdout)
    assert (asked["label"], asked["error"]) == (Label.INCONCLUSIVE, None)
    assert json.loads(_classify(tmp_path, "--model", model, "--json").stdout)["label"] == Label.PARASITIZED


def test_a_model_that_states_no_range_is_never_inconclusive(tmp_path: Path) -> None:
    done = _classify(tmp_path, "--model", str(_model_that_states(None, tmp_path)), "--inconclusive")
    assert done.exit_code == 2
    assert "states no range" in done.stderr


def test_two_thresholds_and_one_are_not_asked_for_together(tmp_path: Path) -> None:
    done = _classify(tmp_path, "--inconclusive", "--threshold", "0.5")
    assert done.exit_code == 2
    assert "leave out --threshold" in done.stderr


def test_the_table_and_the_picture_show_the_third_outcome(tmp_path: Path) -> None:
    model, sheet = _model_that_states({"low": 0.0, "high": 1.1}, tmp_path), tmp_path / "out" / "sheet.png"
    done = _classify(tmp_path, "--model", str(model), "--inconclusive", "--picture", str(sheet))
    assert "1 Inconclusive" in done.stdout
    assert "inconclusive from 0.000 to 1.100" in done.stdout
    assert sheet.stat().st_size > 5000
