"""Which patients a model may be judged on."""

import json
from pathlib import Path

import pytest

from benchmarks.accuracy.heldout import choose_held_out
from benchmarks.harness.measurement import BenchmarkError
from edge.inference.model_file import ModelFile, default_model_path, load_model, with_manifest
from train.data.patients import patient_token


def model_with(split: dict[str, list[str]] | None) -> ModelFile:
    model = load_model(default_model_path())
    data = {key: value for key, value in model.manifest["data"].items() if key != "split"}
    if split is not None:
        data["split"] = {
            part: [patient_token(patient, data["fingerprint"]) for patient in patients]
            for part, patients in split.items()
        }
    return ModelFile(model.path, model.flatbuffer, {**model.manifest, "data": data})


def test_patients_that_any_model_learnt_from_are_left_out() -> None:
    models = [
        model_with({"train": ["A"], "validation": ["B"], "test": ["C", "D"]}),
        model_with({"train": ["C"], "validation": ["B"], "test": ["A", "D"]}),
    ]
    held_out = choose_held_out(None, models)
    assert [patient for patient in "ABCDE" if held_out.keeps(patient)] == ["D", "E"]


def test_a_model_that_does_not_say_whom_it_learnt_from_is_said_to_be_flattered() -> None:
    held_out = choose_held_out(None, [model_with(None)])
    assert held_out.keeps("anybody")
    assert "--split" in str(held_out.sentence)


def test_a_split_file_keeps_its_test_patients(tmp_path: Path) -> None:
    path = tmp_path / "split.json"
    path.write_text(json.dumps({"patients": {"train": ["A"], "validation": ["B"], "test": ["C"]}}))
    held_out = choose_held_out(path, [])
    assert [patient for patient in "ABCD" if held_out.keeps(patient)] == ["C"]
    path.write_text("{}")
    with pytest.raises(BenchmarkError, match=r"split\.json"):
        choose_held_out(path, [])


def test_a_model_file_stands_for_its_split(tmp_path: Path) -> None:
    model = model_with({"train": ["A"], "validation": ["B"], "test": ["C"]})
    path = tmp_path / "mine.tflite"
    path.write_bytes(with_manifest(model.flatbuffer, dict(model.manifest)))
    held_out = choose_held_out(path, [])
    assert [patient for patient in "ABCD" if held_out.keeps(patient)] == ["C"]
