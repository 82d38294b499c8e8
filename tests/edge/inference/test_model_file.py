"""A model file is used only if it is whole, ours, and fits this program."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from edge.errors import ModelFileError
from edge.inference.classifier import Classifier
from edge.inference.model_file import default_model_path, load_model, shipped_models, with_manifest

_SIX_MEGABYTES = 6_000_000


def _remade(tmp_path: Path, **changes: Any) -> Path:
    model = load_model(default_model_path())
    path = tmp_path / "remade.tflite"
    path.write_bytes(with_manifest(model.flatbuffer, {**model.manifest, **changes}))
    return path


@pytest.mark.parametrize("name", sorted(shipped_models()))
def test_each_shipped_model_is_verified_and_small(name: str) -> None:
    model = load_model(shipped_models()[name])
    assert model.path.stat().st_size < _SIX_MEGABYTES
    assert 0 < model.operating_point("cell").threshold < 1
    assert 0 < model.operating_point("field").threshold < 1
    assert len(model.manifest["training"]["environment"]["commit"]) >= 7
    assert model.manifest["training"]["environment"]["command"][0] == "plasmolite"


def test_any_zip_tool_shows_the_manifest() -> None:
    with zipfile.ZipFile(default_model_path()) as archive:
        assert json.loads(archive.read("manifest.json"))["labels"] == ["Uninfected", "Parasitized"]


@pytest.mark.parametrize("name", shipped_models())
def test_the_operating_points_stand_among_the_measured_rates(name: str) -> None:
    model = load_model(shipped_models()[name])
    thresholds = [row.threshold for row in model.roc]
    assert thresholds == sorted(thresholds)
    for point in ("cell", "field"):
        stated = model.manifest["operating_points"][point]
        row = next(row for row in model.roc if row.threshold == stated["threshold"])
        assert row._asdict() == {"threshold": stated["threshold"], **stated["undisputed"]}


@pytest.mark.parametrize("name", shipped_models())
def test_a_shipped_model_names_no_patient(name: str) -> None:
    split = load_model(shipped_models()[name]).manifest["data"]["split"]
    tokens = [token for part in ("train", "validation", "test") for token in split[part]]
    assert len(set(tokens)) == len(tokens) > 100
    assert all(len(token) == 16 and int(token, 16) >= 0 for token in tokens)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.9, 0.999])
def test_a_truncated_model_is_refused(tmp_path: Path, share: float) -> None:
    data = default_model_path().read_bytes()
    path = tmp_path / "cut.tflite"
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ModelFileError):
        load_model(path)


@pytest.mark.parametrize(
    "place", [8, 10], ids=["flags say that it is encrypted", "packed by no known method"]
)
def test_a_manifest_that_cannot_be_unpacked_is_refused(tmp_path: Path, place: int) -> None:
    data = bytearray(default_model_path().read_bytes())
    # The fields of the zip entry in the directory at the file's end (APPNOTE.TXT 4.3.12).
    data[data.rindex(b"PK\x01\x02") + place] |= 0x01 if place == 8 else 0xF0
    path = tmp_path / "spoilt.tflite"
    path.write_bytes(data)
    with pytest.raises(ModelFileError, match=r"manifest of .* is damaged"):
        load_model(path)


def test_a_network_that_is_not_the_one_of_the_manifest_is_refused(tmp_path: Path) -> None:
    data = bytearray(default_model_path().read_bytes())
    data[len(data) // 2] ^= 1
    path = tmp_path / "altered.tflite"
    path.write_bytes(data)
    with pytest.raises(ModelFileError, match="altered"):
        load_model(path)


def test_a_foreign_file_and_a_model_without_manifest_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "foreign.tflite").write_bytes(b"something else entirely")
    (tmp_path / "bare.tflite").write_bytes(load_model(default_model_path()).flatbuffer)
    with pytest.raises(ModelFileError, match="not a TFLite model"):
        load_model(tmp_path / "foreign.tflite")
    with pytest.raises(ModelFileError, match="no manifest"):
        load_model(tmp_path / "bare.tflite")


def test_a_missing_model_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="cannot be read"):
        load_model(tmp_path / "none.tflite")


def test_another_preprocessing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="preprocessing"):
        load_model(_remade(tmp_path, input={"size": 96, "preprocessing": 999}))


def test_other_labels_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="has the labels cat, dog"):
        load_model(_remade(tmp_path, labels=["cat", "dog"]))


def test_a_size_that_the_network_does_not_have_is_refused(tmp_path: Path) -> None:
    model = load_model(default_model_path())
    path = _remade(tmp_path, input={**model.manifest["input"], "size": 64})
    with pytest.raises(ModelFileError, match=r"inputs or outputs of .* differ"):
        Classifier.open(path)


def test_a_manifest_makes_the_same_bytes_twice_and_is_refused_when_incomplete(tmp_path: Path) -> None:
    flatbuffer = load_model(default_model_path()).flatbuffer
    assert with_manifest(flatbuffer, {"name": "x"}) == with_manifest(flatbuffer, {"name": "x"})
    (tmp_path / "x.tflite").write_bytes(with_manifest(flatbuffer, {"name": "x"}))
    with pytest.raises(ModelFileError, match="lacks"):
        load_model(tmp_path / "x.tflite")


@pytest.mark.parametrize(
    "changes",
    [
        {"labels": 5},
        {"input": []},
        {
            "input": {
                "size": "wide",
                "preprocessing": load_model(default_model_path()).manifest["input"]["preprocessing"],
            }
        },
        {"operating_points": "none"},
        {"operating_points": {"cell": {"threshold": "half"}}},
        {"operating_points": {"cell": {"threshold": 7, "chosen": ""}}},
        {"operating_points": {"cell": {"threshold": float("nan"), "chosen": ""}}},
        {"roc": 5},
        {"roc": [[]]},
        {"laboratories": [{}]},
        {"levelling": 1},
        {"second_look": {}},
        {"site": []},
        {"laboratories": [], "site": {"name": "Kisumu", "parent_states": []}},
        {"laboratories": [], "site": {"name": "Kisumu", "parent_states": {"laboratories": [{}]}}},
    ],
)
def test_a_manifest_whose_figures_are_none_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(ModelFileError, match="is damaged: "):
        load_model(_remade(tmp_path, **changes))
