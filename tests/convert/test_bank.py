"""A released model carries a bank: what it sees of cells it was made with, small, and bound to its file."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pytest

from convert.bank import Candidates, describe_bank, make_bank
from convert.comparison import open_export
from convert.tflite.export import export
from edge.cells.files import CellFile
from edge.errors import ModelFileError
from edge.images.files import read_image
from edge.inference.bank import BANK_NAME, HOME, Bank, read_bank, write_bank
from edge.inference.classifier import Classifier
from edge.inference.model_file import load_model, with_manifest
from edge.inference.precision import Precision
from edge.inference.preprocessing import PREPROCESSING_VERSION
from train.data.dataset import Sample
from train.model.batches import network_inputs

pytestmark = pytest.mark.slow  # trains and converts

_SIZE = 32


@pytest.fixture(scope="module")
def samples(files: list[CellFile]) -> tuple[Sample, ...]:
    """The drawn cells of six patients as a training holds them."""
    pictures = [read_image(file.source) for file in files]
    return tuple(
        Sample(str(i), i % 2, f"p{i % 6}", rgb, (rgb.any(axis=2) * 255).astype(np.uint8))
        for i, rgb in enumerate(pictures)
    )


@pytest.fixture(scope="module")
def flatbuffer(model: keras.Model, cells: np.ndarray) -> bytes:
    """The small network in int8."""
    return export(model, Precision.INT8, cells)


@pytest.fixture(scope="module")
def bank(samples: tuple[Sample, ...], flatbuffer: bytes, monkeypatch_module: pytest.MonkeyPatch) -> Bank:
    """A bank of ten cells of each class of home, and four of each of another laboratory."""
    for name, number in (("_UNSURE", 4), ("_DRAWN", 6), ("_OF_A_LABORATORY", 4)):
        monkeypatch_module.setattr(f"convert.bank.{name}", number)
    candidates = [Candidates(HOME, samples), Candidates("elsewhere", samples[:20])]
    made = make_bank(flatbuffer, candidates, size=_SIZE, seed=1, threads=1)
    assert made is not None
    return made


@pytest.fixture(scope="module")
def monkeypatch_module() -> Iterator[pytest.MonkeyPatch]:
    """Changes that last as long as the module."""
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def test_a_bank_holds_the_least_sure_cells_of_home_and_stands_for_all(
    bank: Bank, samples: tuple[Sample, ...], flatbuffer: bytes
) -> None:
    assert describe_bank(bank)["cells"] == {
        HOME: {"Uninfected": 10, "Parasitized": 10},
        "elsewhere": {"Uninfected": 4, "Parasitized": 4},
    }
    home = bank.at(bank.laboratory == HOME)
    assert home.weight.sum() == pytest.approx(60)
    said = open_export(flatbuffer, _SIZE, 1).probabilities(network_inputs(samples, _SIZE))
    infected = np.array([sample.label == 1 for sample in samples])
    assert said[infected].min() in home.said
    assert said[~infected].max() in home.said
    assert len(set(home.group.tolist())) == 6


def test_a_bank_is_the_same_from_its_bytes_within_a_step_of_its_scale(bank: Bank) -> None:
    again = read_bank(write_bank(bank))
    assert write_bank(bank) == write_bank(bank)
    spread = bank.features.max(axis=0) - bank.features.min(axis=0)
    assert np.all(np.abs(again.features - bank.features) <= spread / 62 + 1e-5)
    for name in ("said", "infected", "laboratory", "group", "weight"):
        np.testing.assert_array_equal(getattr(again, name), getattr(bank, name))


def _model_file(flatbuffer: bytes, bank: bytes) -> bytes:
    manifest = {
        "name": "drawn",
        "version": "1",
        "precision": "int8",
        "labels": ["Uninfected", "Parasitized"],
        "input": {"size": _SIZE, "preprocessing": PREPROCESSING_VERSION},
        "operating_points": {},
        "licence": "none",
    }
    return with_manifest(flatbuffer, manifest, {BANK_NAME: bank})


def test_the_bank_travels_in_the_model_file_and_an_exchanged_one_is_refused(
    bank: Bank, flatbuffer: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "drawn.tflite"
    path.write_bytes(_model_file(flatbuffer, write_bank(bank)))
    model = load_model(path)
    assert model.flatbuffer == flatbuffer
    assert model.bank is not None
    assert (
        model.bank.features.shape[1]
        == Classifier(model, threads=1).with_features(np.zeros((1, _SIZE, _SIZE, 3), np.uint8))[1].shape[1]
    )
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("more.npz", b"not of the release")
    with pytest.raises(ModelFileError, match="altered"):
        load_model(path)


def test_a_damaged_bank_is_named(flatbuffer: bytes, tmp_path: Path) -> None:
    path = tmp_path / "drawn.tflite"
    path.write_bytes(_model_file(flatbuffer, b"no archive"))
    with pytest.raises(ModelFileError, match=r"bank\.npz of the model is damaged"):
        _ = load_model(path).bank


def test_a_bank_of_columns_of_several_lengths_is_refused(bank: Bank) -> None:
    with pytest.raises(ModelFileError, match="contradict each other"):
        read_bank(write_bank(bank._replace(said=bank.said[1:])))
