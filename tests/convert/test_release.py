"""A conversion from run to files: a useless model is not released silently, and a run may move."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pytest
from click.testing import CliRunner, Result

from convert.comparison import open_export
from convert.fault_injection import add_noise
from convert.finished_run import open_finished_run
from convert.gate import DEFAULT_LIMITS, Check, Decision, GateResult
from convert.more_looks import judge_in_all_turns, unseen_cells
from convert.tflite.export import export
from edge.inference.model_file import load_model
from edge.inference.precision import Precision
from edge.simulation.sets import SetPlan, write_set
from plasmolite.commands.training.convert import command
from tests.support.small_base import small_base
from train.evaluation.metrics import measure
from train.model.network import build_network
from train.reporting.results import finish
from train.run import load_run_data
from train.run_folder import MODEL_FILE, open_run
from train.settings import TrainingSettings

pytestmark = pytest.mark.slow  # trains and converts


@pytest.fixture(scope="module", autouse=True)
def _small_network() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras.applications, "MobileNetV2", small_base)
        yield


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run whose network learnt nothing; its cells are beside it in ``cells``."""
    folder = tmp_path_factory.mktemp("laboratory")
    list(write_set(folder / "cells", SetPlan(cells=96, fields=0, patients=12, seed=4, by_label=True)))
    settings = TrainingSettings(
        data=str(folder / "cells"),
        patients=str(folder / "cells" / "patients.csv"),
        weights="none",
        image_size=32,
        alpha=0.35,
        folds=4,
    )
    open_run(settings, folder / "run")
    network = build_network(size=32, alpha=0.35, weights="none", seed=1)
    finish(network, settings, load_run_data(settings, folder / "run"), folder / "run")
    return folder / "run"


def convert(run: Path, out: Path, *more: str) -> Result:
    return CliRunner().invoke(
        command, [str(run), "--out", str(out), "--name", "mine", "--precision", "float32", *more]
    )


def test_a_model_of_no_use_is_released_only_where_that_is_asked_for(run: Path, tmp_path: Path) -> None:
    said = convert(run, tmp_path)
    assert said.exit_code == 1, said.output
    assert "Not released. float32: " in said.stderr
    assert "--release-weak" in said.stderr
    assert not list(tmp_path.glob("*.tflite"))
    released = convert(run, tmp_path, "--release-weak", "--json")
    assert released.exit_code == 0, released.output
    told = json.loads(released.stdout)
    (export,) = told["exports"]
    manifest = load_model(Path(export["released"])).manifest
    assert manifest["weaknesses"] == export["weaknesses"] != []
    assert manifest["gate"]["decision"] == export["gate"]["decision"] == "passed"
    assert f"**Of little use.** {manifest['weaknesses'][0]}" in Path(told["card"]).read_text("utf-8")
    assert "Patients were told by a table." in Path(told["card"]).read_text("utf-8")


def test_what_one_look_cannot_tell_is_decided_in_all_turns_of_the_unseen_cells(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    undecided = Check("flips", 0.01, 0.0, 0.02, 0.0005)
    monkeypatch.setattr(
        "convert.release.judge_export",
        lambda precision, *_, **__: GateResult(precision, 24, 3, (undecided,)),
    )
    said = convert(run, tmp_path, "--release-weak", "--json")
    assert said.exit_code == 0, said.output
    gate = load_model(tmp_path / "plasmolite-mine-float32.tflite").manifest["gate"]
    assert (gate["decision"], gate["looks"]) == ("passed", 8)
    unseen = unseen_cells(open_finished_run(run))
    assert gate["cells"] == len(unseen.labels) > 24
    assert gate["patients"] == len(set(unseen.patients))
    assert gate["checks"]["flips"]["value"] == 0
    # What may be lost where the cells are few: no more than the figure itself is uncertain by.
    record = open_finished_run(run).record
    accuracy = measure(record.test, record.thresholds["cell"])["accuracy"]
    expected = (accuracy.high - accuracy.low) / 3.92
    assert gate["checks"]["accuracy"]["margin"] == pytest.approx(expected, rel=0.01)
    assert gate["checks"]["flips"]["margin"] == gate["checks"]["accuracy"]["margin"] > 0
    assert gate["checks"]["mean_difference"]["margin"] == 0


def test_an_export_that_is_worse_is_refused_in_all_turns_too(run: Path, cells: np.ndarray) -> None:
    finished = open_finished_run(run)
    model = keras.models.load_model(run / MODEL_FILE)
    add_noise(model, 1.0)
    spoilt = open_export(export(model, Precision.FLOAT32, cells), 32, threads=1)
    limits = DEFAULT_LIMITS[Precision.FLOAT32]
    result = judge_in_all_turns(Precision.FLOAT32, spoilt, finished, unseen_cells(finished), limits)
    assert result.decision is Decision.REFUSED


def test_a_refusal_takes_an_earlier_release_away(run: Path, tmp_path: Path) -> None:
    (tmp_path / "plasmolite-mine-float32.tflite").write_bytes(b"of last year")
    assert convert(run, tmp_path).exit_code == 1
    assert not (tmp_path / "plasmolite-mine-float32.tflite").exists()


def test_a_run_converts_from_another_folder_and_machine(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = Path(shutil.copytree(run.parent, tmp_path / "moved"))
    settings = json.loads((moved / "run" / "settings.json").read_text())
    for name in ("data", "patients"):
        settings[name] = settings[name].replace(str(run.parent), "/another/machine")
    (moved / "run" / "settings.json").write_text(json.dumps(settings))
    monkeypatch.chdir(moved)
    lost = convert(Path("run"), tmp_path / "models")
    assert lost.exit_code == 2
    assert "/another/machine/cells, which the training names, does not exist. Say with --data" in lost.stderr
    tables = ["--data", "cells", "--patients", "cells/patients.csv"]
    assert convert(Path("run"), tmp_path / "models", *tables, "--release-weak").exit_code == 0
    manifest = load_model(tmp_path / "models" / "plasmolite-mine-float32.tflite").manifest
    assert str(tmp_path) not in json.dumps(dict(manifest))
    shutil.copy(
        next((moved / "cells" / "Parasitized").iterdir()), moved / "cells" / "Uninfected" / "other.png"
    )
    changed = convert(Path("run"), tmp_path / "models", *tables)
    assert changed.exit_code == 2


def test_a_file_in_place_of_a_run_is_taken_for_a_model_made_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "own.keras").write_bytes(b"")
    said = convert(tmp_path / "own.keras", tmp_path)
    assert said.exit_code == 2
    assert "own.keras is a model made elsewhere: give with --data" in said.stderr
