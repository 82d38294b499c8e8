"""A released model's threshold is chosen anew on the data of its training alone."""

import re
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from edge.inference.model_file import load_model, shipped_models
from edge.inference.verdicts import LABELS
from edge.messages.language import ENVIRONMENT_VARIABLE
from edge.simulation.single_cell import draw_cell

rethreshold = pytest.importorskip("convert.rethreshold", reason="conversion needs TensorFlow")


def test_other_cells_than_those_of_the_training_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    for number in range(6):
        drawn = draw_cell(np.random.SeedSequence(number), infected=bool(number % 2)).rgb
        folder = tmp_path / "cells" / LABELS[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        # Two patients of three cells each: were each cell a patient's own, the names would be refused first.
        cv2.imwrite(str(folder / f"p{number // 3}_IMG_{number}.png"), cv2.cvtColor(drawn, cv2.COLOR_RGB2BGR))
    out = tmp_path / "out.tflite"
    model = next(iter(shipped_models().values()))
    arguments = [str(model), "--data", str(tmp_path / "cells"), "--release", "9", "--out", str(out)]
    for language, said in (("en", r"Error: .*other cells"), ("fr", r"Erreur : .*autres cellules")):
        result = CliRunner().invoke(rethreshold.main, [*arguments, "--language", language])
        assert result.exit_code == 2
        assert re.search(said, result.output)
        assert not out.exists()


@pytest.mark.parametrize(
    ("language", "said"), [("en", "cannot be written"), ("fr", "ne peut pas être écrit")]
)
def test_a_place_that_cannot_be_written_is_named_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str, said: str
) -> None:
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, language)
    monkeypatch.setattr(rethreshold, "rethreshold", pytest.fail)
    (tmp_path / "file").touch()
    model = str(next(iter(shipped_models().values())))
    arguments = [model, "--data", str(tmp_path), "--release", "9", "--out"]
    result = CliRunner().invoke(rethreshold.main, [*arguments, str(tmp_path / "file" / "out.tflite")])
    assert result.exit_code == 2
    assert said in result.output


def test_a_folder_that_is_not_there_is_made_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "new" / "final" / "out.tflite"
    monkeypatch.setattr(
        rethreshold, "rethreshold", lambda *_, **__: sys.exit(9 if out.parent.is_dir() else 1)
    )
    model = str(next(iter(shipped_models().values())))
    arguments = [model, "--data", str(tmp_path), "--release", "9", "--out", str(out)]
    assert CliRunner().invoke(rethreshold.main, arguments).exit_code == 9
    assert list(out.parent.iterdir()) == []


def test_the_release_chosen_anew_says_by_what_and_is_of_the_same_network() -> None:
    nano = next(load_model(path) for path in shipped_models().values() if "nano" in path.name)
    point = nano.manifest["operating_points"]["field"]
    assert "convert.rethreshold" in " ".join(point["chosen_by"]["command"])
    assert not point["chosen_by"]["commit"].endswith("+changes")
    assert nano.levelling is not None
    assert "fields raised to the typical cell" in point["chosen"]
    told = point["undisputed"]
    assert told["true_negatives"] / told["uninfected"] > 0.995
