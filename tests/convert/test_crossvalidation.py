"""Figures over all folds."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from convert.crossvalidation import Fold, summarise, write_summary
from convert.release import Release
from plasmolite.commands import crossvalidate
from train.evaluation.metrics import Judged
from train.settings import TrainingSettings


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


def test_every_fold_is_trained_once_and_a_refused_export_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[int] = []

    def train(settings: TrainingSettings, run: Path) -> None:
        trained.append(settings.fold)
        for name in ("model.keras", "metrics.json", "predictions.csv"):
            (run / name).touch()

    def refuse(run: Path, *_: object, **__: object) -> Release:
        return Release((), (), (f"{run.name} flips.",))

    monkeypatch.setattr(crossvalidate, "train_to_report", train)
    monkeypatch.setattr("convert.release.convert_run", refuse)
    arguments = ["--data", str(tmp_path), "--weights", "none", "--folds", "3", "--out", str(tmp_path / "out")]
    for _ in range(2):
        said = CliRunner().invoke(crossvalidate.command, arguments)
        assert said.exit_code == 1
        assert [line for line in said.stderr.splitlines() if line.startswith("Refused")] == [
            f"Refused. fold-{fold} flips." for fold in range(3)
        ]
    assert trained == [0, 1, 2]
    other = CliRunner().invoke(crossvalidate.command, [*arguments, "--seed", "1"])
    assert other.exit_code == 2
    assert "other settings" in other.stderr
