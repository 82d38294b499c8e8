"""A finished model has its say in what a network should say, and none that has seen the held-out patients may."""

import json
from pathlib import Path

import numpy as np
import pytest

from edge.classifier import Classifier
from edge.errors import ModelFileError
from edge.modelfile import default_model_path, load_model, with_manifest
from edge.simulated_set import SetPlan, write_set
from train.dataset import DataSet, load_dataset
from train.patients import patient_token
from train.pipeline import CellBatches
from train.run import DATA_FILE, load_run_data, open_run
from train.settings import SettingsError, TrainingSettings
from train.split import Split
from train.teaching import Teachers, read_teachers


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """48 drawn cells of 12 patients."""
    folder = tmp_path_factory.mktemp("cells")
    assert len(list(write_set(folder, SetPlan(cells=48, fields=0, patients=12, seed=4, by_label=True)))) == 48
    return folder


@pytest.fixture(scope="module")
def data(folder: Path) -> DataSet:
    return load_dataset(folder)


@pytest.fixture(scope="module")
def teacher() -> Classifier:
    return Classifier.open(default_model_path(), threads=1)


def test_the_share_weighs_opinion_against_label(data: DataSet, teacher: Classifier) -> None:
    cells = [sample.image for sample in data.samples[:6]]
    labels = np.array([0, 1, 0.5, 0, 1, 0.5], np.float32)
    said = teacher.classify(cells)
    assert np.array_equal(Teachers([teacher], 0.0).aims(cells, labels), labels)
    assert Teachers([teacher], 1.0).aims(cells, labels) == pytest.approx(said, abs=1e-5)
    mixed = Teachers([teacher, teacher], 0.25).aims(cells, labels)
    assert mixed == pytest.approx(0.25 * said + 0.75 * labels, abs=1e-5)
    assert mixed.dtype == np.float32


def test_several_teachers_are_averaged_as_logits(data: DataSet, teacher: Classifier) -> None:
    nano = Classifier.open(default_model_path().with_name("plasmolite-nano-int8.tflite"), threads=1)
    cells = [sample.image for sample in data.samples[:6]]
    one, other = (np.clip(each.classify(cells), 1e-6, 1 - 1e-6) for each in (teacher, nano))
    odds = np.sqrt(one / (1 - one) * (other / (1 - other)))
    aims = Teachers([teacher, nano], 1.0).aims(cells, np.zeros(6, np.float32))
    assert aims == pytest.approx(odds / (1 + odds), abs=1e-5)


def test_teachers_see_the_pictures_that_the_network_sees(data: DataSet, teacher: Classifier) -> None:
    targets = data.labels().astype(np.float32)

    def batches(teachers: Teachers | None) -> CellBatches:
        return CellBatches(data.samples, targets, size=96, batch_size=16, seed=1, teachers=teachers)

    pictures, aims = batches(Teachers([teacher], 1.0))[0]
    untaught, labels = batches(None)[0]
    assert np.array_equal(pictures, untaught)
    assert aims[:, 0] == pytest.approx(teacher.probabilities(pictures.astype(np.uint8)), abs=1e-5)
    assert set(labels[:, 0]) == {0.0, 1.0}
    assert aims.shape == labels.shape == (16, 1)


def test_a_teacher_that_learnt_from_held_out_patients_is_refused(data: DataSet, tmp_path: Path) -> None:
    patients = sorted({sample.patient for sample in data.samples})
    places = np.arange(len(data.samples))

    def cells_of(chosen: list[str]) -> np.ndarray:
        return places[[sample.patient in chosen for sample in data.samples]]

    split = Split(cells_of(patients[:8]), cells_of(patients[8:10]), cells_of(patients[10:]))
    allowed, refused = tmp_path / "allowed.tflite", tmp_path / "refused.tflite"
    for path, learnt in ((allowed, patients[:8]), (refused, patients[:9])):
        model = load_model(default_model_path())
        tokens = [patient_token(patient, data.fingerprint) for patient in learnt]
        manifest = {**model.manifest, "data": {"split": {"train": tokens}}}
        path.write_bytes(with_manifest(model.flatbuffer, manifest))
    assert len(read_teachers([allowed], 0.7, data, split).describe()) == 1
    with pytest.raises(SettingsError, match=r"refused\.tflite has learnt from 1 patients"):
        read_teachers([allowed, refused], 0.7, data, split)


def test_the_run_names_its_teachers(folder: Path, tmp_path: Path) -> None:
    settings = TrainingSettings(data=str(folder), teachers=(str(default_model_path()),))
    open_run(settings, tmp_path / "run")
    taught = load_run_data(settings, tmp_path / "run")
    record = json.loads((tmp_path / "run" / DATA_FILE).read_text("utf-8"))
    assert [one["sha256"] for one in record["teachers"]] == [load_model(default_model_path()).sha256]
    assert taught.teachers is not None
    assert TrainingSettings.read(tmp_path / "run" / "settings.json") == settings


def test_a_missing_teacher_is_told(data: DataSet, tmp_path: Path) -> None:
    places = np.arange(3)
    with pytest.raises(ModelFileError, match=r"none\.tflite"):
        read_teachers([tmp_path / "none.tflite"], 0.7, data, Split(places, places, places))
