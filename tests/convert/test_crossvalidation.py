"""Figures over all folds."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from convert.crossvalidation import Fold, summarise, write_summary
from plasmolite.commands.training import crossvalidate
from train.evaluation.metrics import Judged
from train.run_folder import open_run
from train.settings import TrainingSettings

pytestmark = pytest.mark.slow  # trains and converts


def fold_of(number: int, threshold: float, wrong: int) -> Fold:
    """Twenty cells of four patients, the first few of them on the wrong side of the threshold."""
    labels = np.arange(20) % 2
    right = np.where(labels == 1, threshold + 0.1, threshold - 0.1)
    probabilities = np.where(np.arange(20) < wrong, 2 * threshold - right, right)
    patients = np.array([f"{number}-{i // 5}" for i in range(20)])
    disputed = np.arange(20) == 0
    return Fold(Judged(labels, probabilities, patients), disputed, threshold, 0.01)


def test_each_fold_is_judged_at_its_own_threshold() -> None:
    summary = summarise([fold_of(0, 0.3, 0), fold_of(1, 0.7, 2)])
    assert summary.by_fold["original"]["accuracy"] == [1.0, 0.9]
    assert summary.mean["original"]["accuracy"] == pytest.approx(0.95)
    assert summary.pooled["original"]["accuracy"].value == pytest.approx(0.95)
    # The first cell of each fold is disputed, and one of the two wrong ones.
    assert summary.by_fold["undisputed"]["accuracy"][1] == pytest.approx(18 / 19)


def test_a_probability_at_the_threshold_is_parasitised_in_the_pool_too() -> None:
    fold = fold_of(0, 0.6, 0)
    at_threshold = fold._replace(
        judged=fold.judged._replace(probabilities=np.where(fold.judged.labels == 1, 0.6, 0.1))
    )
    assert summarise([at_threshold]).pooled["original"]["accuracy"].value == 1.0


def test_the_summary_is_written_with_every_cell(tmp_path: Path) -> None:
    folds = [fold_of(0, 0.3, 0), fold_of(1, 0.7, 2)]
    write_summary(tmp_path / "crossvalidation.json", summarise(folds), folds)
    record = json.loads((tmp_path / "crossvalidation.json").read_text())
    assert (record["folds"], record["cells"], record["patients"]) == (2, 40, 8)
    rows = list(csv.DictReader((tmp_path / "crossvalidation.csv").open()))
    assert len(rows) == 40
    assert {row["fold"] for row in rows} == {"0", "1"}


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The folds that were trained; a training leaves what a finished run leaves, and what it says of its patients."""
    done: list[int] = []

    def train(settings: TrainingSettings, run: Path) -> None:
        open_run(settings, run)
        done.append(settings.fold)
        for name in ("model.keras", "metrics.json", "predictions.csv"):
            (run / name).touch()

    def judge(run: Path, *_: object) -> Fold:
        return fold_of(int(run.name.removeprefix("fold-")), 0.4, 1)

    monkeypatch.setattr(crossvalidate, "train_to_report", train)
    monkeypatch.setattr("convert.crossvalidation.judge_fold", judge)
    return done


def command_line(folder: Path) -> list[str]:
    return ["--data", str(folder), "--weights", "none", "--folds", "3", "--out", str(folder / "out")]


def test_every_fold_is_trained_once_and_measured_without_a_gate(tmp_path: Path, trained: list[int]) -> None:
    for _ in range(2):
        said = CliRunner().invoke(crossvalidate.command, command_line(tmp_path))
        assert said.exit_code == 0, said.output
        assert "verdicts that flip" in said.stdout
    assert trained == [0, 1, 2]
    other = CliRunner().invoke(crossvalidate.command, [*command_line(tmp_path), "--seed", "1"])
    assert other.exit_code == 2
    assert "seed is 0 there and 1 here" in other.stderr


def test_the_figures_are_printed_as_json_where_asked_for(tmp_path: Path, trained: list[int]) -> None:
    said = CliRunner().invoke(crossvalidate.command, [*command_line(tmp_path), "--json"])
    assert said.exit_code == 0, said.output
    printed = json.loads(said.stdout)
    assert printed == json.loads((tmp_path / "out" / "crossvalidation.json").read_text())
    assert (printed["folds"], printed["cells"], trained) == (3, 60, [0, 1, 2])


def test_a_split_by_cell_is_refused_before_anything_is_trained(tmp_path: Path, trained: list[int]) -> None:
    said = CliRunner().invoke(crossvalidate.command, [*command_line(tmp_path), "--by-cell"])
    assert said.exit_code == 2
    assert "leak" in said.stderr
    assert trained == []
