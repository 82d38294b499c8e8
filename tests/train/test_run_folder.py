"""A run's folder belongs to a run from its first epoch on, and one training works in it at a time."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from train.complete_run import complete_run
from train.data.dataset import DataError
from train.run_folder import FolderInUseError, check_run, hold_run, open_run
from train.settings import SettingsError, TrainingSettings

_ROOT = Path(__file__).parents[2]
_HOLDING = """
import sys, time
from pathlib import Path
from train.run_folder import hold_run

with hold_run(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(900)
"""


@pytest.fixture
def settings(tmp_path: Path) -> TrainingSettings:
    (tmp_path / "cells").mkdir()
    return TrainingSettings(data=str(tmp_path / "cells"), weights="none", image_size=32)


def begin(settings: TrainingSettings, out: Path) -> None:
    """Leave what a run has after its first epoch."""
    open_run(settings, out)
    (out / "state-head.keras").write_bytes(b"weights")


def test_a_failed_start_leaves_nothing_behind(settings: TrainingSettings, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(DataError, match="Images found in Parasitized: 0, in Uninfected: 0"):
        complete_run(settings, tmp_path / "runs" / "first")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_without_a_trained_epoch_belongs_to_nobody(
    settings: TrainingSettings, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    open_run(settings, out)  # as a process leaves it that was killed before its first epoch
    (out / "split.json").write_text("{}")
    (out / "best-head.weights.h5").write_bytes(b"of other settings")
    other = replace(settings, seed=9)
    open_run(other, out)
    assert TrainingSettings.read(out / "settings.json").seed == 9
    assert sorted(path.name for path in out.iterdir()) == ["environment.json", "settings.json"]


def test_a_begun_run_is_refused_to_other_settings_which_are_named(
    settings: TrainingSettings, tmp_path: Path
) -> None:
    begin(settings, tmp_path / "run")
    other = replace(settings, seed=9, tune_rate=0.001, data=str(tmp_path))
    with pytest.raises(SettingsError) as refusal:
        check_run(other, tmp_path / "run")
    said = str(refusal.value)
    assert f"data is {tmp_path / 'cells'} there and {tmp_path} here" in said
    assert "seed is 0 there and 9 here" in said
    assert "tune rate is 0.0003 there and 0.001 here" in said
    assert "alpha" not in said


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"backend": "jax", "versions": []}'])
def test_a_run_whose_record_of_its_beginning_is_damaged_does_not_go_on(
    settings: TrainingSettings, tmp_path: Path, text: str
) -> None:
    begin(settings, tmp_path / "run")
    (tmp_path / "run" / "environment.json").write_text(text)
    with pytest.raises(SettingsError, match=r"environment\.json cannot be read: (it|the value)"):
        open_run(settings, tmp_path / "run")


def test_paths_are_compared_by_where_they_lead(
    settings: TrainingSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(settings, tmp_path / "run")
    (tmp_path / "link").symlink_to(tmp_path / "cells")
    monkeypatch.chdir(tmp_path)
    for data in ("cells", "./run/../cells", "link", "cells/"):
        check_run(replace(settings, data=data), Path("run"))
    monkeypatch.chdir(tmp_path / "cells")
    with pytest.raises(SettingsError, match="data is"):
        check_run(replace(settings, data="cells"), tmp_path / "run")


def test_the_paths_of_a_run_mean_the_same_from_any_folder(
    settings: TrainingSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    open_run(replace(settings, data="cells", uninfected_fields=("fields",)), Path("run"))
    written = TrainingSettings.read(tmp_path / "run" / "settings.json")
    assert written.data == str(tmp_path / "cells")
    assert written.uninfected_fields == (str(tmp_path / "fields"),)
    assert (written.weights, written.patients) == ("none", None)


@pytest.mark.slow
def test_a_second_training_in_the_folder_is_told_who_holds_it(tmp_path: Path) -> None:
    out = tmp_path / "run"
    environment = {**os.environ, "PYTHONPATH": str(_ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDING, str(out)], env=environment, stdout=subprocess.PIPE, text=True
    ) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        with (
            pytest.raises(FolderInUseError, match=rf"process {first.pid} on .*, since 2\d{{3}}-"),
            hold_run(out),
        ):
            pass
        assert (out / "training.json").exists()  # the one that was refused took nothing away
        first.kill()
    with hold_run(out):  # a lock does not outlive its process
        assert json.loads((out / "training.json").read_text())["process"] == os.getpid()
    assert list(out.iterdir()) == []


def test_a_run_that_has_begun_stays_when_its_training_ends(
    settings: TrainingSettings, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    with hold_run(out):
        begin(settings, out)
    assert (out / "settings.json").exists()
    assert (out / "state-head.keras").exists()
    assert not (out / "training.json").exists()
    with hold_run(out):
        check_run(settings, out)


def test_the_folder_of_somebody_else_is_left_alone(settings: TrainingSettings, tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "data.json").write_text("{}")
    with pytest.raises(SettingsError, match="not empty"):
        complete_run(settings, tmp_path / "notes")
    assert [path.name for path in (tmp_path / "notes").iterdir()] == ["data.json"]
