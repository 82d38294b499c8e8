"""Going on from a model that ships: its weights are had again from its file, and what it forgets is told."""

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from convert.gate import Check, Decision, GateResult
from edge.cells.files import cell_input
from edge.images.inputs import list_cell_files
from edge.inference.classifier import Classifier
from edge.inference.model_file import load_model, shipped_models
from edge.inference.precision import Precision
from edge.simulation.sets import SetPlan, write_set
from plasmolite.commands.training.train import _print_forgetting, command
from train.data.dataset import DataError, Sample
from train.data.patients import PatientSource, patient_token
from train.data.rehearsal import Rehearsal, read_rehearsal
from train.evaluation.forgetting import Before, measure_forgetting
from train.model.network import WeightsError, build_network
from train.start_from import StartError, find_start

pytestmark = pytest.mark.slow  # builds networks

_CELLS = Path(__file__).parents[2] / "edge" / "samples" / "cells"


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """96 drawn cells of 12 patients."""
    folder = tmp_path_factory.mktemp("cells")
    list(write_set(folder, SetPlan(cells=96, fields=0, patients=12, seed=4, by_label=True)))
    return folder


def test_the_network_of_a_released_file_is_had_again_with_its_head() -> None:
    start = find_start("nano")
    assert (start.alpha, start.image_size) == (0.35, 64)
    network = build_network(size=64, alpha=0.35, weights=str(start.weights), seed=0)
    released = Classifier(load_model(start.weights), threads=1)
    inputs = np.stack([cell_input(file.source, 64) for file in list_cell_files([_CELLS])])
    said = released.probabilities(inputs)
    logits = np.asarray(network(inputs.astype(np.float32), training=False))[:, 0]
    # The file's activations are in int8, those of the network are not.
    assert np.abs(1 / (1 + np.exp(-logits)) - said).max() < 0.2
    assert np.corrcoef(logits, np.log(said + 1e-9) - np.log1p(1e-9 - said))[0, 1] > 0.99


def test_a_file_of_another_width_is_refused() -> None:
    with pytest.raises(WeightsError, match="other shapes"):
        build_network(
            size=64, alpha=0.5, weights=str(shipped_models()["plasmolite-nano-int8.tflite"]), seed=0
        )


def test_what_cannot_be_gone_on_from_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="no finished training run"):
        find_start(str(tmp_path))
    options = ["--data", str(tmp_path), "--out", str(tmp_path / "run"), "--start-from", "nano"]
    twice = CliRunner().invoke(command, [*options, "--alpha", "1"])
    assert twice.exit_code == 2
    assert "--alpha follows from --start-from nano" in twice.stderr
    alone = CliRunner().invoke(
        command, [*options[:4], "--weights", "none", "--rehearse", str(tmp_path), "--image-size", "32"]
    )
    assert alone.exit_code == 2
    assert "say with --start-from" in alone.stderr


def test_cells_of_patients_that_were_kept_for_the_test_are_judged_and_never_learnt(cells: Path) -> None:
    table = PatientSource.of("table", cells / "patients.csv")
    whole = read_rehearsal(cells, table, None, size=32)
    names = sorted({cell.patient for cell in (*whole.learnt, *whole.judged)})
    assert not whole.known
    split = {"train": names[:6], "validation": names[6:8], "test": names[8:]}
    tokens = {part: [patient_token(name, "abc") for name in found] for part, found in split.items()}
    for before in ({"split": split, "fingerprint": None}, {"split": tokens, "fingerprint": "abc"}):
        found = read_rehearsal(cells, table, before, size=32)
        assert found.known
        assert {cell.patient for cell in found.learnt} == set(names[:6])
        assert {cell.patient for cell in found.judged} == set(names[8:])
    # Cells of other people than it learnt from are dealt anew.
    assert not read_rehearsal(
        cells, table, {"split": {"train": ["x"], "test": ["y"]}, "fingerprint": None}, size=32
    ).known


def test_a_part_without_one_of_the_classes_is_refused(cells: Path, tmp_path: Path) -> None:
    infected = sorted((cells / "Parasitized").glob("*.png"))
    rows = [(path.name, "b" if path in infected[10:] else "a") for path in cells.rglob("*.png")]
    (tmp_path / "two.csv").write_text(
        "cell,patient\n" + "".join(f"{cell},{patient}\n" for cell, patient in rows)
    )
    with pytest.raises(DataError, match="judged are not of both classes"):
        read_rehearsal(cells, PatientSource.of("table", tmp_path / "two.csv"), None, size=32)


def test_each_epoch_rehearses_other_cells_of_both_classes(cells: Path) -> None:
    whole = read_rehearsal(cells, PatientSource.of("table", cells / "patients.csv"), None, size=32)
    first, second = whole.draw(20, 0, 0), whole.draw(20, 0, 1)
    assert sum(cell.label for cell in first) == 10
    assert len(first) == len(second) == 20
    assert [cell.name for cell in first] == [cell.name for cell in whole.draw(20, 0, 0)]
    assert {cell.name for cell in first} != {cell.name for cell in second}


def judged_set(number: int) -> Rehearsal:
    """Cells of ten patients whose label is the brightness of their picture."""
    mask = np.full((16, 16), 255, np.uint8)
    samples = tuple(
        Sample(str(n), n % 2, f"p{n % 10 // 2}", np.full((16, 16, 3), 100 + 100 * (n % 2), np.uint8), mask)
        for n in range(number)
    )
    return Rehearsal(samples, samples, "", True)


@pytest.mark.parametrize(("lost", "decision"), [(0, Decision.PASSED), (200, Decision.REFUSED)])
def test_a_network_that_forgot_is_refused_by_the_gate(lost: int, decision: Decision) -> None:
    def by_light(inputs: np.ndarray) -> np.ndarray:
        return (inputs[:, 16, 16, 0] > 150).astype(np.float64)

    def by_chance(inputs: np.ndarray) -> np.ndarray:
        said = by_light(inputs)
        said[:lost] = 0
        return said

    found = measure_forgetting(judged_set(400), Before(by_light, 0.5), by_chance, 0.5, size=32)
    assert found["loss"]["value"] == pytest.approx(lost / 2 / 400)
    gate = GateResult(Precision.INT8, 50, 5, (Check("flips", 0, 0, 0, 0.1),)).with_forgetting(found)
    assert gate.decision is decision
    assert any(
        "accuracy against the network that it went on from falls" in str(one) for one in gate.sentences()
    ) == bool(lost)


@pytest.mark.slow
def test_a_training_goes_on_from_a_model_that_ships(cells: Path, tmp_path: Path) -> None:
    options = [
        "--data",
        str(cells),
        "--patients",
        str(cells / "patients.csv"),
        "--out",
        str(tmp_path / "run"),
    ]
    options += [
        "--start-from",
        "nano",
        "--rehearse",
        str(cells),
        "--rehearse-patients",
        str(cells / "patients.csv"),
    ]
    options += [
        "--head-epochs",
        "1",
        "--tune-epochs",
        "0",
        "--settle-epochs",
        "0",
        "--folds",
        "4",
        "--batch-size",
        "32",
        "--epoch-share",
        "1",
    ]
    watched = find_spec("tensorboard") is not None
    said = CliRunner().invoke(command, [*options, "--json", *(["--tensorboard"] if watched else [])])
    assert said.exit_code == 0, said.output
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["forgetting"]["cells"] == 48
    assert not metrics["forgetting"]["never_seen"]
    settings = json.loads((tmp_path / "run" / "settings.json").read_text())
    assert settings["weights"].endswith("plasmolite-nano-int8.tflite")
    assert (settings["alpha"], settings["image_size"]) == (0.35, 64)
    assert bool(list(tmp_path.rglob("tensorboard/head/**/events.*"))) == watched
    again = find_start(str(tmp_path / "run"))
    assert again.weights == tmp_path / "run" / "model.keras"
    network = build_network(size=64, alpha=0.35, weights=str(again.weights), seed=3)
    assert network.count_params() > 0


def test_learning_curves_for_tensorboard_need_it(
    cells: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("train.complete_run.find_spec", lambda _: None)
    options = [
        "--data",
        str(cells),
        "--weights",
        "none",
        "--image-size",
        "32",
        "--out",
        str(tmp_path / "run"),
    ]
    said = CliRunner().invoke(command, [*options, "--tensorboard"])
    assert said.exit_code == 2
    assert "pip install -e '.[tensorboard]'" in said.stderr
    assert not (tmp_path / "run").exists()


def test_what_was_forgotten_is_said_in_percent(capsys: pytest.CaptureFixture[str]) -> None:
    loss = {"value": 0.0124, "low": -0.0027, "high": 0.0315}
    _print_forgetting(
        {
            "cells": 404,
            "patients": 32,
            "accuracy_before": 0.9827,
            "accuracy_now": 0.9703,
            "loss": loss,
            "limit": 0.001,
        }
    )
    said = capsys.readouterr().out
    assert "accuracy 98.27 % before, 97.03 % now (loss 1.24 %, 95 % interval -0.27 % to 3.15 %" in said
