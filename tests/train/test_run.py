"""A whole training on drawn cells: two phases, killed in each, measured, reported."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from click.testing import CliRunner, Result

from convert.finished_run import RunError, open_finished_run
from edge.about import RESEARCH_USE
from edge.messages.catalogue import catalogue
from edge.messages.language import Language
from edge.simulation.sets import SetPlan, write_set
from plasmolite.commands.training.train import command
from tests.support.small_base import small_base
from train.data.dataset import DataSet, Sample
from train.data.patients import Correction
from train.data.split import Split
from train.model.fit import Held, read_history
from train.reporting.report import POPULATIONS
from train.run import RunData, fit, load_run_data, read_run_data, training_targets
from train.run_folder import open_run
from train.settings import SettingsError, TrainingSettings

pytestmark = pytest.mark.slow  # trains networks

_ROOT = Path(__file__).parents[2]
_EPOCHS = [("head", "1"), ("head", "2"), ("tune", "1"), ("tune", "2"), ("settle", "1"), ("settle", "2")]
_KILLED = """
import os, signal, sys
from pathlib import Path

import keras
from tests.support.small_base import small_base
from train.run import fit, load_run_data
from train.run_folder import open_run
from train.settings import TrainingSettings

keras.applications.MobileNetV2 = small_base
out, step = Path(sys.argv[1]), int(sys.argv[2])
settings = TrainingSettings.read(out / "settings.json")

def train(phase):
    def report(name, done, total, figures):
        if name == phase and done == step:
            os.kill(os.getpid(), signal.SIGKILL)

    open_run(settings, out)
    fit(settings, load_run_data(settings, out), out, report)

for phase in sys.argv[3:]:
    child = os.fork()  # Nothing has been computed yet: Keras is loaded once for all.
    if child == 0:
        train(phase)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
"""The training of a run folder, which kills itself in each phase as no handler can prevent, and goes on in the next."""


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """96 drawn cells of 12 patients, a file that is none, and a table that disputes every eighth label."""
    folder = tmp_path_factory.mktemp("cells")
    plan = SetPlan(cells=96, fields=0, patients=12, seed=4, by_label=True)
    names = [path.stem for path in write_set(folder, plan)]
    (folder / "Uninfected" / "<b>none.png").write_bytes(b"")
    rows = "".join(f"{name},,\n" for name in names[::8])
    (folder / "disputed.csv").write_text(f"cell,label,corrected_label\n{rows}")
    return folder


@pytest.fixture(scope="module")
def settings(cells: Path) -> TrainingSettings:
    return TrainingSettings(
        data=str(cells),
        patients=str(cells / "patients.csv"),
        corrections=str(cells / "disputed.csv"),
        weights="none",
        image_size=32,
        alpha=0.35,
        batch_size=16,
        head_epochs=2,
        tune_epochs=2,
        settle_epochs=2,
        averaging=0.9,
        epoch_share=1,
        folds=4,
    )


def train(settings: TrainingSettings, out: Path, *more: str) -> Result:
    """Call ``plasmolite train`` with these settings."""
    options = ["--data", settings.data, "--out", str(out), "--weights", settings.weights]
    options += ["--patients", str(settings.patients), "--corrections", str(settings.corrections)]
    options += ["--image-size", str(settings.image_size), "--alpha", str(settings.alpha)]
    options += ["--batch-size", str(settings.batch_size), "--head-epochs", str(settings.head_epochs)]
    options += ["--tune-epochs", str(settings.tune_epochs), "--settle-epochs", str(settings.settle_epochs)]
    options += ["--averaging", str(settings.averaging), "--folds", str(settings.folds)]
    options += ["--epoch-share", str(settings.epoch_share)]
    return CliRunner().invoke(command, [*options, *more])


@pytest.fixture
def _small_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras.applications, "MobileNetV2", small_base)


@pytest.fixture(scope="module")
def trained(settings: TrainingSettings, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """A run that nothing interrupted, and what the command said."""
    out = tmp_path_factory.mktemp("runs") / "whole"
    return out, train(settings, out)


def test_a_run_leaves_model_history_split_environment_figures_and_report(
    trained: tuple[Path, Result],
) -> None:
    out, said = trained
    assert said.exit_code == 0, said.output
    files = ("model.keras", "history.csv", "split.json", "environment.json", "data.json", "metrics.json")
    assert all((out / name).stat().st_size for name in (*files, "predictions.csv", "report.html"))
    assert [(row["phase"], row["epoch"]) for row in read_history(out)] == _EPOCHS
    assert not list(out.glob(".part-*"))


def test_the_command_tells_each_epoch_the_figures_and_the_report(trained: tuple[Path, Result]) -> None:
    out, said = trained
    for phase, epoch in _EPOCHS:
        assert f"{phase}, epoch {epoch} of 2: loss" in said.stderr
    assert "1 file left out" in said.stderr
    assert "Two features" in said.stdout
    assert str(out / "report.html") in said.stdout
    assert RESEARCH_USE in said.stdout


def test_the_report_is_one_file_with_the_figures_and_no_link_outside(trained: tuple[Path, Result]) -> None:
    out, _ = trained
    page = (out / "report.html").read_text("utf-8")
    figures = json.loads((out / "metrics.json").read_text())["figures"]
    for population, heading in POPULATIONS.items():
        assert catalogue(Language.ENGLISH).text(heading) in page
        assert f"{figures[population]['accuracy']['value']:.2%}" in page
        assert f"{figures[population]['auc']['value']:.4f}" in page
    assert page.count("data:image/svg+xml") == 6
    assert "http" not in page.replace("http-equiv", "")
    assert page.count(RESEARCH_USE) == 2


def test_the_report_escapes_the_names_of_files(trained: tuple[Path, Result]) -> None:
    page = (trained[0] / "report.html").read_text("utf-8")
    assert "&lt;b&gt;none.png" in page
    assert "<b>none" not in page


def test_a_finished_run_is_only_measured_again(
    trained: tuple[Path, Result], settings: TrainingSettings
) -> None:
    out, _ = trained
    before = {name: (out / name).read_bytes() for name in ("history.csv", "metrics.json", "predictions.csv")}
    again = train(settings, out)
    assert again.exit_code == 0, again.output
    assert "epoch" not in again.stderr
    assert {name: (out / name).read_bytes() for name in before} == before


def test_reading_a_finished_run_again_changes_nothing_in_it(
    trained: tuple[Path, Result], settings: TrainingSettings
) -> None:
    out, _ = trained
    before = {path.name: path.stat().st_mtime_ns for path in out.iterdir()}
    again = read_run_data(settings, out)
    assert {path.name: path.stat().st_mtime_ns for path in out.iterdir()} == before
    first = load_run_data(settings, out)
    assert again.data.fingerprint == first.data.fingerprint
    assert all(np.array_equal(one, other) for one, other in zip(again.split, first.split, strict=True))


@pytest.mark.usefixtures("_small_network")
def test_a_split_by_cell_is_told_to_leak(settings: TrainingSettings, tmp_path: Path) -> None:
    untrained = replace(settings, by_cell=True, head_epochs=0, tune_epochs=0, settle_epochs=0)
    said = train(untrained, tmp_path / "leaking", "--by-cell")
    assert said.exit_code == 0, said.output
    assert "THESE FIGURES LEAK" in said.stdout
    assert "These figures leak" in (tmp_path / "leaking" / "report.html").read_text("utf-8")
    with pytest.raises(RunError, match="split by cell"):
        open_finished_run(tmp_path / "leaking")


@pytest.mark.usefixtures("_small_network")
def test_a_run_killed_in_each_phase_goes_on_and_ends_like_one_that_was_not(
    settings: TrainingSettings, tmp_path: Path
) -> None:
    whole, out = tmp_path / "whole", tmp_path / "killed"
    open_run(settings, whole)
    fit(settings, load_run_data(settings, whole), whole, lambda *_: None)
    open_run(settings, out)
    environment = {**os.environ, "PYTHONPATH": str(_ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    steps = len(load_run_data(settings, out).split.train) // settings.batch_size
    phases = ("head", "tune", "settle")
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED, str(out), str(steps + 1), *phases],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert killed.stdout.split() == [str(-signal.SIGKILL)] * len(phases), killed.stderr[-2000:]
    begun: list[tuple[str, int]] = []
    fit(settings, load_run_data(settings, out), out, lambda name, done, *_: begun.append((name, done)))
    assert begun[0] == ("settle", steps + 1)
    mine, other = read_history(out), read_history(whole)
    assert [(row["phase"], row["epoch"]) for row in mine] == _EPOCHS
    assert (out / "split.json").read_bytes() == (whole / "split.json").read_bytes()
    for row, expected in zip(mine, other, strict=True):
        assert float(row["loss"]) == pytest.approx(float(expected["loss"]), rel=0.02), row["phase"]
        assert float(row["val_loss"]) == pytest.approx(float(expected["val_loss"]), rel=0.02), row["phase"]


@pytest.mark.usefixtures("_small_network")
def test_what_is_kept_is_the_average_and_what_goes_on_are_the_weights(
    settings: TrainingSettings, tmp_path: Path
) -> None:
    once = replace(settings, head_epochs=0, tune_epochs=1, settle_epochs=0)
    open_run(once, tmp_path / "run")
    kept = fit(once, load_run_data(once, tmp_path / "run"), tmp_path / "run", lambda *_: None)
    state = keras.models.load_model(tmp_path / "run" / "state-tune.keras")
    averages = {
        variable.path: keras.ops.convert_to_numpy(variable)
        for variable in state.optimizer.variables
        if "average" in variable.path
    }
    assert len(averages) == len(state.trainable_variables) == len(kept.trainable_variables)
    away = 0.0
    for mine, average, latest in zip(
        kept.trainable_variables, averages.values(), state.trainable_variables, strict=True
    ):
        np.testing.assert_allclose(keras.ops.convert_to_numpy(mine), average, rtol=1e-5, atol=1e-7)
        away += float(np.abs(average - keras.ops.convert_to_numpy(latest)).sum())
    assert away > 0


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("published", [0, 1, 1, 0]),
        ("corrected", [0, 0, 0]),
        ("soft", [0, 0.5, 0.5, 0]),
        ("exclude", [0, 0]),
    ],
)
def test_the_label_policy_decides_what_disputed_cells_teach(policy: str, expected: list[float]) -> None:
    pixel = np.zeros((1, 1, 3), np.uint8)
    samples = tuple(
        Sample(name, label, "p", pixel, pixel[:, :, 0])
        for name, label in zip("abcd", (0, 1, 1, 0), strict=True)
    )
    places = np.arange(4)
    disputed = {"b": Correction(0), "c": Correction(None)}
    run_data = RunData(DataSet(samples, (), ""), Split(places, places[:0], places[:0]), disputed)
    _, targets = training_targets(TrainingSettings(data="", corrections="x", label_policy=policy), run_data)
    assert targets.tolist() == expected


def test_epochs_are_compared_on_validation_cells_that_no_reading_disputes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[Held] = []
    monkeypatch.setattr("train.run.build_network", lambda **_: None)
    monkeypatch.setattr("train.run.fit_phase", lambda *given, **_: compared.append(given[3]))
    pictures = [np.full((40, 40, 3), value, np.uint8) for value in range(10, 60, 10)]
    whole = np.full((40, 40), 255, np.uint8)
    samples = tuple(Sample(str(i), i % 2, "p", picture, whole) for i, picture in enumerate(pictures))
    split = Split(np.arange(1), np.arange(1, 5), np.arange(0))
    # The label of one is told to be another, and of one there is no label any more.
    disputed = {"2": Correction(1), "3": Correction(None)}
    run_data = RunData(DataSet(samples, (), ""), split, disputed)
    fit(TrainingSettings(data="", image_size=32, settle_epochs=0), run_data, tmp_path, lambda *_: None)
    for held in compared:
        assert [int(picture.max()) for picture in held.inputs] == [20, 50]
        assert held.targets[:, 0].tolist() == [1, 0]
    assert len(compared) == 2


def test_other_settings_do_not_go_on_with_a_run(
    trained: tuple[Path, Result], settings: TrainingSettings
) -> None:
    with pytest.raises(SettingsError, match="other settings"):
        open_run(replace(settings, seed=9), trained[0])


def test_a_folder_that_holds_something_else_is_left_alone(settings: TrainingSettings, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(SettingsError, match="not empty"):
        open_run(settings, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_stopped_by_a_key_it_says_how_to_go_on(
    settings: TrainingSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def press(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("train.complete_run.load_run_data", press)
    said = train(settings, tmp_path / "run")
    assert said.exit_code == 2
    assert "same command goes on" in said.stderr


def test_the_help_teaches_every_setting() -> None:
    said = CliRunner().invoke(command, ["--help"])
    options = {option.name: option.opts[0] for option in command.params}
    for name in TrainingSettings.__dataclass_fields__:
        assert options[name] in said.output
    assert "Example" in said.output
